"""What becomes of an event at the door: the first rule that fits decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from mappings.source import Naming, Source
from worker.ledger.tables import State
from worker.ledger.verdicts import Verdict
from worker.settings import SourceSettings


@dataclass(frozen=True, slots=True)
class Judgement:
    """An event's verdict, the state in which its deliveries begin, and why, where that is not `pending`."""

    verdict: Verdict
    state: State = State.PENDING
    reason: str | None = None


def judge(
    source: SourceSettings, sender: Source, naming: Naming, spam: Callable[[], str | None], is_routed: bool
) -> Judgement:
    """Return what becomes of the event that `naming` names; `is_routed` says whether it goes anywhere.

    `spam` returns why a form's post is a robot's, or None. It may ask a captcha's service, so it comes after what
    is known without asking.
    """
    if naming.type in sender.ignored:
        reason = f"{source.type} events {naming.type} are not delivered"
        return Judgement(Verdict.IGNORED, State.SKIPPED, reason)
    if naming.test and not source.deliver_tests:
        return Judgement(Verdict.TEST, State.SKIPPED, "the sender marks it as a test")
    if (robotic := spam()) is not None:
        return Judgement(Verdict.SPAM, State.SKIPPED, robotic)
    if naming.type not in sender.handlers:
        reason = f"{source.type} event {naming.type!r} is not known to this version"
        return Judgement(Verdict.UNKNOWN, State.FAILED, reason)
    return Judgement(Verdict.ROUTED if is_routed else Verdict.UNROUTED)
