"""Creates and shows invoices and the items (products) that their lines refer to."""

from collections.abc import Iterable
from decimal import Decimal

from sandbox.fields import Json
from sandbox.onlyoffice import shapes
from sandbox.onlyoffice.answers import success, wrong
from sandbox.onlyoffice.demands import demand, plain
from sandbox.onlyoffice.fields import amount_of, flag_of, time_of, whole_of
from sandbox.onlyoffice.records import add, change, of, stored, time_text
from sandbox.onlyoffice.reference import CURRENCIES, USERS, listed
from sandbox.store import Record
from sandbox.vendor import Answer, Call, Desk, Refused


def item_shown(_desk: Desk, record: Record) -> Json:
    """Show an invoice item (a product); the server writes trackInventory as trackInvenory."""
    state = record.state
    return {
        "id": int(record.id),
        "title": state["title"],
        "stockKeepingUnit": state["sku"],
        "description": state["description"],
        "price": state["price"],
        "currency": CURRENCIES["USD"],
        "stockQuantity": state["stockQuantity"],
        "trackInvenory": state["trackInventory"],
        "invoiceTax1": listed("tax", state["tax_1"]),
        "invoiceTax2": listed("tax", state["tax_2"]),
        "createOn": time_text(record.created_ms),
        "createBy": shapes.person_shown(USERS[0]["id"]),
        "canEdit": True,
        "canDelete": True,
    }


def _lines(desk: Desk, record: Record) -> list[Record]:
    found = (stored(desk, "invoice_line", line_id) for line_id in record.state["line_ids"])
    return [line for line in found if line is not None]


def _cost(lines: Iterable[Record]) -> float:
    sums = (
        Decimal(str(one.state["price"]))
        * Decimal(str(one.state["quantity"]))
        * (100 - Decimal(str(one.state["discount"])))
        / 100
        for one in lines
    )
    return float(sum(sums, Decimal()))


def invoice_listed(desk: Desk, record: Record) -> Json:
    """Show an invoice the way lists do, without its lines."""
    state = record.state
    copied = ("number", "issueDate", "dueDate", "templateType", "language", "exchangeRate")
    texts = ("purchaseOrderNumber", "terms", "description")
    return {
        "id": int(record.id),
        "status": {"id": 1, "title": "Draft"},
        **{name: state[name] for name in copied + texts},
        "contact": shapes.contact_base(desk, state["contact_id"]),
        "consignee": shapes.contact_base(desk, state["consignee_id"]),
        "entity": shapes.entity(desk, "opportunity", state["entity_id"]),
        "currency": CURRENCIES[state["currency"]],
        "fileID": 0,
        "createOn": time_text(record.created_ms),
        "createBy": shapes.person_shown(USERS[0]["id"]),
        "cost": _cost(_lines(desk, record)),
        "canEdit": True,
        "canDelete": True,
    }


def invoice_shown(desk: Desk, record: Record) -> Json:
    """Show an invoice with its lines."""
    lines = [{"id": int(one.id), **one.state} for one in _lines(desk, record)]
    return {**invoice_listed(desk, record), "invoiceLines": lines}


def create_invoice_item(desk: Desk, call: Call) -> Answer:
    """Create an invoice item; only an administrator of the CRM may."""
    if desk.options["crm_admin"] == "no":
        raise Refused(403, "Access denied.")
    body = call.body
    demand(body, "title")
    if amount_of(body, "price") <= 0:
        raise wrong("price")
    state = {
        "title": body["title"],
        "description": body.get("description"),
        "sku": body.get("sku"),
        "price": plain(amount_of(body, "price")),
        "stockQuantity": plain(amount_of(body, "stockQuantity")),
        "trackInventory": flag_of(body, "trackInventory"),
        "tax_1": whole_of(body, "invoiceTax1id"),
        "tax_2": whole_of(body, "invoiceTax2id"),
    }
    return success(item_shown(desk, add(desk, "invoice_item", body, state)), 201)


def _line_is_right(desk: Desk, line: Json) -> bool:
    taxes = [whole_of(line, name) for name in ("invoiceTax1ID", "invoiceTax2ID")]
    return (
        stored(desk, "invoice_item", whole_of(line, "invoiceItemID")) is not None
        and all(tax == 0 or listed("tax", tax) is not None for tax in taxes)
        and amount_of(line, "quantity") >= 0
        and amount_of(line, "price") >= 0
        and 0 <= amount_of(line, "discount") <= 100
    )


def _check_invoice(desk: Desk, body: Json) -> None:
    lines = body.get("invoiceLines") or []
    if not lines or not all(_line_is_right(desk, line) for line in lines):
        raise wrong("invoiceLines")
    demand(body, "issueDate", "contactId", "dueDate", "currency", "terms")
    contact_id, entity_id = whole_of(body, "contactId"), whole_of(body, "entityId")
    consignee_id = whole_of(body, "consigneeId")
    deal = stored(desk, "opportunity", entity_id)
    checks = {
        "exchangeRate": amount_of(body, "exchangeRate") > 0,
        "contactId": stored(desk, "contact", contact_id) is not None,
        "consigneeId": consignee_id == 0 or stored(desk, "contact", consignee_id) is not None,
        "entityId": entity_id == 0 or (deal is not None and contact_id in deal.state["members"]),
        "currency": body["currency"].upper() in CURRENCIES,
        # Checked last, when the invoice is written (SaveOrUpdateInvoiceInDb): one number, one invoice.
        "number": bool(body.get("number")) and not of(desk, "invoice", number=body["number"]),
    }
    if not all(checks.values()):
        raise wrong(*(name for name, passed in checks.items() if not passed))


def create_invoice(desk: Desk, call: Call) -> Answer:
    """Create an invoice with its lines; its number must be new."""
    body = call.body
    _check_invoice(desk, body)
    texts = ("number", "language", "purchaseOrderNumber", "terms", "description")
    state = {
        **{name: body.get(name) for name in texts},
        "templateType": whole_of(body, "templateType"),
        "issueDate": time_of(body["issueDate"]),
        "dueDate": time_of(body["dueDate"]),
        "contact_id": whole_of(body, "contactId"),
        "consignee_id": whole_of(body, "consigneeId"),
        "entity_type": "opportunity",
        "entity_id": whole_of(body, "entityId"),
        "currency": body["currency"].upper(),
        "exchangeRate": plain(amount_of(body, "exchangeRate")),
        "line_ids": [],
    }
    made = add(desk, "invoice", body, state)
    ids = [_add_line(desk, int(made.id), place, line) for place, line in enumerate(body["invoiceLines"])]
    made = change(desk, made, body, {**state, "line_ids": ids})
    return success(invoice_shown(desk, made), 201)


def _add_line(desk: Desk, invoice_id: int, place: int, line: Json) -> int:
    state = {
        "invoiceID": invoice_id,
        **{name: whole_of(line, name) for name in ("invoiceItemID", "invoiceTax1ID", "invoiceTax2ID")},
        "sortOrder": place,
        "description": line.get("description"),
        **{name: plain(amount_of(line, name)) for name in ("quantity", "price", "discount")},
    }
    return int(add(desk, "invoice_line", line, state).id)
