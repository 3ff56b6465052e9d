"""The parts of Meta's posts and answers that we use, named as Meta names them, and the batches that they come in.

Facts: developers.facebook.com, "Webhooks: Getting started" and "Lead Ads: Retrieving leads".
"""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from mappings.reading.event_ids import at
from mappings.reading.payloads import Payload, Text, items


class Filled(Payload):
    """An answer; `values` is a list, also where only one can be given."""

    name = Text(load_default="")
    values = items(Text(allow_none=True))


class Tick(Payload):
    """A box under the owner's own terms."""

    checkbox_key = Text(load_default="")
    is_checked = Text(load_default="")


class Lead(Payload):
    """The lead as the Graph API shows it."""

    created_time = Text(load_default="")
    form_id = Text(load_default="")
    ad_id = Text(load_default="")
    ad_name = Text(load_default="")
    adset_id = Text(load_default="")
    adset_name = Text(load_default="")
    campaign_id = Text(load_default="")
    campaign_name = Text(load_default="")
    platform = Text(load_default="")
    is_organic = Text(load_default="")
    field_data = fields.List(fields.Nested(Filled), required=True)
    custom_disclaimer_responses = items(Tick)


def parts(payload: Any) -> list[Any]:
    """Return each change by itself, still in its envelope; what cannot be taken apart stays whole."""
    entries = at(payload, "entry")
    singles = [one for entry in (entries if isinstance(entries, list) else ()) for one in _singles(entry)]
    return [{**payload, "entry": [one]} for one in singles] if len(singles) > 1 else [payload]


def _singles(entry: Any) -> list[Any]:
    changes = at(entry, "changes")
    if not isinstance(changes, list) or not changes:
        return [entry]
    return [{**entry, "changes": [change]} for change in changes]


def change_of(payload: Any) -> Any:
    """Return the change of a post that holds one alone, None for any other post."""
    entries = at(payload, "entry")
    changes = at(entries[0], "changes") if isinstance(entries, list) and len(entries) == 1 else None
    return changes[0] if isinstance(changes, list) and len(changes) == 1 else None
