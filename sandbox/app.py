"""Builds the sandbox application: every played vendor under its name, and the control endpoints."""

import time
from collections.abc import Mapping

from flask import Flask, Response, jsonify

from sandbox.centiacrm.vendor import CentiaCrm
from sandbox.control import Control
from sandbox.crmtop.vendor import CrmTop
from sandbox.faults import FaultBook
from sandbox.front import Front
from sandbox.journal import Journal
from sandbox.onlyoffice.vendor import OnlyOffice
from sandbox.oplacrm.vendor import OplaCrm
from sandbox.overplane.vendor import Overplane
from sandbox.store import Store
from sandbox.vendor import Credentials, Desk, Options, Vendor, read_credentials, read_options

VENDORS: Mapping[str, type[Vendor]] = {
    vendor.name: vendor for vendor in (OplaCrm, CentiaCrm, Overplane, CrmTop, OnlyOffice)
}
VERBS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def create_app(
    store: Store,
    credentials: Credentials,
    options: Options | None = None,
) -> Flask:
    """Build the WSGI application.

    `credentials` maps a vendor to one accepted credential set or a list of them; all sets of a vendor
    see the same records. `options` maps a vendor (or "*") to the choices for what its document leaves
    open. Raises ValueError for an option that does not exist or a credential set that lacks a key.
    """
    chosen = read_options(list(VENDORS.values()), options)
    played = {
        name: vendor(Desk(name, store, chosen[name], read_credentials(vendor, credentials)))
        for name, vendor in VENDORS.items()
    }
    stray = credentials.keys() - VENDORS.keys()
    if stray:
        raise ValueError(f"credentials for an unknown vendor: {', '.join(sorted(stray))}")
    faults = FaultBook({name: [op.name for op in vendor.operations] for name, vendor in VENDORS.items()})
    journal = Journal(store)
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False
    app.register_blueprint(Control(store, faults, journal, VENDORS).blueprint())
    front = Front(played, faults, journal, time.sleep)
    app.add_url_rule(
        "/<vendor>/<path:rest>", "front", front.answer, methods=VERBS, provide_automatic_options=False
    )
    app.register_error_handler(404, _nowhere)
    return app


def _nowhere(_error: Exception) -> tuple[Response, int]:
    return jsonify(error="nothing is played at this address", vendors=list(VENDORS), help="/_sandbox/"), 404
