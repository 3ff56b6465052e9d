"""Payloads are encrypted at rest where there is a key, and whoever lacks it is told so at the start."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text

from mappings.source import Naming
from tests.conftest import Clock
from tests.stolen import is_in, on_disk
from worker.errors import LedgerUnavailable
from worker.ledger import deliveries, intake, sealing, search
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Closing
from worker.ledger.fetched import keep_fetched
from worker.ledger.new_events import NewEvent
from worker.ledger.sealed import Keys
from worker.ledger.sealing import Page
from worker.ledger.tables import State, attempts, events
from worker.ledger.traces import sweep_traces
from worker.ledger.verdicts import Verdict
from worker.ledger.version import require_current
from worker.settings.encryption_keys import key_bytes, new_key

OLD, NEW = key_bytes(new_key()), key_bytes(new_key())
LEASE = timedelta(seconds=30)
#: In every place where personal data may stand, a word that stands nowhere else.
PLANTED = {place: f"planted-{place}-Nguyen" for place in "body header fetched reason fields excerpt".split()}


def opened(db: Database, *keys: bytes) -> Database:
    """Open the same ledger again, as another process with other keys."""
    return Database(db.engine.url.render_as_string(hide_password=False), 4, keys)


@pytest.fixture
def sealed(db: Database) -> Iterator[Database]:
    """An empty ledger whose payloads are encrypted with OLD."""
    with_key = opened(db, OLD)
    require_current(with_key)
    yield with_key
    with_key.close()


def plant(db: Database, clock: Clock, key: str = "e1") -> str:
    """Store an event and let its delivery fail, with something personal in every place; return its delivery."""
    event = NewEvent(
        "shop",
        Naming("orders/create", key),
        Verdict.ROUTED,
        "application/json",
        {"x-name": PLANTED["header"]},
        PLANTED["body"].encode() + b"\x00\xff",
        ["opla"],
    )
    ((_, delivery),) = intake.store(db, event, clock()).deliveries
    claim = deliveries.claim(db, delivery, clock(), LEASE)
    assert claim is not None
    keep_fetched(db, claim.event.id, f'{{"customer": "{PLANTED["fetched"]}"}}')
    closing = Closing(
        State.FAILED,
        clock(),
        "Rejected",
        PLANTED["reason"],
        spent=True,
        field_ledger=f'[{{"from": "{PLANTED["fields"]}"}}]',
    )
    deliveries.close(db, claim, closing, Attempt(7, "Rejected", 422, PLANTED["excerpt"]), clock())
    return delivery


def assert_all_there(db: Database, delivery: str) -> None:
    found = search.show_delivery(db, delivery)
    assert found is not None
    assert found["reason"] == PLANTED["reason"]
    assert found["field_ledger"] == [{"from": PLANTED["fields"]}]
    assert found["history"][0]["excerpt"] == PLANTED["excerpt"]
    assert search.release(db, delivery, "lan", datetime(2020, 1, 1, tzinfo=UTC))
    event = deliveries.due_event(db, delivery, datetime(2030, 1, 1, tzinfo=UTC))
    assert event is not None
    assert event.body == PLANTED["body"].encode() + b"\x00\xff"
    assert event.headers == {"x-name": PLANTED["header"]}
    assert PLANTED["fetched"] in (event.fetched or "")


def visible(db: Database) -> set[str]:
    stolen = on_disk(db)
    return {place for place, word in PLANTED.items() if is_in(stolen, word)}


def test_with_a_key_nothing_personal_is_on_the_disk(sealed: Database, clock: Clock) -> None:
    """Otherwise a stolen backup is a breach."""
    delivery = plant(sealed, clock)
    assert visible(sealed) == set()
    assert b"orders/create" in on_disk(sealed), "it was looked at at all"
    assert_all_there(sealed, delivery)


def test_without_a_key_it_is_as_before(db: Database, clock: Clock) -> None:
    """Otherwise the test above could not fail, and those who want no key pay for one."""
    delivery = plant(db, clock)
    assert visible(db) == set(PLANTED)
    assert_all_there(db, delivery)


def test_a_key_can_come_later_and_rows_of_both_kinds_are_read(db: Database, clock: Clock) -> None:
    """Otherwise encryption can only be had by those who begin anew."""
    before = plant(db, clock, "before")
    later = opened(db, OLD)
    require_current(later)
    after = plant(later, clock, "after")
    for delivery in (before, after):
        assert_all_there(later, delivery)
    later.close()


@pytest.mark.parametrize(
    ("keys", "remedy"), [((), "set RELAY_ENCRYPTION_KEY"), ((NEW,), "add that key behind the others")]
)
def test_a_missing_key_is_told_at_the_start_and_loses_nothing(
    sealed: Database, clock: Clock, keys: tuple[bytes, ...], remedy: str
) -> None:
    """Otherwise a forgotten variable fails every delivery, one after the other."""
    delivery = plant(sealed, clock)
    assert search.release(sealed, delivery, "lan", clock())
    without = opened(sealed, *keys)
    with pytest.raises(LedgerUnavailable, match=remedy) as told:
        require_current(without)
    assert str(told.value).count("\n") == 0
    # A process that was running already, or skips the check, records nothing: so the sweep tries again.
    with pytest.raises(LedgerUnavailable, match="RELAY_ENCRYPTION_KEY"):
        deliveries.due_event(without, delivery, clock())
    without.close()
    found = deliveries.due_event(sealed, delivery, clock())
    assert found is not None
    assert PLANTED["body"].encode() in found.body


def test_rotation_seals_all_anew_and_the_old_key_can_go(db: Database, clock: Clock) -> None:
    """Otherwise a key that has leaked can never be replaced."""
    plain = plant(db, clock, "plain")
    old = opened(db, OLD)
    require_current(old)
    sealed_once = plant(old, clock, "old")
    both = opened(db, NEW, OLD)
    require_current(both)
    newest = plant(both, clock, "new")
    pages: list[Page] = []
    sealing.rotate(both, pages.append)
    # Three events, deliveries and attempts; those of the third were sealed with the new key from the first.
    assert [(page.looked_at, page.sealed) for page in pages] == [(3, 2)] * 3
    assert sealing.count_rows(both) == 9
    assert len(sealing.forget_old_keys(both)) == 1
    assert sweep_traces(both)
    assert visible(db) == set()
    only_new = opened(db, NEW)
    require_current(only_new)
    for delivery in (plain, sealed_once, newest):
        assert_all_there(only_new, delivery)
    with pytest.raises(LedgerUnavailable):
        require_current(old)
    for each in (old, both, only_new):
        each.close()


def test_a_rotation_that_was_cut_off_goes_on(
    db: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a ledger of a million events has to be rotated in one go."""
    monkeypatch.setattr(sealing, "PAGE", 2)
    several = [plant(db, clock, f"e{number}") for number in range(5)]
    with_key = opened(db, OLD)
    require_current(with_key)
    pages: list[Page] = []

    def pulled(page: Page) -> None:
        pages.append(page)
        if len(pages) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sealing.rotate(with_key, pulled)
    again: list[Page] = []
    sealing.rotate(with_key, again.append)
    assert [(page.looked_at, page.sealed) for page in again[:3]] == [(2, 0), (2, 0), (1, 1)]
    for delivery in several:
        assert_all_there(with_key, delivery)
    with_key.close()


def test_a_body_that_pretends_to_be_sealed_comes_back_as_it_was(db: Database, clock: Clock) -> None:
    """Otherwise a stranger posts something that no delivery can read."""
    for number, body in enumerate(
        (b"sealed:1:0123456789abcdef:xxxxxxxxxxxxxxxxxxxx", b"sealed:0:", b"sealed:")
    ):
        event = NewEvent("shop", Naming("t", f"k{number}"), Verdict.ROUTED, "text/plain", {}, body, ["opla"])
        ((_, delivery),) = intake.store(db, event, clock()).deliveries
        found = deliveries.due_event(db, delivery, clock())
        assert found is not None
        assert found.body == body
    keys = Keys()
    for told in ("sealed:1:0123456789abcdef:AAAA", "sealed:0:x", "sealed by the CRM"):
        assert keys.open_text(keys.seal_text(told)) == told


def test_a_value_that_was_tampered_with_is_not_read(sealed: Database, clock: Clock) -> None:
    """Otherwise whoever can write the file can put words into a sender's mouth."""
    delivery = plant(sealed, clock)
    search.release(sealed, delivery, "lan", clock())
    with sealed.write() as c:
        other = "CASE substr(headers, 60, 1) WHEN 'A' THEN 'B' ELSE 'A' END"
        change = f"UPDATE events SET headers = substr(headers, 1, 59) || {other} || substr(headers, 61)"  # noqa: S608
        c.execute(text(change))
    with pytest.raises(LedgerUnavailable, match="damaged"):
        deliveries.due_event(sealed, delivery, clock())


def test_many_threads_seal_at_once(sealed: Database) -> None:
    """Otherwise two threads of a worker garble each other's payloads."""
    wrong: list[bytes] = []

    def work(number: int) -> None:
        for turn in range(300):
            plain = f"{number}-{turn}".encode() * 50
            if sealed.keys.open(sealed.keys.seal(plain)) != plain:
                wrong.append(plain)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sealed.keys.seal(b"x") != sealed.keys.seal(b"x"), "no nonce is used twice"


def test_nulls_stay_nulls(sealed: Database, clock: Clock) -> None:
    """Otherwise an event that was never fetched looks like one that was."""
    event = NewEvent("shop", Naming("t", "k"), Verdict.ROUTED, "text/plain", {}, b"", ["opla"])
    intake.store(sealed, event, clock())
    with sealed.read() as c:
        assert c.execute(select(events.c.fetched)).scalar_one() is None
        assert c.execute(select(func.count()).select_from(attempts)).scalar_one() == 0
