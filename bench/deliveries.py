"""The second measurement: how many deliveries a worker process makes per second, and per second of CPU."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench import contenders
from bench.contenders import THREADS, Contender
from bench.processes import DidNotRun, cpu_seconds
from bench.report import Progress, Series
from bench.site import Site, ledger_counts

#: Seconds that a worker has to come to rest at the stand-in's shut gate, beyond its first tasks.
SETTLE_SECONDS = 0.7
#: Seconds that one backlog may take before the benchmark gives up.
PATIENCE = 90.0


@dataclass(frozen=True)
class Drained:
    """One backlog: how long it took in seconds, and how many CPU seconds the worker process used in them."""

    seconds: float
    cpu_seconds: float


class Backlogs:
    """Fills a backlog through a contender's own receiver, then lets its worker drain it."""

    def __init__(self, site: Site, events: int, tell: Progress) -> None:
        self._site = site
        self._events = events
        self._tell = tell
        self._field = [
            contenders.relay(site.folder / "deliveries", site.broker_url, site.crm_port),
            contenders.by_hand(site.broker_url, site.crm_port),
        ]
        self._ports = {contender.name: site.start_web(contender)[1] for contender in self._field}
        self._filled = 0
        self.round_seconds = 0.0  # what the longest round took

    def measure(self, rounds: int, latency_ms: int, until: float) -> list[Series]:
        """Return deliveries per CPU second, then per second, of each contender in every round.

        There is one round at least; no other begins that would end after `until` on the monotonic clock.
        """
        per_cpu = {c.name: Series(c.name) for c in self._field}
        per_second = {c.name: Series(c.name) for c in self._field}
        for number in range(1, rounds + 1):
            if number > 1 and time.monotonic() + self.round_seconds > until:
                self._tell(f"deliveries, CRM {latency_ms} ms: no time left for round {number}")
                break
            began, told = time.monotonic(), []
            for contender in self._field if number % 2 else reversed(self._field):
                self._fill(contender, f"{latency_ms}ms-{number}")
                drained = self._drain(contender, latency_ms)
                per_cpu[contender.name].values.append(self._events / drained.cpu_seconds)
                per_second[contender.name].values.append(self._events / drained.seconds)
                told.append(
                    f"{contender.name} {self._events} in {drained.seconds:.1f} s, "
                    f"{drained.cpu_seconds:.1f} s of CPU"
                )
            self.round_seconds = max(self.round_seconds, time.monotonic() - began)
            self._tell(f"deliveries, CRM {latency_ms} ms: round {number} of {rounds}: {'; '.join(told)}")
        return [*per_cpu.values(), *per_second.values()]

    def _fill(self, contender: Contender, label: str) -> None:
        tag = f"{contender.queue}-{label}"
        port = self._ports[contender.name]
        self._site.send(contender, port, tag, seconds=PATIENCE, count=self._events)
        self._site.await_tasks(contender, self._events)
        self._filled += self._events if contender.ledger else 0

    def _drain(self, contender: Contender, latency_ms: int) -> Drained:
        site, crm = self._site, self._site.crm
        crm.shut(latency_ms)
        argv = contenders.celery(contender)
        worker = site.processes.start(f"worker-{contender.queue}", argv, contender.environ)
        what = f"the worker of {contender.name}"
        site.processes.wait(worker, lambda: crm.seen().at_gate == THREADS, what)
        time.sleep(SETTLE_SECONDS)
        used, began = cpu_seconds(worker.pid), time.monotonic()
        crm.open()
        site.processes.wait(worker, lambda: self._is_drained(contender), what, PATIENCE)
        drained = Drained(time.monotonic() - began, cpu_seconds(worker.pid) - used)
        site.processes.stop(worker)
        self._check(contender)
        return drained

    def _is_drained(self, contender: Contender) -> bool:
        return self._site.crm.seen().answered >= self._events and self._site.at_rest(contender)

    def _check(self, contender: Contender) -> None:
        seen = self._site.crm.seen()
        if (seen.answered, seen.different) != (self._events, self._events):
            raise DidNotRun(f"{contender.name}: {self._events} accepted, but the CRM has {seen}")
        found = ledger_counts(contender)
        if contender.ledger and found != {"delivered": self._filled}:
            raise DidNotRun(f"{self._filled} accepted, but the ledger holds {found}")
