"""A post of SendGrid's Inbound Parse, read: each of its fields has a charset of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from werkzeug.http import parse_options_header

from mappings.commands import Attachment
from mappings.errors import BadBody
from mappings.reading.bodies import decoded, read_json, storable
from mappings.reading.multipart import read_parts


def read_mail(body: bytes, content_type: str) -> dict[str, Any]:
    """Return the fields, each decoded from the charset that the field `charsets` names for it.

    A file is kept by name, type and size. Raises BadBody for what is no multipart body.
    """
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    parts = list(read_parts(body, boundary))
    charsets = object_of(
        next((part.content.decode("latin-1") for part in parts if part.name == b"charsets"), "")
    )
    mail: dict[str, Any] = {}
    for part in parts:
        name = decoded(part.name, {})
        if part.filename is None:
            charset = charsets.get(name)
            mail[name] = decoded(part.content, {"charset": charset} if isinstance(charset, str) else {})
        else:
            filename = decoded(part.filename, {})
            size = len(part.content)
            mail[name] = {"filename": filename, "content_type": part.content_type, "size": size}
    fields: dict[str, Any] = storable(mail)
    return fields


def field_of(mail: Mapping[str, Any], name: str) -> str:
    """Return the text of a field, empty where there is none."""
    value = mail.get(name)
    return value.strip() if isinstance(value, str) else ""


def object_of(written: str) -> Mapping[str, Any]:
    """Return the object that a field holds as JSON, an empty one for anything else."""
    try:
        value = read_json(written.encode(), "")
    except BadBody:
        return {}
    return value if isinstance(value, Mapping) else {}


def headers_of(written: str) -> dict[str, str]:
    """Return the headers of the e-mail by names in lower case; the topmost of a name counts."""
    lines = re.sub(r"\r?\n[ \t]+", " ", written).splitlines()  # RFC 5322, section 2.2.3: folded lines
    pairs = (line.partition(":") for line in reversed(lines))
    return {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}


def attachments_of(mail: Mapping[str, Any]) -> Iterable[Attachment]:
    """Return the files of the e-mail, by the names that it has for them."""
    # `attachment-info` has the name as the e-mail has it; that of the part may be mended by SendGrid.
    known = object_of(field_of(mail, "attachment-info"))
    for name, file in mail.items():
        if isinstance(file, Mapping):
            info = known.get(name)
            told: Mapping[str, Any] = info if isinstance(info, Mapping) else {}
            size = file.get("size")
            yield Attachment(
                name=str(told.get("filename") or file.get("filename") or name),
                media_type=str(told.get("type") or file.get("content_type") or ""),
                size=size if isinstance(size, int) and not isinstance(size, bool) else None,
            )
