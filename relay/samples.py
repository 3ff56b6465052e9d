"""Commands with something in every field, to see what a mapping makes of them without an event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
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
from mappings.vendor import Account, Named, Plan, VendorMapping

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


def sample(kind: CommandType, account: Account, attributes: Mapping[str, str]) -> Command:
    """Return a command of `kind` with all fields filled, in the currency that the account wants."""
    made = replace(_SAMPLES[kind], attributes={**attributes, "received_at": _DATE})
    currency = account.values.get("currency")
    name = currency.name if isinstance(currency, Named) else currency
    if isinstance(made, RecordOrder) and isinstance(name, str) and len(name) == 3:
        return replace(made, currency=name)
    return made


def plan_of(mapping: VendorMapping, kind: CommandType) -> Plan | None:
    """Return what a `kind` command becomes at an account that has every value that it needs.

    None where the vendor's mapping has nothing for it.
    """
    planner = mapping.planners.get(kind)
    if planner is None:
        return None
    schema = instance(mapping.values)
    values = {name: _value(field) for name, field in schema.fields.items() if field.required}
    while True:
        account = Account("sample", schema.load(values))
        try:
            return planner(sample(kind, account, {}), account)
        except ValueMissing as error:
            name = error.key.removeprefix("values.").partition(".")[0]
            if name in values:
                raise
            values[name] = _value(schema.fields[name])


def _value(field: fields.Field[Any]) -> Any:
    choices = [c for v in field.validators if isinstance(v, validate.OneOf) for c in v.choices]
    for guess in (*choices, *_GUESSES):
        try:
            field.deserialize(guess)
        except ValidationError:
            continue
        return guess
    raise LookupError(f"no sample value fits {field.name}")
