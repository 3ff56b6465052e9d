"""Gravity Forms' Webhooks add-on. Special: fields have numbers for names ("1.3"), so relay.toml must name them.

Facts: docs.gravityforms.com, "Entry Object" and "Webhooks Add-On", and the add-on's own source. "Select Fields"
sends names of one's own instead. It takes any answer for success: a refusal is seen here only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.families.submissions import IP_ADDRESS, PAGE_URL, fields_of, named_by_number, named_in, written
from mappings.reading.bodies import read_form
from mappings.reading.form_fields import FORM_OPTIONS, flat, lead_of
from mappings.reading.payloads import sortable
from mappings.source import Arrival, Event, Naming, Source

_NUMBER = re.compile(r"([0-9]{1,9})(\.[0-9]{1,9})?")


def name_event(arrival: Arrival) -> Naming:
    """Name an entry by form, number and `date_updated` (UTC without saying so); else by its answers.

    The answers are part of the name, since that date is exact to the second only.
    """
    payload = fields_of(arrival.payload)
    if not _is_entry(payload):
        return named_by_number(arrival, "", payload)
    updated = written(payload.get("date_updated")) or written(payload.get("date_created"))
    naming = named_by_number(
        arrival,
        f"entry-{written(payload['form_id'])}-{written(payload['id'])}",
        # Who has read or starred the entry at the site is no news of the visitor.
        {k: v for k, v in payload.items() if k not in ("is_read", "is_starred")},
        is_edited=True,
        state=updated,
        version=sortable(updated.replace(" ", "T") + "Z"),
    )
    status = written(payload.get("status"))
    return naming if status in ("", "active") else _of_type(naming, status)


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn an entry into a lead; raises CannotMap where relay.toml names no field that says who it is."""
    payload = fields_of(event.payload)
    if not _is_entry(payload):
        yield lead_of(event, flat({name: _choices(value) for name, value in payload.items()}))
        return
    values = _by_number(payload, event.options)
    about = {
        PAGE_URL: written(payload.get("source_url")),
        IP_ADDRESS: written(payload.get("ip")),
        "entry_id": written(payload["id"]),
        **_payment(flat(payload)),
    }
    yield lead_of(event, values, attributes=about)


def _is_entry(payload: Mapping[str, Any]) -> bool:
    return all(re.fullmatch("[0-9]{1,20}", written(payload.get(key))) for key in ("id", "form_id"))


def _of_type(naming: Naming, status: str) -> Naming:
    return Naming(status, naming.dedup_key, naming.entity, naming.version)


def _by_number(payload: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, str]:
    """Return the answers by number; the parts of a field ("4.1", "4.3") that relay.toml does not name as one.

    What is no number is the site's own bookkeeping, unless relay.toml names it.
    """
    named = named_in(options)
    # Parts of a name belong together with a space, choices with a comma.
    names = named_in({"fields": {k: v for k, v in options.get("fields", {}).items() if k == "name"}})
    values: dict[str, str] = {}
    for key, value in sorted(flat({k: _choices(v) for k, v in payload.items()}).items(), key=_order):
        number = _NUMBER.fullmatch(key)
        if key in named or (number and not number[2]):
            values[key] = value
        elif number:
            field, there = number[1], values.get(number[1], "")
            values[field] = (" " if field in names else ", ").join(filter(None, (there, value)))
    return values


def _order(answer: tuple[str, str]) -> tuple[int, int]:
    number = _NUMBER.fullmatch(answer[0])
    return (int(number[1]), int((number[2] or ".0")[1:])) if number else (0, 0)


def _choices(value: Any) -> Any:
    """Return the choices of a multi-select, which are JSON within the JSON, as a list."""
    if not isinstance(value, str) or not re.fullmatch(r"\s*\[.{0,20000}\]\s*", value, re.DOTALL):
        return value
    try:
        choices = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return choices if all(isinstance(choice, str) for choice in choices) else value


def _payment(entry: Mapping[str, str]) -> dict[str, str]:
    paid = {name: entry.get(name, "") for name in ("payment_status", "payment_method", "transaction_id")}
    if entry.get("payment_amount"):
        paid["paid_amount"] = f"{entry['payment_amount']} {entry.get('currency', '')}".strip()
    return paid


SOURCE = Source(
    type="gravity_forms",
    media_types=frozenset({"application/json", "application/x-www-form-urlencoded"}),
    read=read_form,
    name=name_event,
    handlers={"submitted": register_lead},
    ignored=frozenset({"spam", "trash"}),
    options=FORM_OPTIONS,
)
