"""Overplane: leads, orders as opportunities of a customer with lines, and issues."""

from __future__ import annotations

from typing import Any

from mappings.commands import OpenTicket, RecordOrder, RegisterLead
from mappings.vendor import Account, Plan, Record, Ref, VendorMapping
from mappings.vendors.overplane import schemas
from mappings.vendors.overplane.enquiries import open_ticket, register_lead
from mappings.vendors.overplane.opportunities import customer_of, items_of, lines_of, opportunity_of
from mappings.writing.fields import FieldLedger
from mappings.writing.orders import charges, order_title
from mappings.writing.parties import party_of

#: Which parts of an opportunity are all in the plan: one that is not there any more is taken away.
_PARTS = ("opportunity_item", "lost_reason")


def record_order(order: RecordOrder, account: Account) -> Plan:
    """Return the plan of one order: its customer, the items where there must be some, the opportunity, its lines.

    Raises CannotMap where the order's date cannot be read, ValueMissing where relay.toml lacks what items need.
    """
    ledger = FieldLedger(order, account, schemas.Values)
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    asked = charges(order)
    customer = customer_of(ledger, party)
    items = items_of(ledger, asked)
    lines = lines_of(ledger, asked, order.currency)
    standing = _standing(ledger, order)
    body = opportunity_of(
        ledger,
        party,
        **standing,
        title=order_title(ledger, "opportunity.title"),
        sales_stage=ledger.chosen("stages", "status", "opportunity.sales_stage", "stage", demanded=False),
        opportunity_type=ledger.setting("opportunity_type", "opportunity.opportunity_type"),
        transaction_date=ledger.moment("opportunity.transaction_date", "placed_at").date().isoformat(),
        expected_closing=ledger.deadline(
            "opportunity.expected_closing", "close_days", "placed_at"
        ).isoformat(),
    )
    opportunity = Record(
        "opportunity",
        order.key,
        body,
        {"marker": order.key},
        changes=_changes(ledger, order, standing, body),
        expect={"total": order.total} if lines and ledger.values["check_total"] else {},
    )
    about = 1 + len(items)
    records = (customer, *items, opportunity, *lines, *_lost_reason(ledger, order))
    return Plan(records, ledger.rows(), about=about, parts=_PARTS)


def _standing(ledger: FieldLedger, order: RecordOrder) -> dict[str, Any]:
    """Return what an order says of its opportunity each time that it is sent."""
    outcome = order.status.outcome
    ledger.tell("status", "opportunity.status")
    ledger.tell("total", "opportunity.opportunity_amount", "mapped")
    certain = {"won": 100, "lost": 0}.get(outcome)
    reason = ""
    if outcome == "lost":
        reason = ledger.take("reason", "opportunity.order_lost_reason") or order.status.value
    return {
        "currency": ledger.take("currency", "opportunity.currency"),
        "opportunity_amount": order.total,
        "status": ledger.setting(f"status_{outcome}", "opportunity.status"),
        "order_lost_reason": reason,
        # Left out it would be the printed default of 100.
        "probability": ledger.setting("probability", "opportunity.probability")
        if certain is None
        else certain,
    }


def _changes(
    ledger: FieldLedger, order: RecordOrder, standing: dict[str, Any], body: dict[str, Any]
) -> dict[str, Any]:
    # An empty reason is sent, too: an order that is open again shall not keep that for which it was lost.
    changes = dict(standing)
    # People move an opportunity from stage to stage: only where relay.toml has one for this status do we.
    if ledger.has_choice("stages", "status"):
        changes["sales_stage"] = body["sales_stage"]
    return changes


def _lost_reason(ledger: FieldLedger, order: RecordOrder) -> tuple[Record, ...]:
    if order.status.outcome != "lost":
        return ()
    target = "opportunity_lost_reason_detail.lost_reason"
    reason = ledger.chosen("lost_reasons", "reason", target, "lost_reason", demanded=False)
    if reason is None:
        return ()
    body = ledger.body(
        "opportunity_lost_reason_detail",
        schemas.LostReasonDetail,
        opportunity_id=Ref("opportunity", order.key),
        lost_reason=reason,
    )
    changes = {"lost_reason": body["lost_reason"]}
    return (Record("lost_reason", f"{order.key}.lost", body, {"reason": "any"}, changes=changes),)


OVERPLANE = VendorMapping(
    type="overplane",
    version=1,
    values=schemas.Values,
    secrets=("token",),
    planners={RegisterLead: register_lead, RecordOrder: record_order, OpenTicket: open_ticket},
    more_room='values.lead_message = "issue", or a text field of its leads as custom_fields.lead.consent',
)
