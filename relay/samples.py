"""Commands with something in every field, to see what a mapping makes of them without an event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from marshmallow import ValidationError, fields, validate

from mappings.commands import (
    Address,
    Attachment,
    Command,
    CommandType,
    Comment,
    OpenTicket,
    OrderLine,
    OrderStatus,
    Person,
    RecordOrder,
    RegisterLead,
    TicketStatus,
)
from mappings.errors import ValueMissing
from mappings.instances import instance
from mappings.vendor import Account, CheckedValues, Named, Plan, VendorMapping

#: The jobs that a CRM can do, by the word for each.
JOBS: Mapping[str, CommandType] = {"lead": RegisterLead, "order": RecordOrder, "ticket": OpenTicket}

_DATE = "2026-03-02T09:00:00+00:00"
_PERSON = Person(
    name="Ana García",
    first_name="Ana",
    last_name="García",
    email="ana@example.com",
    phone="+34600000001",
    company="Example",
    address=Address("Calle Mayor 1", "Madrid", "Madrid", "28013", "ES"),
    language="es",
)
_LINE = OrderLine("LAMP", "Lamp", Decimal(2), Decimal(10), Decimal(1), Decimal(2), Decimal(19))
_SAMPLES: Mapping[CommandType, Command] = {
    RegisterLead: RegisterLead("sample-1", _PERSON, "Please call", "website", "yes"),
    RecordOrder: RecordOrder(
        key="sample-order-1",
        number="#1",
        status=OrderStatus.PAID,
        customer=_PERSON,
        currency="EUR",
        total=Decimal(25),
        tax=Decimal(2),
        shipping=Decimal(5),
        discount=Decimal(1),
        lines=(_LINE,),
        placed_at=_DATE,
        reason="paid",
    ),
    OpenTicket: OpenTicket(
        key="sample-2",
        subject="The lamp is broken",
        description="It does not switch on.",
        requester=_PERSON,
        priority="high",
        channel="email",
        order_number="1",
        attachments=(Attachment("lamp.png", "image/png", 100),),
        status=TicketStatus.SOLVED,
        comments=(Comment("1", "Minh", "A new one is on its way."),),
    ),
}
#: Values that one or another kind of field in relay.toml takes.
_GUESSES: tuple[Any, ...] = (
    1,
    "sample",
    "EUR",
    "ES",
    True,
    "00000000-0000-4000-8000-000000000001",
    "2026-03-02",
    {},
    [],
)


def sample(command: CommandType, account: Account, attributes: Mapping[str, str]) -> Command:
    """Return such a `command` with all fields filled, in the currency that the account wants."""
    made = replace(_SAMPLES[command], attributes={**attributes, "received_at": _DATE})
    currency = account.values.get("currency")
    name = currency.name if isinstance(currency, Named) else currency
    if isinstance(made, RecordOrder) and isinstance(name, str) and len(name) == 3:
        return replace(made, currency=name)
    return made


@dataclass(frozen=True, slots=True)
class Sampled:
    """What a sample became, and which values of relay.toml it needed beyond those that all jobs need.

    A value that decides what is made stands there with its choice: `ticket_as = lead`.
    """

    plan: Plan
    needs: tuple[str, ...]


def plans_of(mapping: VendorMapping, command: CommandType) -> Iterator[Sampled]:
    """Yield what such a `command` becomes, once for each choice that relay.toml has; nothing if it cannot be."""
    planner = mapping.planners.get(command)
    fields_ = instance(mapping.values).fields
    required = {name: _value(field) for name, field in fields_.items() if field.required}
    open_ones: list[tuple[Account, tuple[str, ...]]] = [(Account("sample", required), ())]
    while planner and open_ones:
        account, needs = open_ones.pop(0)
        checked = replace(account, values=CheckedValues(instance(mapping.values).load(account.values)))
        try:
            yield Sampled(planner(sample(command, checked, {}), checked), needs)
        except ValueMissing as error:
            ways = [(way, (*needs, said)) for way, said in _with(account, error, fields_)]
            open_ones = ways + open_ones


def _with(
    account: Account, missing: ValueMissing, known: Mapping[str, fields.Field[Any]]
) -> Iterator[tuple[Account, str]]:
    """Yield the account with what it lacks, once for each choice, and the words for it. Raises `missing`."""
    table, _, place = missing.key.partition(".")
    name, _, attribute = place.partition(".")
    if table == "custom_fields" and attribute not in account.custom_fields.get(name, {}):
        placed = {**account.custom_fields.get(name, {}), attribute: "1"}
        yield replace(account, custom_fields={**account.custom_fields, name: placed}), missing.key
        return
    if table != "values" or name in account.values:
        raise missing
    choices = _choices(known[name])
    for choice in choices or (_value(known[name]),):
        said = f"{name} = {choice}" if choices else name
        yield replace(account, values={**account.values, name: choice}), said


def _choices(field: fields.Field[Any]) -> tuple[Any, ...]:
    return tuple(c for v in field.validators if isinstance(v, validate.OneOf) for c in v.choices)


def _value(field: fields.Field[Any]) -> Any:
    for guess in (*_choices(field), *_GUESSES):
        try:
            field.deserialize(guess)
        except ValidationError:
            continue
        return guess
    raise LookupError(f"no sample value fits {field.name}")
