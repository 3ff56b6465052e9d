"""Serves a fresh sandbox over real HTTP to every test that asks for one."""

from collections.abc import Iterator

import httpx
import pytest
from sandbox_bodies import CREDENTIALS
from sandbox_clients import Centia, Opla

from sandbox.server import running


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    """A client of a sandbox that nobody else uses."""
    with (
        running(CREDENTIALS) as sandbox,
        httpx.Client(base_url=sandbox.url, timeout=60, verify=False) as client,
    ):
        yield client


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
