"""Takes the secrets out of what a person is shown of a connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from worker.settings import ConnectionSettings

#: Credentials that are names and stand in records too; all others are secrets.
_NO_SECRETS = frozenset({"email", "client_id"})
_SECRET_FIELD = re.compile(r"(?i)(token|secret|password|api_?key)\Z")
HIDDEN = "<secret>"
#: A secret that is shorter is hidden only where it is the whole text: it may be part of any number.
SHORTEST = 8


def without_secrets(value: Any, connection: ConnectionSettings) -> Any:
    """Return `value`, any JSON, without the connection's credentials and without what is named like one."""
    secrets = [v for k, v in connection.secrets.items() if k not in _NO_SECRETS and v]
    return _hidden(value, secrets)


def _hidden(value: Any, secrets: list[str]) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            whole = value == secret or len(secret) >= SHORTEST
            value = value.replace(secret, HIDDEN) if whole else value
        return value
    if isinstance(value, Mapping):
        return {k: HIDDEN if _is_secret(k, v) else _hidden(v, secrets) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_hidden(item, secrets) for item in value]
    return value


def _is_secret(name: Any, value: Any) -> bool:
    return isinstance(value, str) and bool(value) and bool(_SECRET_FIELD.search(str(name)))
