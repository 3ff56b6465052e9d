"""What can go wrong with a delivery, sorted by what we do next.

DeliveryError
├── Retry                   come back later by ourselves
│   ├── Unreachable         no request left us: nothing can have happened
│   ├── RateLimited         the vendor says when to come back
│   ├── VendorDown          the vendor answered that it cannot
│   ├── SenderDown          the sender's own interface does not give what a thin event lacks
│   └── OutcomeUnknown      it may have happened: probe before trying again
│       └── Interrupted     it was we who did not wait for the answer, since the worker stops
├── Hold                    the connection waits, not only this delivery; no attempt is spent
│   ├── CredentialsRefused
│   ├── SenderRefused       not the CRM but the sender refuses us: only what waits for it is held
│   └── BudgetSpent
├── Stop                    a person has to act
│   ├── Rejected            the vendor refuses this record
│   ├── Unmappable          the payload cannot be turned into records
│   └── NotConfigured       relay.toml lacks something, or the vendor cannot do this at all
└── PutBack                 nobody's fault: another delivery is at the same record, or we are stopping

No other exception crosses a module border, except LedgerUnavailable and LeaseLost, which mean that we can
record nothing: then the lease runs out and another worker goes on from the last checkpoint.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta


class DeliveryError(Exception):
    """Something kept a delivery from ending; the text is written for the operator, without payload values."""

    #: HTTP status of the vendor's answer, where there was one.
    status: int | None = None


class Retry(DeliveryError):
    """It may work later; `retry_after` is the vendor's own word on when, None where it gave none."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class Unreachable(Retry):
    """The vendor could not be reached and no request left us: refused connection, DNS, TLS."""


class RateLimited(Retry):
    """The vendor asks us to slow down."""


class VendorDown(Retry):
    """The vendor answered that it cannot serve now, and nothing was changed."""


class SenderDown(Retry):
    """What a thin event lacks could not be read at the sender; the CRM has nothing to do with it."""


class OutcomeUnknown(Retry):
    """A changing call left us and its outcome is not known: the record may exist."""


class Interrupted(OutcomeUnknown):
    """We ended the call ourselves, because the worker had to stop; it says nothing of the vendor."""


class Hold(DeliveryError):
    """Nothing can be delivered over this connection for now."""


class CredentialsRefused(Hold):
    """The vendor refuses our credentials, also after a fresh login."""


class SenderRefused(Hold):
    """The sender does not renew the token of its interface; the CRM has nothing to do with it."""


class BudgetSpent(Hold):
    """The connection's own limit of requests is used up; `retry_after` says when the next one is free.

    `whole` says that the connection has none for anybody, and not only none of this kind.
    """

    def __init__(self, message: str, retry_after: timedelta, whole: bool = True) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.whole = whole


class Stop(DeliveryError):
    """Trying again changes nothing; a person has to act, then release the delivery."""


class Rejected(Stop):
    """The vendor refuses the record; `fields` are its complaints by field, or by "" where it names none."""

    def __init__(self, message: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.fields = dict(fields or {})


class Unmappable(Stop):
    """The payload lacks or garbles what a command or record needs; `path` says where."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(f"{path}: {why}")
        self.path = path


class NotConfigured(Stop):
    """relay.toml does not say what this needs; the text names the key to set."""


class PutBack(DeliveryError):
    """The delivery goes back without a verdict and is due again after `delay`."""

    def __init__(self, message: str, delay: timedelta) -> None:
        super().__init__(message)
        self.delay = delay


class LedgerUnavailable(Exception):
    """The ledger cannot be read or written now."""


class LeaseLost(Exception):
    """Our lease on a delivery ran out and somebody else may have it: stop at once, write nothing."""
