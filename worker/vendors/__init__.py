"""The CRMs: how each is called, how each kind of record is made there, and how it is found again."""

from __future__ import annotations

from collections.abc import Mapping

from worker.vendors import centiacrm, crmtop, onlyoffice, oplacrm, overplane
from worker.vendors.vendor import Vendor

VENDORS: Mapping[str, Vendor] = {
    "centiacrm": centiacrm.VENDOR,
    "crmtop": crmtop.VENDOR,
    "onlyoffice": onlyoffice.VENDOR,
    "oplacrm": oplacrm.VENDOR,
    "overplane": overplane.VENDOR,
}
