"""Serves a fresh sandbox over real HTTP to every test that asks for one."""

from collections.abc import Iterator

import httpx
import pytest

from sandbox.server import running
from sandbox.store import Store
from tests.sandbox.sandbox_bodies import CREDENTIALS
from tests.sandbox.sandbox_clients import Centia, Opla


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client of a sandbox that nobody else uses."""
    with (
        running(CREDENTIALS) as sandbox,
        httpx.Client(base_url=sandbox.url, timeout=60, verify=False) as client,
    ):
        yield client


@pytest.fixture
def moment() -> list[float]:
    """The time of `store` in seconds since 1970, which only moves when told to."""
    return [1_770_000_000.0]


@pytest.fixture
def store(moment: list[float]) -> Iterator[Store]:
    """A store with that clock, for a sandbox of the test's own."""
    store = Store(":memory:", clock=lambda: moment[0])
    yield store
    store.close()


@pytest.fixture
def opla(http: httpx.Client) -> Opla:
    """A client of the played OplaCRM with a valid token."""
    return Opla(http)


@pytest.fixture
def centia(http: httpx.Client) -> Centia:
    """A client of the played centiaCRM that has logged in."""
    client = Centia(http)
    client.login()
    return client
