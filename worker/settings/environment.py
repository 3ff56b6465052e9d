"""What the environment says besides relay.toml: numbers, keys, and which of its texts are secrets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from worker.masking import learn
from worker.settings import ConnectionSettings, Fault, SettingsError, SourceSettings
from worker.settings.encryption_keys import key_bytes

#: What Docker gives a process after SIGTERM by default, the shortest of the usual platforms.
GRACE_SECONDS = 10
#: Below this there is no time for an answer, a commit and the end of the interpreter.
LEAST_GRACE_SECONDS = 5
_ADDRESSES = {
    "RELAY_DATABASE_URL": (
        re.compile(r"(postgresql(\+psycopg)?|sqlite)://\S*\Z"),
        "postgresql://user:password@host/name",
    ),
    # Celery finds out about any other word only when it connects, which it then tries for ever.
    "RELAY_BROKER_URL": (
        re.compile(r"(rediss?|redis\+(socket|unix)|sentinel|amqps?|pyamqp|memory)://\S*\Z"),
        "redis://host:6379/0",
    ),
    "SENTRY_DSN": (re.compile(r"https?://[^@\s]+@\S+/\d+\Z"), "https://key@host/1"),
}


def whole_number(
    environ: Mapping[str, str], name: str, default: int, faults: list[Fault], least: int = 1
) -> int:
    """Return the variable `name` as a number of at least `least`, or put down a fault and return `default`."""
    text = environ.get(name) or str(default)
    if text.isdecimal() and int(text) >= least:
        return int(text)
    faults.append(Fault(name, f"must be a whole number of at least {least}, not {text!r}"))
    return default


def grace_seconds(environ: Mapping[str, str]) -> int:
    """Return how many seconds a process has after SIGTERM. Raises SettingsError."""
    faults: list[Fault] = []
    seconds = grace(environ, faults)
    if faults:
        raise SettingsError(faults)
    return seconds


def grace(environ: Mapping[str, str], faults: list[Fault]) -> int:
    """Like `grace_seconds`, but puts a fault down."""
    return whole_number(environ, "RELAY_GRACE_SECONDS", GRACE_SECONDS, faults, least=LEAST_GRACE_SECONDS)


def addresses(environ: Mapping[str, str], faults: list[Fault]) -> None:
    """Put down a fault for each address that no process could use; never its text, which may hold a password."""
    for name, (form, example) in _ADDRESSES.items():
        text = environ.get(name, "")
        if text and not form.match(text):
            faults.append(Fault(name, f"must be an address such as {example}"))


def encryption_keys(environ: Mapping[str, str], faults: list[Fault]) -> tuple[bytes, ...]:
    """Return the keys of RELAY_ENCRYPTION_KEY, the one that encrypts first."""
    keys = []
    for place, text in enumerate(filter(None, environ.get("RELAY_ENCRYPTION_KEY", "").split(",")), 1):
        try:
            keys.append(key_bytes(text))
        except ValueError:
            # Never the text itself: it may be a good key with one sign too many.
            faults.append(
                Fault(
                    "RELAY_ENCRYPTION_KEY",
                    f"key number {place} is not a valid key: `relay keys new` makes one",
                )
            )
    return tuple(keys)


def learn_secrets(
    environ: Mapping[str, str],
    sources: Mapping[str, SourceSettings | None],
    connections: Mapping[str, ConnectionSettings | None],
) -> None:
    """Tell `worker.masking` the secrets of the configuration, so that no text of ours ever shows them."""
    for source in filter(None, sources.values()):
        learn((*source.secrets, *source.tokens, source.api_token))
        learn((source.renewal.client_secret, source.renewal.first) if source.renewal else ())
        learn([source.guard.captcha_secret] if source.guard else [])
    for connection in filter(None, connections.values()):
        # Whom a login is for is no secret, and a word like it may stand anywhere.
        learn(text for name, text in connection.secrets.items() if name not in ("email", "client_id"))
    # An address of ours may hold a password.
    addresses = (environ.get(name, "") for name in ("RELAY_DATABASE_URL", "RELAY_BROKER_URL", "SENTRY_DSN"))
    learn(filter(None, map(_password, addresses)))
    learn(environ.get(name, "") for name in ("FLOWER_PASSWORD", "RELAY_CONSOLE_PASSWORD"))
    learn(environ.get("RELAY_ENCRYPTION_KEY", "").split(","))


def _password(address: str) -> str:
    try:
        return unquote(urlsplit(address).password or "")
    except ValueError:
        return ""
