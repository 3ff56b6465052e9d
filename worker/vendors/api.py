"""One connection, as one delivery uses it: the one way in which all vendors are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from mappings.vendor import Named
from worker.errors import (
    CredentialsRefused,
    Interrupted,
    NotConfigured,
    OutcomeUnknown,
    PutBack,
    Rejected,
    VendorDown,
)
from worker.http import Answer, Http
from worker.settings import ConnectionSettings
from worker.vendors.lookups import plain
from worker.vendors.paging import every, listed
from worker.vendors.references import References
from worker.vendors.tokens import Tokens
from worker.vendors.vendor import Call, Item, Operation, Reference, Token, Vendor


class Session:
    """What a process keeps of one connection from delivery to delivery: its token and the vendor's lists."""

    def __init__(self, tokens: Tokens | None = None) -> None:
        self.tokens = tokens or Tokens()
        self.references = References()
        #: Until when nobody needs to look whether a pause was asked for, on the monotonic clock.
        self.free_until = 0.0


class Api:
    """A vendor's account, to be called.

    `guard` runs before every call and keeps the lease; `pay` is told the operation and takes from the budget; both
    raise where the call must not be made. `heed` sees every answer, whatever it says.
    """

    def __init__(
        self,
        vendor: Vendor,
        connection: ConnectionSettings,
        http: Http,
        session: Session,
        guard: Callable[[], None],
        pay: Callable[[Operation], None] = lambda operation: None,
        heed: Callable[[Answer], None] = lambda answer: None,
    ) -> None:
        self.vendor = vendor
        self.connection = connection
        self._http = http
        self._session = session
        self._guard = guard
        self._pay = pay
        self._heed = heed
        #: Whether the vendor has carried out something: then it is neither down nor out of reach.
        self.has_changed = False

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The vendor's operations, as its document has them."""
        return self.vendor.operations

    def call(self, name: str, values: Mapping[str, Any] | None = None) -> Any:
        """Return what the operation `name` answers to `values`. Raises the errors of worker.errors."""
        call = Call(self.configured(name), values or {})
        login, tokens = self.vendor.login, self._session.tokens
        if login is None:
            return self._send(call, self.connection.secrets.get("token", ""))
        token = tokens.current(lambda: login(self))
        logged_in = False

        def anew() -> Token:
            nonlocal logged_in
            logged_in = True
            return login(self)

        # Refused means that nothing was done, so the call may be repeated: with what another worker has fetched,
        # which may be over too, then with a token of our own. With one, lest a wrong password locks the account.
        for _ in range(2):
            try:
                return self._send(call, token)
            except CredentialsRefused:
                if logged_in:
                    raise
                token = tokens.replaced(token, anew)
        return self._send(call, token)

    def each(self, name: str, values: Mapping[str, Any] | None = None) -> Iterator[Item]:
        """Yield the records of a list, page after page, holding no more than a page of them."""
        operation = self.configured(name)
        paging, asked = operation.paging, values or {}
        if paging is None:
            yield from listed(name, _inside(self.call(name, asked), operation.items))
            return

        def page(number: int, skip: int) -> tuple[list[Item], bool]:
            place = paging.first + (number if paging.counts == "pages" else skip)
            answer = self.call(name, {**asked, paging.size: paging.at_most, paging.position: place})
            items = listed(name, _inside(answer, operation.items))
            return items, bool(paging.is_last and paging.is_last(answer))

        yield from every(name, page)

    def setting(self, key: str) -> Any:
        """Return what relay.toml says for `values.<key>`, a name there as the vendor's id."""
        value = self.connection.account.values.get(key)
        return self.named(value) if isinstance(value, Named) else value

    def named(self, wanted: Named) -> Any:
        """Return the id of the entry that relay.toml calls by name.

        Raises NotConfigured, which says which names exist, where the vendor's list has none like it.
        """
        reference = self.vendor.lists[wanted.list]
        # What comes one at a time is remembered one at a time, or two names would drive each other out.
        place = f"{wanted.list} {wanted.name.casefold()}" if reference.by else wanted.list

        def fetch() -> Iterator[Item]:
            if reference.by:
                yield from self._single(reference, wanted.name)
                return
            asked = {name: self.setting(key) for name, key in reference.ask.items()}
            yield from self.each(reference.operation, {**reference.always, **asked})

        entries = self._session.references.entries(place, reference, wanted.name, fetch)
        if plain(wanted.name) in entries:
            return entries[plain(wanted.name)].id
        known = ", ".join(dict.fromkeys(repr(entry.name) for entry in entries.values())) or "none"
        raise NotConfigured(
            f"connections.{self.connection.name}.{wanted.key}: no {wanted.name!r} among the vendor's "
            f"{wanted.list}; there are: {known}"
        )

    def _single(self, reference: Reference, name: str) -> Iterator[Item]:
        """Yield the one entry that the vendor has by this name, nothing where it says that there is none."""
        special = reference.special.get(name)
        try:
            entry = self.call(special) if special else self.call(reference.operation, {reference.by: name})
        except Rejected as error:
            if error.status != 404:
                raise
            return
        yield {**entry, reference.name: name}

    def exchange(self, name: str, values: Mapping[str, Any]) -> Any:
        """Like `call`, without a token: for the login itself."""
        return self._send(Call(self.configured(name), values), "")

    def configured(self, name: str) -> Operation:
        """Return an operation with the path and the verb that relay.toml gives it.

        Raises NotConfigured for one of which nobody knows what it does, until its path is set there.
        """
        connection = self.connection
        operation = self.vendor.adapt(self.operations[name], connection.account.values)
        if operation.unclear and name not in connection.paths:
            raise NotConfigured(
                f"{name}: {operation.unclear}; set paths.{name} (and verbs.{name}) of the connection in relay.toml"
            )
        path = connection.paths.get(name, operation.path)
        verb = connection.verbs.get(name, operation.verb)
        return replace(operation, path=path, verb=verb)

    def _send(self, call: Call, token: str) -> Any:
        self._guard()
        self._pay(call.operation)
        request = self.vendor.build(self.connection, call, token)
        try:
            answer = self._http.send(request, self.connection.timeout.total_seconds())
            self._heed(answer)
            said = self.vendor.read(call, answer)
            self.has_changed = self.has_changed or call.operation.changes
            return said
        except OutcomeUnknown as error:
            if call.operation.changes:
                raise
            if isinstance(error, Interrupted):
                raise PutBack(str(error), timedelta(0)) from error
            raise VendorDown(str(error), error.retry_after) from error


def _inside(answer: Any, place: str) -> Any:
    for name in place.split(".") if place else ():
        answer = answer.get(name) if isinstance(answer, Mapping) else None
    return answer
