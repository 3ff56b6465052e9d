"""Reads what `[sources.X]` says of the sender's own interface: where it is, and what opens it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.source import Source
from worker.settings import Fault, TokenRenewal

#: By the grant of a renewal: the keys that it needs.
KEYS = {
    "refresh_token": ("api_client_id_env", "api_client_secret_env", "api_refresh_token_env"),
    "client_credentials": ("api_client_id_env", "api_client_secret_env"),
}


class Place:
    """The table of a source in relay.toml, as who reads it needs it: its faults and its secrets."""

    def __init__(self, where: str, environ: Mapping[str, str], faults: list[Fault]) -> None:
        self._where, self._environ, self._faults = where, environ, faults

    def fault(self, key: str, what: str) -> None:
        """Put down what is wrong with `key`."""
        self._faults.append(Fault(f"{self._where}.{key}", what))

    def secrets(self, key: str, names: list[str]) -> tuple[str, ...]:
        """Return those of the variables `names` that are set; none of them is a fault."""
        # One of several is enough: a secret that is rotated out goes away before its name does.
        if names and not any(self._environ.get(name) for name in names):
            self.fault(key, f"no secret: set the environment variable {' or '.join(names)}")
        return tuple(self._environ[name] for name in names if self._environ.get(name))

    def secret(self, key: str, name: str) -> str:
        """Return the variable `name`, "" without a fault where no name is given."""
        return next(iter(self.secrets(key, [name])), "") if name else ""


def api_url_of(where: Place, sender: Source, loaded: Mapping[str, Any], options: Mapping[str, Any]) -> str:
    """Return the address of the interface, "" where nothing is to be read there."""
    opened_by = [key for key in ("api_token_env", *KEYS["refresh_token"]) if loaded[key]]
    if sender.api is None:
        if loaded["api_url"] or opened_by:
            remedy = f"remove {', '.join(['api_url', *(opened_by or ['api_token_env'])])}"
            where.fault(
                "api_url",
                f"events of this sender are complete, nothing is fetched for them; {remedy}",
            )
        return ""
    if not opened_by:
        if sender.api.is_optional:
            return ""
        what = "is missing: its events hold ids only; name the variable with a token of its API"
        renewed = (
            f", or {_listed(KEYS[sender.api.renewal.grant])}, as its tokens end" if sender.api.renewal else ""
        )
        where.fault("api_token_env", what + renewed)
    try:
        sender.api.user_agent.format(**options)
        return str(loaded["api_url"] or sender.api.url.format(**options)).rstrip("/")
    except KeyError as missing:
        where.fault(str(missing).strip("'"), "is missing: the address of the sender's API contains it")
        return ""


def renewal_of(
    where: Place, sender: Source, loaded: Mapping[str, Any], options: Mapping[str, Any], api_url: str
) -> TokenRenewal | None:
    """Return how the token is renewed, None where it is a fixed one, or none."""
    given = [key for key in KEYS["refresh_token"] if loaded[key]]
    if not given or sender.api is None:
        return None
    if sender.api.renewal is None:
        where.fault(given[0], "tokens of this type of source do not end; use api_token_env instead")
        return None
    needed = KEYS[sender.api.renewal.grant]
    for key in needed:
        if not loaded[key]:
            where.fault(key, f"is missing: a token is renewed with {_listed(needed)}")
    for key in given:
        if key not in needed:
            where.fault(key, f"is not needed: a token is renewed with {_listed(needed)}; remove it")
    if loaded["api_token_env"]:
        where.fault(
            "api_token_env", f"is a fixed token, and the other keys renew one; remove it, or {_listed(given)}"
        )
    if not api_url:
        return None
    return TokenRenewal(
        sender.api.renewal.url.format(api=api_url, **options),
        client_id=where.secret(needed[0], loaded[needed[0]]),
        lasts=sender.api.renewal.lasts,
        client_secret=where.secret(needed[1], loaded[needed[1]]),
        first=where.secret(needed[-1], loaded[needed[-1]]) if len(needed) > 2 else "",
    )


def _listed(keys: tuple[str, ...] | list[str]) -> str:
    *others, last = keys
    return f"{', '.join(others)} and {last}" if others else last
