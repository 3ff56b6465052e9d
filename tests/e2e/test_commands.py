"""The commands of the README, run as a newcomer runs them."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

import pytest

from mappings.sources import SOURCES
from relay.ports import free_port
from tests.conftest import wait_for
from tests.e2e.running import (
    AT_MOST,
    EXAMPLE,
    PER_LEAD,
    PER_ORDER,
    PER_TICKET,
    RELAY,
    ROOT,
    Up,
    environ,
    is_alive,
    relay_up,
)


def relay(var: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    env = {**environ(var), **more}
    return subprocess.run(
        [*RELAY, *arguments], env=env, cwd=var, capture_output=True, text=True, timeout=2 * AT_MOST
    )


def send_lead(up: Up, number: int) -> None:
    answer = up.post("website", data={"name": f"Lead {number}", "email": f"lead{number}@example.com"})
    assert answer.json()["status"] == "accepted"


def test_the_demo_delivers_each_event_once(tmp_path: Path) -> None:
    """If this fails, the first thing that a newcomer tries does not work."""
    done = relay(tmp_path, "demo", "--env-file", str(ROOT / "demo.env"))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "each record exists exactly once" in done.stdout
    assert done.stdout.count("1 time") == PER_LEAD + PER_ORDER + PER_TICKET
    assert done.stdout.count("duplicate of the first") == 3
    again = relay(tmp_path, "demo", "--env-file", str(ROOT / "demo.env"))
    assert again.returncode == 0, again.stdout + again.stderr


def test_ctrl_c_leaves_nobody_behind_and_the_next_start_goes_on(tmp_path: Path) -> None:
    """If this fails, old workers run on unseen, or a restart forgets what was accepted."""
    with relay_up(tmp_path) as up:
        send_lead(up, 1)
        wait_for(lambda: up.states() == {"delivered": PER_LEAD}, AT_MOST, "all deliveries")
        everybody = up.children()
        assert len(everybody) >= 8  # broker, sandbox, gunicorn and its two, two workers, Flower
        assert up.stop(signal.SIGINT) == 0
        wait_for(lambda: not any(map(is_alive, everybody)), AT_MOST, "the end of all children")
    with relay_up(tmp_path) as up:
        send_lead(up, 2)
        wait_for(
            lambda: up.states() == {"delivered": 2 * PER_LEAD},
            AT_MOST,
            "the new deliveries beside the old ones",
        )
        assert len(up.records("oplacrm", "lead")) == 2


def test_a_killed_supervisor_takes_its_children_along(tmp_path: Path) -> None:
    """If this fails, a crash leaves processes that hold the ports and the ledger."""
    with relay_up(tmp_path) as up:
        everybody = up.children()
        up.process.kill()
        wait_for(lambda: not any(map(is_alive, everybody)), AT_MOST, "the end of all children")


def test_two_runs_side_by_side_do_not_meet(tmp_path: Path) -> None:
    """If this fails, nobody can try a new configuration beside the old one."""
    for name in "ab":
        (tmp_path / name).mkdir()
    unset = {"SANDBOX_PORT": "", "FLOWER_PORT": ""}  # as for a newcomer: both would have the same
    with relay_up(tmp_path / "a", **unset) as one, relay_up(tmp_path / "b", **unset) as two:
        send_lead(one, 1)
        wait_for(lambda: one.states() == {"delivered": PER_LEAD}, AT_MOST, "all deliveries")
        assert two.states() == {}
        assert two.records("oplacrm", "lead") == []


def test_flower_shows_the_tasks_to_those_who_know_the_password_only(tmp_path: Path) -> None:
    """If this fails, an operator sees nothing, or a stranger shuts down the workers."""
    with relay_up(tmp_path) as up:
        send_lead(up, 1)
        wait_for(lambda: up.states() == {"delivered": PER_LEAD}, AT_MOST, "all deliveries")
        url = str(up.said(r"Flower +(http://[\d.:]+)"))
        password = Path(str(up.said(r"user relay, password in (\S+)"))).read_text("utf-8")
        assert up.client.get(f"{url}/api/tasks").status_code == 401
        auth = ("relay", password)

        def names() -> set[str]:
            tasks = up.client.get(f"{url}/api/tasks", auth=auth).json()
            # Of a task that has just begun Flower may know no arguments yet.
            return {task["name"] for task in tasks.values() if len(task["args"] or "") > 36}

        wait_for(lambda: names() == {c.task for c in EXAMPLE.connections.values()}, AT_MOST, "all tasks")
        shutdown = up.client.post(f"{url}/api/worker/shutdown/worker1", auth=auth)
        assert shutdown.status_code == 403
        assert listening_addresses(int(url.rpartition(":")[2])) == {"0100007F"}  # 127.0.0.1


def listening_addresses(port: int) -> set[str]:
    """Return the addresses, as the kernel writes them, on which somebody listens on `port`."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[1].endswith(f":{port:04X}")}


def test_a_port_that_is_taken_is_one_clear_line(tmp_path: Path) -> None:
    """If this fails, a newcomer reads a traceback for a commonplace."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = relay(tmp_path, "up", "--env-file", str(ROOT / "demo.env"), PORT=port)
    assert done.returncode == 2
    assert done.stderr == f"relay: port {port} is taken by another program; set PORT to a free one\n"


def test_a_missing_secret_is_one_clear_line(tmp_path: Path) -> None:
    """If this fails, somebody goes live with a source that accepts everything."""
    secrets = dict(line.split("=") for line in (ROOT / "demo.env").read_text().splitlines() if "=" in line)
    del secrets["SHOP_SECRET"]
    done = relay(tmp_path, "up", **secrets)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert (
        "sources.shop.secret_env: no secret: set the environment variable SHOP_SECRET or SHOP_SECRET_OLD"
        in done.stderr
    )


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[sources.web\n", "is not valid TOML"),
        (
            '[sources.web]\ntype = "forn"\n',
            f"sources.web.type: must be one of: {', '.join(sorted(SOURCES))}",
        ),
        ('[sources.web]\ntype = "form"\ncolour = 1\n', "sources.web.colour: there is no such key"),
        ('[[routes]]\nsource = "web"\nto = ["opla"]\n', "routes[0].source: no [sources.web] in this file"),
        ("", "has no sources"),
    ],
)
def test_a_broken_configuration_is_told_with_its_place(tmp_path: Path, text: str, complaint: str) -> None:
    """If this fails, one wrong key costs an evening."""
    broken = tmp_path / "relay.toml"
    broken.write_text(text)
    for command in ("check", "up"):
        done = relay(tmp_path, command, RELAY_CONFIG=str(broken), PORT=str(free_port()))
        assert done.returncode == 2, done.stdout
        assert complaint in done.stderr
        assert "Traceback" not in done.stderr


def test_two_runs_in_one_folder_are_refused(tmp_path: Path) -> None:
    """If this fails, two brokers write one file."""
    with relay_up(tmp_path) as up:
        others = {name: str(free_port()) for name in ("PORT", "SANDBOX_PORT", "FLOWER_PORT")}
        env = {**up.env, **others}
        argv = [*RELAY, "up", "--env-file", str(ROOT / "demo.env")]
        done = subprocess.run(argv, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=AT_MOST)
    assert done.returncode == 2
    assert "is in use by another `relay up`" in done.stderr
