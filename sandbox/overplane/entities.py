"""Lists Overplane's kinds of objects: path, fields, defaults, and what an object refers to."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sandbox.fields import Field, Json
from sandbox.overplane import fields as f


@dataclass(frozen=True)
class Entity:
    """One kind of object.

    `refers` maps a field to the kind that it names. `named` is the field that holds the display name and
    `reference` the option that says whether others refer to this kind by id or by that name; without an
    option they use the id. `unique` is a field and the option that says what a second equal value does.
    """

    kind: str
    path: str
    fields: tuple[Field, ...]
    defaults: Json = field(default_factory=dict)
    refers: Mapping[str, str] = field(default_factory=dict)
    named: str = ""
    reference: str = ""
    unique: tuple[str, str] | None = None

    @property
    def slug(self) -> str:
        """The last part of the path, which ids begin with ("opportunity_abc123" in the samples)."""
        return self.path.rpartition("/")[2]


PLACE = {"territory": "territory", "customer_group": "customer_group"}
NOT_DISABLED = {"disabled": False}


def _list(kind: str, path: str, fields: tuple[Field, ...], named: str) -> Entity:
    # Only the entries of trees can be groups.
    defaults = {"is_group": False} if any(one.name == "is_group" for one in fields) else {}
    return Entity(kind, path, fields, defaults, named=named, reference="list_reference")


ROOTS: tuple[Entity, ...] = (
    Entity(
        "opportunity",
        "crm/opportunity",
        f.OPPORTUNITY,
        {"status": "Open", "sales_stage": "Prospecting", "probability": 100, "conversion_rate": 1},
        {
            "company": "company",
            "sales_stage": "sales_stage",
            "opportunity_type": "opportunity_type",
            "contact_person": "contact",
            **PLACE,
        },
    ),
    Entity(
        "lead",
        "crm/lead",
        f.LEAD,
        {"lead_owner": "__user", "status": "Lead", "unsubscribed": False, "blog_subscriber": False}
        | NOT_DISABLED,
        {"company": "company", "territory": "territory", "customer": "customer"},
        "lead_name",
        "party_name",
        ("email_id", "lead_same_email"),
    ),
    Entity(
        "customer",
        "crm/customer",
        f.CUSTOMER,
        {"customer_type": "Company", "is_internal_customer": False, "is_frozen": False}
        | {"so_required": False, "dn_required": False}
        | NOT_DISABLED,
        {"lead_name": "lead", "prospect_name": "prospect", **PLACE},
        "customer_name",
        "party_name",
    ),
    Entity(
        "prospect",
        "crm/prospect",
        f.PROSPECT,
        {},
        {"company": "company", **PLACE},
        "company_name",
        "party_name",
    ),
    Entity(
        "contact",
        "core/contact",
        f.CONTACT,
        {"status": "Passive", "is_primary_contact": False, "unsubscribed": False},
    ),
    Entity(
        "item",
        "stock/item",
        f.ITEM,
        {"is_stock_item": True, "is_sales_item": True, "is_purchase_item": True, "min_order_qty": 0}
        | {"end_of_life": "2099-12-31", "default_material_request_type": "Purchase"}
        | NOT_DISABLED,
        {"item_group": "item_group", "customer": "customer"},
        unique=("item_code", "same_item_code"),
    ),
    Entity(
        "issue",
        "support/issue",
        f.ISSUE,
        {"status": "Open", "via_customer_portal": False, "agreement_status": "First Response Due"},
        {"customer": "customer", "lead": "lead", "contact": "contact", "company": "company"},
    ),
    _list("sales_stage", "crm/sales-stage", f.SALES_STAGE, "stage_name"),
    _list("opportunity_type", "crm/opportunity-type", f.OPPORTUNITY_TYPE, "description"),
    _list("opportunity_lost_reason", "crm/opportunity-lost-reason", f.LOST_REASON, "lost_reason"),
    _list("company", "setup/company", f.COMPANY, "company_name"),
    _list("item_group", "setup/item-group", f.ITEM_GROUP, "item_group_name"),
    _list("territory", "setup/territory", f.TERRITORY, "territory_name"),
    _list("customer_group", "setup/customer-group", f.CUSTOMER_GROUP, "customer_group_name"),
)
CHILDREN: tuple[Entity, ...] = (
    Entity(
        "opportunity_item",
        "crm/opportunity-item",
        f.OPPORTUNITY_ITEM,
        {"qty": 1, "rate": 0},
        {"opportunity_id": "opportunity", "item_group": "item_group"},
    ),
    Entity(
        "opportunity_lost_reason_detail",
        "crm/opportunity-lost-reason-detail",
        f.LOST_REASON_DETAIL,
        {},
        {"opportunity_id": "opportunity", "lost_reason": "opportunity_lost_reason"},
    ),
)
ENTITIES: Mapping[str, Entity] = {entity.kind: entity for entity in (*ROOTS, *CHILDREN)}
# Far apart, so that an id of one kind is never that of another.
FIRST_IDS = {kind: (place + 1) * 100_000 + 1 for place, kind in enumerate(ENTITIES)}
