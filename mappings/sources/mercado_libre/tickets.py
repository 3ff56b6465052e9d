"""Questions and claims of Mercado Libre as tickets: who asks is a number, for there is no way to write to them.

Facts: developers.mercadolibre.com, "Manage questions and answers" and "Work with claims".
"""

from __future__ import annotations

from collections.abc import Iterable

from mappings.commands import Comment, OpenTicket, Person, TicketStatus, filled
from mappings.errors import CannotMap
from mappings.reading.payloads import load
from mappings.source import Event
from mappings.sources.mercado_libre.payload import Claim, Question

#: Of a question. One that is closed, banned or deleted wants no answer any more.
WAITING = ("UNANSWERED", "UNDER_REVIEW")


def open_question(event: Event) -> Iterable[OpenTicket]:
    """Turn the fetched question into a ticket as it stands, the seller's answer its comment.

    Raises CannotMap with the path of what is missing or garbled in the fetched question.
    """
    question = load(Question, event.fetched.get("question"), "question")
    asker, answer = question["asker"], question["answer"]["text"]
    yield OpenTicket(
        key=event.key,
        subject=f"Question about {question['item_id'] or 'an item'}",
        description=question["text"],
        requester=_person(asker["id"], "question.from.id", asker["nickname"]),
        channel="mercado_libre",
        status=TicketStatus.OPEN if question["status"] in WAITING else TicketStatus.SOLVED,
        comments=(Comment(id="answer", author="seller", text=answer),) if answer else (),
        attributes=filled(item=question["item_id"], opened_at=question["date_created"]),
    )


def open_claim(event: Event) -> Iterable[OpenTicket]:
    """Turn the fetched claim into a ticket as it stands; raises CannotMap as `open_question` does."""
    claim = load(Claim, event.fetched.get("claim"), "claim")
    complainant = next((p["user_id"] for p in claim["players"] if p["role"] == "complainant"), "")
    about = f"{claim['resource']} {claim['resource_id']}".strip()
    yield OpenTicket(
        key=event.key,
        subject=f"Claim {claim['id']}" + (f" on {about}" if about else ""),
        description=", ".join(filter(None, (claim["type"], claim["reason_id"]))),
        requester=_person(complainant, "claim.players"),
        channel="mercado_libre",
        order_number=claim["resource_id"] if claim["resource"] == "order" else "",
        status=TicketStatus.SOLVED if claim["status"] == "closed" else TicketStatus.OPEN,
        attributes=filled(
            claim_type=claim["type"],
            stage=claim["stage"],
            claim_reason=claim["reason_id"],
            opened_at=claim["date_created"],
        ),
    )


def _person(number: str, path: str, nickname: str = "") -> Person:
    if not (number or nickname):
        raise CannotMap(path, "nobody is named")
    return Person(name=nickname or f"Mercado Libre user {number}")
