"""Payloads of the owner's own making: relay.toml says what an event is and where its fields stand."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from marshmallow import fields, validate

from mappings.commands import (
    Address,
    OpenTicket,
    OrderStatus,
    Person,
    RecordOrder,
    RegisterLead,
    TicketStatus,
)
from mappings.errors import CannotMap
from mappings.families.by_paths import paths
from mappings.families.by_paths.path_fields import (
    AddressFields,
    LeadFields,
    LineFields,
    OrderFields,
    PersonFields,
    TicketFields,
    amount_of,
    line_of,
    translated,
)
from mappings.families.by_paths.paths import at, gather, read_as
from mappings.families.order_totals import NOTHING, balanced
from mappings.formats.phones import to_e164
from mappings.reading.form_fields import named_by_content
from mappings.reading.moments import version_of
from mappings.reading.payloads import Payload, Text
from mappings.source import Arrival, Event, Handler, Naming

IGNORED = frozenset({"ignored"})
WORDS = ("lead", "order", "ticket", "ignored")
#: Characters of a type or an entity that somebody else makes up: they are shown, and stand in an index.
LONGEST_NAME = 200

#: Options of relay.toml that all of these sources have.
PATH_OPTIONS: Mapping[str, Any] = {
    "map": fields.Nested(paths.PathMap),
    "becomes": fields.String(validate=validate.OneOf(WORDS)),
    "events": fields.Dict(keys=fields.String(), values=fields.String(validate=validate.OneOf(WORDS))),
    "statuses": fields.Dict(keys=fields.String(), values=fields.String()),
    "currency": str,
    "minor_units": bool,
    "taxes_included": bool,
    "origin": str,
    "default_region": str,
    "dedup_window_seconds": int,
}


@dataclass(frozen=True, slots=True)
class ByPaths:
    """How such a source names its events and maps them.

    `envelope` puts payload and headers together to what the paths of relay.toml start in, `key` returns the
    sender's own id of the event, where its format has one. `defaults` are paths that the format fixes; what
    stands there may be missing.
    """

    envelope: Callable[[Any, Mapping[str, str]], Any] = lambda payload, headers: payload
    key: Callable[[Arrival, Any], str] = lambda arrival, envelope: ""
    defaults: Mapping[str, str] = field(default_factory=dict)

    @property
    def handlers(self) -> dict[str, Handler]:
        """Return what the words of `events` and `becomes` stand for."""
        return {"lead": self._lead, "order": self._order, "ticket": self._ticket}

    def name(self, arrival: Arrival) -> Naming:
        """Name an event by what relay.toml says of its type; the sender's own word where it says nothing."""
        envelope, options = self.envelope(arrival.payload, arrival.headers), arrival.options
        where = {**self.defaults, **options.get("map", {})}
        kind, id_, entity = (_word(envelope, where.get(name)) for name in ("event", "id", "entity"))
        version = version_of(at(envelope, where["version"])) if "version" in where else None
        type_ = options.get("events", {}).get(kind) or ("" if kind in WORDS else options.get("becomes"))
        type_ = type_ or kind[:LONGEST_NAME] or "unknown"
        key = self.key(arrival, envelope)
        if not key and (id_ or (entity and version)):
            key = ":".join((kind, id_ or entity, version or ""))
        naming = Naming(type_, key) if key else named_by_content(arrival, type_, envelope)
        if len(entity) > LONGEST_NAME:
            entity = hashlib.sha256(entity.encode()).hexdigest()
        test = at(envelope, where["test"]) if "test" in where else False
        return Naming(
            type=type_,
            dedup_key=naming.dedup_key,
            entity=f"{type_}-{entity}" if entity else None,
            version=version,
            test=test is True
            or test == 1
            or (isinstance(test, str) and test.strip().lower() in ("true", "1")),
            window=naming.window,
        )

    def _lead(self, event: Event) -> Iterable[RegisterLead]:
        values, where = self._read(event, LeadFields, paths.LEAD)
        person = self._person(event, where)
        if person is None or not (person.name or person.email or person.phone):
            raise CannotMap(
                _first(where, "email", "name", "phone"), "a lead needs a name, e-mail or telephone number"
            )
        yield RegisterLead(
            key=event.key,
            person=person,
            message=values["message"],
            origin=event.options.get("origin") or values["origin"] or event.source,
            consent=values["consent"],
            attributes=self._attributes(event, where),
        )

    def _ticket(self, event: Event) -> Iterable[OpenTicket]:
        values, where = self._read(event, TicketFields, paths.TICKET)
        requester = self._person(event, where)
        if requester is None or not (requester.name or requester.email or requester.phone):
            raise CannotMap(_first(where, "email", "name", "phone"), "a ticket needs somebody who asks")
        word = translated(event, where, values["status"], [status.value for status in TicketStatus])
        yield OpenTicket(
            key=event.key,
            subject=values["subject"] or "(no subject)",
            description=values["description"],
            requester=requester,
            priority=values["priority"],
            channel=values["channel"],
            order_number=values["order_number"],
            status=TicketStatus(word) if word else None,
            attributes=self._attributes(event, where),
        )

    def _order(self, event: Event) -> Iterable[RecordOrder]:
        values, where = self._read(event, OrderFields, paths.ORDER)
        currency = values["currency"] or event.options.get("currency", "").upper()
        for name, given in (("currency", currency), ("placed_at", values["placed_at"])):
            if not given:
                raise CannotMap(_first(where, name), f"an order needs its {name}")
        lines = [line_of(line, event, currency) for line in self._lines(event, where)]
        if values["total"] is None and not lines:
            raise CannotMap(_first(where, "total", "lines"), "an order needs a total or lines")
        tax = sum((line.tax for line in lines), NOTHING)
        tax = tax if values["tax"] is None else amount_of(values["tax"], event, currency)
        shipping, discount = (amount_of(values[name], event, currency) for name in ("shipping", "discount"))
        total = sum((line.total for line in lines), tax + shipping - abs(discount))
        total = total if values["total"] is None else amount_of(values["total"], event, currency)
        all_lines, unallocated = balanced(
            lines, total=total, besides=shipping + tax, discount=abs(discount), extras=[]
        )
        word = translated(event, where, values["status"], [status.value for status in OrderStatus])
        yield RecordOrder(
            key=event.key,
            number=values["number"] or (event.entity or event.id).removeprefix("order-"),
            status=OrderStatus(word or "open"),
            customer=self._person(event, where),
            currency=currency,
            total=total,
            tax=tax,
            shipping=shipping,
            discount=unallocated,
            lines=all_lines,
            placed_at=values["placed_at"],
            reason=values["reason"],
            closed_at="" if word in ("", "open") else values["closed_at"],
            attributes=self._attributes(event, where),
        )

    def _where(self, event: Event) -> dict[str, Any]:
        return {**self.defaults, **event.options.get("map", {})}

    def _optional(self, event: Event) -> set[str]:
        own = event.options.get("map", {})
        return set(self.defaults) - set(own) | set(own.get("optional", ()))

    def _read(self, event: Event, schema: type[Payload], names: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the fields of one command, and the map; what the naming could only do without is named here."""
        where, envelope = self._where(event), self.envelope(event.payload, event.headers)
        asked = gather(envelope, where, paths.EVENT.split(), optional=self._optional(event))
        if "version" in asked and asked["version"] is not None and version_of(asked["version"]) is None:
            raise CannotMap(where["version"], "is neither a moment with its offset nor a number from 0 on")
        found = gather(envelope, where, names.split(), optional=self._optional(event))
        return read_as(schema, found, where), where

    def _person(self, event: Event, where: Mapping[str, Any]) -> Person | None:
        envelope, optional = self.envelope(event.payload, event.headers), self._optional(event)
        found = read_as(PersonFields, gather(envelope, where, paths.PERSON.split(), optional=optional), where)
        places = where.get("address", {})
        postal = read_as(
            AddressFields, gather(envelope, places, paths.ADDRESS.split(), optional=optional), places
        )
        if not found["name"]:
            found["name"] = " ".join(filter(None, (found["first_name"], found["last_name"])))
        found["phone"] = to_e164(found["phone"], event.options.get("default_region"))
        address = Address(**postal) if any(postal.values()) else None
        person = Person(**found, address=address)
        return None if person == Person(language=person.language) else person

    def _attributes(self, event: Event, where: Mapping[str, Any]) -> dict[str, str]:
        wanted, optional = where.get("attributes", {}), self._optional(event)
        found = gather(self.envelope(event.payload, event.headers), wanted, wanted, optional=optional)
        shape = Payload.from_dict({name: Text(load_default="") for name in wanted})
        return {name: value for name, value in read_as(shape, found, wanted).items() if value}  # type: ignore[arg-type]

    def _lines(self, event: Event, where: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
        optional = self._optional(event)
        listed = gather(self.envelope(event.payload, event.headers), where, ["lines"], optional=optional)
        lines = listed.get("lines") or []
        if not isinstance(lines, list):
            raise CannotMap(where["lines"], "is not a list")
        places = where.get("line", {})
        for number, line in enumerate(lines):
            prefix = f"{where['lines']}[{number}]."
            found = gather(line, places, paths.LINE.split(), optional=optional, prefix=prefix)
            yield read_as(LineFields, found, places, prefix)


def _word(envelope: Any, path: str | None) -> str:
    value = at(envelope, path) if path else None
    usable = isinstance(value, str | int | Decimal) and not isinstance(value, bool)
    return str(value).strip() if usable else ""


def _first(where: Mapping[str, Any], *names: str) -> str:
    """Return the path of the first of `names` that has one, else the key of relay.toml to set."""
    return next((str(where[name]) for name in names if name in where), f"map.{names[0]}")
