"""What a vendor must declare, and the one way in which all of them are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import simplejson

from mappings.vendor import Record, VendorMapping
from worker.errors import CredentialsRefused, OutcomeUnknown, VendorDown
from worker.http import Answer, Http, Request
from worker.settings import ConnectionSettings
from worker.vendors.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Operation:
    """One call that a vendor documents.

    `path` is an address below the connection's, with `{names}` to fill in. `changes` says whether it changes
    anything, whatever its verb. `confirmed` says whether the vendor's document states path and verb; what it
    does not state can be set as `paths.<operation>` and `verbs.<operation>` in relay.toml.
    """

    name: str
    verb: str
    path: str
    changes: bool = False
    confirmed: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """How records of one kind are made and found.

    `find` returns the vendor's id of the record that `match` describes, None only after a successful look-up
    that found nothing; without it an unknown outcome is parked for a person. `repeatable` means that the
    vendor documents the create as an upsert on our key. `protection` tells the operator what that gives.
    """

    create: str
    record_id: Callable[[Any], str | None]
    protection: str
    find: Callable[[Api, Record], str | None] | None = None
    update: str | None = None
    repeatable: bool = False
    reference: Callable[[str], Any] = str  # how its id is written in other records' bodies


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operation."""

    operation: Operation
    body: Any = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Vendor:
    """A CRM product.

    `build` makes the request of a call, `read` returns what the answer holds or raises one of worker.errors;
    `login` gets a token for the connection, where the vendor has no static one.
    """

    mapping: VendorMapping
    operations: Mapping[str, Operation]
    kinds: Mapping[str, Kind]
    build: Callable[[ConnectionSettings, Call, str], Request]
    read: Callable[[Call, Answer], Any]
    login: Callable[[Api], str] | None = None


class Api:
    """One connection, as one delivery uses it.

    `guard` runs before every call: it keeps the lease and takes from the budget, and raises where the call
    must not be made.
    """

    def __init__(
        self,
        vendor: Vendor,
        connection: ConnectionSettings,
        http: Http,
        tokens: Tokens,
        guard: Callable[[], None],
    ) -> None:
        self.vendor = vendor
        self.connection = connection
        self._http = http
        self._tokens = tokens
        self._guard = guard

    def call(
        self,
        name: str,
        body: Any = None,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, str] | None = None,
    ) -> Any:
        """Return what the operation `name` answers. Raises the errors of worker.errors."""
        call = Call(self._configured(self.vendor.operations[name]), body, path or {}, query or {})
        login = self.vendor.login
        if login is None:
            return self.exchange(call, self.connection.secrets.get("token", ""))
        token = self._tokens.current(lambda: login(self))
        try:
            return self.exchange(call, token)
        except CredentialsRefused:
            # Refused means that nothing was done, so the call may be repeated; once, lest a wrong password
            # locks the account.
            return self.exchange(call, self._tokens.replaced(token, lambda: login(self)))

    def exchange(self, call: Call, token: str) -> Any:
        """Send one call with `token` and return what its answer holds."""
        self._guard()
        request = self.vendor.build(self.connection, call, token)
        try:
            return self.vendor.read(call, self._http.send(request, self.connection.timeout.total_seconds()))
        except OutcomeUnknown as error:
            if call.operation.changes:
                raise
            raise VendorDown(str(error), error.retry_after) from error

    def _configured(self, operation: Operation) -> Operation:
        path = self.connection.paths.get(operation.name, operation.path)
        verb = self.connection.verbs.get(operation.name, operation.verb)
        return replace(operation, path=path, verb=verb)


def json_body(body: Any) -> bytes:
    """Return `body` as JSON, money as exact numbers: 19.90 leaves us as 19.90, not as a binary fraction."""
    text: str = simplejson.dumps(body, use_decimal=True, ensure_ascii=False, allow_nan=False)
    return text.encode()
