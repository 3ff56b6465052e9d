"""The envelope of ONLYOFFICE's answers, its errors and its pages."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from sandbox.onlyoffice.fields import WHOLE
from sandbox.vendor import Answer, Call, Desk, Refused

Item = TypeVar("Item")
# "ItemsPerPage" of the shipped configuration: default and largest count.
MOST_ITEMS = 1000
# What the server's exceptions say when it throws them without a text of its own, and their HRESULT.
ERRORS: Mapping[int, tuple[str, int]] = {
    400: ("Value does not fall within the expected range.", -2147024809),
    403: ("Access denied.", -2146233078),
    404: ("The record could not be found", -2146233088),
    500: ("Object reference not set to an instance of an object.", -2147467261),
}


def success(response: object, status: int = 200, numbers: Mapping[str, int | None] | None = None) -> Answer:
    """Put a response into the envelope; `count` is the length of a list, and of a text its characters.

    The server leaves out the numbers that are zero, so an empty list comes without `count`.
    """
    count = len(response) if isinstance(response, list | str) else 1
    told = {"count": count, **(numbers or {})}
    # A total is a nullable number, whose zero is not a default and so is shown.
    head = {name: value for name, value in told.items() if value or (name == "total" and value is not None)}
    return Answer(status, {**head, "status": 0, "statusCode": status, "response": response})


def failure(status: int, message: str = "") -> Answer:
    """Answer an error in the envelope."""
    usual, code = ERRORS[status]
    error = {"message": message or usual, "hresult": code, "data": {}}
    return Answer(status, {"status": 1, "statusCode": status, "error": error})


def wrong(*names: str) -> Refused:
    """Refuse arguments; the parameters' names are added to the server's text to help whoever reads it."""
    usual = ERRORS[400][0]
    return Refused(400, f"{usual} Parameter name: {', '.join(names)}" if names else usual)


def missing(what: str = "") -> Refused:
    """Refuse for want of a record."""
    return Refused(404, what or ERRORS[404][0])


def broken() -> Refused:
    """Fail as the server does when it meets a null that it did not expect."""
    return Refused(500, ERRORS[500][0])


def number(call: Call, name: str) -> int:
    """Return an id of the path: digits, or there is no such address; above 0, or it is a bad argument."""
    written = call.path[name]
    if not written.isdecimal():
        raise Refused(404, "Method not found")
    if WHOLE.fullmatch(written) is None or int(written) == 0:
        raise wrong(name)
    return int(written)


def asked(query: Mapping[str, str], name: str) -> int:
    """Return a number of the query, 0 where it is absent; raises Refused (400) for what is no number.

    The names of the query are in lower case here, whatever the client wrote.
    """
    written = query.get(name) or "0"
    if WHOLE.fullmatch(written) is None:
        raise wrong(name)
    return int(written)


def page(
    desk: Desk,
    call: Call,
    found: Sequence[Item],
    shown: Callable[[Item], object] = lambda item: item,
    total: bool = False,
) -> Answer:
    """Answer one page of a list; `total` says whether the operation counts all that it found.

    `nextIndex` is startIndex + count + 1 (ApiHttpHandlerBase), which passes over one item when it is used as
    the next startIndex; the option `next_index` can make it exact.
    """
    count, start = _numbers(call.query)
    following = None
    if len(found) > start + count:
        following = start + count + (1 if desk.options["next_index"] == "skips_one" else 0)
    numbers = {"startIndex": start, "nextIndex": following, "total": len(found) if total else None}
    return success([shown(item) for item in found[start : start + count]], numbers=numbers)


def _numbers(query: Mapping[str, str]) -> tuple[int, int]:
    # What cannot be read as a number counts as not sent.
    count, start = query.get("count", ""), query.get("startindex", "")
    return (
        max(0, min(MOST_ITEMS, int(count))) if WHOLE.fullmatch(count) else MOST_ITEMS,
        max(0, int(start)) if WHOLE.fullmatch(start) else 0,
    )
