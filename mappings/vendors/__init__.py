"""The list of vendors: a new one is one line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.vendor import VendorMapping
from mappings.vendors.centiacrm import CENTIACRM
from mappings.vendors.crmtop import CRMTOP
from mappings.vendors.onlyoffice import ONLYOFFICE
from mappings.vendors.oplacrm import OPLACRM
from mappings.vendors.overplane import OVERPLANE

VENDORS: Mapping[str, VendorMapping] = {
    "centiacrm": CENTIACRM,
    "crmtop": CRMTOP,
    "onlyoffice": ONLYOFFICE,
    "oplacrm": OPLACRM,
    "overplane": OVERPLANE,
}
