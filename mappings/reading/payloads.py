"""How sources read a sender's JSON with marshmallow: lenient about text, strict about figures and dates."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load

from mappings.errors import CannotMap
from mappings.formats.accents import composed
from mappings.instances import instance

#: Largest amount and finest fraction that are taken for a price. With them and `MAX_QUANTITY`, a quantity
#: times a price fits the 28 digits of Decimal.
MAX_AMOUNT = Decimal(10) ** 13
FINEST = Decimal("0.000001")
MAX_QUANTITY = Decimal(10) ** 6

_FIGURE = re.compile(r"-?[0-9]{1,20}(\.[0-9]{1,40})?")


class Payload(Schema):
    """A schema for the parts of a payload that we use; a null means the same as a key that is not there.

    So does an empty text, which some write for an amount or a currency that there is none of, and `[]` in the place
    of an object: PHP cannot tell an empty object from an empty list.
    """

    class Meta:
        """Senders add keys whenever they like."""

        unknown = EXCLUDE

    @pre_load
    def drop_nulls(self, data: Any, **_: Any) -> Any:
        """Let the default of a field stand for its null, and for a text with nothing in it."""
        if data == []:
            return {}
        return (
            {k: v for k, v in data.items() if v is not None and v != ""}
            if isinstance(data, Mapping)
            else data
        )


class Text(fields.Field[str]):
    """Text without the space around it; numbers and booleans, which senders mix in, as JSON writes them."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if isinstance(value, str):
            return composed(value.strip())
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | Decimal):
            return format(value, "f") if isinstance(value, Decimal) else str(value)
        raise ValidationError("is not text")


class Word(Text):
    """A word of a list that the sender has, in lower case: some write it now so and now otherwise."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        return super()._deserialize(value, attr, data).lower()


class Amount(fields.Field[Decimal]):
    """An amount of money or a quantity, as a decimal string or a JSON number."""

    def __init__(self, limit: Decimal = MAX_AMOUNT, **kwargs: Any) -> None:
        """Refuse what is beyond `limit` on either side of zero."""
        super().__init__(**kwargs)
        self.limit = limit

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> Decimal:
        if isinstance(value, str) and _FIGURE.fullmatch(value.strip()):
            value = Decimal(value.strip())
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            raise ValidationError("is not an amount")
        # Compared before anything is computed: NaN, infinity and 1E+300 all end here.
        is_finite = not isinstance(value, Decimal) or value.is_finite()
        if not is_finite or not -self.limit < value < self.limit:
            raise ValidationError("is not an amount that can be right")
        amount = Decimal(value)
        if int(amount.as_tuple().exponent) < int(FINEST.as_tuple().exponent):
            # Figures that were binary fractions at the sender carry noise far behind the point.
            return amount.quantize(FINEST, rounding=ROUND_HALF_UP)
        return amount


class Currency(Text):
    """A currency code of ISO 4217, in capitals."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        code = super()._deserialize(value, attr, data).upper()
        if not re.fullmatch("[A-Z]{3}", code):
            raise ValidationError("is not a currency code")
        return code


class Moment(fields.Field[str]):
    """A date and time in ISO 8601 with its offset, kept as the sender wrote it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if sortable(value) is None:
            raise ValidationError("is not a date and time with an offset")
        return str(value)


class MomentIfAny(fields.Field[str]):
    """As `Moment`, empty for what is none: that nobody knows when an order was closed is no reason to park it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        return "" if sortable(value) is None else str(value)


def items(kind: type[Schema] | fields.Field[Any], data_key: str | None = None) -> fields.List[Any]:
    """Return a field for a list of `kind`, empty where the sender leaves it out or writes null.

    `data_key` is the sender's name of it, where ours has to be another.
    """
    inner = fields.Nested(kind) if isinstance(kind, type) else kind
    return fields.List(inner, load_default=list, data_key=data_key)


def part(kind: type[Schema], data_key: str | None = None) -> fields.Nested:
    """Return a field for an object of `kind`; left out or null, it is one with the defaults of its fields."""
    return fields.Nested(kind, load_default=lambda: instance(kind).load({}), data_key=data_key)


def load(schema: type[Schema], payload: Any, place: str = "") -> dict[str, Any]:
    """Return what `schema` names of `payload`; raises CannotMap with the JSON path of the first fault.

    `place` is where `payload` itself stands, if it is not the whole.
    """
    try:
        loaded: dict[str, Any] = instance(schema).load(payload)
    except ValidationError as error:
        raise CannotMap(*_first(error.messages, place)) from None
    return loaded


def _first(messages: Any, path: str) -> tuple[str, str]:
    while isinstance(messages, Mapping):
        key, messages = next(iter(messages.items()))
        if key != "_schema":
            path += f"[{key}]" if isinstance(key, int) else f".{key}"
    why = messages[0] if isinstance(messages, list) else messages
    return path.lstrip(".") or "$", str(why)


def sortable(moment: Any) -> str | None:
    """Return an ISO 8601 moment in UTC as `YYYY-MM-DDTHH:MM:SS.ffffffZ`, whose text order is time order.

    None for anything else, and for a time without an offset, which could be any of 26 hours.
    """
    try:
        when = datetime.fromisoformat(moment)
        return None if when.tzinfo is None else _utc(when)
    except (TypeError, ValueError, OverflowError):
        return None


def latest(moments: Iterable[str], otherwise: str = "") -> str:
    """Return the last of the moments that are one, as it is written; `otherwise` where none is."""
    return max(filter(sortable, moments), key=lambda moment: sortable(moment) or "", default=otherwise)


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
