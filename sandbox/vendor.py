"""Holds what all played vendors have in common: operations, answers, refusals, options and credentials."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from sandbox.fields import Complaint, Field, Json, examine
from sandbox.store import Query, Record, Store

Options = Mapping[str, Mapping[str, str | int]]
Credentials = Mapping[str, Mapping[str, str] | Sequence[Mapping[str, str]]]

FORMS = ("multipart/form-data", "application/x-www-form-urlencoded")

# Whether a vendor refuses or ignores a field that its document does not list is written nowhere.
SHARED_CHOICES: Mapping[str, tuple[str, ...]] = {"unknown_fields": ("reject", "ignore")}


@dataclass(frozen=True)
class Inbound:
    """An HTTP request to a vendor: `segments` are the decoded path parts below the vendor's name.

    `body` is the JSON object, or the text fields of a form; `files` are a multipart body's files as (field,
    file name, size in bytes); `media_type` is that of the body, in lower case and without parameters.
    """

    verb: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    body: Json
    authorization: str
    files: tuple[tuple[str, str, int], ...] = ()
    malformed: bool = False
    media_type: str = ""

    @property
    def bearer(self) -> str:
        """The token of an Authorization header of the scheme Bearer, else empty."""
        scheme, _, token = self.authorization.partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""


@dataclass(frozen=True)
class Answer:
    """An HTTP answer: status code and JSON body, or a ready text with its media type."""

    status: int
    body: object
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):
    """A request that the vendor turns down, with the HTTP status it would use and the reasons."""

    def __init__(self, status: int, *messages: str) -> None:
        """Take the HTTP status and one or more sentences for the client."""
        super().__init__("; ".join(messages))
        self.status = status
        self.messages = messages


@dataclass(frozen=True)
class Desk:
    """What an action works with: the store, the vendor's options and its accepted credential sets."""

    vendor: str
    store: Store
    options: Mapping[str, str | int]
    credentials: tuple[Mapping[str, str], ...]

    def searchable_until_ms(self) -> int:
        """Return the creation time up to which records are already found by a search."""
        return self.store.now_ms() - int(self.options["search_lag_ms"])

    def exact(self, kind: str, **equal: object) -> list[Record]:
        """Return the records whose fields equal the given values, those not yet searchable too."""
        return self.store.find(self.vendor, kind, Query({name: [value] for name, value in equal.items()}))


@dataclass(frozen=True)
class Call:
    """A request that was recognised: path and query parameters and the validated body."""

    operation: "Operation"
    path: Mapping[str, str]
    query: Mapping[str, str]
    body: Json
    files: tuple[tuple[str, str, int], ...] = ()


@dataclass(frozen=True)
class Operation:
    """One operation of a vendor; for REST `group` is the verb, for RPC the namespace."""

    name: str
    group: str
    target: str
    action: Callable[[Desk, Call], Answer]
    fields: tuple[Field, ...] = ()
    needs_token: bool = True


class Vendor(ABC):
    """A played vendor; a subclass adds its table of operations, its routing and its envelopes."""

    name: ClassVar[str]
    kinds: ClassVar[tuple[str, ...]]
    choices: ClassVar[Mapping[str, tuple[str, ...]]]
    credential_keys: ClassVar[tuple[str, ...]]
    operations: ClassVar[tuple[Operation, ...]]
    takes_forms: ClassVar[bool] = False

    def __init__(self, desk: Desk) -> None:
        """Take the desk that all operations of this vendor work with."""
        self.desk = desk

    @abstractmethod
    def match(self, inbound: Inbound) -> Call | None:
        """Find the operation that a request means, or None."""

    @abstractmethod
    def accepts(self, inbound: Inbound) -> bool:
        """Say whether the request's Authorization header is valid now."""

    @abstractmethod
    def unknown(self, inbound: Inbound) -> Answer:
        """Answer a request that means no operation."""

    @abstractmethod
    def refusal(self, refused: Refused) -> Answer:
        """Put a refusal into the vendor's error envelope."""

    @abstractmethod
    def unauthorised(self) -> Answer:
        """Answer a request whose token is missing or not valid."""

    @abstractmethod
    def expire_token(self) -> Answer | None:
        """Let tokens expire; return the answer to give at once, or None to go on without them."""

    @abstractmethod
    def failure_in_success(self) -> Answer:
        """Give HTTP 200 with a body that says that the operation failed."""

    @abstractmethod
    def complain(self, complaints: Sequence[Complaint]) -> Refused:
        """Word the complaints about a body the way the vendor's framework does."""

    def serve(self, inbound: Inbound, call: Call | None) -> Answer:
        """Check token and body of a routed request, run its operation and return the answer."""
        if call is None:
            return self.unknown(inbound)
        if call.operation.needs_token and not self.accepts(inbound):
            return self.unauthorised()
        try:
            self._validate(call, inbound)
            with self.desk.store.transaction():
                return call.operation.action(self.desk, call)
        except Refused as refused:
            return self.refusal(refused)

    def _validate(self, call: Call, inbound: Inbound) -> None:
        if inbound.malformed or (inbound.media_type in FORMS and not self.takes_forms):
            raise Refused(400, "The request body is not a JSON object")
        found = examine(call.operation.fields, call.body)
        if self.desk.options["unknown_fields"] == "ignore":
            found = [complaint for complaint in found if complaint.reason != "unknown"]
        if found:
            raise self.complain(found)


def read_options(vendors: Sequence[type[Vendor]], options: Options | None) -> dict[str, dict[str, str | int]]:
    """Fill in the defaults (always the first choice); ValueError names an option that does not exist."""
    given = dict(options or {})
    stray = given.keys() - {"*"} - {vendor.name for vendor in vendors}
    if stray:
        raise ValueError(f"options for an unknown vendor: {', '.join(sorted(stray))}")
    shared_names = {*SHARED_CHOICES, "search_lag_ms"}
    wrong = given.get("*", {}).keys() - shared_names
    if wrong:
        raise ValueError(f"options that not every vendor has: {', '.join(sorted(wrong))}")
    return {
        vendor.name: _options_of(vendor, {**given.get("*", {}), **given.get(vendor.name, {})})
        for vendor in vendors
    }


def _options_of(vendor: type[Vendor], given: Mapping[str, str | int]) -> dict[str, str | int]:
    choices = {**SHARED_CHOICES, **vendor.choices}
    chosen: dict[str, str | int] = {name: allowed[0] for name, allowed in choices.items()}
    chosen["search_lag_ms"] = 0
    for name, value in given.items():
        if name == "search_lag_ms":
            if isinstance(value, bool) or not isinstance(value, int) or value < 0:
                raise ValueError(
                    f"{vendor.name}: search_lag_ms must be a number of milliseconds, not {value!r}"
                )
        elif value not in choices.get(name, ()):
            allowed = ", ".join(choices.get(name, ())) or "no such option"
            raise ValueError(f"{vendor.name}: option {name}={value!r} is not possible; allowed: {allowed}")
        chosen[name] = value
    return chosen


def read_credentials(vendor: type[Vendor], credentials: Credentials) -> tuple[Mapping[str, str], ...]:
    """Return the accepted credential sets of a vendor; ValueError when a set lacks a key."""
    given = credentials.get(vendor.name, ())
    sets: tuple[Mapping[str, str], ...] = (given,) if isinstance(given, Mapping) else tuple(given)
    for one in sets:
        lacking = [key for key in vendor.credential_keys if not one.get(key)]
        if lacking:
            raise ValueError(f"{vendor.name}: credentials lack {', '.join(lacking)}")
    return sets
