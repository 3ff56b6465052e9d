"""The token of a login: fetched once by all workers together, on a real broker."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from functools import partial

import httpx
import pytest
import redis

from tests.engine.harness import ENVIRON
from tests.stopwatch import Stopwatch
from worker.errors import PutBack
from worker.http import Http
from worker.settings.configuration import load
from worker.shared_tokens import BrokerTokens, sessions
from worker.vendors import VENDORS
from worker.vendors.api import Api, Session
from worker.vendors.tokens import LOGIN, Tokens
from worker.vendors.vendor import Token

CENTIA = load(ENVIRON).connections["centia"]


class Logins:
    """A vendor's login that counts; `seconds` is how long it takes."""

    def __init__(self, lasts: timedelta | None = None, seconds: float = 0.0) -> None:
        self.number, self.lasts, self.seconds = 0, lasts, seconds

    def __call__(self) -> Token:
        self.number += 1
        time.sleep(self.seconds)
        return Token(f"token-{self.number}", self.lasts)


def test_a_second_worker_uses_the_first_ones_token(broker: redis.Redis) -> None:
    """Else each of ten workers logs in, and a vendor that keeps one session throws the other nine out."""
    login = Logins()
    assert Tokens(BrokerTokens(broker, CENTIA)).current(login) == "token-1"
    assert Tokens(BrokerTokens(broker, CENTIA)).current(login) == "token-1"


def test_of_all_workers_one_replaces_a_refused_token(broker: redis.Redis) -> None:
    """Else a revoked token is followed by as many logins as there are threads, which locks the account."""
    login = Logins(seconds=0.2)
    workers = [Tokens(BrokerTokens(broker, CENTIA)) for _ in range(6)]
    for tokens in workers:
        tokens.current(login)
    got: list[str] = []

    def renew(tokens: Tokens) -> None:
        try:
            got.append(tokens.replaced("token-1", login))
        except PutBack:
            got.append("put back")

    threads = [threading.Thread(target=renew, args=(tokens,)) for tokens in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert login.number == 2
    assert set(got) <= {"token-2", "put back"}
    assert [tokens.replaced("token-1", login) for tokens in workers] == ["token-2"] * 6


def test_a_shared_token_that_is_over_too_is_no_refusal_of_the_credentials(broker: redis.Redis) -> None:
    """Else a worker that was idle tries two tokens that have ended, and the connection opens with an alarm."""
    office = load(ENVIRON).connections["office"]
    made: list[str] = []

    def vendor(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/authentication"):
            made.append(f"token-{len(made) + 1}")
            return httpx.Response(201, json={"statusCode": 201, "response": {"token": made[-1]}})
        if request.headers["authorization"] != made[-1] or len(made) < 3:
            return httpx.Response(401, text="Unauthorized")
        return httpx.Response(200, json={"statusCode": 200, "response": {"id": "me"}})

    http = Http(httpx.MockTransport(vendor))
    idle, busy = (Tokens(BrokerTokens(broker, office)) for _ in range(2))
    apis = [
        Api(VENDORS["onlyoffice"], office, http, Session(tokens), lambda: None) for tokens in (idle, busy)
    ]
    login = VENDORS["onlyoffice"].login
    assert login is not None
    assert (idle.current(partial(login, apis[0])), busy.current(partial(login, apis[1]))) == ("token-1",) * 2
    busy.replaced("token-1", partial(login, apis[1]))
    assert made == [
        "token-1",
        "token-2",
    ]  # the idle worker has the first, the broker the second; both are over now
    assert apis[0].call("people_self") == {"id": "me"}
    assert made == ["token-1", "token-2", "token-3"]


def test_a_token_is_replaced_before_it_ends(broker: redis.Redis) -> None:
    """Else each hour begins with a refused call."""
    now = [0.0]
    login = Logins(timedelta(hours=1))
    tokens = Tokens(BrokerTokens(broker, CENTIA), clock=lambda: now[0])
    assert tokens.current(login) == "token-1"
    now[0] = 3539.0
    assert tokens.current(login) == "token-1"
    now[0] = 3541.0
    assert tokens.current(login) == "token-2"


def test_a_worker_that_died_at_the_login_holds_nobody_up(broker: redis.Redis) -> None:
    """Else a worker killed at the wrong moment closes its CRM for all others."""
    store = BrokerTokens(broker, CENTIA)
    assert store.begin(LOGIN)
    login = Logins()
    with pytest.raises(PutBack):
        Tokens(store).current(login)
    (lock,) = broker.keys("relay:token:*:login")
    assert 0 < broker.pttl(lock) <= LOGIN.total_seconds() * 1000
    broker.delete(lock)
    assert Tokens(store).current(login) == "token-1"


def test_without_the_broker_a_process_logs_in_by_itself() -> None:
    """Else a broker that restarts empty, or not at all, stops what needs no broker."""
    with Stopwatch() as watch:
        gone = sessions(load({**ENVIRON, "RELAY_BROKER_URL": "redis+socket:///nonexistent/broker.sock"}))
        assert gone["centia"].tokens.current(Logins()) == "token-1"
    assert watch.seconds < 20


def test_changed_credentials_are_another_account(broker: redis.Redis) -> None:
    """Else a new password seems to work, because the old one's token does."""
    login = Logins()
    Tokens(BrokerTokens(broker, CENTIA)).current(login)
    changed = load({**ENVIRON, "CENTIA_PASSWORD": "another-password"}).connections["centia"]
    assert Tokens(BrokerTokens(broker, changed)).current(login) == "token-2"
    assert not any(b"password" in key for key in broker.scan_iter())
