"""No secret is seen where people look: logs, errors, Sentry, ledger, broker, what `relay` prints."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from tests.conftest import wait_for
from tests.e2e.leaking import FAULTS, HANDED_OUT, NO_SECRETS, SECRETS, Stage, configuration, stage
from tests.e2e.running import AT_MOST, ROOT, Up, relay_up
from tests.engine.jobs import EMAIL, ORDER

#: What `relay` can print; `{}` is a delivery's id.
COMMANDS = (
    "check",
    "events --json",
    "events",
    "deliveries --json",
    "deliveries",
    "deliveries {} --json",
    "operations --json",
    "capabilities",
    "call opla lead_list",
    "call centia contacts_get_contacts",
    "call office contact_list",
    "call overplane lead_list",
    "call crmtop lead_list",
    "preview --source website lead.txt",
    "replay {}",
)
#: Runs them one after the other: the start of each costs more than what it does.
ALL_IN_ONE = """
import json, sys
from relay.cli import main
for command in json.loads(sys.argv[1]):
    sys.argv = ["relay", *command]
    try:
        main()
    except SystemExit as end:
        print("== ended", command, end.code)
"""


def forms(secret: str) -> set[bytes]:
    """Return how a secret may be written: as it is, in a URL, in JSON, in base64 wherever it begins."""
    written = {
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        repr(secret)[1:-1],
    }
    for before in (b"", b"a", b"aa"):
        packed = base64.b64encode(before + secret.encode()).decode().rstrip("=")[4 if before else 0 : -1]
        written |= {packed, packed.replace("+", "-").replace("/", "_")}
    return {form.encode() for form in written}


def found_in(place: str, content: bytes) -> list[str]:
    """Return which secrets `content` holds, and around what."""
    places = []
    for name, secret in {**SECRETS, "a handed-out token": HANDED_OUT}.items():
        for form in forms(secret):
            at = content.find(form)
            if at >= 0:
                places.append(f"{place}: {name}: …{content[max(0, at - 120) : at + 60]!r}…")
                break
    return places


def send_everything(up: Up) -> None:
    """A lead, an order, an e-mail, what senders misuse, what is refused, and what crashes the door."""
    secret, token = SECRETS["SHOP_SECRET"], SECRETS["INBOX_TOKEN"]
    for number in range(3):
        up.post("website", data={"name": f"Lan {number}", "email": f"lan{number}@example.com"})
    body = json.dumps(ORDER).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    headers = {"x-shopify-topic": "orders/create", "x-shopify-hmac-sha256": signature}
    headers |= {"content-type": "application/json", "x-shopify-webhook-id": "w-1"}
    headers |= {
        "x-forwarded-uri": f"/webhooks/inbox?token={quote(token)}",
        "authorization": f"Bearer {token}",
    }
    assert up.post("shop", content=body, headers=headers).status_code == 200
    assert up.post("inbox", params={"token": token}, json=EMAIL).status_code == 200
    wrong = {**headers, "x-shopify-hmac-sha256": secret}
    assert up.client.post(f"{up.receiver}/webhooks/shop", content=body, headers=wrong).status_code == 401
    assert up.client.post(f"{up.receiver}/webhooks/{quote(token, safe='')}").status_code == 404
    crash = {"email": "crash-the-door", "token": token}
    answer = up.client.post(
        f"{up.receiver}/webhooks/website", params={"token": token}, data=crash, headers=headers
    )
    assert answer.status_code == 503
    assert found_in("answer", answer.content) == []


def printed(up: Up, folder: Path, delivery: str) -> bytes:
    """Run every command of `relay` and return all that they print."""
    (folder / "lead.txt").write_text("name=Lan&email=lan%40example.com")
    argv = [sys.executable, "-c", ALL_IN_ONE, json.dumps([one.format(delivery).split() for one in COMMANDS])]
    env = {name: value for name, value in up.env.items() if name != "PYTHONPATH"}
    done = subprocess.run(argv, env=env, cwd=folder, capture_output=True, timeout=2 * AT_MOST, check=False)
    assert done.stdout.count(b"== ended") == len(COMMANDS), done.stderr.decode()
    assert delivery.encode() in done.stdout
    return done.stdout + done.stderr


def columns(ledger: Path) -> bytes:
    """Return what the ledger shows to people: all but the bodies, which are what the senders wrote."""
    with sqlite3.connect(ledger) as db:
        rows = [
            db.execute(f"SELECT {names} FROM {table}").fetchall()  # noqa: S608
            for table, names in (
                ("events", "headers, dedup_key, type, entity, content_type"),
                ("deliveries", "*"),
                ("attempts", "*"),
                ("steps", "*"),
                ("connections", "*"),
            )
        ]
    return repr(rows).encode()


def tried(ledger: Path) -> list[str]:
    """Return the deliveries of which an attempt has ended."""
    with sqlite3.connect(ledger, timeout=AT_MOST) as db:
        return [delivery for (delivery,) in db.execute("SELECT delivery_id FROM attempts")]


@pytest.fixture
def played(tmp_path: Path) -> Iterator[Stage]:
    with stage() as found:
        yield found


@pytest.mark.timeout(600)
def test_no_secret_is_seen_anywhere(tmp_path: Path, played: Stage) -> None:
    """If this fails, whoever reads a log, a ticket in Sentry or a backup can act in the company's name."""
    (tmp_path / "sitecustomize.py").write_text(FAULTS)
    path = f"{tmp_path}:{ROOT}"
    more = {**SECRETS, **NO_SECRETS, "SENTRY_DSN": played.dsn, "PYTHONPATH": path}
    config = configuration(tmp_path, played.crm)
    with relay_up(tmp_path, "--no-sandbox", RELAY_CONFIG=config, **more) as up:
        send_everything(up)
        wait_for(lambda: up.states().get("pending", 0) == 0 and len(played.asked) > 20, AT_MOST, "calls")
        wait_for(lambda: any(b"a bug" in one for one in played.envelopes), AT_MOST, "a crash at Sentry")
        ledger = Path(up.env["RELAY_VAR"]) / "ledger.sqlite"
        wait_for(lambda: tried(ledger), AT_MOST, "an attempt that has ended")
        delivery = tried(ledger)[0]
        leaks = found_in("relay's commands", printed(up, tmp_path, delivery))
        with up.broker as broker:
            broker.save()
        leaks += found_in("ledger", columns(ledger))
    output = up.output.read_bytes()
    assert b"a bug" in output, "no crash was logged"
    leaks += found_in("output", output) + found_in("Sentry", b"\n".join(played.envelopes))
    for file in (Path(up.env["RELAY_VAR"]) / "broker").rglob("*"):
        leaks += found_in(f"broker's {file.name}", file.read_bytes() if file.is_file() else b"")
    assert leaks == [], "\n".join(leaks)
