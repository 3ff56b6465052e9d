"""What the ledger holds. The migrations make these tables; a test compares the two."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from worker.ledger.sealed import SealedBytes, SealedText
from worker.ledger.utc_time import UtcTime
from worker.ledger.verdicts import IS_SINGLED_OUT

metadata = MetaData()


class State(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"  # never tried
    SENDING = "sending"  # a worker has it, until its lease runs out
    WAITING = "waiting"  # tried; again at due_at
    HELD = "held"  # nothing is sent over the connection for now; nothing is spent
    BLOCKED = "blocked"  # an earlier delivery of the same entity is unfinished
    UNKNOWN = "unknown"  # a call's outcome is to be probed
    DELIVERED = "delivered"
    FAILED = "failed"  # a person has to act
    SUPERSEDED = "superseded"  # a newer version of the entity was delivered before
    SKIPPED = "skipped"  # ignored on purpose


#: Claimed as soon as they are due.
OPEN = (State.PENDING, State.WAITING, State.HELD, State.BLOCKED, State.UNKNOWN)
#: The same in SQL. The index of those that are open is used only by queries that say it in these very words.
IS_OPEN = f"state IN ({', '.join(repr(str(state)) for state in OPEN)})"
#: Not at their end: a later delivery of the same entity waits for these.
UNFINISHED = (*OPEN, State.SENDING)


#: The kind of a step that changes a record is the record's kind with this behind it.
UPDATE = " update"


class StepState(StrEnum):
    """How far a step got."""

    INTENDED = "intended"  # the call may have left
    DONE = "done"
    UNKNOWN = "unknown"  # the call left and nobody knows what became of it


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": text(condition), "postgresql_where": text(condition)}


def _id(**kwargs: Any) -> Column[str]:
    return Column("id", String(36), primary_key=True, **kwargs)


events = Table(
    "events",
    metadata,
    _id(),
    Column("source", String(32), nullable=False),
    Column("type", Text, nullable=False),
    Column("dedup_key", Text, nullable=False),
    Column("entity", Text),
    Column("version", Text),
    Column("verdict", String(16), nullable=False),  # a Verdict
    Column("received_at", UtcTime, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("headers", SealedText, nullable=False),  # JSON, without secrets
    Column("body", SealedBytes, nullable=False),  # as received
    Column("fetched", SealedText),  # JSON: what a thin event lacked, as the sender's interface gave it
    Column("repeats", Integer, nullable=False, default=0),  # how often the sender posted it again
    Column("repeated_at", UtcTime),
    # Of a duplicate: the first event's id, also after a release. No foreign key: the first may be purged.
    Column("duplicate_of", String(36)),
    Column("purged_at", UtcTime),  # since then body, headers and what was fetched are empty
    UniqueConstraint("source", "dedup_key", name="uq_events_dedup"),
    # Of duplicates only, so that it costs other events nothing.
    Index("ix_events_duplicate_of", "duplicate_of", **_where("duplicate_of IS NOT NULL")),
    # Of the few that an operator looks for: an accepted event that has its route is not in it.
    Index("ix_events_verdict", "verdict", "id", **_where(IS_SINGLED_OUT)),
)

deliveries = Table(
    "deliveries",
    metadata,
    _id(),
    Column("event_id", String(36), ForeignKey("events.id", ondelete="CASCADE"), nullable=False),
    Column("connection", String(32), nullable=False),
    Column("entity", Text),  # source and entity, for the order in which one entity's events are applied
    Column("version", Text),
    Column("source", String(32), nullable=False, server_default=""),  # the event's, for turns between sources
    Column("state", String(16), nullable=False),
    Column("error", String(32)),  # the name of the last error
    Column("reason", SealedText),  # what an operator should know of it
    Column("attempts", Integer, nullable=False, default=0),  # those that an answer of the vendor spent
    Column("tries", Integer, nullable=False, default=0),  # failures in a row, for the backoff
    Column("failing_since", UtcTime),  # see worker/patience.py
    Column("failed_seconds", Integer, nullable=False, server_default="0"),
    Column("due_at", UtcTime, nullable=False),
    Column("handed_until", UtcTime),  # a task was published; not again before this
    Column("lease", String(36)),
    Column("lease_until", UtcTime),
    Column("mapping_version", Integer),
    Column("field_ledger", SealedText),  # JSON: what became of each field
    Column("record_id", Text),  # the vendor's id of the record that the event is about
    Column("created_at", UtcTime, nullable=False),
    Column("updated_at", UtcTime, nullable=False),
    UniqueConstraint("event_id", "connection", name="uq_deliveries_event_connection"),
    Index("ix_deliveries_due", "connection", "state", "due_at"),
    Index("ix_deliveries_entity", "connection", "entity", "id"),
    # What is over leaves it: the next turn of a source is found at once, however much was delivered.
    Index(
        "ix_deliveries_turn",
        *("connection", "source", "due_at", "id"),
        **_where(IS_OPEN),
    ),
)

steps = Table(
    "steps",
    metadata,
    Column("delivery_id", String(36), ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("record_id", Text),
    Column("was_there", Boolean, nullable=False),  # another event of the entity had made the record
    Column("request_digest", String(64), nullable=False),
    Column("updated_at", UtcTime, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("delivery_id", String(36), ForeignKey("deliveries.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("started_at", UtcTime, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("outcome", String(16), nullable=False),  # the delivery's state after it
    Column("error", String(32)),
    Column("status", Integer),  # HTTP status of the vendor's answer
    Column("excerpt", SealedText),  # what the vendor said, secrets and personal data masked
)

links = Table(
    "links",
    metadata,
    Column("connection", String(32), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("record_id", Text),  # NULL while it is reserved
    Column("holder", String(36)),  # the delivery that reserved it
    Column("risked_at", UtcTime),  # a create left at this time and may have worked …
    Column("risked_by", String(36)),  # … of this delivery, which may be another one than the holder
    Column("updated_at", UtcTime, nullable=False),
)

connections = Table(
    "connections",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("held_until", UtcTime),  # nothing before this: the vendor asked for a pause, or the operator
    Column("reason", Text),
    # The breaker, see worker/breaker.py; no phase is closed.
    Column("phase", String(16)),
    Column("since", UtcTime),
    Column("until", UtcTime),
    Column("breaker_reason", Text),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("openings", Integer, nullable=False, server_default="0"),
    Column("width", Integer, nullable=False, server_default="0"),
    Column("wins", Integer, nullable=False, server_default="0"),
    Column("probe", String(36)),
    # The budget, see worker/allowance.py: when the next request is free, of any kind and of either.
    Column("next_slot_at", UtcTime),
    Column("next_create_at", UtcTime),
    Column("next_lookup_at", UtcTime),
    Column("creates_waited_at", UtcTime),
    Column("lookups_waited_at", UtcTime),
    Column("day", String(10)),  # the vendor's date …
    Column("day_used", Integer, nullable=False, server_default="0"),  # … and its requests of that day
)

duties = Table(
    "duties",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("holder", String(36), nullable=False),
    Column("until", UtcTime, nullable=False),
    Column("done_at", UtcTime),
)

audit = Table(
    "audit",
    metadata,
    _id(),
    Column("at", UtcTime, nullable=False),
    Column("operator", Text, nullable=False),
    Column("action", String(32), nullable=False),
    Column("subject", Text, nullable=False),
)

#: Which keys have encrypted values here, by their ids: what a process must have before it starts.
sealing_keys = Table("sealing_keys", metadata, Column("id", String(16), primary_key=True))

#: What a source reads thin events with where its sender's tokens end, by the first refresh token that it grew from.
sender_tokens = Table(
    "sender_tokens",
    metadata,
    Column("source", String(32), primary_key=True),
    Column("seed", String(64), primary_key=True),  # a digest of what the environment gave
    Column("planted_at", UtcTime, nullable=False),
    Column("access_token", SealedText),
    Column("ends_at", UtcTime),
    Column("renewed_at", UtcTime),
    Column("refresh_token", SealedText),  # the next one; good for one use
    Column("number", Integer, nullable=False),  # of renewals so far: who knows an older one is too late
    Column("busy_until", UtcTime),  # a renewal is under way, or is not to be tried before this
    Column("sent_at", UtcTime),  # the refresh token left at this time, and no answer is known
    Column("refused", Text),  # in the sender's words, masked
    Column("refused_with", String(64)),  # a digest of the app's id and secret: with others it may work
)
