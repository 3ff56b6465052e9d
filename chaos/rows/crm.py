"""Rows that strike the CRMs: they commit and say nothing, lag, are slow, wrong, away, or refuse us."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator

from chaos.events import backlog, of_one_customer
from chaos.fault import Fault, plain
from chaos.judge import percentile
from chaos.stand import Stand
from worker.ledger import search
from worker.ledger.tables import State
from worker.vendors import VENDORS

ALL = 1_000_000
SLOW_VENDOR, SLOW_SECONDS = "centiacrm", 30
#: How much longer the others may take while one CRM is slow, and below how many seconds nobody counts.
AT_MOST_TIMES, UNNOTICED_SECONDS = 1.5, 1.0
WRONG_SHARE = 0.3
#: Tasks that may stand in a queue while its CRM is away (QUEUE_DEPTH, and what a sweep and the receivers add at
#: the same moment), and MiB that a worker may grow by.
LONGEST_QUEUE, MOST_GROWN = 1000, 40.0
#: Orders of the one customer.
ORDERS = 200


def _drop(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Let every create of every vendor be committed and every third answer be lost, each counted by itself."""
    for vendor in VENDORS.values():
        for create in dict.fromkeys(kind.create for kind in vendor.kinds.values()):
            stand.fault(vendor=vendor.mapping.type, operation=create, fault="drop_after", every=3)
    yield seconds + 5
    stand.no_faults()


def _lag(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Lose answers while the search lags, too: else nobody has to look anything up."""
    for vendor in VENDORS.values():
        for create in dict.fromkeys(kind.create for kind in vendor.kinds.values()):
            stand.fault(vendor=vendor.mapping.type, operation=create, fault="drop_after", every=5)
    yield seconds + 5
    stand.no_faults()


def _all_at_once(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Hold both workers until every order is accepted, then let them go together."""
    for worker in stand.workers:
        worker.stop(signal.SIGTERM)
    until = time.monotonic() + seconds + 60
    while sum((stand.states() or {}).values()) < ORDERS * 5 and time.monotonic() < until:
        yield 0.5
    stand.strike("orders' deliveries waiting for both workers", sum((stand.states() or {}).values()))
    for worker in stand.workers:
        worker.start()


def _slow(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """First nothing, to know the others' pace; then one CRM answers late."""
    yield seconds / 2
    stand.moments["slow"] = time.time()
    stand.fault(vendor=SLOW_VENDOR, fault="latency", seconds=SLOW_SECONDS)
    yield seconds / 2 + 3
    stand.no_faults()


def _others_unmoved(stand: Stand) -> list[str]:
    """Compare how long the other CRMs' deliveries took before and after one CRM became slow."""
    since = stand.moments["slow"]
    took: dict[bool, list[float]] = {False: [], True: []}
    slow = {name for name, known in stand.settings.connections.items() if known.vendor == SLOW_VENDOR}
    for row in search.list_deliveries(stand.db, state=State.DELIVERED, limit=ALL):
        if row["connection"] not in slow:
            seconds = (row["updated_at"] - row["created_at"]).total_seconds()
            took[row["created_at"].timestamp() >= since].append(seconds)
    before, after = percentile(took[False], 0.95), percentile(took[True], 0.95)
    said = f"the others' 95th percentile {after:.2f} s, {before:.2f} s before"
    stand.notes.append(said)
    is_slower = after > AT_MOST_TIMES * before and after > UNNOTICED_SECONDS
    return [f"{said}: more than {AT_MOST_TIMES} times"] if is_slower else []


def _wrong(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Answer about 30 % of all calls wrongly: each of seven ways has its own share."""
    ways = [{"fault": "status", "status": status} for status in (429, 500, 502, 503)]
    ways += [{"fault": name} for name in ("garbage", "success_false", "half_answer")]
    share = 1 - (1 - WRONG_SHARE) ** (1 / len(ways))
    for way in ways:
        extra = {"retry_after": 1} if way.get("status") == 429 else {}
        stand.fault(**way, **extra, rate=share, seed=chance.randrange(10**6))
    yield seconds + 5
    stand.no_faults()


def _away(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Take all CRMs away until everything is accepted; watch meanwhile what the waiting costs."""
    stand.processes["sandbox"].stop(signal.SIGKILL)
    before = {worker.name: worker.peak_memory() for worker in stand.workers}
    longest, until = 0, time.monotonic() + 20 * seconds + 60
    yield 1.0
    while stand.load and not stand.load.is_over() and time.monotonic() < until:
        longest = max(longest, *stand.queued().values())
        yield 0.5
    states = stand.states() or {}
    stand.strike("deliveries waiting", sum(states.values()) - states.get(State.DELIVERED, 0))
    grown = max(worker.peak_memory() - before[worker.name] for worker in stand.workers)
    stand.moments.update(longest=longest, grown=grown)
    stand.notes.append(
        f"meanwhile at most {longest} tasks in a queue, a worker's memory {max(before.values()):.0f} MiB before "
        f"and {grown:.0f} MiB more at its peak; {dict(states)}"
    )
    stand.processes["sandbox"].start()
    stand.moments["back"] = time.time()


def _waiting_costs_nothing(stand: Stand) -> list[str]:
    """Return findings where a backlog filled a queue or a worker's memory, and note how fast it went."""
    ended = [row["updated_at"].timestamp() for row in search.list_deliveries(stand.db, limit=ALL)]
    after = sorted(at - stand.moments["back"] for at in ended if at >= stand.moments["back"])
    if after:
        stand.notes.append(
            f"the CRMs were back: the first of {len(after)} ended {after[0]:.0f} s later, half of them "
            f"{percentile(after, 0.5):.0f} s, the last {after[-1]:.0f} s later"
        )
    longest, grown = int(stand.moments["longest"]), stand.moments["grown"]
    long = [f"{longest} tasks stood in a queue"] if longest > LONGEST_QUEUE else []
    return long + ([f"a worker grew by {grown:.0f} MiB while all waited"] if grown > MOST_GROWN else [])


def _revoke(stand: Stand, chance: random.Random, seconds: float) -> Iterator[float]:
    """Refuse all credentials for a while, then take them again; the workers are restarted, as the handbook says."""
    yield seconds / 3
    stand.fault(fault="expire_token")
    yield seconds / 3
    stand.no_faults()
    for worker in stand.workers:
        worker.stop(signal.SIGTERM)
        worker.start()
        yield 1.0


DROPS = Fault("crm-drops", "CRMs commit every third create and drop the connection", _drop, seconds=12)
LAGS = Fault(
    "crm-lags",
    "the CRMs' search lags 5 s behind, every fifth create is committed and dropped",
    _lag,
    building=plain(search_lag=5.0),
    seconds=12,
)
ONE_CUSTOMER = Fault(
    "one-customer",
    f"{ORDERS} orders of one new customer with the same three products at once",
    _all_at_once,
    seconds=4,
    rate=ORDERS / 4,
    make=of_one_customer,
    settle=300,
)
SLOW = Fault(
    "crm-slow",
    f"one CRM answers after {SLOW_SECONDS} s",
    _slow,
    building=plain(timeout=20.0),
    seconds=40,
    rate=3,
    check=_others_unmoved,
    settle=240,
)
ERRORS = Fault(
    "crm-errors",
    "30 % of calls: 429, 500, 502, 503, garbage, success:false, half an answer",
    _wrong,
    settle=300,
)
DOWN = Fault(
    "crm-down",
    "all CRMs are down until the end",
    _away,
    seconds=20,
    rate=15,
    settle=400,
    check=_waiting_costs_nothing,
    full_events=20_000,
    full_make=backlog,
)
TOKEN_REVOKED = Fault(
    "token-revoked", "all credentials are refused, then taken again", _revoke, seconds=12, settle=240
)
