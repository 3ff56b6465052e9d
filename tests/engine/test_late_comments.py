"""What was said on a ticket reaches the CRM, even if a later word on the same ticket was there before it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import Clock
from tests.engine.harness import ENVIRON, ROOT, SECRETS_OF_EVERY_SOURCE, Bench, benched
from worker.ledger.tables import State
from worker.settings.configuration import load

EVERY = {**ENVIRON, **SECRETS_OF_EVERY_SOURCE, "RELAY_CONFIG": str(ROOT / "docs" / "every-source.toml")}
#: The two whose events an administrator writes, with room for the latest comment only; `updated` as we advise.
FRESHDESK, ZENDESK = "freshdesk", "zendesk"
WROTE_ITS_BODY = {
    FRESHDESK: ("ticket_contact_email", "ticket_latest_public_comment", "updated"),
    ZENDESK: ("ticket_requester_email", "ticket_latest_public_comment", "ticket_updated_at_with_timestamp"),
}


@pytest.fixture
def bench(clock: Clock, sqlite_url: str, tmp_path: Path) -> Iterator[Bench]:
    """A worker that knows both senders, each by its own name, and has no token of their interfaces."""
    with benched(clock, sqlite_url, tmp_path) as bench:
        known = {source.type: source for source in load(EVERY).sources.values()}
        sources = {
            kind: replace(known[kind], name=kind, options={"default_region": "VN"}) for kind in WROTE_ITS_BODY
        }
        settings = replace(bench.engine.settings, sources={**bench.engine.settings.sources, **sources})
        bench.engine = replace(bench.engine, settings=settings)
        yield bench


def body(kind: str, minute: int, status: str, comment: str) -> bytes:
    """Return what a rule tells of ticket 7 at this minute past noon."""
    email, latest, updated = WROTE_ITS_BODY[kind]
    ticket = {
        "ticket_id": "7",
        "ticket_subject": "Wet box",
        "ticket_status": status,
        email: "lan@example.com",
    }
    when = f"2026-03-02T12:{minute:02d}:00Z"
    return json.dumps({**ticket, latest: comment, updated: when}).encode()


def late(bench: Bench, kind: str, to: str) -> list[State]:
    """Let the answer and then the question arrive, each delivered at once; return the states of both."""
    answer = bench.receive(kind, body(kind, 10, "Solved", "Take another one."), to=to)
    (first,) = bench.until_ended(answer)
    question = bench.receive(kind, body(kind, 5, "Open", "What now?"), to=to)
    (second,) = bench.until_ended(question)
    return [first["state"], second["state"]]


def called(bench: Bench) -> list[str]:
    """Return what the sandbox was asked, in order."""
    return [one["operation"] for one in bench.control.get("/requests").json()["requests"]]


@pytest.mark.parametrize("kind", [FRESHDESK, ZENDESK])
def test_a_question_that_comes_after_its_answer_is_still_added(bench: Bench, kind: str) -> None:
    """Otherwise a question that comes after its answer is lost."""
    assert late(bench, kind, "crmtop") == [State.DELIVERED, State.DELIVERED]
    comments = [record["body"]["message"] for record in bench.records("crmtop", "ticket_comment")]
    assert sorted(message.partition("\n")[2] for message in comments) == ["Take another one.", "What now?"]
    assert "ticket_change_status" not in called(bench)  # it was made solved, and is not opened again


def test_what_was_said_before_a_case_was_closed_leaves_it_closed(bench: Bench) -> None:
    """Otherwise a case is opened again by what was said before it was closed."""
    assert late(bench, ZENDESK, "office") == [State.DELIVERED, State.DELIVERED]
    said = [str(record) for record in bench.records("onlyoffice", "history")]
    assert sum("What now?" in text for text in said) == 1
    assert sum("Take another one." in text for text in said) == 1
    assert called(bench).count("case_close") == 1
    assert not {"case_reopen", "task_reopen"} & set(called(bench))


def test_where_no_comments_are_held_an_old_state_is_superseded(bench: Bench) -> None:
    """Otherwise a CRM that holds no comments is told an old state."""
    assert late(bench, ZENDESK, "opla") == [State.DELIVERED, State.SUPERSEDED]
