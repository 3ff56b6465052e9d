"""The first measurement: how many webhooks per second each receiver answers with 200."""

from __future__ import annotations

from bench import contenders
from bench.contenders import Contender
from bench.processes import DidNotRun, cpu_seconds
from bench.report import Progress, Series
from bench.site import Sent, Site, Web, ledger_counts

WARM_UP_SECONDS = 1.0


def measure(site: Site, rounds: int, seconds: float, tell: Progress) -> list[Series]:
    """Return accepts per second, the 99th percentile of the wait, and the CPU of an accept, of every contender.

    All receivers stand ready all the time; the load goes to one after the other, and in every second round in
    the opposite order. Tasks are taken from the broker as they come, as workers would.
    """
    field = [
        contenders.relay(site.folder / "accepts", site.broker_url, site.crm_port),
        contenders.by_hand(site.broker_url, site.crm_port),
        contenders.bare(),
    ]
    webs = {contender.name: site.start_web(contender) for contender in field}
    stored = 0
    for contender in field:
        tell(f"accepts: warming up {contender.name}")
        warm, _ = _one(site, contender, webs[contender.name], "warm", WARM_UP_SECONDS)
        stored += warm.accepted if contender.ledger else 0
    rates = {contender.name: Series(contender.name, contender.keeps) for contender in field}
    waits = {contender.name: Series(contender.name) for contender in field}
    cpu = {contender.name: Series(contender.name, decimals=2) for contender in field}
    for number in range(1, rounds + 1):
        for contender in field if number % 2 else reversed(field):
            sent, used = _one(site, contender, webs[contender.name], str(number), seconds)
            stored += sent.accepted if contender.ledger else 0
            rates[contender.name].values.append(sent.accepted / sent.seconds)
            waits[contender.name].values.append(sent.p99_ms)
            cpu[contender.name].values.append(used / sent.accepted * 1000)
        told = ", ".join(f"{name} {series.values[-1]:.0f}/s" for name, series in rates.items())
        tell(f"accepts: round {number} of {rounds}: {told}")
    for web, _ in webs.values():
        site.processes.stop(web)
    _check_ledger(field[0], stored)
    return [*rates.values(), *waits.values(), *cpu.values()]


def _one(site: Site, contender: Contender, web: Web, label: str, seconds: float) -> tuple[Sent, float]:
    """Return what was sent, and the receiver's CPU seconds until its last task is handed over."""
    process, port = web
    before = cpu_seconds(process.pid)
    with site.taking(contender) as taken:
        sent = site.send(contender, port, f"{contender.queue or 'bare'}-{label}", seconds)
        if contender.queue:
            taken.wait(sent.accepted)
    return sent, cpu_seconds(process.pid) - before


def _check_ledger(contender: Contender, stored: int) -> None:
    found = ledger_counts(contender)
    if found != {"pending": stored}:
        raise DidNotRun(f"{stored} accepted, but the ledger holds {found}")
