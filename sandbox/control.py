"""Serves the endpoints under /_sandbox by which a test looks into the sandbox and sets faults."""

import json
from collections.abc import Mapping

from flask import Blueprint, Response, request

from sandbox.faults import BadFault, FaultBook
from sandbox.fields import Json
from sandbox.journal import Journal, iso_utc
from sandbox.store import Record, Store
from sandbox.vendor import Vendor

HELP = """CRM sandbox: plays CRM vendors for tests, demos and dry runs.

GET    /_sandbox/records?vendor=&kind=   what the vendors hold, in creation order
DELETE /_sandbox/records                 forget all records, or with vendor=&kind=&id= one
PATCH  /_sandbox/records?vendor=&kind=&id=       change fields of one by hand (a JSON object)
POST   /_sandbox/records?vendor=&kind=&id=&as=   make a second one like it, under another id
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
            ("PATCH", "/records", self.amend),
            ("POST", "/records", self.copy),
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
        """Delete all records, or the one that the query names."""
        if not request.args:
            return _json({"deleted": self._store.forget_records()})
        found = self._named()
        if found is None:
            return self._unnamed()
        self._store.remove(found)
        return _json({"deleted": 1})

    def amend(self) -> Response:
        """Change fields of one record, as a person does in the CRM."""
        found, changes = self._named(), request.get_json(force=True, silent=True)
        if found is None or not isinstance(changes, dict):
            return self._unnamed()
        return _json({"id": self._store.amend(found, changes).id})

    def copy(self) -> Response:
        """Make a second record like one that there is."""
        found, made = self._named(), request.args.get("as", "")
        if found is None or not made:
            return self._unnamed()
        return _json({"id": self._store.copy(found, made).id}, 201)

    def _named(self) -> Record | None:
        return self._store.get(*(request.args.get(name, "") for name in ("vendor", "kind", "id")))

    def _unnamed(self) -> Response:
        return _refuse("id", request.args.get("id"), "vendor, kind and id of a record that there is")

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
