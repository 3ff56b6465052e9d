"""Where an HTTP/1.1 request ends: just enough of RFC 9112 to know when all of it is there.

Nothing is refused here. What is malformed counts as whole, so that gunicorn's parser, which is strict, says so.
"""

from __future__ import annotations

import re

#: Bytes of a request's line and headers together.
HEAD_LIMIT = 64 * 1024
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
#: Bytes of a line with a chunk's size. gunicorn refuses what is longer.
_SIZE_LINE = 8 * 1024
# Zeros before it are taken off below: an expression that does takes long for sixty thousand of them.
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
#: Digits of a length that is over any limit. To turn many more into a number takes long.
_ENDLESS = 18
_SIZE = re.compile(rb"([0-9a-fA-F]+)[ \t\r;]")
_CHUNKED = re.compile(rb"\r\ntransfer-encoding:[^\r\n]*chunked", re.IGNORECASE)
_EXPECT = re.compile(rb"\r\nexpect:[ \t]*100-continue[ \t]*(?=\r\n)", re.IGNORECASE)


class Frame:
    """The bytes of one request as they come.

    A body of more than `limit` bytes, or of more than twice as many with its chunks' sizes, is not waited for. What
    is judged are announced lengths and whole chunks, never how much of them happens to be here: a sender gets the
    same answer on a slow line and on a quick one. So of what is over the limit only that is kept which says so.
    """

    def __init__(self, limit: int) -> None:
        self.bytes = bytearray()
        self.is_over = False
        self._limit = limit
        self._payload = 0
        self._head_end = -1
        self._seen = 0  # up to here there is no end of the head, or the chunks are known
        self._ends_at: int | None = None  # None: chunked

    @property
    def size(self) -> int:
        """How many bytes there are."""
        return len(self.bytes)

    @property
    def head_is_too_long(self) -> bool:
        """Whether the line and the headers go on beyond HEAD_LIMIT, whether or not all of them are here."""
        # What has come of the empty line after them is chance, and not counted.
        size = self._head_end - 4 if self._head_end >= 0 else len(self.bytes) - 3
        return size > HEAD_LIMIT

    def add(self, data: bytes) -> None:
        """Take what came."""
        self.bytes += data
        if self._head_end < 0:
            found = self.bytes.find(b"\r\n\r\n", max(0, self._seen - 3))
            self._seen = len(self.bytes)
            if found >= 0:
                self._read_head(found + 4)

    def is_whole(self) -> bool:
        """Say whether nothing more needs to come before the request can be answered."""
        if self.head_is_too_long:
            return True
        if self._head_end < 0:
            return False
        if self._ends_at is None:
            return self.is_over or self._has_last_chunk()
        return self.is_over or len(self.bytes) >= self._ends_at

    def wants_word(self) -> bool:
        """Say, once, whether the sender waits for "100 Continue" before it goes on."""
        if self._head_end < 0 or self.is_whole():
            return False
        head, found = _EXPECT.subn(b"", bytes(self.bytes[: self._head_end]))
        if not found:
            return False
        # Taken out, or gunicorn would say it a second time.
        cut = self._head_end - len(head)
        self.bytes[: self._head_end] = head
        self._head_end -= cut
        self._seen -= cut
        if self._ends_at is not None:
            self._ends_at -= cut
        return True

    def _read_head(self, end: int) -> None:
        head = bytes(self.bytes[:end])
        self._head_end = self._seen = end
        length = _LENGTH.search(head)
        if length is None and _CHUNKED.search(head):
            return
        # With both it is refused, whatever follows (RFC 9112, section 6.1).
        digits = length[1].lstrip(b"0")[:_ENDLESS] if length and not _CHUNKED.search(head) else b""
        announced = int(digits or b"0")
        self._ends_at = end + announced
        if announced > self._limit:
            self._end_here(end)

    def _has_last_chunk(self) -> bool:
        while True:
            line_end = self.bytes.find(b"\r\n", self._seen, self._seen + _SIZE_LINE)
            if line_end < 0:
                # gunicorn refuses a longer one only where it does not see its end.
                del self.bytes[self._seen + _SIZE_LINE :]
                return len(self.bytes) - self._seen == _SIZE_LINE
            size = _SIZE.match(self.bytes, self._seen)
            # Neither Python's "1_0" nor "+5"; what may follow the digits gunicorn knows.
            if size is None:
                return True
            length = int(size[1], 16)
            if length == 0:
                return self._has_trailers(line_end)
            after = line_end + 2 + length
            if self._payload + length > self._limit or after - self._head_end > 2 * self._limit:
                self._end_here(line_end + 2)
                return True
            if len(self.bytes) < after + 2:
                return False
            if self.bytes[after : after + 2] != b"\r\n":
                return True
            self._seen = after + 2
            self._payload += length

    def _has_trailers(self, begin: int) -> bool:
        # After the last chunk come trailers, mostly none, and an empty line.
        end = self.bytes.find(b"\r\n\r\n", begin)
        if (end if end >= 0 else len(self.bytes) - 3) - begin > HEAD_LIMIT:
            self._end_here(begin + HEAD_LIMIT)
        return self.is_over or end >= 0

    def _end_here(self, size: int) -> None:
        self.is_over = True
        del self.bytes[size:]
