"""What `relay up` will run, before it starts anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.ports import free_port
from relay.stack import prepare
from tests.engine.harness import ENVIRON


@pytest.mark.parametrize(
    ("broker_url", "with_broker"),
    [(None, True), ("", True), ("redis://127.0.0.1:6379/0", False)],
    ids=["not set", "set to nothing", "set"],
)
def test_the_embedded_broker_runs_where_no_other_is_named(
    tmp_path: Path, broker_url: str | None, with_broker: bool
) -> None:
    """Otherwise the workers wait for a broker that nobody starts, or a second one runs beside the operator's."""
    ports = {name: str(free_port()) for name in ("PORT", "FLOWER_PORT", "SANDBOX_PORT")}
    environ = {**ENVIRON, **ports, "RELAY_VAR": str(tmp_path)}
    environ.pop("RELAY_BROKER_URL", None)
    if broker_url is not None:
        environ["RELAY_BROKER_URL"] = broker_url
    stack = prepare(environ, with_sandbox=True, workers=1)
    assert stack.with_broker is with_broker
    assert stack.environ["RELAY_BROKER_URL"] == (broker_url or f"redis+socket://{tmp_path}/broker.sock")


def test_without_the_sandbox_no_variable_leads_back_to_it(tmp_path: Path) -> None:
    """Otherwise who tried commands on the sandbox, and then goes live in the same shell, delivers to nobody."""
    ports = {name: str(free_port()) for name in ("PORT", "FLOWER_PORT", "SANDBOX_PORT")}
    environ = {**ENVIRON, **ports, "RELAY_VAR": str(tmp_path), "RELAY_SANDBOX_URL": "http://127.0.0.1:8900"}
    stack = prepare(environ, with_sandbox=False, workers=1)
    assert stack.settings.connections["opla"].base_url == "https://api-admin.oplacrm.com/api"
    assert "RELAY_SANDBOX_URL" not in stack.environ
