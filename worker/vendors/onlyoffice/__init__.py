"""ONLYOFFICE: REST with a login; nothing is unique there, so everything is looked up by what it holds.

Facts are from the vendor's document of create-opportunity, from its OpenAPI file (community-server.yaml), and,
where it matters how the server behaves, from the server's source (CommunityServer, module/ASC.Api).
"""

from __future__ import annotations

from dataclasses import replace

from mappings.vendors.onlyoffice import ONLYOFFICE
from worker.errors import NotConfigured, VendorDown
from worker.http import Request
from worker.settings import ConnectionSettings
from worker.vendors.onlyoffice.answers import LOGIN, read
from worker.vendors.onlyoffice.kinds import KINDS
from worker.vendors.onlyoffice.operations import OPERATIONS
from worker.vendors.rest import rest
from worker.vendors.vendor import Call, Caller, Reference, Token, Vendor


def _login(api: Caller) -> Token:
    """Return a token. Raises NotConfigured where the account asks for a second factor."""
    secrets = api.connection.secrets
    answer = api.exchange(LOGIN, {"userName": secrets["email"], "password": secrets["password"]}) or {}
    if answer.get("token"):
        return Token(str(answer["token"]), answer["lasts"])
    if answer.get("sms") or answer.get("tfa"):
        raise NotConfigured(
            f"{LOGIN}: the account of connections.{api.connection.name} asks for a code at every login, which no "
            "worker can give: name one without two-factor authentication in email_env and password_env"
        )
    raise VendorDown(f"{LOGIN}: success without a token")


_REST = rest(authorization=str)


def _build(connection: ConnectionSettings, call: Call, token: str) -> Request:
    # A null is bound as a text without characters, which is no number and no date.
    values = {name: value for name, value in call.values.items() if value is not None}
    return _REST(connection, replace(call, values=values), token)


VENDOR = Vendor(
    mapping=ONLYOFFICE,
    operations=OPERATIONS,
    kinds=KINDS,
    build=_build,
    read=read,
    login=_login,
    lists={
        "users": Reference("people_by_email", "email", by="email", special={"@self": "people_self"}),
        "stages": Reference("opportunity_stage_list", "title"),
        "stage types": Reference("opportunity_stage_list", "stagetype"),
        "stage chances": Reference("opportunity_stage_list", "title", "successprobability"),
        "history categories": Reference("history_category_list", "title"),
        "task categories": Reference("task_category_list", "title"),
        "contact statuses": Reference("contact_status_list", "title"),
        **{
            f"{kind} fields": Reference("customfield_definitions", "label", always={"entityType": kind})
            for kind in ("person", "company", "opportunity", "case")
        },
    },
)
