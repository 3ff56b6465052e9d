"""Whether what a record holds is what was sent, in the forms in which vendors store things.

A difference that is only one of form is none: a false alarm costs more trust than a change of case is worth.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from worker.reconcile.findings import Difference
from worker.vendors.lookups import plain
from worker.vendors.vendor import Item, Proof

#: A field that the answer does not have.
_ABSENT = object()
_PHONE = re.compile(r"[+0-9 ()./-]{7,}\Z")
_DAY_FIRST = re.compile(r"(\d\d)/(\d\d)/(\d\d|\d{4})\Z")
#: Digits of a phone that tell it from others; before them are zeros and country codes.
_PHONE_DIGITS = 7
#: The least length at which a text that ends early was cut by the vendor rather than by a person.
_CUT_AT = 100


def differences(sent: Mapping[str, Any], item: Item, proof: Proof) -> tuple[list[Difference], set[str]]:
    """Return the fields that differ, and those that the answer does not show.

    What was sent empty says nothing, and neither does the record's own id, which is the vendor's.
    """
    found: list[Difference] = []
    unseen: set[str] = set()
    for name, ours in sent.items():
        if name == "id" or _is_empty(ours):
            continue
        theirs = _theirs(name, item, proof)
        if theirs is _ABSENT:
            unseen.add(name)
        elif not (name in proof.grows and _has_lines(ours, theirs)) and not agree(ours, theirs):
            found.append(Difference(name, ours, theirs))
    return found, unseen


def agree(ours: Any, theirs: Any) -> bool:
    """Say whether the two mean the same."""
    if _is_empty(ours):
        return True
    if isinstance(ours, bool) or isinstance(theirs, bool):
        return bool(ours) == _truth(theirs)
    if isinstance(ours, Mapping):
        return _mappings_agree(ours, theirs)
    if isinstance(ours, list | tuple):
        return _lists_agree(ours, theirs)
    if isinstance(theirs, Mapping | list):
        return _json_agrees(ours, theirs)
    if not isinstance(ours, str) or isinstance(theirs, int | float | Decimal):
        return _numbers_agree(ours, theirs)
    return _texts_agree(ours, "" if theirs is None else str(theirs))


def _theirs(name: str, item: Item, proof: Proof) -> Any:
    path = proof.names.get(name)
    if path is None:
        return _ABSENT if proof.lean else item.get(name, _ABSENT)
    found = _at(item, path)
    return None if found is _ABSENT and proof.lean else found


def _at(value: Any, path: str) -> Any:
    head, _, rest = path.partition(".")
    if not isinstance(value, Mapping):
        return _ABSENT
    inner = value.get(head.removesuffix("[]"), _ABSENT)
    if head.endswith("[]"):
        return [_at(one, rest) for one in inner] if isinstance(inner, list) else _ABSENT
    return _at(inner, rest) if rest else inner


def _is_empty(value: Any) -> bool:
    if isinstance(value, Mapping):
        return all(_is_empty(inner) for inner in value.values())
    return value is None or value == "" or value == [] or value == ()


def _has_lines(ours: Any, theirs: Any) -> bool:
    lines = (line.strip() for line in str(ours).splitlines())
    return all(line in str(theirs or "") for line in lines)


def _mappings_agree(ours: Mapping[str, Any], theirs: Any) -> bool:
    if not isinstance(theirs, Mapping):
        return theirs is _ABSENT
    return all(agree(value, theirs[name]) for name, value in ours.items() if name in theirs)


def _lists_agree(ours: Sequence[Any], theirs: Any) -> bool:
    if not isinstance(theirs, list | tuple):
        return False
    # In any order, and among others: what people have added to a list is nothing that we sent.
    left = list(theirs)
    for one in ours:
        place = next((n for n, other in enumerate(left) if agree(one, other)), None)
        if place is None:
            return False
        del left[place]
    return True


def _json_agrees(ours: Any, theirs: Any) -> bool:
    """Compare a text of ours with what the vendor has read out of it: JSON, or the entry that it names."""
    if isinstance(theirs, Mapping) and any(
        agree(ours, value) for value in theirs.values() if value is not None and not isinstance(value, bool)
    ):
        return True
    try:
        read = json.loads(str(ours), parse_float=Decimal)
    except ValueError:
        return False
    return isinstance(read, dict | list) and agree(read, theirs)


def _numbers_agree(ours: Any, theirs: Any) -> bool:
    try:
        return Decimal(str(ours)) == Decimal(str(0 if theirs is None else theirs))
    except InvalidOperation:
        return plain(ours) == plain(theirs)


def _truth(value: Any) -> bool:
    return value.casefold() in ("true", "1") if isinstance(value, str) else bool(value)


def _texts_agree(ours: str, theirs: str) -> bool:
    mine, other = plain(ours), plain(theirs)
    if mine == other or (len(other) >= _CUT_AT and mine.startswith(other)):
        return True
    return _moments_agree(ours, theirs) or _phones_agree(ours, theirs) or _json_texts_agree(ours, theirs)


def _moments_agree(ours: str, theirs: str) -> bool:
    mine, other = _moment(ours), _moment(theirs)
    if mine is None or other is None:
        return False
    if isinstance(mine, datetime) and isinstance(other, datetime):
        if mine.tzinfo is None or other.tzinfo is None:
            readings = {_second(mine.replace(tzinfo=None)), _second(_utc(mine).replace(tzinfo=None))}
            return bool(
                readings & {_second(other.replace(tzinfo=None)), _second(_utc(other).replace(tzinfo=None))}
            )
        return _second(_utc(mine)) == _second(_utc(other))
    return bool(_days(mine) & _days(other))


def _moment(text: str) -> date | datetime | None:
    text = text.strip()
    parted = _DAY_FIRST.match(text)
    if parted:
        day, month, year = parted.groups()
        text = f"{year if len(year) == 4 else f'20{year}'}-{month}-{day}"
    # Servers write more digits of a second than Python reads.
    text = re.sub(r"(\.\d{6})\d+", r"\1", text)
    for read in (date.fromisoformat, datetime.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return None


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def _days(moment: date | datetime) -> set[date]:
    """Return the days that a moment may be, where it is written and at Greenwich."""
    if isinstance(moment, datetime):
        return {moment.date(), _utc(moment).date()}
    return {moment}


def _phones_agree(ours: str, theirs: str) -> bool:
    if not _PHONE.match(ours.strip()) or not _PHONE.match(theirs.strip()):
        return False
    mine, other = (re.sub(r"\D", "", text).lstrip("0") for text in (ours, theirs))
    shorter = min(mine, other, key=len)
    return len(shorter) >= _PHONE_DIGITS and mine.endswith(shorter) and other.endswith(shorter)


def _json_texts_agree(ours: str, theirs: str) -> bool:
    if not ours.startswith(("[", "{")) or not theirs.lstrip().startswith(("[", "{")):
        return False
    try:
        return agree(json.loads(ours, parse_float=Decimal), json.loads(theirs, parse_float=Decimal))
    except ValueError:
        return False


def shown(found: Sequence[Difference]) -> Iterator[str]:
    """Yield a line for each difference."""
    for one in found:
        yield f"{one.field}: {one.ours!s} was sent, {one.theirs!s} is there"
