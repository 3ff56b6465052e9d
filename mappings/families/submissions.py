"""Submissions of form builders: how they are named, and which of their fields relay.toml names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mappings.reading.form_fields import named_by_content
from mappings.source import Arrival, Naming

#: Our names for what form builders say of the page and the visitor. The user agent, the local date and time and
#: the builder's own name are left out on purpose: no salesperson has a use for them, and the lead is dated.
PAGE_URL, PAGE_TITLE, IP_ADDRESS = "page_url", "page_title", "ip_address"


def fields_of(payload: Any) -> Mapping[str, Any]:
    """Return `payload` where it is an object, else an empty one: a name is needed for every body."""
    return payload if isinstance(payload, Mapping) else {}


def written(value: Any) -> str:
    """Return a number or a text of a payload as text without the space around it; empty for everything else."""
    is_text = isinstance(value, str | int) and not isinstance(value, bool)
    return str(value).strip() if is_text else ""


def named_in(options: Mapping[str, Any]) -> frozenset[str]:
    """Return the senders' names for fields that stand in `[sources.X.fields]`."""
    named: set[str] = set()
    for theirs in options.get("fields", {}).values():
        named.update([theirs] if isinstance(theirs, str) else theirs)
    return frozenset(named)


def named_by_number(
    arrival: Arrival,
    number: str,
    fields: Any,
    *,
    is_edited: bool = False,
    state: str = "",
    version: str | None = None,
    is_final: bool = True,
    test: bool = False,
) -> Naming:
    """Name the submission that its sender calls `number`; without a number, by its content for a while.

    The content is in the key nevertheless: an edit is an event of its own. A number that `is_edited` is the
    entity, whose `state` and `version` are those of the sender. Where it is not sure that the state differs
    between two edits, it is not `is_final`, and the key counts for the window only: somebody who changes an
    answer and later changes it back is heard both times.
    """
    by_content = replace(named_by_content(arrival, "submitted", fields), test=test)
    if not number:
        return by_content
    return replace(
        by_content,
        dedup_key=f"{number}:{state}:{by_content.dedup_key}",
        entity=number if is_edited else None,
        version=version if is_edited else None,
        window=None if is_final else by_content.window,
    )
