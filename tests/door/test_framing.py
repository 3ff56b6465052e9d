"""Where a request ends, however the network cuts it into pieces."""

from __future__ import annotations

import pytest

from webhooks.framing import HEAD_LIMIT, Frame

LIMIT = 16
CHUNKED = b"POST /webhooks/form HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
PLAIN = b"POST /webhooks/form HTTP/1.1\r\nContent-Length: %d\r\n\r\n"
#: A request, how many of its bytes must have come before it is answered, whether its body is over the limit.
REQUESTS = {
    "body of just the limit": (PLAIN % 16 + b"a" * 16, 16, False),
    "longer than announced": (PLAIN % 8 + b"a" * 16, 8, False),
    "announced over the limit": (PLAIN % 17 + b"a" * 17, 0, True),
    "chunks of just the limit": (CHUNKED + b"8\r\naaaaaaaa\r\n8\r\naaaaaaaa\r\n0\r\n\r\n", 31, False),
    "chunk over the limit": (CHUNKED + b"11\r\naaaa", 4, True),
    "second chunk goes over the limit": (CHUNKED + b"8\r\naaaaaaaa\r\n9\r\naaaaaaaaa\r\n", 16, True),
    "sizes are longer than what they measure": (CHUNKED + b"1\r\na\r\n" * 5 + b"1\r\na", 33, True),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\nX-A: b\r\n\r\n", 19, False),
    "no size": (CHUNKED + b"zz\r\naaaa", 4, False),
    "a size that only Python takes": (CHUNKED + b"1_0\r\naaaa", 5, False),
    "a size with a sign": (CHUNKED + b"+5\r\naaaa", 4, False),
    "a size with what does not belong to it": (CHUNKED + b"5 ;a=b\r\naaaaa\r\n0\r\n\r\n", 20, False),
    "a line that does not end": (CHUNKED + b"5;" + b"a" * 8190 + b"a" * 100, 8192, False),
    "zeros before a length": (PLAIN.replace(b"%d", b"000%d") % 4 + b"aaaa", 4, False),
    "no line end after a chunk": (CHUNKED + b"1\r\naaaa", 6, False),
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_the_answer_does_not_depend_on_the_pieces(name: str, step: int) -> None:
    """Otherwise the same body is stored from a quick line and refused from a slow one."""
    request, needed, is_over = REQUESTS[name]
    frame = Frame(LIMIT)
    for begin in range(0, len(request), step):
        frame.add(request[begin : begin + step])
        if frame.is_whole():
            break
    needed += request.index(b"\r\n\r\n") + 4
    assert (frame.is_whole(), frame.is_over) == (True, is_over)
    # Of what is over the limit nothing else is kept: with it gunicorn might see the end, if that is here by chance.
    assert needed <= frame.size <= (needed if is_over else needed + step - 1)


@pytest.mark.parametrize(("size", "is_too_long"), [(HEAD_LIMIT, False), (HEAD_LIMIT + 1, True)])
@pytest.mark.parametrize("step", [3, 1_000, HEAD_LIMIT, HEAD_LIMIT + 4, 200_000])
def test_how_long_a_head_may_be_does_not_depend_on_the_pieces(
    step: int, size: int, is_too_long: bool
) -> None:
    """Otherwise a request with many cookies is taken, or refused, as chance has it."""
    begin = b"GET / HTTP/1.1\r\nX-A: "
    request = begin + b"a" * (size - len(begin)) + b"\r\n\r\n"
    frame = Frame(LIMIT)
    for at in range(0, len(request), step):
        frame.add(request[at : at + step])
        if frame.is_whole():
            break
    assert (frame.is_whole(), frame.head_is_too_long) == (True, is_too_long)


@pytest.mark.parametrize(("size", "is_over"), [(HEAD_LIMIT, False), (HEAD_LIMIT + 1, True)])
@pytest.mark.parametrize("step", [4, 1_000, 200_000])
def test_how_long_trailers_may_be_does_not_depend_on_the_pieces(step: int, size: int, is_over: bool) -> None:
    """Otherwise a body is taken or refused for what follows it, as chance has it."""
    request = CHUNKED + b"0\r\nX-A: " + b"a" * (size - 7) + b"\r\n\r\n"
    frame = Frame(LIMIT)
    for at in range(0, len(request), step):
        frame.add(request[at : at + step])
        if frame.is_whole():
            break
    assert (frame.is_whole(), frame.is_over) == (True, is_over)
    assert (b"\r\n\r\n" in frame.bytes[len(CHUNKED) :]) is not is_over


def test_a_line_of_a_size_that_is_too_long_is_never_seen_to_end() -> None:
    """Otherwise the same chunk is stored where it came in one piece, and refused where it did not."""
    frame = Frame(LIMIT)
    frame.add(CHUNKED + b"5;" + b"a" * 9000 + b"\r\naaaaa\r\n0\r\n\r\n")
    assert frame.is_whole()
    assert bytes(frame.bytes) == CHUNKED + b"5;" + b"a" * 8190


def test_a_length_beyond_all_numbers_is_over_the_limit() -> None:
    """Otherwise what follows is taken for a request of its own, whoever wrote it."""
    for digits in (17, 18, 19, 30, 6000):
        frame = Frame(LIMIT)
        frame.add(PLAIN.replace(b"%d", b"9" * digits))
        assert (frame.is_whole(), frame.is_over) == (True, True)


def test_trailers_without_an_end_are_not_gathered() -> None:
    """Otherwise a sender fills the memory after the last chunk, where the body's limit does not count."""
    frame = Frame(LIMIT)
    frame.add(CHUNKED + b"0\r\n")
    for _ in range(70):
        frame.add(b"X-A: " + b"b" * 1017 + b"\r\n")
    assert frame.is_whole()
