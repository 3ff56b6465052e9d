"""What each CRM can do, worked out from the code that does it: the planners, and the kinds of records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mappings.vendor import Plan, Record
from relay.listing import as_table
from relay.samples import JOBS, plans_of
from worker.vendors import VENDORS
from worker.vendors.vendor import Vendor

#: Protections are sentences; they are not cut.
WIDEST = 200


def capabilities() -> list[dict[str, Any]]:
    """Return, for every vendor and job, the kinds of records that it makes, in the order of their making.

    They are taken from the plan of a sample whose every field is filled. Where relay.toml chooses what a job
    becomes there is a row for each choice; `needs` are the values that only this job wants. `updated` says
    that a later event about the same thing changes the record, `removed` that one which has gone since is
    taken away.
    """
    return [row for vendor in VENDORS.values() for job in JOBS for row in _rows(vendor, job)]


def _rows(vendor: Vendor, job: str) -> Iterator[dict[str, Any]]:
    about = {"vendor": vendor.mapping.type, "job": job, "command": JOBS[job].__name__}
    found = list(plans_of(vendor.mapping, JOBS[job]))
    if not found:
        yield {**about, "possible": False, "needs": [], "records": []}
    for one in found:
        records = list(_records(vendor, one.plan))
        yield {**about, "possible": True, "needs": list(one.needs), "records": records}


def _records(vendor: Vendor, plan: Plan) -> Iterator[dict[str, Any]]:
    for name in dict.fromkeys(record.kind for record in plan.records):
        kind = vendor.kinds[name]
        planned: list[Record] = [record for record in plan.records if record.kind == name]
        yield {
            "kind": name,
            "operation": kind.create,
            "protection": kind.protection,
            "updated": kind.update is not None and any(record.changes is not None for record in planned),
            "removed": kind.remove is not None and name in plan.parts,
        }


def as_tables(rows: list[dict[str, Any]]) -> str:
    """Return a table of the jobs, and one of what keeps each kind of record from being made twice."""
    jobs = [{"vendor": row["vendor"], "job": row["job"], **_shown(row)} for row in rows]
    kept = {
        (row["vendor"], record["kind"]): {
            "vendor": row["vendor"],
            "kind": record["kind"],
            "made once by": record["protection"],
        }
        for row in rows
        for record in row["records"]
    }
    first = as_table(jobs, ("vendor", "job", "records", "later events", "needs"), WIDEST)
    return f"{first}\n\n{as_table(list(kept.values()), ('vendor', 'kind', 'made once by'), WIDEST)}"


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    if not row["possible"]:
        return {"records": "not possible", "later events": "", "needs": ""}
    changed = {
        "change": [record["kind"] for record in row["records"] if record["updated"]],
        "take away": [record["kind"] for record in row["records"] if record["removed"]],
    }
    said = [f"{verb} {', '.join(kinds)}" for verb, kinds in changed.items() if kinds]
    return {
        "records": " → ".join(record["kind"] for record in row["records"]),
        "later events": "; ".join(said) or "leave it as it is",
        "needs": ", ".join(row["needs"]),
    }
