"""An error of a vendor's call as one line for a person: what happened, and what to do."""

from __future__ import annotations

from collections.abc import Mapping

from relay.redaction import without_secrets
from worker.errors import (
    BudgetSpent,
    CredentialsRefused,
    DeliveryError,
    NotConfigured,
    OutcomeUnknown,
    PutBack,
    RateLimited,
    Rejected,
    Unreachable,
    VendorDown,
)
from worker.settings import ConnectionSettings
from worker.vendors.vendor import Operation

_REMEDIES: Mapping[type[DeliveryError], str] = {
    Unreachable: "nothing was sent; check the connection's base_url and the network",
    RateLimited: "nothing was done; wait a little and repeat it",
    VendorDown: "nothing was changed; repeat it later",
    CredentialsRefused: "check the variables that relay.toml names for this connection's credentials",
    BudgetSpent: "nothing was sent; `relay connections` says when there are requests again",
    Rejected: "nothing was changed; correct what it complains of",
    PutBack: "nothing was sent; repeat it in a moment",
}


def error_line(
    error: DeliveryError, connection: ConnectionSettings, operation: Operation | None = None
) -> str:
    """Return the error in one line: its class, what happened, and what to do; without a secret."""
    said = " ".join(str(error).split())
    remedy = _remedy(error, operation)
    return str(
        without_secrets(f"{type(error).__name__}: {said}{f'; {remedy}' if remedy else ''}", connection)
    )


def _remedy(error: DeliveryError, operation: Operation | None) -> str:
    if isinstance(error, OutcomeUnknown):
        look = f" with {operation.probe}" if operation and operation.probe else ""
        return f"it may have been carried out: look{look} before you repeat it"
    if isinstance(error, RateLimited) and error.retry_after:
        return f"nothing was done; repeat it in {error.retry_after.total_seconds():g} s"
    return next((remedy for kind, remedy in _REMEDIES.items() if isinstance(error, kind)), "")


def is_set_up(error: DeliveryError) -> bool:
    """Say whether relay.toml must say more before anything can be sent."""
    return isinstance(error, NotConfigured) and error.status is None
