"""Raw bytes become data: JSON, and the four ways in which a form can be sent.

The door reads each body once to name its event, and the worker reads the stored bytes again; both must see
the same. Whatever the bytes are, the outcome is data that PostgreSQL and UTF-8 can hold, or `BadBody`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.http import parse_options_header

from mappings.errors import BadBody
from mappings.reading.brackets import nested
from mappings.reading.multipart import MAX_FIELDS, read_parts

MAX_DEPTH = 64  # levels of JSON; the deepest payload of a known sender has nine
MAX_DIGITS = 4_300  # of one number: where Python itself stops to read integers (CVE-2020-10735)
MAX_EXPONENT = 308  # of ten: the range of a double, so all that another JSON reader could have written

#: What neither a PostgreSQL text nor UTF-8 can hold: NUL, and half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s",:\[\]{}]+', re.DOTALL)
_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_CHARSET = re.compile(
    r"utf-?8|us-ascii|iso-8859-\d{1,2}|windows-(?:125[0-8]|874)|koi8-[ru]|shift_jis|euc-(?:jp|kr)|iso-2022-jp"
    r"|gb2312|gbk|gb18030|big5|tis-620",
    re.IGNORECASE,
)


def read_json(body: bytes, content_type: str) -> Any:
    """Return the JSON value in `body`: fractions as Decimal, whole numbers as int, text that can be stored.

    `content_type` is not looked at: JSON is UTF-8 (RFC 8259, section 8.1), whatever charset a sender names.
    Raw line breaks inside strings are let through: bodies written by hand in a sender's settings hold them.
    Raises BadBody for everything else that RFC 8259 forbids, and for what no sender means: a key twice in one
    object, NaN, numbers beyond `MAX_DIGITS` or `MAX_EXPONENT`, more than `MAX_DEPTH` levels.
    """
    if not body.strip():
        raise BadBody("the body is empty")
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        fault = f"byte 0x{body[error.start]:02x} at offset {error.start}"
        raise BadBody(f"the JSON is not UTF-8: {fault}") from None
    number = _number_reader(text)
    try:
        value = json.loads(
            text,
            strict=False,
            object_pairs_hook=_object,
            parse_int=lambda token: number(token, int),
            parse_float=lambda token: number(token, Decimal),
            parse_constant=lambda token: number(token, None),
        )
        return storable(value)
    except json.JSONDecodeError as error:
        raise BadBody(f"not JSON: {error.msg} at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise BadBody(f"the JSON is nested deeper than {MAX_DEPTH} levels, {_deepest(text)}") from None


def read_object(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the JSON object in `body`; raises BadBody as `read_json` does, and for any other value."""
    value = read_json(body, content_type)
    if not isinstance(value, dict):
        raise BadBody(f"the JSON is {_KINDS[type(value)]}, where an object is needed")
    return value


def read_form(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields of a submitted form by name, in the order of the form.

    Reads the three encodings of an HTML form (WHATWG HTML, section 4.10.21) and JSON, which scripts send as
    application/json or, to avoid a preflight, as text/plain. Brackets in names: see `mappings.reading.brackets`.
    A file is kept as its `filename`, `content_type` and `size` in bytes, never with its content.
    Raises BadBody for an empty body, another media type, more than 1,000 fields, and what cannot be read.
    """
    media_type, parameters = parse_options_header(content_type)
    media_type = media_type.lower()
    read = _FORMS.get(media_type)
    if read is None and media_type != "application/json" and not media_type.endswith("+json"):
        raise BadBody(f"a form cannot be sent as {media_type or 'a body without a content type'}")
    if not body.strip():
        raise BadBody("the body is empty")
    first = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if read is None or (read is _plain_fields and first in (b"{", b"[")):
        return read_object(body, content_type)
    fields: dict[str, Any] = storable(nested(read(body, parameters)))
    return fields


def _urlencoded_fields(body: bytes, parameters: dict[str, str]) -> Iterator[tuple[str, Any]]:
    # For what is not plain UTF-8, Latin-1 carries every byte through, so that the charset is applied once.
    plain = "charset" not in parameters and body.isascii()
    coding = "utf-8" if plain else "latin-1"
    try:
        pairs = parse_qsl(body.decode("latin-1"), True, False, coding, "replace", MAX_FIELDS)
    except ValueError:
        raise BadBody(f"the form has more than {MAX_FIELDS} fields") from None
    for pair in pairs:
        name, value = pair if plain else (decoded(text.encode("latin-1"), parameters) for text in pair)
        yield name, value


def _multipart_fields(body: bytes, parameters: dict[str, str]) -> Iterator[tuple[str, Any]]:
    for part in read_parts(body, parameters.get("boundary", "")):
        own = parse_options_header(part.content_type)[1]
        name = _unescaped(decoded(part.name, parameters))
        if part.filename is None:
            yield name, decoded(part.content, own if "charset" in own else parameters)
        elif part.filename:
            yield (
                name,
                {
                    "filename": _unescaped(decoded(part.filename, parameters)),
                    "content_type": part.content_type,
                    "size": len(part.content),
                },
            )


def _plain_fields(body: bytes, parameters: dict[str, str]) -> Iterator[tuple[str, Any]]:
    # This encoding escapes nothing: a line without "=" can only be the next line of the value before it.
    lines = [line.removesuffix("\r") for line in decoded(body, parameters).lstrip("\ufeff").split("\n")]
    if lines[-1] == "":
        lines.pop()
    if "=" not in lines[0]:
        raise BadBody('line 1 of the text is neither "name=value" nor JSON')
    if sum("=" in line for line in lines) > MAX_FIELDS:
        raise BadBody(f"the form has more than {MAX_FIELDS} fields")
    name, value = "", [""]
    for number, line in enumerate(lines):
        if "=" not in line:
            value.append(line)
            continue
        if number:
            yield name, "\n".join(value)
        name, _, first = line.partition("=")
        value = [first]
    yield name, "\n".join(value)


_FORMS: dict[str, Callable[[bytes, dict[str, str]], Iterator[tuple[str, Any]]]] = {
    "application/x-www-form-urlencoded": _urlencoded_fields,
    "multipart/form-data": _multipart_fields,
    "text/plain": _plain_fields,
}
_KINDS = {
    list: "an array",
    str: "a string",
    int: "a number",
    Decimal: "a number",
    bool: "true or false",
    type(None): "null",
}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for key, item in pairs:
        if key in value:
            # One reader takes the first, another the last: what was verified might not be what is mapped.
            raise BadBody(f"the JSON has the key {_shown(key)} twice in one object")
        value[key] = item
    return value


def _number_reader(text: str) -> Callable[[str, Any], Any]:
    def number(token: str, kind: Any) -> Any:
        if kind is None:
            raise BadBody(f"{token} is no JSON number, {_place(text, token)}")
        if len(token) > MAX_DIGITS:
            raise BadBody(f"a number of more than {MAX_DIGITS} characters, {_place(text, token)}")
        if kind is int:
            return int(token)
        exponent = token.lower().partition("e")[2].lstrip("+-0")
        # Decimal takes exponents of 18 digits, and then fills the memory when such a number is written out.
        if len(exponent) > len(str(MAX_EXPONENT)) or abs(Decimal(token).adjusted()) > MAX_EXPONENT:
            raise BadBody(f"the number {_shown(token)} is out of range, {_place(text, token)}")
        return Decimal(token)

    return number


def _place(text: str, token: str) -> str:
    # All before the token is JSON that was read, so the first one that begins like it is it. Equality would
    # run on into the unread rest where something is glued to it, and there the search is quadratic.
    starts = (found.start() for found in _TOKEN.finditer(text) if found[0].startswith(token))
    return _position(text, next(starts, 0))


def _deepest(text: str) -> str:
    depth = 0
    for found in _BRACKET.finditer(text):
        depth += (found[0] in "[{") - (found[0] in "]}")
        if depth > MAX_DEPTH:
            return _position(text, found.start())
    return _position(text, 0)


def _position(text: str, start: int) -> str:
    return f"line {text.count(chr(10), 0, start) + 1} column {start - text.rfind(chr(10), 0, start)}"


def storable(value: Any, depth: int = 1) -> Any:
    """Return `value` with U+FFFD for each character that cannot be stored; raises RecursionError, BadBody."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if not isinstance(value, dict | list):
        return value
    if depth > MAX_DEPTH:
        raise RecursionError
    if isinstance(value, list):
        return [storable(item, depth + 1) for item in value]
    clean: dict[str, Any] = {}
    for key, item in value.items():
        name = _UNSTORABLE.sub("\ufffd", key)
        if name in clean:
            raise BadBody(f"the key {_shown(name)} is there twice: its unstorable characters read the same")
        clean[name] = storable(item, depth + 1)
    return clean


def decoded(raw: bytes, parameters: dict[str, str]) -> str:
    """Return `raw` in the charset that `parameters` name, UTF-8 where they name none or one that is none."""
    charset = parameters.get("charset", "utf-8").strip()
    if not _CHARSET.fullmatch(charset):
        charset = "utf-8"  # a label from outside is not handed to Python: some of its codecs are no charsets
    elif charset.lower() in ("iso-8859-1", "us-ascii"):
        charset = "windows-1252"  # which browsers mean by these labels (WHATWG Encoding, section 4.2)
    try:
        return raw.decode(charset, "replace")
    except LookupError:
        return raw.decode("utf-8", "replace")


def _unescaped(name: str) -> str:
    """Undo what browsers do to a quote or a line break in a name (WHATWG HTML, section 4.10.21.8)."""
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _shown(text: str) -> str:
    return ascii(text if len(text) <= 60 else text[:60] + "…")
