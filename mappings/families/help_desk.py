"""What the senders of tickets have in common: words for how one stands, and bodies that an administrator wrote."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from mappings.commands import Attachment, Comment, OpenTicket, Person, TicketStatus
from mappings.errors import CannotMap
from mappings.families.mail import order_number_in
from mappings.formats.html_text import text_of
from mappings.formats.phones import to_e164
from mappings.reading.form_fields import flat
from mappings.reading.payloads import sortable
from mappings.source import Arrival, Event, Naming

#: Options of relay.toml: `fields` are our name = the name of their field, `statuses` their word = open, pending
#: or solved, for words that an account has invented or translated.
TICKET_OPTIONS: Mapping[str, Any] = {"fields": dict, "statuses": dict, "default_region": str}

#: How long an equal body that tells no time is the same event: longer than Freshdesk's last try, after 95 minutes.
WINDOW = timedelta(hours=2)

_STATUSES = {
    **dict.fromkeys(("new", "open", "submitted", "in progress"), TicketStatus.OPEN),
    **dict.fromkeys(
        ("pending", "hold", "on hold", "snoozed", "waiting on customer", "waiting on third party"),
        TicketStatus.PENDING,
    ),
    **dict.fromkeys(("solved", "resolved", "closed"), TicketStatus.SOLVED),
}
#: Our names for what a written body may tell; everything else in it becomes an attribute under its own name.
OURS = frozenset(
    """
    id subject description status priority channel name email phone company order_number updated event
    comment comment_id comment_author
    """.split()
)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)


def status_of(word: str, also: Mapping[str, Any] | None = None) -> TicketStatus | None:
    """Return where a ticket stands by the sender's word, None for a word that neither we nor `also` know."""
    told = {_folded(key): str(value).lower() for key, value in (also or {}).items()}
    if _folded(word) in told:
        return next((status for status in TicketStatus if status.value == told[_folded(word)]), None)
    return _STATUSES.get(_folded(word))


def _folded(word: str) -> str:
    return re.sub(r"[\s_-]+", " ", word.strip().casefold())


def priority_of(word: str) -> str:
    """Return low, normal, high or urgent where the sender's word is one of them, else the word itself."""
    lower = word.strip().lower()
    return {"medium": "normal"}.get(lower, lower)


def plain(text: str) -> str:
    """Return `text` as plain text: read as HTML where there is a tag in it, else as it is."""
    return text_of(text) if _TAG.search(text) else text.strip()


def headline(text: str) -> str:
    """Return a subject for what has none, as a chat: the first line, cut where a word ends."""
    first = text.strip().partition("\n")[0].strip()
    return (first if len(first) <= 80 else first[:80].rpartition(" ")[0] + " …") or "(no subject)"


def moment_of(seconds: Any) -> str:
    """Return epoch `seconds` as ISO 8601 in UTC, empty where they are none."""
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 0 < seconds < 10**11:
        return ""
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def file_of(name: str, media_type: str, size: Any) -> Attachment:
    """Return a file by name; a size that is no whole number is not known."""
    is_size = isinstance(size, int) and not isinstance(size, bool)
    return Attachment(name, media_type, size if is_size else None)


def padded(number: Any) -> str | None:
    """Return a whole number as text whose order is that of numbers, None for anything else."""
    usable = isinstance(number, int) and not isinstance(number, bool) and 0 <= number < 10**20
    return f"{number:020d}" if usable else None


def told(payload: Any, known_as: Mapping[str, str], fields: Mapping[str, Any]) -> dict[str, str]:
    """Return what a written body tells, by our names, and the rest of it by its own.

    `known_as` holds for each of our names the words that the sender suggests; relay.toml's `fields` go before.
    A word counts as it is written, else as a placeholder is (`ticket.requester.email`), or with that as a path.
    What bears one of our names and is not meant by it becomes `other_NAME`, so that it is not lost.
    """
    values = flat(payload) if isinstance(payload, Mapping) else {}
    placeholders = {_placeholder(name): name for name in reversed(values)}
    names = {ours: [*words.split(), ours] for ours, words in known_as.items()}
    names |= {ours: [ours] for ours in sorted(OURS - set(names))}
    names |= {str(ours): [str(theirs)] for ours, theirs in fields.items()}
    found: dict[str, str] = {}
    used: set[str] = set()
    for ours, words in names.items():
        spelt = [word for word in words if word in values]
        spelt += [placeholders[p] for word in words if (p := _placeholder(word)) in placeholders]
        if spelt:
            found[ours] = values[spelt[0]]
            used.add(spelt[0])
    rest = {name: value for name, value in values.items() if name not in used}
    return {f"other_{name}" if name in OURS else name: value for name, value in rest.items()} | found


def _placeholder(name: str) -> str:
    return name.replace(".", "_").lower().removeprefix("ticket_")


def named_by_fields(arrival: Arrival, type_: str, values: Mapping[str, str], call: str = "") -> Naming:
    """Name a written body by its ticket, event, time and content; nobody can write a delivery's id into it.

    `call` is what the sender's headers know the call by, if they do: equal for its tries and for no other call.
    """
    content = json.dumps(values, sort_keys=True)
    number = values.get("id", "")
    parts = (number, values.get("event", ""), values.get("updated", ""), *filter(None, (call,)))
    return Naming(
        type=type_,
        dedup_key=":".join((*parts, hashlib.sha256(content.encode("utf-8", "replace")).hexdigest())),
        entity=f"ticket-{number}" if _ID.fullmatch(number) else None,
        version=sortable(values.get("updated")),
        window=None if values.get("updated") or call else WINDOW,
    )


def ticket_of(event: Event, values: Mapping[str, str]) -> OpenTicket:
    """Return the ticket that a written body tells of; raises CannotMap where no ticket or requester is named."""
    if not event.entity:
        raise CannotMap("id", f"the body names no ticket; it has: {', '.join(sorted(values)) or 'nothing'}")
    if not (values.get("email") or values.get("phone") or values.get("name")):
        raise CannotMap("email", f"the body names no requester; it has: {', '.join(sorted(values))}")
    subject = values.get("subject", "")
    word = values.get("status", "")
    status = status_of(word, event.options.get("statuses"))
    said = plain(values.get("comment", ""))
    mark = values.get("comment_id") or hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:16]
    comment = Comment(id=mark, author=values.get("comment_author", ""), text=said)
    attributes = {name: value for name, value in values.items() if name not in OURS}
    return OpenTicket(
        key=event.key,
        subject=subject or "(no subject)",
        description=plain(values.get("description", "")),
        requester=Person(
            name=values.get("name", ""),
            email=values.get("email", ""),
            phone=to_e164(values.get("phone", ""), event.options.get("default_region")),
            company=values.get("company", ""),
        ),
        priority=priority_of(values.get("priority", "")),
        channel=values.get("channel", "").lower(),
        order_number=values.get("order_number") or order_number_in(subject),
        status=status,
        comments=(comment,) if said else (),
        attributes=attributes | ({"status": word} if word and status is None else {}),
    )
