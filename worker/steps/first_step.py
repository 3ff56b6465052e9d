"""A delivery's first step, known before it is claimed, so that one commit takes the claim and opens the step."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mappings.vendor import Plan, Record
from worker.ledger.steps import StepName
from worker.vendors.vendor import Kind, Vendor, json_body


@dataclass(frozen=True, slots=True)
class First:
    """A delivery's first step, and whether its record may be made without a look-up."""

    step: StepName
    at_once: bool


def first_step(plans: Sequence[Plan], vendor: Vendor) -> First | None:
    """Return the first step of `plans`, to be opened together with the claim.

    None where its request holds what only the vendor can tell.
    """
    record = next((record for plan in plans for record in plan.records), None)
    if record is None:
        return None
    try:
        step = StepName(record.kind, record.key, 0, digest(record.body))
    except TypeError:  # a Ref or a Named is no JSON
        return None
    return First(step, at_once(vendor.kinds[record.kind], record))


def at_once(kind: Kind, record: Record) -> bool:
    """Say whether a record that nobody has heard of may be made without a look-up.

    Nobody but its own delivery can want one that is not shared, so there is nobody to wait for either.
    """
    return kind.repeatable or not record.shared


def digest(body: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a request's body, in hex."""
    return hashlib.sha256(json_body(body)).hexdigest()
