"""What the CRMs must hold: each event's own records, the records that events share, and what tells them apart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: By vendor and job: the kinds of which every event has exactly one, with the event's token in it.
OWN: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("oplacrm", "lead"): ("lead",),
    ("oplacrm", "order"): ("opportunity",),
    ("centiacrm", "lead"): ("opportunity",),
    ("centiacrm", "order"): ("opportunity",),
    ("centiacrm", "ticket"): ("ticket",),
    ("onlyoffice", "lead"): ("person", "history"),
    ("onlyoffice", "order"): ("opportunity", "invoice"),
    ("onlyoffice", "ticket"): ("case", "task", "history"),
    ("overplane", "lead"): ("lead",),
    ("overplane", "order"): ("opportunity",),
    ("overplane", "ticket"): ("issue",),
    ("crmtop", "lead"): ("lead",),
    ("crmtop", "order"): ("opportunity", "order"),
    ("crmtop", "ticket"): ("ticket",),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A kind of records that belong to another one, `of`: each has `number` of them, with its id in `field`."""

    kind: str
    of: str
    field: str
    number: int


#: By vendor and job: what an own record is not complete without. The rig's orders have three lines.
PARTS: Mapping[tuple[str, str], Part] = {
    ("overplane", "order"): Part("opportunity_item", "opportunity", "opportunity_id", 3),
}
#: What a CRM makes by itself together with a record, from the same request.
ALONG: frozenset[tuple[str, str]] = frozenset({("onlyoffice", "invoice_line"), ("onlyoffice", "tag")})


@dataclass(frozen=True, slots=True)
class Shared:
    """A kind of records that events share: two with the same `fields` are one too many."""

    vendor: str
    kind: str
    fields: tuple[str, ...]


SHARED = (
    Shared("oplacrm", "account", ("email", "name")),
    Shared("oplacrm", "contact", ("email",)),
    Shared("oplacrm", "product", ("name",)),
    Shared("centiacrm", "company", ("name",)),
    Shared("centiacrm", "contact", ("email",)),
    Shared("centiacrm", "product", ("sku",)),
    Shared("onlyoffice", "company", ("companyName",)),
    Shared("onlyoffice", "person", ("firstName", "lastName")),
    Shared("onlyoffice", "contact_info", ("data",)),
    Shared("onlyoffice", "invoice_item", ("sku",)),
    Shared("overplane", "customer", ("email_id", "customer_name")),
    Shared("overplane", "item", ("item_code",)),
    Shared("overplane", "opportunity_item", ("opportunity_id", "item_code")),
    Shared("crmtop", "customer", ("email", "name")),
    Shared("crmtop", "contact", ("email",)),
    Shared("crmtop", "product", ("code",)),
)
