"""Whether a person's e-mail address or phone number stands anywhere in a payload, however it is packed."""

from __future__ import annotations

import base64
import binascii
import email
import email.errors
import email.header
import html
import json
import quopri
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from email.message import Message
from functools import lru_cache
from typing import Any
from urllib.parse import unquote_plus

import phonenumbers

from mappings.formats.keys import slug

#: How many wrappings are taken off: a text in JSON in base64 in a mail in a form has four.
DEPTH = 6
#: Characters of a name that no longer key cuts off.
_UNCUT = 25
_MIME = re.compile(r"^content-(?:type|transfer-encoding)\s*:", re.IGNORECASE | re.MULTILINE)
_BASE64 = re.compile(r"\s*[A-Za-z0-9+/_-][A-Za-z0-9+/_\-\s]{10,}={0,2}\s*")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")


@dataclass(frozen=True, slots=True)
class Sought:
    """One person: addresses in lower case, phone numbers in E.164."""

    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()

    def is_in(self, value: Any) -> bool:
        """Say whether the person stands in `value`: a text, bytes, or what JSON and forms are read into."""
        return any(map(self._stands_in, texts(value)))

    def _stands_in(self, text: str) -> bool:
        lower = text.casefold()  # for most texts that is all: a pattern costs ten times as much
        return any(email in lower and _of_address(email).search(text) for email in self.emails) or any(
            _of_phone(phone).search(text) for phone in self.phones
        )

    def is_in_key(self, key: str, sources: Collection[str]) -> bool:
        """Say whether `key` is the one by which we know the person, such as `acct-lan@example.com`.

        `sources` are names that keys may begin with: where an event is about a person, its key says so.
        """
        prefixes = ("acct", "cont", *sources)
        # What a slash parts off is the company that a contact belongs to.
        own = key.casefold().partition("/")[0]
        return own in {f"{prefix}-{name}" for prefix in prefixes for name in self._names()}

    def may_be_in_key(self, key: str) -> bool:
        """Say whether `key` may be one that is made of theirs, such as `order-1.cont-lan@example.com`."""
        return any(
            f"{kind}-{name[:_UNCUT]}" in key.casefold() for kind in ("acct", "cont") for name in self._names()
        )

    def _names(self) -> set[str]:
        known = (*self.emails, *self.phones)
        return {spelled.casefold() for who in known for spelled in (who, slug(who))}


def texts(value: Any) -> Iterator[str]:
    """Yield every text in `value` as it is, and as it reads once its wrappings are off; each only once."""
    return _texts(value, DEPTH, set())


def _texts(value: Any, depth: int, seen: set[str]) -> Iterator[str]:
    if isinstance(value, str):
        if value not in seen:
            seen.add(value)
            yield value
            yield from _texts(list(_unwrapped(value)) if depth else None, depth - 1, seen)
    elif isinstance(value, bytes):
        yield from _texts(_read(value), depth, seen)
    elif isinstance(value, Mapping | list | tuple):
        for inner in value.items() if isinstance(value, Mapping) else value:
            yield from _texts(inner, depth, seen)
    elif value is not None and not isinstance(value, bool):
        yield str(value)


def _unwrapped(text: str) -> Iterator[Any]:
    """Yield what `text` holds, if it is a wrapping of something: nothing here ever fails."""
    if _MIME.search(text):
        yield from _mail(text)
    for marks, read in _READERS:
        if marks.search(text):
            inside = read(text)
            if inside is not None and inside != text:
                yield inside


def _mail(text: str) -> Iterator[Any]:
    message = email.message_from_string(text.lstrip())
    for part in message.walk():
        yield from part.values()
        if not part.is_multipart():
            content = _content(part)
            # What is a mail of its own has headers again; what is only this text has been seen.
            if content != text:
                yield content


def _content(part: Message) -> str:
    raw = part.get_payload(decode=True)
    charset = part.get_content_charset("utf-8")
    try:
        return raw.decode(charset, "replace") if isinstance(raw, bytes) else ""
    except LookupError:
        return _read(raw) if isinstance(raw, bytes) else ""


def _read(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _of_base64(text: str) -> str | None:
    bare = "".join(text.split()).replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4)).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return None


def _of_header(text: str) -> str | None:
    try:
        return str(email.header.make_header(email.header.decode_header(text)))
    except (LookupError, UnicodeError, ValueError, email.errors.MessageError):
        return None


def _of_quoted_printable(text: str) -> str:
    return _read(quopri.decodestring(text.encode("utf-8", "replace")))


_READERS = (
    (re.compile(r"\A\s*[\[{\"]"), _json),
    (re.compile(r"%[0-9A-Fa-f]{2}"), unquote_plus),
    (re.compile(r"&#?\w{2,};"), html.unescape),
    (re.compile(r"=(?:[0-9A-Fa-f]{2}|\r?\n)"), _of_quoted_printable),
    (re.compile(r"=\?[\w-]+\?[bBqQ]\?"), _of_header),
    (_ESCAPE, lambda text: _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)),
    (re.compile(rf"\A{_BASE64.pattern}\Z"), _of_base64),
)


@lru_cache(64)
def _of_address(address: str) -> re.Pattern[str]:
    # Whole: lan@example.com is neither in ulan@example.com nor in lan@example.com.vn.
    return re.compile(rf"(?<![\w.+%-]){re.escape(address)}(?![\w-]|\.\w)", re.IGNORECASE)


@lru_cache(64)
def _of_phone(e164: str) -> re.Pattern[str]:
    """Return the pattern of a number as people type it: with its country code, or as it is dialled at home."""
    number = phonenumbers.parse(e164, None)
    own = phonenumbers.national_significant_number(number)
    home = re.sub(r"\D", "", phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL))
    gap = r"[\s().\-/]*"
    abroad = rf"(?:\+|00)?{gap}{number.country_code}{gap}(?:\(0\))?{gap}{gap.join(own)}"
    return re.compile(rf"(?<!\d)(?:{abroad}|{gap.join(home)})(?!\d)")


def sought(emails: Collection[str], phones: Collection[str]) -> Sought:
    """Return whom to look for. Raises ValueError, which says what is wrong, for what is no address or number."""
    for address in emails:
        if not re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+", address.strip()):
            raise ValueError(f"{address!r} is no e-mail address")
    numbers = []
    for phone in phones:
        try:
            number = phonenumbers.parse(phone, None)
        except phonenumbers.NumberParseException:
            raise ValueError(
                f"{phone!r} is no phone number with its country code: +84 90 123 45 67"
            ) from None
        numbers.append(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return Sought(tuple(address.strip().casefold() for address in emails), tuple(numbers))
