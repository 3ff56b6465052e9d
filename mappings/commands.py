"""The narrow middle: the few changes that any source can ask of any CRM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from decimal import Decimal
from enum import StrEnum
from typing import Any

from mappings.formats.money import written


class OrderStatus(StrEnum):
    """Where an order stands, as far as a CRM cares."""

    OPEN = "open"
    PAID = "paid"
    CANCELLED = "cancelled"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address; every part as the sender wrote it, empty where it said nothing."""

    street: str = ""
    city: str = ""
    region: str = ""
    postcode: str = ""
    country: str = ""  # ISO 3166-1 alpha-2 where the sender gives it, else the name as typed


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at the other end. `phone` is E.164 where it parses, else as typed."""

    name: str = ""
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    phone: str = ""
    company: str = ""
    address: Address | None = None
    language: str = ""


@dataclass(frozen=True, slots=True)
class RegisterLead:
    """Somebody showed interest. `origin` is the form or campaign it came through."""

    key: str
    person: Person
    message: str = ""
    origin: str = ""
    consent: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One position of an order.

    `unit_price` is the sender's price of one piece, `discount` and `tax` are for the whole line, and `total` is
    what the line comes to after its discount and without its tax, whether or not the price contains the tax.
    """

    sku: str
    name: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """An order as it stands now; sent again whenever it changes, always whole.

    The sum of the lines' totals, plus `shipping` and `tax`, minus `discount`, is `total`, to the minor unit.
    `tax` is all tax of the order, `shipping` is without tax and after its discounts, and `discount` is only
    what no line and no shipping has already taken off.
    """

    key: str
    number: str
    status: OrderStatus
    customer: Person | None
    currency: str
    total: Decimal
    tax: Decimal
    shipping: Decimal
    discount: Decimal
    lines: tuple[OrderLine, ...]
    placed_at: str  # ISO 8601 with offset, as the sender says
    reason: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a request, by name; `size` in bytes, None where the sender does not say."""

    name: str
    media_type: str
    size: int | None = None


class TicketStatus(StrEnum):
    """Where a request for help stands."""

    OPEN = "open"
    PENDING = "pending"
    SOLVED = "solved"


@dataclass(frozen=True, slots=True)
class Comment:
    """Something that was said on a request after it was opened; `id` is the sender's and stays the same."""

    id: str
    author: str
    text: str


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """Somebody asks for help: the request as it stands now, sent again whenever it changes.

    `status` is None where the sender knows no such thing, as an inbox does not.
    """

    key: str
    subject: str
    description: str
    requester: Person
    priority: str = ""
    channel: str = ""
    order_number: str = ""
    attachments: tuple[Attachment, ...] = ()
    status: TicketStatus | None = None
    comments: tuple[Comment, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


Command = RegisterLead | RecordOrder | OpenTicket
CommandType = type[RegisterLead] | type[RecordOrder] | type[OpenTicket]


def filled(**attributes: str) -> dict[str, str]:
    """Return the attributes that have a value: an empty one tells nobody anything."""
    return {name: value for name, value in attributes.items() if value}


def as_json(command: Command) -> dict[str, Any]:
    """Return `command` as plain JSON values, money as strings with the currency's own number of decimals."""
    currency = command.currency if isinstance(command, RecordOrder) else ""
    written_out = {"command": type(command).__name__, **_plain(command, currency)}
    if isinstance(command, OpenTicket):
        for name in ("status", "comments"):
            if not written_out[name]:
                del written_out[name]
    return written_out


def _plain(value: Any, currency: str) -> Any:
    if isinstance(value, Decimal):
        return written(value, currency)
    if isinstance(value, OrderLine):
        line = {f.name: _plain(getattr(value, f.name), currency) for f in fields(value)}
        return line | {"quantity": format(value.quantity.normalize(), "f")}
    if hasattr(value, "__dataclass_fields__"):
        return {f.name: _plain(getattr(value, f.name), currency) for f in fields(value)}
    if isinstance(value, Mapping):
        return {k: _plain(v, currency) for k, v in value.items()}
    if isinstance(value, tuple):
        return [_plain(item, currency) for item in value]
    return value
