"""Dates that senders write otherwise than as ISO 8601, and what sorts the states of a thing."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any

from marshmallow import ValidationError, fields

from mappings.reading.payloads import sortable

_END_OF_TIME = 253_402_300_800  # Unix seconds of the year 10000, where datetime ends
_SINCE_WHEN_MILLISECONDS = 10**11  # as seconds, this is the year 5138


class UnixTime(fields.Field[str]):
    """Whole Unix seconds, as ISO 8601 in UTC."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _END_OF_TIME:
            raise ValidationError("is not a time in Unix seconds")
        return datetime.fromtimestamp(value, UTC).isoformat()


class MailDate(fields.Field[str]):
    """A date as e-mails write it (RFC 2822), as ISO 8601 with its offset."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        try:
            when = parsedate_to_datetime(value)
        except (TypeError, ValueError, AttributeError, IndexError, OverflowError):
            raise ValidationError("is not a date as e-mails write it") from None
        # "-0000" and no zone at all leave it naive: senders that write so mean UTC (RFC 2822, section 3.3).
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).isoformat()


class AnyMoment(fields.Field[str]):
    """A date and time in ISO 8601 with its offset, or Unix seconds or milliseconds; for senders we do not know."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **_: Any) -> str:
        if sortable(value) is not None:
            return str(value)
        if isinstance(value, str) and re.fullmatch("[0-9]{9,13}", value):
            value = int(value)
        if not _is_number(value) or not 0 <= value < 10**14:
            raise ValidationError("is neither a date and time with an offset nor a Unix time")
        seconds = int(value) // 1000 if value >= _SINCE_WHEN_MILLISECONDS else int(value)
        return datetime.fromtimestamp(seconds, UTC).isoformat()


def version_of(value: Any) -> str | None:
    """Return a text that sorts as `value` does: an ISO 8601 moment with its offset, or a number from 0 on.

    None for anything else: a version that cannot be compared would let an old state overwrite a new one.
    """
    if isinstance(value, str) and re.fullmatch("[0-9]{1,18}", value.strip()):
        value = int(value)
    if not _is_number(value):
        return sortable(value)
    return f"{Decimal(value):026.6f}" if 0 <= value < 10**18 else None


def _is_number(value: Any) -> bool:
    # Looked at before anything is compared: NaN cannot be.
    return (isinstance(value, int) and not isinstance(value, bool)) or (
        isinstance(value, Decimal) and value.is_finite()
    )
