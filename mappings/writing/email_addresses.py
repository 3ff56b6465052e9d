"""E-mail addresses as people type them: what no mail can reach is nobody's address, and is kept in words."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from mappings.commands import Command, OpenTicket, Person, RecordOrder

#: The attribute that keeps what was typed, where the CRM gets another address or none.
AS_TYPED = "email_as_typed"
#: Characters of an address (RFC 5321, with its erratum 1690).
LONGEST = 254

# This asks for what every CRM asks for, and lets pass what some refuse and mailboxes have: dots in a row
# (docomo.ne.jp), letters of any language. Not asked is whether the domain is there: a mapping has no network.
_SIGN = r"[^\s@<>()\[\]\",;:\\.]"
_ADDRESS = re.compile(rf"[^\s@<>()\[\]\",;:\\]{{1,64}}@(?:{_SIGN}{{1,63}}\.)+{_SIGN}{{2,63}}")
#: As mail programs copy an address: `Lan <lan@example.com>`.
_COPIED = re.compile(r"[^<>]*<([^<>]+)>")


def with_usable_address(command: Command) -> Command:
    """Return `command` with an e-mail address that is one, or with none.

    Whoever types "n/a" is not the next one who types it, and a CRM that checks addresses refuses the whole
    record for it. What was typed is then in the attribute `email_as_typed`, and is the name of a lead or a
    request that says nothing else of its person.
    """
    kind = "customer" if isinstance(command, RecordOrder) else "person"
    kind = "requester" if isinstance(command, OpenTicket) else kind
    person: Person | None = getattr(command, kind)
    typed = person.email.strip() if person else ""
    email = usable(typed)
    if person is None or email == typed:
        return command
    person = replace(person, email=email)
    if not isinstance(command, RecordOrder) and not _is_named(person):
        person = replace(person, name=typed)
    changed: dict[str, Any] = {kind: person, "attributes": {**command.attributes, AS_TYPED: typed}}
    return replace(command, **changed)


def usable(typed: str) -> str:
    """Return the address in what somebody typed, the first of several, or nothing."""
    copied = _COPIED.fullmatch(typed)
    bare = (copied[1] if copied else typed).removeprefix("mailto:").strip(" .,;")
    several = re.split(r"[\s,;]+", bare)
    return several[0] if all(map(_is_one, several)) else ""


def _is_one(address: str) -> bool:
    return len(address) <= LONGEST and _ADDRESS.fullmatch(address) is not None


def _is_named(person: Person) -> bool:
    return any((person.name, person.first_name, person.last_name, person.company, person.email, person.phone))
