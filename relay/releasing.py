"""What `relay replay` is given, ids of deliveries and of events, and how each is released."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from relay.errors import WrongInput
from worker.ledger import search
from worker.ledger.database import Database
from worker.ledger.releases import release_duplicate
from worker.ledger.verdicts import Verdict
from worker.settings import Settings


@dataclass(frozen=True, slots=True)
class Releasable:
    """A delivery, or a duplicate that is to become an event of its own."""

    kind: Literal["delivery", "duplicate"]
    id: str


def releasable(settings: Settings, db: Database, ids: Sequence[str], now: datetime) -> list[Releasable]:
    """Return what `ids` name at `now`, each once; an event that is no duplicate stands for its deliveries.

    Raises WrongInput where there is nothing of that id, where a duplicate has no route, where an event has nothing
    that waits for a release, and where its payload was purged.
    """
    return list(dict.fromkeys(one for id_ in ids for one in _named(settings, db, id_, now)))


def _named(settings: Settings, db: Database, id_: str, now: datetime) -> Iterator[Releasable]:
    event = search.show_event(db, id_)
    if event is None:
        if search.show_delivery(db, id_) is None:
            raise WrongInput(f"there is no delivery and no event {id_!r}; `relay deliveries` lists them")
        yield Releasable("delivery", id_)
    elif event["purged_at"] is not None:
        raise WrongInput(f"{id_}: its payload was purged, so there is nothing to deliver any more")
    elif event["verdict"] == Verdict.DUPLICATE:
        if not settings.connections_for(event["source"], event["type"]):
            wanted = f"{event['type']} from {event['source']}"
            raise WrongInput(f"{id_}: no route of {settings.config_path} takes {wanted}; add one first")
        yield Releasable("duplicate", id_)
    else:
        waiting = [row for row in event["deliveries"] if search.is_releasable(row, now)]
        if not waiting:
            raise WrongInput(f"{id_}: the event has no delivery that can be released")
        yield from (Releasable("delivery", str(row["id"])) for row in waiting)


def release(
    settings: Settings, db: Database, one: Releasable, operator: str, now: datetime, not_made: bool
) -> bool:
    """Release `one`; return False where it cannot be released any more. Raises LedgerUnavailable."""
    if one.kind == "duplicate":
        return release_duplicate(db, one.id, settings.connections_for, operator, now)
    return search.release(db, one.id, operator, now, not_made)


def told(wanted: Sequence[Releasable], in_state: int = 0) -> str:
    """Return how many of what is to be released, for the question before: `wanted`, and deliveries in a state."""
    duplicates = sum(one.kind == "duplicate" for one in wanted)
    counts = (
        (len(wanted) - duplicates + in_state, "deliveries"),
        (duplicates, "duplicates as events of their own"),
    )
    return " and ".join(f"{number} {what}" for number, what in counts if number)
