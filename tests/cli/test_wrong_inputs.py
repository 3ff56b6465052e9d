"""What people get wrong: each ends with lines that name the place and the remedy, and never with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Relay

#: What is typed, and the whole of what it is answered. FILES stands for the folder of the test.
COMMANDS = {
    "env file that is no text": (
        "check --env-file FILES/bytes",
        "relay: FILES/bytes: cannot be read: 'utf-8' codec can't decode byte 0xff",
    ),
    "env file with a line that is nothing": (
        "check --env-file FILES/sentence",
        "relay: FILES/sentence: line 2 is not NAME=value\n",
    ),
    "source that is not there": (
        "preview --source shopp FILES/empty.json",
        "relay: there is no source 'shopp' in ",
    ),
    "source to send from that is not there": (
        "send --source shopp FILES/empty.json",
        "relay: there is no source 'shopp' in ",
    ),
    "header without a name": (
        "preview --source shop --header X-Shopify-Topic FILES/empty.json",
        "relay: --header 'X-Shopify-Topic': write it as 'Name: value'\n",
    ),
    "what was fetched is no JSON": (
        "preview --source shop --fetched FILES/sentence FILES/empty.json",
        "relay: --fetched FILES/sentence: the input is no JSON: ",
    ),
    "what was fetched is a list": (
        "preview --source shop --fetched FILES/list.json FILES/empty.json",
        "relay: --fetched FILES/list.json: must be a JSON object: what was fetched, by name\n",
    ),
    "events of a source that is not there": (
        "events --source nobody",
        "relay: there is no source 'nobody' in ",
    ),
    "deliveries over a connection that is not there": (
        "deliveries --connection nobody",
        "relay: there is no connection 'nobody' in ",
    ),
    "release over a connection without a state": (
        "replay --connection opla --yes",
        "relay: --connection narrows --state: give both, or name the ids\n",
    ),
}
OPTIONS = {
    "no workers": ("up --workers 0", "'--workers'"),
    "port that does not exist": ("sandbox --port 99999", "'--port'"),
    "lag below zero": ("sandbox --search-lag -1", "'--search-lag'"),
    "rows below one": ("events --limit -5", "'--limit'"),
    "verdict that is not there": ("events --verdict lost", "'--verdict'"),
}
#: A variable, its value, and what `relay check` says of it.
VARIABLES = {
    "another database": (
        "RELAY_DATABASE_URL",
        "mysql://relay:p4ssw0rd@db/relay",
        "relay: RELAY_DATABASE_URL: must be an address such as postgresql://user:password@host/name\n",
    ),
    "broker without a scheme": (
        "RELAY_BROKER_URL",
        "redis.example.com:6379",
        "relay: RELAY_BROKER_URL: must be an address such as redis://host:6379/0\n",
    ),
    "broker that nobody knows": (
        "RELAY_BROKER_URL",
        "reddis://redis.example.com:6379/0",
        "relay: RELAY_BROKER_URL: must be an address such as redis://host:6379/0\n",
    ),
    "half a DSN": (
        "SENTRY_DSN",
        "k3yk3y",
        "relay: SENTRY_DSN: must be an address such as https://key@host/1\n",
    ),
}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    (tmp_path / "sentence").write_text("SHOP_SECRET=a\nTHIS IS NOT\n", "utf-8")
    (tmp_path / "list.json").write_text("[]", "utf-8")
    (tmp_path / "empty.json").write_text("{}", "utf-8")
    return tmp_path


@pytest.mark.parametrize("case", COMMANDS)
def test_a_wrong_input_is_answered_with_its_place_and_remedy(relay: Relay, files: Path, case: str) -> None:
    """Otherwise the operator reads a traceback, or "nothing", and looks for the fault in the wrong place."""
    assert relay("migrate").exit_code == 0
    typed, answer = (text.replace("FILES", str(files)) for text in COMMANDS[case])
    done = relay(*typed.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(answer)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("case", OPTIONS)
def test_a_value_out_of_range_is_refused_at_once(relay: Relay, case: str) -> None:
    """Otherwise `up` runs without a worker, and a sandbox on no port hangs."""
    typed, option = OPTIONS[case]
    done = relay(*typed.split())
    assert done.exit_code == 2
    assert option in done.stderr


@pytest.mark.parametrize("case", VARIABLES)
def test_an_address_that_nothing_can_use_is_a_fault(relay: Relay, case: str) -> None:
    """Otherwise `relay check` finds no fault, and each process ends in a traceback that shows the password."""
    name, value, answer = VARIABLES[case]
    done = relay("check", **{name: value})
    assert (done.exit_code, done.stderr) == (2, answer)


def test_a_release_of_what_is_not_there_is_refused_before_it_asks(relay: Relay) -> None:
    """Otherwise a mistyped id is asked about as "release 1 deliveries?", and then comes to "0 of 1 released"."""
    assert relay("migrate").exit_code == 0
    done = relay("replay", "0199c0ffee")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("relay: there is no delivery and no event '0199c0ffee'; ")


def test_a_ledger_that_does_not_answer_is_named_by_its_variable(relay: Relay) -> None:
    """Otherwise people who set a wrong host read "connection refused" and do not know by whom."""
    done = relay("events", RELAY_DATABASE_URL="postgresql://relay@127.0.0.1:1/relay")
    assert done.exit_code == 1
    assert done.stderr.startswith("relay: RELAY_DATABASE_URL: connection failed: ")


def test_a_folder_that_cannot_be_made_is_named(relay: Relay, files: Path) -> None:
    """Otherwise a mistyped RELAY_VAR is a traceback out of pathlib."""
    done = relay("events", RELAY_VAR=str(files / "sentence" / "var"))
    assert done.exit_code == 1
    assert done.stderr.startswith(f"relay: {files / 'sentence' / 'var'}: no folder can be made here")
    assert done.stderr.endswith("; set RELAY_VAR\n")


def test_two_processes_are_not_given_one_port(relay: Relay) -> None:
    """Otherwise the second of them ends in a traceback after half a minute."""
    done = relay("up", PORT="18950", FLOWER_PORT="18950")
    assert done.exit_code == 2
    assert done.stderr == "relay: PORT and FLOWER_PORT are both 18950; set FLOWER_PORT to another port\n"


def test_a_preview_that_ends_with_an_error_says_so_to_scripts(relay: Relay, files: Path) -> None:
    """Otherwise a script that tries a payload before going live takes one that nobody can map for good."""
    done = relay("preview", "--source", "shop", "--event", "orders/create", str(files / "empty.json"))
    assert done.exit_code == 1
    assert '"error": "created_at: ' in done.stdout
