"""WPForms' Webhooks addon. Special: signed, but in the format JSON only; several choices are joined with `||`.

Facts: the addon's own source (class Process). In the format FORM the digest is over a JSON text that is never
sent, so nobody can verify it: such a webhook bears a token instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mappings.commands import RegisterLead
from mappings.families.submissions import fields_of, named_by_number, written
from mappings.protection import FIVE_MINUTES, Hmac
from mappings.reading.bodies import read_form
from mappings.reading.form_fields import FORM_OPTIONS, flat, is_noise, lead_of
from mappings.source import Arrival, Event, Naming, Source

#: The addon writes `||` for the line breaks between choices; people put spaces around theirs.
_JOINT = re.compile(r"(?<=\S)\|\|(?=\S)")

SIGNATURE = Hmac(
    header="x-wpforms-webhook-signature",
    encoding="hex",
    signed="{ts}.{body}",
    parted_by=",",
    signature_name="v",
    timestamp_name="t",
    # The addon names no tolerance; it signs when it sends, and says that it does so as Stripe does.
    tolerance=FIVE_MINUTES,
)


def name_event(arrival: Arrival) -> Naming:
    """Name a submission by the entry's number where the webhook sends `{entry_id}`, else by its answers.

    WPForms Lite stores no entries and writes 0.
    """
    payload = fields_of(arrival.payload)
    number = written(payload.get(arrival.options.get("entry_id", "entry_id")))
    usable = re.fullmatch("[1-9][0-9]{0,19}", number)
    return named_by_number(
        arrival, number if usable else "", {k: v for k, v in payload.items() if not is_noise(k)}
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn a submission into a lead; money stays the text that the visitor saw ("$ 25.00").

    Raises CannotMap where nobody can be made out.
    """
    payload = fields_of(event.payload)
    yield lead_of(event, flat({name: _plain(value) for name, value in payload.items()}))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping) and set(value) == {"value", "unix"}:
        value = value["value"]  # a date, as the visitor wrote it and in epoch seconds
    return _JOINT.sub(", ", value) if isinstance(value, str) else value


SOURCE = Source(
    type="wpforms",
    media_types=frozenset({"application/json", "application/x-www-form-urlencoded"}),
    read=read_form,
    name=name_event,
    handlers={"submitted": register_lead},
    signatures=(SIGNATURE,),
    options={**FORM_OPTIONS, "entry_id": str},
)
