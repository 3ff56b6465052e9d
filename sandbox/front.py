"""Takes each HTTP request to its vendor and brings the answer back, or spoils it as a fault demands."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import unquote, urlsplit

from flask import Response, abort, request

from sandbox.faults import Fault, FaultBook
from sandbox.journal import Journal
from sandbox.vendor import FORMS, Answer, Call, Inbound, Vendor

GARBAGE = b"\x00\xff\xfe<<not json at all>>{\x80"
LOGIN_PAGE = (
    "<!DOCTYPE html><html><head><title>Sign in</title></head><body>"
    '<form method="post" action="/login"><input name="user"><input name="password" type="password">'
    "<button>Sign in</button></form></body></html>"
)
REASONS: Mapping[int, str] = {
    302: "Found",
    400: "Bad Request",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
}


class Front:
    """Routes requests to the played vendors and applies faults; one instance serves all threads."""

    def __init__(
        self,
        vendors: Mapping[str, Vendor],
        faults: FaultBook,
        journal: Journal,
        sleep: Callable[[float], None],
    ) -> None:
        """Take the vendors by name, the faults, the journal and a way to wait some seconds."""
        self._vendors = vendors
        self._faults = faults
        self._journal = journal
        self._sleep = sleep
        # These come instead of the operation: nothing is committed.
        self._instead: Mapping[str, Callable[[Vendor, Fault], Response | None]] = {
            "status": _status,
            "drop_before": lambda _vendor, _fault: _cut(),
            "success_false": lambda vendor, _fault: _response(vendor.failure_in_success()),
            "html_login": lambda _vendor, _fault: Response(LOGIN_PAGE, 200, mimetype="text/html"),
            "expire_token": _expire,
        }
        # These spoil the answer after the operation has been done and committed.
        self._spoil: Mapping[str, Callable[[Response], Response]] = {
            "drop_after": lambda _answer: _cut(),
            "garbage": lambda _answer: Response(GARBAGE, 200, mimetype="application/json"),
            "half_answer": _half,
        }

    def answer(self, vendor: str, **_rest: str) -> Response:
        """Answer one request to a vendor; the path is read undecoded, because ids may contain slashes."""
        if vendor not in self._vendors:
            abort(404)
        played = self._vendors[vendor]
        inbound = _read_request()
        call = played.match(inbound)
        operation = call.operation.name if call else "unknown"
        needs_token = call.operation.needs_token if call else True
        struck = self._faults.draw(vendor, operation, needs_token)
        for fault in struck:
            if fault.seconds:
                self._sleep(fault.seconds)
        spoiling = next((fault for fault in struck if fault.fault != "latency"), None)
        response = self._outcome(played, inbound, call, spoiling)
        told = spoiling or (struck[0] if struck else None)
        cut = told is not None and told.fault in ("drop_before", "drop_after")
        status = None if cut else response.status_code
        self._journal.note(vendor, operation, status, told.fault if told else None)
        return response

    def _outcome(self, vendor: Vendor, inbound: Inbound, call: Call | None, fault: Fault | None) -> Response:
        if fault is not None and fault.fault in self._instead:
            instead = self._instead[fault.fault](vendor, fault)
            if instead is not None:
                return instead
        response = _response(vendor.serve(inbound, call))
        if fault is not None and fault.fault in self._spoil:
            return self._spoil[fault.fault](response)
        return response


def _read_request() -> Inbound:
    raw_path = urlsplit(request.environ["REQUEST_URI"]).path
    segments = tuple(unquote(part) for part in raw_path.split("/")[2:])
    query, header = request.args.to_dict(), request.headers.get("Authorization", "")
    if request.mimetype in FORMS:
        form = request.form.to_dict()
        # A field may hold several files, and each of them counts.
        sent = request.files.items(multi=True)
        files = tuple((name, file.filename or "", len(file.read())) for name, file in sent)
        return Inbound(request.method, segments, query, form, header, files, media_type=request.mimetype)
    raw_body = request.get_data()
    body: object = {}
    # The vendors' frameworks parse a body only when its media type says JSON.
    if raw_body and (request.is_json or request.mimetype == "text/json"):
        try:
            body = json.loads(raw_body)
        except ValueError:
            body = None
    if isinstance(body, dict):
        return Inbound(request.method, segments, query, body, header, media_type=request.mimetype)
    return Inbound(request.method, segments, query, {}, header, (), True, request.mimetype)


def _response(answer: Answer) -> Response:
    text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body, ensure_ascii=False)
    return Response(text, answer.status, answer.headers, mimetype=answer.media_type)


def _status(_vendor: Vendor, fault: Fault) -> Response:
    status = fault.status or 500
    reason = REASONS[status]
    # Such errors come from the machinery in front of an API, which answers pages and not envelopes.
    page = (
        f"<html><head><title>{status} {reason}</title></head><body><h1>{status} {reason}</h1></body></html>"
    )
    response = Response(page, status, mimetype="text/html")
    if fault.retry_after is not None:
        response.headers["Retry-After"] = str(fault.retry_after)
    if status == 302:
        response.headers["Location"] = "/Auth.aspx?refererurl=%2fapi"
    return response


def _expire(vendor: Vendor, _fault: Fault) -> Response | None:
    answer = vendor.expire_token()
    return None if answer is None else _response(answer)


def _connection() -> socket.socket:
    connection: socket.socket = request.environ["werkzeug.socket"]
    return connection


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The client has already gone, which is the same to it.
        return


def _cut() -> Response:
    _shut(_connection())
    return Response(b"", 200)


def _half(answer: Response) -> Response:
    connection = _connection()
    whole = answer.get_data()

    def halves() -> Iterator[bytes]:
        yield whole[: len(whole) // 2]
        _shut(connection)

    spoiled = Response(halves(), answer.status_code, mimetype=answer.mimetype)
    spoiled.headers["Content-Length"] = str(len(whole))
    return spoiled
