"""Logs in, and answers what the portal knows of its users, currencies and custom fields."""

import secrets
from collections.abc import Mapping

from sandbox.fields import Json
from sandbox.onlyoffice.answers import missing, page, success, wrong
from sandbox.onlyoffice.fields import text_of
from sandbox.onlyoffice.records import time_text
from sandbox.onlyoffice.reference import CURRENCIES, CUSTOM_FIELDS, USERS, definitions
from sandbox.vendor import Answer, Call, Desk, Refused

# How long a token works, in milliseconds; on a portal this is the setting of the cookie's life.
LIFETIMES: Mapping[str, int] = {"365d": 365 * 86_400_000, "2s": 2_000}
SMS_CODE_MS = 10 * 60_000


def login(desk: Desk, call: Call) -> Answer:
    """Issue a token; with a second factor none comes, but word of the code that is asked for."""
    user_name, password = text_of(call.body, "userName"), text_of(call.body, "password")
    if not user_name or not password:
        raise wrong("userName", "password")
    accepted = [(one["email"].casefold(), one["password"]) for one in desk.credentials]
    if (user_name.casefold(), password) not in accepted:
        # An AuthenticationException is none of those for which the server has a status of its own.
        raise Refused(500 if desk.options["bad_login"] == "http500" else 401, "User authentication failed")
    now = desk.store.now_ms()
    answer: Json = {"sms": False, "tfa": False, **dict.fromkeys(("token", "expires", "phoneNoise"))}
    if desk.options["two_factor"] == "sms":
        code = {"sms": True, "phoneNoise": "+*******21", "expires": time_text(now + SMS_CODE_MS)}
        return success({**answer, **code}, 201)
    if desk.options["two_factor"] == "tfa":
        return success({**answer, "tfa": True, "tfaKey": "ABCDEFGHIJKLMNOP"}, 201)
    expires = now + LIFETIMES[str(desk.options["token_lifetime"])]
    token = f"{secrets.token_urlsafe(48)}.{expires}"
    desk.store.add_token(desk.vendor, token)
    return success({**answer, "token": token, "expires": time_text(expires)}, 201)


def is_valid(desk: Desk, authorization: str) -> bool:
    """Say whether a header carries a token that was issued and still works, with or without "Bearer "."""
    token = authorization.removeprefix("Bearer ")
    expires = token.rpartition(".")[2]
    known = desk.store.knows_token(desk.vendor, token)
    return known and int(expires) > desk.store.now_ms()


def _users(desk: Desk) -> list[Json]:
    return [{**USERS[0], "email": desk.credentials[0]["email"]}, *USERS[1:]]


def myself(desk: Desk, _call: Call) -> Answer:
    """Answer the user that logged in."""
    return success(_users(desk)[0])


def by_email(desk: Desk, call: Call) -> Answer:
    """Answer the user with this e-mail address."""
    wanted = call.query.get("email", "").casefold()
    for person in _users(desk):
        if person["email"].casefold() == wanted:
            return success(person)
    raise missing("User not found")


def currencies(desk: Desk, call: Call) -> Answer:
    """Answer the currencies that money can be in."""
    return page(desk, call, list(CURRENCIES.values()))


def custom_definitions(desk: Desk, call: Call) -> Answer:
    """Answer the custom fields of an entity type."""
    if call.path["entityType"] not in CUSTOM_FIELDS:
        raise Refused(404, "Method not found")
    return page(desk, call, definitions(call.path["entityType"]))
