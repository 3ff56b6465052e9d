"""The parts of a multipart/form-data body (RFC 7578), each with its raw bytes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from werkzeug.exceptions import HTTPException
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder

from mappings.errors import BadBody

MAX_FIELDS = 1_000  # as in PHP (max_input_vars) and werkzeug: no form that a person fills in has more
MAX_BOUNDARY = 200  # characters; RFC 2046, section 5.1.1 allows 70, some clients take more


@dataclass(slots=True)
class Part:
    """One part; `filename` is None for a plain field and empty for a file input that nobody filled in."""

    name: bytes
    filename: bytes | None
    content_type: str
    content: bytes = b""


def read_parts(body: bytes, boundary: str) -> Iterator[Part]:
    """Yield the parts of `body` in their order.

    Raises BadBody where there is no usable boundary, where the parts do not fit it, where a part has no name,
    and for more than `MAX_FIELDS` parts.
    """
    if not 0 < len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise BadBody("the content type of the multipart body names no usable boundary")
    # The decoder insists on UTF-8 in the headers of a part, but a page in another charset sends its own bytes
    # there. Each byte, as the character of that number, is valid UTF-8, and can be turned back afterwards.
    decoder = MultipartDecoder(boundary.encode("ascii"), max_parts=MAX_FIELDS)
    decoder.receive_data(body.decode("latin-1").encode("utf-8"))
    decoder.receive_data(None)
    count = 0
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if isinstance(event, Field | File):
                count += 1
                part, chunks = _part(event, count), []
            elif isinstance(event, Data):
                chunks.append(event.data)
                if not event.more_data:
                    part.content = b"".join(chunks).decode("utf-8").encode("latin-1")
                    yield part
    except HTTPException:
        raise BadBody(f"the multipart body has more than {MAX_FIELDS} parts") from None
    except ValueError:
        raise BadBody(f"the multipart body is broken after part {count}") from None


def _part(event: Field | File, number: int) -> Part:
    if event.name is None:
        raise BadBody(f"part {number} of the multipart body has no name")
    return Part(
        name=_raw(event.name),
        filename=_raw(event.filename) if isinstance(event, File) else None,
        content_type=event.headers.get("content-type", ""),
    )


def _raw(text: str) -> bytes:
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:  # the part used the `name*=` form, which says its own charset
        return text.encode("utf-8", "replace")
