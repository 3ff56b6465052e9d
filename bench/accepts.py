"""The first measurement: how many webhooks per second each receiver answers with 200."""

from __future__ import annotations

from bench import contenders
from bench.contenders import Contender
from bench.processes import DidNotRun
from bench.report import Progress, Series
from bench.site import Sent, Site, ledger_counts

WARM_UP_SECONDS = 1.0


def measure(site: Site, rounds: int, seconds: float, tell: Progress) -> list[Series]:
    """Return accepts per second and the 99th percentile of the wait, of every contender in every round.

    All receivers stand ready all the time; the load goes to one after the other, and in every second round in
    the opposite order.
    """
    field = [
        contenders.relay(site.folder / "accepts", site.broker_url, site.crm_port),
        contenders.by_hand(site.broker_url, site.crm_port),
        contenders.bare(),
    ]
    webs = [site.start_web(contender) for contender in field]
    ports = {contender.name: port for contender, (_, port) in zip(field, webs, strict=True)}
    stored = 0
    for contender in field:
        tell(f"accepts: warming up {contender.name}")
        warm = _one(site, contender, ports[contender.name], "warm", WARM_UP_SECONDS)
        stored += warm.accepted if contender.ledger else 0
    rates = {contender.name: Series(contender.name, contender.keeps) for contender in field}
    waits = {contender.name: Series(contender.name) for contender in field}
    for number in range(1, rounds + 1):
        for contender in field if number % 2 else reversed(field):
            sent = _one(site, contender, ports[contender.name], str(number), seconds)
            stored += sent.accepted if contender.ledger else 0
            rates[contender.name].values.append(sent.accepted / sent.seconds)
            waits[contender.name].values.append(sent.p99_ms)
        told = ", ".join(f"{name} {series.values[-1]:.0f}/s" for name, series in rates.items())
        tell(f"accepts: round {number} of {rounds}: {told}")
    for web, _ in webs:
        site.processes.stop(web)
    _check_ledger(field[0], stored)
    return [*rates.values(), *waits.values()]


def _one(site: Site, contender: Contender, port: int, label: str, seconds: float) -> Sent:
    sent = site.send(contender, port, f"{contender.queue or 'bare'}-{label}", seconds)
    if contender.queue:
        site.await_tasks(contender, sent.accepted)
        site.forget_tasks(contender)
    return sent


def _check_ledger(contender: Contender, stored: int) -> None:
    found = ledger_counts(contender)
    if found != {"pending": stored}:
        raise DidNotRun(f"{stored} accepted, but the ledger holds {found}")
