"""Nothing that a sender or a vendor writes decides which host or path is called."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import cycle
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from mappings.errors import BadBody, CannotMap
from mappings.source import Arrival, Fetch
from mappings.sources import SOURCES
from sandbox.app import create_app
from sandbox.store import Store
from tests.conftest import Clock
from tests.engine.harness import CREDENTIALS, ENVIRON, Bench
from tests.engine.jobs import JOBS, Job
from tests.engine.test_thin_support import SETTINGS
from tests.mappings.test_sources import BODIES, arrival_of, beside, event_of
from worker.budget import Lanes
from worker.delivery import Engine
from worker.errors import DeliveryError
from worker.http import Answer, Http, Request
from worker.ledger.database import Database
from worker.ledger.fetched import keep_fetched
from worker.senders import enrich
from worker.settings.configuration import load
from worker.vendors import VENDORS

#: What an attacker writes where an id, a name or a text is expected.
TRICKS = (
    "..",
    "../../admin",
    "%2e%2e/%2e%2e",
    "//evil.example/x",
    "@evil.example/x",
    "http://evil.example/x?y=1#z",
    "1\r\nHost: evil.example\r\nX: y",
    "?x=1&y=2",
    "#x",
    "\\\\evil.example\\x",
    "1/delete",
    "1?x=y",
    "",
)
#: The only host that this engine's configuration names.
HOST = "sandbox.test"
SAFE = re.compile(r"[\w.~:=@+-]+", re.ASCII)


class Recorder:
    """Stands for the network before a sender's interface: keeps what is asked, answers an empty object."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def send(self, request: Request, seconds: float) -> Answer:
        self.asked.append(request)
        return Answer(200, {}, b"{}")


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of every text and number inside `value`."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, (*path, key))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from leaves(item, (*path, place))
    elif path and not isinstance(value, bool) and value is not None:
        yield path


def planted(payload: Any, place: tuple[Any, ...], trick: str) -> Any:
    """Return `payload` with `trick` at `place`."""
    changed = copy.deepcopy(payload)
    inside = changed
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = trick
    return changed


THIN = [body for body in BODIES if SOURCES[body.parent.name].fetches]


@pytest.mark.parametrize("body", THIN, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_no_id_of_a_thin_event_leads_elsewhere(body: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise a forged event reads the shop's other data, or sends its token to a stranger's host."""
    monkeypatch.setattr(enrich, "keep_fetched", lambda db, event, written: None)
    arrival, kind = arrival_of(body), SOURCES[body.parent.name]
    settings = next(s for s in SETTINGS.sources.values() if s.type == kind.type)
    source = replace(settings, api_url="http://api.example/base", api_token="api-token")
    event = event_of(arrival)
    shapes = {shape(fetch) for fetch in (kind.fetches or (lambda _: ()))(event)}
    for place in leaves(arrival.payload):
        for trick in TRICKS:
            http: Any = Recorder()
            forged = replace(event, payload=planted(arrival.payload, place, trick))
            try:
                enrich.fetch(http, None, kind, source, forged)  # type: ignore[arg-type]
            except (DeliveryError, CannotMap, BadBody):
                assert http.asked == [] or all(is_below(r.url, shapes) for r in http.asked)
            for request in http.asked:
                assert is_below(request.url, shapes), f"{place} = {trick!r} leads to {request.url}"


def shape(fetch: Fetch) -> int:
    return len(fetch.path.split("/"))


def is_below(url: str, shapes: set[int]) -> bool:
    """Say whether the address, as it is really called, has the host and the depth of an honest one."""
    called = httpx.URL(url)
    path = called.raw_path.decode().removeprefix("/base/").split("/")
    return (
        called.netloc == b"api.example"
        and called.raw_path.startswith(b"/base/")
        and (not shapes or len(path) in shapes)
        and all(SAFE.fullmatch(part) for part in path)
    )


class Network(httpx.BaseTransport):
    """Leads to the sandbox inside this process, keeps every address, and spoils the ids in answers."""

    def __init__(self, tricks: Iterator[str] | None = None) -> None:
        self._inside = httpx.WSGITransport(create_app(Store(":memory:"), CREDENTIALS))
        self._tricks = tricks
        self.called: list[httpx.URL] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.called.append(request.url)
        if request.url.host != HOST:
            return httpx.Response(200, json={})
        answer = self._inside.handle_request(request)
        body = answer.read()
        if self._tricks is not None and "json" in answer.headers.get("content-type", ""):
            body = json.dumps(spoiled(json.loads(body), self._tricks)).encode()
        return httpx.Response(answer.status_code, content=body, headers={"content-type": "application/json"})


def spoiled(value: Any, tricks: Iterator[str]) -> Any:
    """Return an answer of a CRM with the next trick for every id in it."""
    if isinstance(value, dict):
        return {
            name: next(tricks)
            if re.search(r"(?i)(^|_)u?u?id$|^name$|^code$", name) and isinstance(item, str | int)
            else spoiled(item, tricks)
            for name, item in value.items()
        }
    return [spoiled(item, tricks) for item in value] if isinstance(value, list) else value


def bench_of(db: Database, clock: Clock, var: Path, network: Network) -> Bench:
    """Return a worker whose network is `network`."""
    bench = Bench.__new__(Bench)
    bench.clock = clock
    settings = load({**ENVIRON, "RELAY_SANDBOX_URL": f"http://{HOST}", "RELAY_VAR": str(var)})
    bench.engine = Engine(settings, db, Http(network), Lanes(8, 2), clock, lambda: 0.5)
    return bench


def assert_known(called: list[httpx.URL]) -> None:
    """Every address is that of an operation, at the host of the configuration."""
    for url in called:
        assert url.netloc == HOST.encode(), url
        vendor, path = url.raw_path.decode().partition("?")[0].removeprefix("/").split("/", 1)
        patterns = (
            re.sub(r"\\{\w+\\}", "[^/]+", re.escape(operation.path)).lstrip("/")
            for operation in VENDORS[vendor].operations.values()
        )
        assert any(re.fullmatch(f"(?:.*/)?{pattern}", path) for pattern in patterns), url
        assert ".." not in unquote(path).split("/"), url
        assert not urlsplit(str(url)).fragment


@pytest.mark.parametrize("first", [0, 4, 8])
@pytest.mark.parametrize("job", JOBS, ids=lambda job: f"{job.vendor}-{job.name}")
def test_no_id_that_a_crm_hands_out_leads_elsewhere(
    sqlite_url: str, clock: Clock, tmp_path: Path, job: Job, first: int
) -> None:
    """Otherwise a broken or hostile CRM lets us delete all customers, or call a stranger with our token."""
    db, network = Database(sqlite_url), Network(cycle(TRICKS[first:] + TRICKS[:first]))
    bench = bench_of(db, clock, tmp_path, network)
    delivery = bench.receive(job.source, job.body, job.content_type, job.headers, job.connection)
    for _ in range(4):
        bench.attempt(delivery)
        clock.forward(seconds=60)
    assert network.called
    assert_known(network.called)
    db.close()


def with_tricks(arrival: Arrival, fetched: Any, first: int) -> Arrival:
    """Return the arrival with a trick in every text that its handler lets pass, one after the other."""
    handlers = SOURCES[arrival.source].handlers
    for number, place in enumerate(leaves(arrival.payload)):
        trick = TRICKS[(first + number) % len(TRICKS)]
        forged = replace(arrival, payload=planted(arrival.payload, place, trick))
        try:
            event = event_of(forged, fetched)
            if list(handlers[event.type](event)):
                arrival = forged
        except (CannotMap, BadBody, KeyError):
            continue
    return arrival


@pytest.mark.parametrize("kind", SOURCES)
def test_no_text_of_a_payload_is_called(
    sqlite_url: str, clock: Clock, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise whoever fills in a form chooses what a worker inside the network calls."""
    db, network = Database(sqlite_url), Network()
    bench = bench_of(db, clock, tmp_path, network)
    source = next(s for s in SETTINGS.sources.values() if s.type == kind)
    honest, tried = SOURCES[kind], list[str]()
    for number, body in enumerate(b for b in BODIES if b.parent.name == kind):
        fetched = beside(body, "fetched")
        monkeypatch.setitem(SOURCES, kind, honest)
        whole = replace(source, api_url="", api_token="", options=beside(body, "options") or source.options)
        bench.engine.__dict__["settings"] = replace(bench.engine.settings, sources={source.name: whole})
        forged = with_tricks(arrival_of(body), fetched, number)
        monkeypatch.setitem(SOURCES, kind, replace(honest, read=lambda *_, f=forged: f.payload))
        for connection in bench.engine.settings.connections:
            content = f"{body.name} {connection}".encode()
            # A key of its own for each: what is a duplicate calls nobody.
            naming = replace(honest.name(forged), dedup_key=hashlib.sha256(content).hexdigest(), settle=None)
            monkeypatch.setitem(SOURCES, kind, replace(SOURCES[kind], name=lambda *_, n=naming: n))
            delivery = bench.receive(source.name, content, "-", forged.headers, connection)
            if fetched:
                keep_fetched(db, bench.show(delivery)["event_id"], json.dumps(fetched, default=str))
            tried.append(delivery)
            bench.attempt(delivery)
    assert network.called, [bench.show(d)["reason"] for d in tried]
    assert_known(network.called)
    db.close()
