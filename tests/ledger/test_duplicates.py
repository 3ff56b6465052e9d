"""Posts under a key that is known: only counted, or kept, linked, bounded and released."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, insert, select

from mappings.source import Naming
from tests.conftest import Clock
from worker.ledger import due, intake, purging, search
from worker.ledger.database import Database
from worker.ledger.duplicates import KEPT
from worker.ledger.new_events import NewEvent, Stored
from worker.ledger.purging import Ages
from worker.ledger.releases import release_duplicate
from worker.ledger.tables import audit, deliveries, events
from worker.ledger.verdicts import Verdict


def posted(
    db: Database, clock: Clock, body: bytes, connections: Sequence[str] = ("opla", "centia"), **naming: Any
) -> Stored:
    named = Naming(
        "orders/create", **{"dedup_key": "b54557e4", "entity": "order-1001", "version": "1", **naming}
    )
    event = NewEvent("shop", named, Verdict.ROUTED, "application/json", {"x-a": "1"}, body, connections)
    clock.forward(seconds=1)
    return intake.store(db, event, clock())


def at_once(times: int, work: Callable[[], Any]) -> list[Any]:
    with ThreadPoolExecutor(times) as threads:
        return [one.result() for one in [threads.submit(work) for _ in range(times)]]


def shown(db: Database, event_id: str | None) -> Mapping[str, Any]:
    found = search.show_event(db, event_id or "")
    assert found is not None
    return found


def to_opla(source: str, event_type: str) -> list[str]:
    assert (source, event_type) == ("shop", "orders/create")
    return ["opla"]


def to_nobody(source: str, event_type: str) -> list[str]:
    return []


def test_two_that_store_the_same_events_in_other_orders_both_succeed(db: Database, clock: Clock) -> None:
    """Otherwise PostgreSQL ends one of them, and a whole commit's senders are told that the ledger is away."""

    def naming(key: str) -> Naming:
        return Naming("submitted", key)

    def row(key: str) -> dict[str, Any]:
        given = {"id": key, "source": "shop", "type": "submitted", "dedup_key": key, "verdict": "routed"}
        sent = {"content_type": "text/plain", "headers": "{}", "body": key.encode()}
        return {**given, **sent, "received_at": clock(), "repeats": 0}

    batch = [
        NewEvent("shop", naming(key), Verdict.ROUTED, "text/plain", {}, key.encode(), []) for key in "ba"
    ]
    with ThreadPoolExecutor(1) as other:
        with db.write() as c:
            c.execute(insert(events), row("a"))
            theirs = other.submit(intake.Intake(db).store_all, batch, clock())
            time.sleep(0.3)  # by now it waits for us
            c.execute(insert(events), row("b"))
        stored = theirs.result()
    assert [(one.duplicate, one.event_id) for one in stored] == [(True, "b"), (True, "a")]


def test_ten_thousand_posts_of_the_same_bytes_are_one_row(db: Database, clock: Clock) -> None:
    """Otherwise one sender that does not understand our 200 fills the disk."""
    first = posted(db, clock, b"same")
    again = [posted(db, clock, b"same") for _ in range(30)]
    assert {(one.duplicate, one.event_id, one.kept) for one in again} == {(True, first.event_id, None)}
    (event,) = search.list_events(db)
    assert (event["repeats"], event["verdict"], event["duplicate_of"]) == (30, "routed", None)


def test_other_bytes_under_a_known_key_are_kept_and_linked(db: Database, clock: Clock) -> None:
    """Otherwise a sender that uses an id twice loses an order, and nobody can ever know."""
    first = posted(db, clock, b"one lamp")
    other = posted(db, clock, b"two lamps \xff")
    assert (other.duplicate, other.event_id, other.deliveries) == (True, first.event_id, ())
    kept = shown(db, other.kept)
    assert (kept["verdict"], kept["duplicate_of"]) == ("duplicate", first.event_id)
    assert (kept["body"], kept["headers"], kept["deliveries"]) == ("two lamps \ufffd", {"x-a": "1"}, [])
    assert (kept["entity"], kept["version"]) == ("order-1001", "1")
    # The digits are those that sha256sum gives for the body.
    assert kept["dedup_key"] == f"b54557e4@{first.event_id}/beb261f45e73adf9"
    origin = shown(db, first.event_id)
    assert (origin["repeats"], origin["body"]) == (1, "one lamp")
    assert [one["id"] for one in origin["duplicates"]] == [other.kept]
    assert len(search.list_deliveries(db)) == 2, "those of the first alone"


def test_the_same_other_bytes_are_kept_once(db: Database, clock: Clock) -> None:
    """Otherwise twenty retries of one post push out the other duplicates."""
    first = posted(db, clock, b"one")
    kept = {posted(db, clock, b"two").kept for _ in range(5)}
    assert len(kept) == 1
    assert shown(db, kept.pop())["repeats"] == 4
    assert shown(db, first.event_id)["repeats"] == 5


def test_six_at_once_with_the_same_other_bytes_are_kept_once(db: Database, clock: Clock) -> None:
    """Otherwise a sender's two servers, posting at the same moment, get a 503 or are kept twice."""
    posted(db, clock, b"one")
    named = Naming("orders/create", "b54557e4", "order-1001", "1")
    event = NewEvent("shop", named, Verdict.ROUTED, "application/json", {}, b"two", ["opla"])
    answers = at_once(6, lambda: intake.store(db, event, clock()))
    assert len({answer.kept for answer in answers}) == 1
    assert len(search.list_events(db)) == 2


def test_only_the_newest_duplicates_of_one_event_are_kept(db: Database, clock: Clock) -> None:
    """Otherwise a sender that changes a time stamp at every retry fills the disk."""
    first, stranger = posted(db, clock, b"0"), posted(db, clock, b"0", dedup_key="other")
    released = posted(db, clock, b"the released one").kept
    assert release_duplicate(db, str(released), to_opla, "olga", clock())
    theirs = posted(db, clock, b"theirs", dedup_key="other").kept
    kept = [posted(db, clock, b"%d" % number).kept for number in range(1, KEPT + 11)]
    linked = [one["id"] for one in shown(db, first.event_id)["duplicates"]]
    assert linked == [released, *kept[10:]]
    assert shown(db, first.event_id)["repeats"] == KEPT + 11, "what is not kept is still counted"
    assert [one["id"] for one in shown(db, stranger.event_id)["duplicates"]] == [theirs]


def test_a_released_duplicate_is_an_event_like_any_other(db: Database, clock: Clock) -> None:
    """Otherwise an operator sees the eaten order and cannot get it to the CRM, or nobody knows who did it."""
    first = posted(db, clock, b"one")
    kept = str(posted(db, clock, b"two").kept)
    at = clock.now
    clock.forward(seconds=1)
    answers = at_once(4, lambda: release_duplicate(db, kept, to_opla, "olga", clock()))
    assert sorted(answers) == [False, False, False, True]
    event = shown(db, kept)
    assert (event["verdict"], event["duplicate_of"], event["received_at"]) == ("routed", first.event_id, at)
    (delivery,) = event["deliveries"]
    assert (delivery["connection"], delivery["state"]) == ("opla", "pending")
    with db.read() as c:
        (row,) = c.execute(select(deliveries).where(deliveries.c.event_id == kept)).all()
        (trace,) = c.execute(select(audit)).all()
    assert (row.entity, row.version) == ("shop:order-1001", "1")
    assert (trace.operator, trace.action, trace.subject, trace.at) == ("olga", "release", kept, clock())
    handed = due.hand_over(db, "opla", 10, clock(), timedelta(seconds=15))
    assert delivery["id"] in handed, "the sweep has to take it at once: nobody else has a task for it"


def test_what_was_released_is_not_delivered_again_by_a_retry(db: Database, clock: Clock) -> None:
    """Otherwise the sender's next retry of the released post makes a second record."""
    first = posted(db, clock, b"one")
    kept = posted(db, clock, b"two").kept
    assert release_duplicate(db, str(kept), to_opla, "olga", clock())
    again = posted(db, clock, b"two")
    assert (again.duplicate, again.event_id, again.kept, again.deliveries) == (True, first.event_id, kept, ())
    assert len(shown(db, kept)["deliveries"]) == 1
    assert shown(db, kept)["verdict"] == "routed"


def test_a_purged_duplicate_is_not_released_and_a_purged_event_keeps_none(db: Database, clock: Clock) -> None:
    """Otherwise an empty payload goes to the CRMs, or what was forgotten comes back with a repetition."""
    posted(db, clock, b"one", connections=())
    kept = str(posted(db, clock, b"two").kept)
    clock.forward(days=91)
    done = list(purging.purge(db, Ages(unrouted_before=clock()), clock()))
    assert sum(part.emptied for part in done) == 2
    assert not release_duplicate(db, kept, to_opla, "olga", clock())
    late = posted(db, clock, b"three")
    assert (late.duplicate, late.kept) == (True, None)
    assert [one["verdict"] for one in search.list_events(db)] == ["duplicate", "routed"]


def test_what_cannot_be_released_is_left_as_it_is(db: Database, clock: Clock) -> None:
    """Otherwise an event is marked as routed that goes nowhere, or one is delivered a second time."""
    first = posted(db, clock, b"one")
    kept = str(posted(db, clock, b"two").kept)
    assert not release_duplicate(db, kept, to_nobody, "olga", clock())
    assert not release_duplicate(db, first.event_id, to_opla, "olga", clock())
    assert not release_duplicate(db, "no such id", to_opla, "olga", clock())
    assert shown(db, kept)["verdict"] == "duplicate"
    assert len(search.list_deliveries(db)) == 2
    with db.read() as c:
        assert c.execute(select(audit)).all() == []


def test_a_duplicate_outlives_the_first_event(db: Database, clock: Clock) -> None:
    """Otherwise a purge of old events fails on the link, or takes what nobody has looked at."""
    first = posted(db, clock, b"one")
    kept = posted(db, clock, b"two").kept
    with db.write() as c:
        c.execute(delete(events).where(events.c.id == first.event_id))
    assert shown(db, kept)["duplicate_of"] == first.event_id
    assert release_duplicate(db, str(kept), to_opla, "olga", clock())


def test_duplicates_are_found_by_their_verdict(db: Database, clock: Clock) -> None:
    """Otherwise the few posts that may be eaten traffic hide among thousands of events."""
    posted(db, clock, b"one")
    kept = posted(db, clock, b"two").kept
    assert [one["id"] for one in search.list_events(db, verdict="duplicate")] == [kept]
