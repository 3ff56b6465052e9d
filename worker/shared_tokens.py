"""Where the workers share a login's token: a key of the broker's Redis, gone when the token ends.

It is encrypted with the connection's own credentials, so that whoever can read the broker gains nothing by it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import redis
from cryptography.fernet import Fernet, InvalidToken
from redis.backoff import NoBackoff
from redis.retry import Retry

from worker.settings import ConnectionSettings, Settings
from worker.telemetry import log
from worker.vendors import VENDORS
from worker.vendors.api import Session
from worker.vendors.tokens import Tokens
from worker.vendors.vendor import Token

#: A token of unknown life is shared for so long; whoever finds it refused gets a new one.
UNKNOWN_LIFE = timedelta(hours=12)


class BrokerTokens:
    """One connection's token at the broker. Without the broker every process logs in by itself."""

    def __init__(self, client: redis.Redis, connection: ConnectionSettings) -> None:
        self._client = client
        derived = _derived(connection)
        self._name = f"relay:token:{connection.name}:{derived[:8].hex()}"
        self._box = Fernet(base64.urlsafe_b64encode(derived[8:]))

    def get(self) -> Token | None:
        """Return the token with the time that it still lasts, None where there is none."""
        text, left = self._ask(
            lambda: (self._client.get(self._name), self._client.pttl(self._name)), (None, 0)
        )
        if not text:
            return None
        try:
            held = json.loads(self._box.decrypt(text))
        except InvalidToken:  # a release before this one wrote it
            return None
        lasts = timedelta(milliseconds=left) if held["ends"] and left > 0 else None
        return Token(held["token"], lasts)

    def put(self, token: Token) -> None:
        """Keep the token for as long as it lasts."""
        held = self._box.encrypt(json.dumps({"token": token.text, "ends": token.lasts is not None}).encode())
        life = token.lasts or UNKNOWN_LIFE
        self._ask(
            lambda: self._client.set(self._name, held, px=max(1, int(life.total_seconds() * 1000))), None
        )

    def begin(self, lasting: timedelta) -> bool:
        """Say whether the caller is the one to log in; for `lasting` nobody else is."""
        lock, ms = f"{self._name}:login", int(lasting.total_seconds() * 1000)
        return bool(self._ask(lambda: self._client.set(lock, "1", nx=True, px=ms), True))

    def end(self) -> None:
        """Say that the login is over."""
        self._ask(lambda: self._client.delete(f"{self._name}:login"), 0)

    def _ask(self, question: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return question()
        except redis.RedisError as error:
            # A login of its own costs each process a second; waiting for the broker could cost an hour.
            log().warning("tokens.not_shared", error=type(error).__name__)
            return otherwise


def sessions(settings: Settings) -> dict[str, Session]:
    """Return a session for each connection that logs in, its token shared where the broker is a Redis."""
    url = settings.broker_url.replace("redis+socket://", "unix://", 1)
    if not url.startswith(("redis", "unix")):
        return {}
    once = Retry(NoBackoff(), retries=1)
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=once)
    login = [c for c in settings.connections.values() if VENDORS[c.vendor].login]
    return {c.name: Session(Tokens(BrokerTokens(client, c))) for c in login}


def _derived(connection: ConnectionSettings) -> bytes:
    # Changed credentials are another account: its token must not be used with the new ones, nor the reverse.
    # Slow on purpose, so that a key's name helps nobody to guess a password.
    parts = [
        connection.vendor,
        connection.base_url,
        *sorted(f"{k}={v}" for k, v in connection.secrets.items()),
    ]
    salt = connection.name.encode()
    return hashlib.scrypt("\n".join(parts).encode(), salt=salt, n=2**14, r=8, p=1, dklen=40)
