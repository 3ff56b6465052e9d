"""What a vendor must declare: its operations, the kinds of records that it keeps, and its own lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

import simplejson
from marshmallow import Schema

from mappings.vendor import Record, VendorMapping
from worker.http import Answer, Request
from worker.settings import ConnectionSettings

Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Paging:
    """How a vendor gives a long list in pieces: the parameters for their size and for where to go on.

    `counts` says whether `position` is a number of items or of pages, `first` is that of the first piece.
    `is_last` tells from an answer that there is no more, where the vendor says so.
    """

    position: str
    size: str
    at_most: int
    counts: Literal["items", "pages"] = "items"
    first: int = 0
    is_last: Callable[[Any], bool] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One call that a vendor documents.

    `path` is an address below the connection's, with `{names}` to fill in; `method` is the name of a remote
    procedure. `changes` says whether it changes anything, whatever its verb, `repeatable` whether a repetition
    does no harm, `probe` names the operation that tells whether it happened. `request` describes the input,
    which goes where `sends` says: `multipart` has it in the query and only files in the form, `multipart form` has
    both in the form. `confirmed` tells whether the vendor's document states path and verb; what it does not state
    can be set as `paths.<operation>` and `verbs.<operation>` in relay.toml. `unclear` says what nobody knows about
    it: it runs only once its path is set there. `items` is where a list is in the answer.
    """

    name: str
    verb: str
    path: str
    group: str = ""
    request: type[Schema] | None = None
    changes: bool = False
    repeatable: bool = False
    probe: str = ""
    confirmed: bool = False
    sends: Literal["body", "query", "multipart", "multipart form"] = "body"
    method: str = ""
    unclear: str = ""
    items: str = ""
    paging: Paging | None = None

    @property
    def path_names(self) -> tuple[str, ...]:
        """The names to fill in in the path."""
        return tuple(re.findall(r"{(\w+)}", self.path))


class Find(Protocol):
    """Looks a record up: its id at the vendor, None only after a successful look-up that found nothing."""

    def __call__(self, api: Caller, record: Record, since: datetime | None) -> str | None:
        """Return the id; a record of ours was not made before `since`, where that is known."""


class Caller(Protocol):
    """What kinds and logins may do with a connection; `worker.vendors.api.Api` is it."""

    connection: ConnectionSettings

    @property
    def operations(self) -> Mapping[str, Operation]:
        """The vendor's operations."""

    def call(self, name: str, values: Mapping[str, Any] | None = None) -> Any:
        """Return what the operation `name` answers to `values`. Raises the errors of worker.errors."""

    def each(self, name: str, values: Mapping[str, Any] | None = None) -> Iterator[Item]:
        """Yield the records of a list, page after page."""

    def setting(self, key: str) -> Any:
        """Return what relay.toml says for `values.<key>`, a name there as the vendor's id."""

    def exchange(self, name: str, values: Mapping[str, Any]) -> Any:
        """Like `call`, without a token: for the login itself."""


class Listing(Protocol):
    """A list that shows a record of ours and those like it; `worker.vendors.lookups.LookUp` is one."""

    @property
    def operation(self) -> str:
        """The operation that gives the list."""

    @property
    def id(self) -> str:
        """The field of its items that holds their id."""

    @property
    def is_of_record(self) -> bool:
        """Whether something of the record must be known to ask for it: its key, or what it hangs on."""

    def parents(self, record: Record) -> frozenset[tuple[str, str]]:
        """Return kind and key of the records of ours by whose ids it is asked for."""

    def asked(self, api: Caller, record: Record) -> Mapping[str, Any]:
        """Return the operation's parameters; records with the same ones are read from one list."""

    def items(self, api: Caller, asked: Mapping[str, Any], since: datetime | None) -> Iterator[Item]:
        """Yield the list, not far beyond `since` where it shows the newest first."""

    def is_one(self, api: Caller, item: Item, record: Record) -> bool:
        """Say whether the item bears the record's key."""


@dataclass(frozen=True, slots=True)
class Proof:
    """How a kind's records are read back, to prove that each is there, once, and as it was sent.

    `one` reads a record by its id, None only where the vendor's own word is that it is not there. `alike` gives
    the list of all that bear the record's key, of which `whole` says that its items tell as much as `one`.
    `everywhere` lists all records of the kind, or of what the record hangs on: where it is given, a record is
    missing only if that list does not show it either, as a 404 on a path that no document states may be about
    the path. `cannot` says why none of that is possible.

    `names` are our fields = theirs where they differ: a path, in which `[]` stands for each of a list. What an
    answer does not have is not compared, unless the vendor is `lean`: it leaves out what is empty, so the fields
    of `names` are compared and no others. To a field of `grows` an update adds lines. `delete` names a documented
    operation that deletes a record of this kind, on which no other hangs, and `made_at` the field with the time
    of its creation.
    """

    one: Callable[[Caller, str], Item | None] | None = None
    alike: Callable[[Record], Listing | None] | None = None
    everywhere: Callable[[Record], Listing | None] | None = None
    whole: bool = False
    names: Mapping[str, str] = field(default_factory=dict)
    lean: bool = False
    grows: frozenset[str] = frozenset()
    delete: str = ""
    made_at: str = ""
    cannot: str = ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How records of one kind are made, found, changed, taken away and read back.

    Without `find` an unknown outcome is parked for a person. `find_made` finds what a lost call of ours made, where
    `find` goes by a name that the next event may spell otherwise. `repeatable` means that the vendor documents the
    create as an upsert on our key. `protection` tells the operator what that gives. `record_id` takes the id from
    what the create answers, `reference` writes it as other records' bodies want it. `update` brings a record up to
    date, `remove` names the operation that deletes one.
    """

    create: str
    protection: str
    record_id: Callable[[Any], str | None]
    find: Find | None = None
    find_made: Find | None = None
    update: Callable[[Caller, str, Mapping[str, Any]], None] | None = None
    remove: str | None = None
    proof: Proof = Proof(cannot="nobody has said how it is read back")
    repeatable: bool = False
    reference: Callable[[str], Any] = str


@dataclass(frozen=True, slots=True)
class Reference:
    """A list of the vendor that people know by name: stages, users, currencies.

    `operation` gives it, `name` and `id` are fields of its entries, of which a name may be put together
    ("first_name last_name"); `also` are further names that an entry goes by, unless another one has it for its
    `name`. `ask` fills the operation's parameters from values of relay.toml, `always` with fixed ones. `texts`
    says that bodies want the id as text, whatever the list shows. Where the vendor gives no list but one entry at
    a time, `by` is the parameter that takes the name, and `special` are names that an operation of their own
    answers.
    """

    operation: str
    name: str = "name"
    id: str = "id"
    also: tuple[str, ...] = ()
    texts: bool = False
    ask: Mapping[str, str] = field(default_factory=dict)
    always: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""
    special: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Call:
    """One use of an operation; `values` are its input, wherever in the request they go."""

    operation: Operation
    values: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Token:
    """What a login gives; `lasts` is None where the vendor does not say for how long."""

    text: str = field(repr=False)
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Vendor:
    """A CRM product.

    `build` makes the request of a call, `read` returns what the answer holds or raises one of worker.errors;
    `login` gets a token for the connection, where the vendor has no static one. `adapt` returns an operation as
    `[connections.X.values]` wants it, where the document leaves open how it is called.
    """

    mapping: VendorMapping
    operations: Mapping[str, Operation]
    kinds: Mapping[str, Kind]
    build: Callable[[ConnectionSettings, Call, str], Request]
    read: Callable[[Call, Answer], Any]
    login: Callable[[Caller], Token] | None = None
    lists: Mapping[str, Reference] = field(default_factory=dict)
    adapt: Callable[[Operation, Mapping[str, Any]], Operation] = lambda operation, _: operation


def table(*operations: Operation) -> Mapping[str, Operation]:
    """Return `operations` by name; raises ValueError where two have the same one."""
    by_name = {operation.name: operation for operation in operations}
    if len(by_name) != len(operations):
        raise ValueError("two operations have one name")
    return by_name


def json_body(body: Any) -> bytes:
    """Return `body` as JSON, money as exact numbers: 19.90 leaves us as 19.90, not as a binary fraction."""
    text: str = simplejson.dumps(body, use_decimal=True, ensure_ascii=False, allow_nan=False)
    return text.encode()
