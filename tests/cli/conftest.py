"""A sandbox, and the `relay` command pointed at it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result

from relay.cli import main
from sandbox.server import running
from tests.engine.harness import CREDENTIALS, ENVIRON
from worker.vendors import VENDORS
from worker.vendors.vendor import Operation, Vendor

Relay = Callable[..., Result]
Change = Callable[..., None]


class Crm:
    """The sandbox, and what it saw."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.control = httpx.Client(base_url=f"{url}/_sandbox", trust_env=False, verify=False)

    def calls(self) -> list[str]:
        """Return the operations that were called, in order."""
        return [request["operation"] for request in self.control.get("/requests").json()["requests"]]

    def records(self, vendor: str, kind: str) -> list[Any]:
        """Return what the vendor was sent for the records that it holds."""
        answer = self.control.get("/records", params={"vendor": vendor, "kind": kind})
        return [record["body"] for record in answer.json()["records"]]

    def fault(self, **fault: Any) -> None:
        """Set a fault."""
        assert self.control.post("/faults", json=fault).status_code in (200, 201)


@pytest.fixture
def crm() -> Iterator[Crm]:
    with running(CREDENTIALS) as sandbox:
        crm = Crm(sandbox.url)
        yield crm
        crm.control.close()


@pytest.fixture
def environ(crm: Crm, tmp_path: Path) -> dict[str, str]:
    """The environment of a command whose CRMs are the sandbox; there is neither a ledger nor a broker."""
    return {**ENVIRON, "RELAY_SANDBOX_URL": crm.url, "RELAY_VAR": str(tmp_path / "var")}


@pytest.fixture
def relay(environ: dict[str, str]) -> Relay:
    """Run a command without a terminal, with `text` on standard input."""

    def run(*arguments: str, text: str | None = None, **more: str) -> Result:
        result = CliRunner().invoke(main, arguments, input=text, env={**environ, **more})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Change:
    """Change a vendor for the length of a test: some of its operations, or whole parts."""

    def change(vendor: str, *operations: Operation, **more: Any) -> None:
        known: Vendor = VENDORS[vendor]
        table = {**known.operations, **{operation.name: operation for operation in operations}}
        monkeypatch.setitem(VENDORS, vendor, replace(known, operations=table, **more))

    return change
