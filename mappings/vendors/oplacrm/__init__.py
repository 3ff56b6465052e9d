"""OplaCRM: leads, and orders as opportunities with their products; for tickets relay.toml chooses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from typing import Any

from mappings.commands import OpenTicket, OrderStatus, RecordOrder, RegisterLead
from mappings.vendor import Account, Plan, Record, VendorMapping
from mappings.vendors.oplacrm import schemas
from mappings.vendors.oplacrm.customers import customer_of
from mappings.vendors.oplacrm.leads import lead_of
from mappings.vendors.oplacrm.tickets import open_ticket
from mappings.writing.fields import FieldLedger
from mappings.writing.orders import (
    Charge,
    charges,
    order_title,
    priced,
    product_key,
    products_of,
    tell_charge,
)
from mappings.writing.parties import Party, party_of

#: Where the lines of an order go, in the words of the field ledger.
_LINES = "opportunity.opportunities_products"


def register_lead(lead: RegisterLead, account: Account) -> Plan:
    """Return the plan of one lead; what has no field of its own is written into its note."""
    ledger = FieldLedger(lead, account, schemas.Values)
    record = lead_of(ledger, party_of(ledger), lambda: ledger.remainder("lead.note", first="message"))
    return Plan((record,), ledger.rows())


def record_order(order: RecordOrder, account: Account) -> Plan:
    """Return the plan of one order: its customer, its products, and the opportunity that it is.

    Raises CannotMap where the order's date cannot be read.
    """
    ledger = FieldLedger(order, account, schemas.Values)
    party = party_of(ledger, stand_in=ledger.values["anonymous_customer"])
    asked = charges(order)
    customer = customer_of(ledger, party)
    opportunity = _opportunity(ledger, order, party, asked)
    return Plan((*customer, *_products(ledger, asked), opportunity), ledger.rows())


def _products(ledger: FieldLedger, asked: tuple[Charge, ...]) -> tuple[Record, ...]:
    return tuple(
        Record(
            "product",
            key,
            ledger.body(
                "product", schemas.Product, name=charge.name, price=charge.unit_price, external_id=key
            ),
            {"external_id": key},
            shared=True,
        )
        for key, charge in products_of(ledger, asked, sku="external_id", price="price").items()
    )


def _opportunity(ledger: FieldLedger, order: RecordOrder, party: Party, asked: tuple[Charge, ...]) -> Record:
    ledger.tell("total", _LINES)
    for charge in asked:
        ledger.tell(f"{charge.source}.sku", _LINES, "mapped")
        tell_charge(ledger, charge, _LINES, order.currency, described=True)
    same = {
        "name": order_title(ledger, "opportunity.name"),
        "date_closed": ledger.deadline("opportunity.date_closed", "close_days", "placed_at").isoformat(),
        "sale_process_stage": ledger.chosen(
            "stages", "status", "opportunity.sale_process_stage", "stage", demanded=False
        ),
        "custom_fields": [
            {"custom_field_id": theirs, "value": value} for theirs, value in ledger.custom("opportunity")
        ],
    }
    body = ledger.body(
        "opportunity",
        schemas.Opportunity,
        account_external_id=party.account_key,
        contacts_external_ids=[party.contact_key],
        date_open=ledger.moment("opportunity.date_open", "placed_at").astimezone(UTC).isoformat(),
        opportunities_products=_lines(ledger, order, asked),
        sale_process=ledger.setting("sale_process", "opportunity.sale_process"),
        **same,
    )
    changes = _changes(ledger, order, body["opportunities_products"], same)
    # A creation has no `stage_close`: an order that is paid or lost when we first hear of it is closed after.
    return Record(
        "opportunity",
        order.key,
        body,
        {"marker": order.key},
        changes=changes,
        changes_when_new="stage_close" in changes,
    )


def _lines(ledger: FieldLedger, order: RecordOrder, asked: tuple[Charge, ...]) -> list[dict[str, Any]]:
    same = {
        "currency": ledger.take("currency", _LINES) or ledger.setting("currency", _LINES) or "",
        "supplier_external_id": ledger.setting("supplier_external_id", _LINES) or "",
        "unit_of_measure": ledger.setting("unit_of_measure", _LINES) or "",
    }
    # The unit of a creation's `discount` is not documented: prices are net of it, and it is nought.
    return [
        {
            "product_external_id": product_key(charge),
            "unit_price": price,
            "quantity": pieces,
            "description": charge.description,
            **same,
        }
        for charge in asked
        for pieces, price in priced(charge, same["currency"])
    ]


def _outcome(status: OrderStatus) -> str:
    if status is OrderStatus.OPEN:
        return "open"
    return "won" if status is OrderStatus.PAID else "lost"


def _changes(
    ledger: FieldLedger, order: RecordOrder, lines: list[dict[str, Any]], same: Mapping[str, Any]
) -> dict[str, Any]:
    outcome = _outcome(order.status)
    target = "opportunity.close_reason"
    # A tenant's list of reasons goes before the sender's words, which the list may not hold.
    reason = ledger.setting(f"close_reason_{outcome}", target)
    if reason is None and outcome == "lost":
        reason = ledger.take("reason", target)
    ledger.tell("status", "opportunity.stage_close")
    unknown = {"currency", "unit_of_measure"}
    changed = [{name: value for name, value in line.items() if name not in unknown} for line in lines]
    return ledger.body(
        "opportunity",
        schemas.OpportunityChanges,
        stage_close=None if outcome == "open" else f"CLOSE_{outcome.upper()}",
        close_reason=reason,
        **{ledger.values["update_lines_as"]: changed},
        **same,
    )


OPLACRM = VendorMapping(
    type="oplacrm",
    version=2,
    values=schemas.Values,
    secrets=("token",),
    planners={RegisterLead: register_lead, RecordOrder: record_order, OpenTicket: open_ticket},
)
