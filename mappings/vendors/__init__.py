"""The list of vendors: a new one is one line here."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.vendor import VendorMapping
from mappings.vendors.centiacrm import CENTIACRM
from mappings.vendors.oplacrm import OPLACRM
from mappings.vendors.overplane import OVERPLANE

VENDORS: Mapping[str, VendorMapping] = {
    "centiacrm": CENTIACRM,
    "oplacrm": OPLACRM,
    "overplane": OVERPLANE,
}
