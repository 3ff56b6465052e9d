"""What `relay reconcile` prints: each finding and the summary, for people and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import simplejson

from relay.listing import as_table
from relay.redaction import without_secrets
from relay.times import written
from worker.reconcile.agreement import shown
from worker.reconcile.findings import COLUMNS, Finding, Tally
from worker.settings import ConnectionSettings


def as_line(found: Finding, connection: ConnectionSettings) -> str:
    """Return a finding for people."""
    head = f"{found.verdict}: {found.kind} {found.record_id} ({found.key}), delivery {found.delivery}"
    if found.verdict == "doubled":
        head += f"; the linked one is {found.record_id}, with the same key: {', '.join(found.others)}"
    elif found.others:
        head += f"; with the same key there is {', '.join(found.others)}, which a repair takes for it"
    if found.why:
        head += f"; {found.why}"
    lines = [head, *(f"    {' '.join(line.split())}" for line in shown(found.fields))]
    return str(without_secrets("\n".join(lines), connection))


def as_object(found: Finding, connection: ConnectionSettings) -> str:
    """Return a finding as a line of JSON."""
    told: dict[str, Any] = {
        "finding": found.verdict,
        "connection": connection.name,
        "kind": found.kind,
        "key": found.key,
        "record_id": found.record_id,
        "delivery": found.delivery,
    }
    if found.others:
        told["others"] = list(found.others)
    if found.fields:
        told["fields"] = [{"field": f.field, "ours": f.ours, "theirs": f.theirs} for f in found.fields]
    if found.why:
        told["why"] = found.why
    return _json(without_secrets(told, connection))


def as_summary(tally: Tally, connection: str, since: datetime, until: datetime) -> str:
    """Return the summary as a line of JSON."""
    told = {
        "connection": connection,
        "since": written(since),
        "until": written(until),
        "deliveries": tally.deliveries,
        "kinds": {row["kind"]: {column: row[column] for column in COLUMNS} for row in tally.rows()},
        "cannot_be_compared": tally.uncompared,
        "fields_not_shown": {kind: sorted(names) for kind, names in sorted(tally.unseen.items())},
        "too_recent": tally.recent,
        "payload_purged": tally.purged,
        "sent_otherwise": tally.remapped,
        "complete": not tally.stopped,
        "stopped": tally.stopped,
        "go_on_with": written(tally.mark) if tally.stopped else "",
    }
    return _json({"summary": told})


def as_report(tally: Tally) -> str:
    """Return the table for people, and what it leaves out."""
    lines = [as_table(tally.rows(), ("kind", *COLUMNS)), f"{tally.deliveries} deliveries compared"]
    for kind, why in sorted(tally.uncompared.items()):
        lines.append(f"cannot be compared: {tally.counts[kind]['uncompared']} {kind}: {why}")
    for kind, names in sorted(tally.unseen.items()):
        lines.append(f"not shown by the CRM, so not compared: {kind}: {', '.join(sorted(names))}")
    if tally.recent:
        lines.append(f"{tally.recent} were delivered a moment ago and are left for the next time")
    if tally.purged:
        lines.append(f"payload purged: of {tally.purged} deliveries only existence is compared")
    if tally.remapped:
        lines.append(
            f"relay.toml or a mapping says something else than was sent: {tally.remapped} records' fields are "
            "not compared"
        )
    return "\n".join(lines)


def _json(told: Any) -> str:
    text: str = simplejson.dumps(told, ensure_ascii=False, use_decimal=True, default=str)
    return text
