"""Serves the endpoints under /_sandbox by which a test looks into the sandbox and sets faults."""

import json
from collections.abc import Mapping

from flask import Blueprint, Response, request

from sandbox.faults import BadFault, FaultBook
from sandbox.fields import Json
from sandbox.journal import Journal, iso_utc
from sandbox.store import Store
from sandbox.vendor import Vendor

HELP = """CRM sandbox: plays CRM vendors for tests, demos and dry runs.

GET    /_sandbox/records?vendor=&kind=   what the vendors hold, in creation order
DELETE /_sandbox/records                 forget all records
GET    /_sandbox/faults                  the faults now set, with how often each struck
POST   /_sandbox/faults                  set a fault (one JSON object)
DELETE /_sandbox/faults[?id=]            remove all faults, or one
GET    /_sandbox/requests?vendor=        the last 1,000 requests, without bodies

Vendors: {vendors}
"""


def _json(body: Json, status: int = 200) -> Response:
    # Flask's own jsonify sorts keys, and a body has to be shown exactly as the client sent it.
    return Response(json.dumps(body, ensure_ascii=False), status, mimetype="application/json")


def _refuse(field: str, given: object, allowed: object) -> Response:
    return _json(BadFault(field, given, allowed).answer, 400)


class Control:
    """The views behind the control endpoints."""

    def __init__(
        self, store: Store, faults: FaultBook, journal: Journal, vendors: Mapping[str, type[Vendor]]
    ) -> None:
        """Take what the views show and change."""
        self._store = store
        self._faults = faults
        self._journal = journal
        self._kinds = {name: vendor.kinds for name, vendor in vendors.items()}

    def blueprint(self) -> Blueprint:
        """Return the views as a Flask blueprint under /_sandbox."""
        routes = (
            ("GET", "/", self.help),
            ("GET", "/records", self.records),
            ("DELETE", "/records", self.forget),
            ("GET", "/faults", self.faults),
            ("POST", "/faults", self.set_fault),
            ("DELETE", "/faults", self.remove_faults),
            ("GET", "/requests", self.requests),
        )
        made = Blueprint("control", __name__, url_prefix="/_sandbox")
        for verb, path, view in routes:
            made.add_url_rule(path, f"{verb}{path}", view, methods=[verb], strict_slashes=False)
        return made

    def help(self) -> Response:
        """Answer a short text about the control endpoints."""
        return Response(HELP.format(vendors=", ".join(self._kinds)), mimetype="text/plain")

    def records(self) -> Response:
        """List records; an unknown vendor or kind is an error, so that a typing slip never counts as zero."""
        vendor, kind = request.args.get("vendor", ""), request.args.get("kind", "")
        if vendor and vendor not in self._kinds:
            return _refuse("vendor", vendor, list(self._kinds))
        kinds = self._kinds[vendor] if vendor else [name for names in self._kinds.values() for name in names]
        if kind and kind not in kinds:
            return _refuse("kind", kind, sorted(set(kinds)))
        found = [
            {
                "vendor": r.vendor,
                "kind": r.kind,
                "id": r.id,
                "body": r.sent,
                "created_at": iso_utc(r.created_ms),
            }
            for r in self._store.everything(vendor, kind)
        ]
        return _json({"records": found, "count": len(found)})

    def forget(self) -> Response:
        """Delete all records."""
        return _json({"deleted": self._store.forget_records()})

    def faults(self) -> Response:
        """List the faults."""
        shown = self._faults.shown()
        return _json({"faults": shown, "count": len(shown)})

    def set_fault(self) -> Response:
        """Set a fault, or answer 400 naming the wrong field and what it may be."""
        try:
            return _json(self._faults.add(request.get_json(force=True, silent=True)), 201)
        except BadFault as bad:
            return _json(bad.answer, 400)

    def remove_faults(self) -> Response:
        """Remove the fault with the id in the query, or all faults."""
        number = request.args.get("id")
        if number is not None and not number.isdecimal():
            return _refuse("id", number, "the id of a fault")
        return _json({"deleted": self._faults.remove(None if number is None else int(number))})

    def requests(self) -> Response:
        """List the last requests of one vendor, or of all."""
        vendor = request.args.get("vendor", "")
        if vendor and vendor not in self._kinds:
            return _refuse("vendor", vendor, list(self._kinds))
        shown = self._journal.shown(vendor)
        return _json({"requests": shown, "count": len(shown)})
