"""The steps of a delivery: each makes one record at the vendor, and never a second one.

A step writes its intent before it calls and its result after; whatever happens in between, the next try finds
the intent, looks the record up, and adopts it or makes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count

from mappings.vendor import Plan, Record
from worker.errors import DeliveryError, OutcomeUnknown, PutBack, Rejected
from worker.ledger.steps import Busy, Checkpoints, Done, Linked, Opening, Reserved, StepName
from worker.ledger.tables import UPDATE
from worker.steps.figures import refuse_other_figures
from worker.steps.filling import filled_in
from worker.steps.first_step import at_once, digest
from worker.steps.look_ups import AsSent, LookUps
from worker.steps.refusals import there_already
from worker.vendors.api import Api
from worker.vendors.vendor import Kind

#: When a record that another delivery is making will be there, most often.
BUSY_DELAY = timedelta(milliseconds=500)
#: The digest of a step whose record was found, and never sent.
FOUND = ""


@dataclass(frozen=True, slots=True)
class Made:
    """What a plan came to: the vendor's id of the record it is about, and whether that could not be changed."""

    record_id: str | None
    left_as_it_was: bool = False


class Steps:
    """The steps of one claim over one connection.

    `before_each` raises where the delivery must not go on; `as_sent` gives a record as another delivery asked for
    it, see worker/doubts.py.
    """

    def __init__(
        self,
        api: Api,
        checkpoints: Checkpoints,
        clock: Callable[[], datetime],
        before_each: Callable[[], None],
        as_sent: AsSent = lambda risked_by, record: None,
    ) -> None:
        self._api = api
        self._checkpoints = checkpoints
        self._clock = clock
        self._before_each = before_each
        self._look_ups = LookUps(api, clock, as_sent)
        #: By kind and our key: the vendor's ids of the records so far, and the records as they were asked for.
        self._made: dict[tuple[str, str], str] = {}
        self._known: dict[tuple[str, str], Record] = {}
        #: Those that the ledger linked to nothing when their step was opened, and those of them that we created.
        self._new: set[tuple[str, str]] = set()
        self._created: set[tuple[str, str]] = set()
        #: Those that the ledger knew, because another delivery had made them.
        self._linked: set[tuple[str, str]] = set()
        self._has_updated = False

    @property
    def has_changed(self) -> bool:
        """Whether the vendor has carried out something in this try."""
        return self._api.has_changed

    @property
    def has_advanced(self) -> bool:
        """Whether this try has done a step that was not done before."""
        return self._has_updated or bool(self._new)

    def run(self, plans: Sequence[Plan]) -> Made:
        """Make every record of `plans` that does not exist yet, and bring up to date those they are about.

        Returns what the last plan came to. Raises the errors of worker.errors; every step that was done by then
        stays done.
        """
        made, place = Made(None), count()
        for plan in plans:
            all_made = [self._made_of(next(place), record) for record in plan.records]
            self._take_away(plan)
            for record in plan.records:
                refuse_other_figures(self._api, record, self._made.get((record.kind, record.key), ""))
            made = all_made[plan.about]
        return made

    def _made_of(self, place: int, record: Record) -> Made:
        if not self._checkpoints.is_ahead:  # else the intent is committed: what could prevent it was asked
            self._before_each()
        try:
            filled = replace(record, body=filled_in(self._api, self._made, record.body))
            made = self._step(2 * place, filled)
        except Rejected as error:
            gone = [f"{kind} {key}" for kind, key in self._gone()]
            if not gone:
                raise
            raise PutBack(
                f"no longer at the vendor, so made again: {', '.join(gone)}", timedelta(0)
            ) from error
        if made.record_id is not None:
            self._made[record.kind, record.key] = made.record_id
            self._known[record.kind, record.key] = filled
        return made

    def _gone(self) -> list[tuple[str, str]]:
        """Forget the shared records that this plan needs and that somebody deleted at the vendor; return them.

        Without this, one deleted customer would let all their later orders fail. Raises PutBack while a record may
        only be too new for the vendor's search: to forget that one would make it a second time.
        """
        gone, too_new = [], None
        for name, known in self._known.items():
            kind = self._api.vendor.kinds[known.kind]
            if not known.shared or name in self._new:
                continue
            if kind.find is None:
                is_there = name not in self._linked
            else:
                is_there = not known.match or kind.find(self._api, known, None) == self._made[name]
            if is_there:
                continue
            known_at = self._checkpoints.done_at(*name) or self._clock()
            if kind.find is not None and (wait := self._look_ups.too_early(name, known_at)):
                too_new = wait
                continue
            self._checkpoints.forget(*name, self._made[name])
            gone.append(name)
        if too_new:
            raise too_new
        return gone

    def _take_away(self, plan: Plan) -> None:
        """Delete the parts that an earlier event made and this one has no more; repeating it does no harm."""
        owner = plan.records[plan.about]
        if (owner.kind, owner.key) in self._created:
            return  # what was made a moment ago has no earlier parts, and asking for them is not free
        for name in plan.parts:
            kind = self._api.vendor.kinds[name]
            kept = {record.key for record in plan.records if record.kind == name}
            for key, record_id in self._checkpoints.parts(name, f"{owner.key}."):
                if key in kept or kind.remove is None:
                    continue
                try:
                    self._api.call(kind.remove, {"id": record_id})
                except Rejected as error:
                    if error.status not in (404, 410):
                        raise
                self._checkpoints.forget(name, key, record_id)

    def _step(self, position: int, record: Record) -> Made:
        """Make the record or take the one that is there, then bring up to date what an earlier event made."""
        kind, name = self._api.vendor.kinds[record.kind], (record.kind, record.key)
        step, opening = self._checkpoints.take_ahead() or self._open(position, kind, record)
        match opening:
            case Busy(holder):
                raise PutBack(
                    f"delivery {holder} is making the {record.kind} that this one needs", BUSY_DELAY
                )
            case Reserved():
                record_id, is_outdated = self._make_or_adopt(kind, record, step, opening)
                self._new.add(name)
            case Linked(record_id):
                self._checkpoints.finish(step, record_id, was_there=True)
                self._linked.add(name)
                is_outdated = True
            case Done(record_id, was_there):
                is_outdated = was_there
        if (is_outdated or record.changes_when_new) and not record.shared:
            return self._change(kind, record, position + 1, record_id)
        return Made(record_id)

    def _make_or_adopt(
        self, kind: Kind, record: Record, step: StepName, reserved: Reserved
    ) -> tuple[str, bool]:
        """Return the id of a record that is ours to make, and whether it may hold less than this event says."""
        found = None if reserved.intended else self._look_ups.look_up(kind, record, reserved)
        as_sent = reserved.as_sent
        if found is None:
            if not reserved.intended:
                self._checkpoints.intend(step)
            try:
                return self._create(kind, record, step), False
            except Rejected:
                found, as_sent = there_already(self._api, kind, record), False
                if found is None:
                    raise
        # What somebody else has made is not what our request says.
        self._checkpoints.finish(step if as_sent else replace(step, digest=FOUND), found)
        return found, not as_sent and record.changes is not None

    def _open(self, position: int, kind: Kind, record: Record) -> tuple[StepName, Opening]:
        step = StepName(record.kind, record.key, position, digest(record.body))
        return step, self._checkpoints.open(step, at_once(kind, record))

    def _change(self, kind: Kind, record: Record, position: int, record_id: str) -> Made:
        """Bring the record up to date. An update may be repeated, so it needs no probe, only a checkpoint."""
        if record.changes is None or kind.update is None:
            return Made(record_id, left_as_it_was=True)
        changes = filled_in(self._api, self._made, record.changes)
        step = StepName(f"{record.kind}{UPDATE}", record.key, position, digest(changes))
        if not self._checkpoints.is_done(step):
            self._checkpoints.write()
            kind.update(self._api, record_id, changes)
            self._checkpoints.note_done(step, record_id)
            self._has_updated = True
        return Made(record_id)

    def _create(self, kind: Kind, record: Record, step: StepName) -> str:
        try:
            record_id = kind.record_id(self._api.call(kind.create, record.body))
            if record_id is None and kind.repeatable:
                record_id = record.key  # an upsert on our key: the key is all that anybody needs of it
            if record_id is None:
                raise OutcomeUnknown(f"{kind.create}: success without the record's id")
        except DeliveryError as error:
            if isinstance(error, OutcomeUnknown):
                # "It is there already" is said of a record that somebody else has made.
                self._checkpoints.mark_unknown(step, as_sent=error.status != 409)
            else:
                self._checkpoints.retract(step)
            raise
        self._checkpoints.finish(step, record_id)
        self._created.add((record.kind, record.key))
        return record_id
