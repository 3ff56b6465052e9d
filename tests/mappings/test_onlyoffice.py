"""ONLYOFFICE bodies, written by hand from the vendor's document and its OpenAPI file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.commands import (
    Address,
    Attachment,
    Command,
    Comment,
    OrderLine,
    OrderStatus,
    Person,
    RecordOrder,
    RegisterLead,
    TicketStatus,
)
from mappings.errors import CannotMap, ValueMissing
from mappings.vendor import Account, Named, Plan, Record, Ref
from mappings.vendors import VENDORS
from tests.mappings.vendor_examples import ANA
from tests.mappings.vendor_examples import ORDER as DOLLARS
from tests.mappings.vendor_examples import TICKET as PLAIN_TICKET

D = Decimal

OFFICE = VENDORS["onlyoffice"]
VALUES = {"stage": "Initial contact"}
SELF = Named("users", "@self", "values.owner")
NOTE = Named("history categories", "Note", "values.history_category")
FOLLOW_UP = Named("task categories", "Follow-up", "values.task_category")
WON = Named("stage types", "1", "values.stage_won")
LOST = Named("stage types", "2", "values.stage_lost")
ORDER = replace(DOLLARS, number="#1070", status=OrderStatus.OPEN, customer=ANA, currency="MXN")
LEAD = RegisterLead("site-1", ANA, "Hola", "contact", attributes={"budget": "900"})
TICKET = replace(PLAIN_TICKET, attachments=(Attachment("lamp.jpg", "image/jpeg"),))
WHO = Ref("person", "cont-ana@example.mx")
PERSON = {
    "firstName": "Ana María",
    "lastName": "García",
    "about": "CRM Relay [cont-ana@example.mx]",
    "shareType": 1,
}
EMAIL = {"id": WHO, "infoType": 1, "data": "ana@example.mx", "category": "Work", "isPrimary": True}
PHONE = {"id": WHO, "infoType": 0, "data": "+525512345678", "category": "Work", "isPrimary": True}
LINES = """3 x A-1 Tea, discount 2.00, tax 1.60: 10.00 MXN
1 x B-2 Cup, tax 1.23: 7.50 MXN
1 x SHIPPING Shipping: 5.00 MXN
1 x TAX Tax: 2.83 MXN
1 x DISCOUNT Discount: -1.00 MXN"""


def plan(command: Command, custom: Mapping[str, Mapping[str, str]] | None = None, **values: Any) -> Plan:
    return OFFICE.planners[type(command)](command, Account("office", VALUES | values, custom or {}))


def about(planned: Plan) -> Record:
    return planned.records[planned.about]


def only(planned: Plan, kind: str) -> Record:
    (found,) = [record for record in planned.records if record.kind == kind]
    return found


def kinds(planned: Plan) -> list[str]:
    return [record.kind for record in planned.records]


def invoiced(body: Mapping[str, Any]) -> Decimal:
    return sum((line["quantity"] * line["price"] for line in body["invoiceLines"]), D(0))


def test_a_lead_is_a_person_and_an_event_with_what_they_said() -> None:
    """Else nobody sees who asked for what."""
    planned = plan(LEAD)
    assert [record.body for record in planned.records] == [
        PERSON,
        EMAIL,
        PHONE,
        {"entityType": "contact", "entityid": WHO, "tagName": "lead"},
        {"content": "Hola\n\norigin: contact\nbudget: 900\n\n[site-1]", "categoryId": NOTE, "contactId": WHO},
    ]
    person, *others, event = planned.records
    assert about(planned) is person
    assert person.match == {
        "email": "ana@example.mx",
        "name": "Ana María García",
        "marker": "cont-ana@example.mx",
    }
    assert all(record.shared for record in (person, *others))
    assert (event.key, event.shared) == ("site-1", False)
    assert event.match == {"marker": "site-1", "person": "cont-ana@example.mx"}


def test_a_lead_of_a_company_makes_it_and_its_person_works_there() -> None:
    """Else sales cannot see that two people ask for one firm."""
    planned = plan(replace(LEAD, person=replace(ANA, company="Té S.A.")))
    company, person = planned.records[:2]
    assert company.body == {"companyName": "Té S.A.", "shareType": 1}
    assert (company.match, company.shared) == ({"name": "Té S.A."}, True)
    assert person.body == PERSON | {"companyId": Ref("company", company.key)}
    assert about(planned) is person


def test_a_person_of_one_word_still_has_a_surname() -> None:
    """Else the server fails with a null reference: it trims the surname without looking."""
    assert plan(replace(LEAD, person=Person(name="Ana"))).records[0].body["lastName"] == ""


def test_nameless_people_are_not_merged() -> None:
    """Else two callers of one name see each other's requests."""
    person = plan(replace(LEAD, person=Person(name="Ana"))).records[0]
    assert (person.key, person.shared, person.match) == (
        "cont-site-1",
        False,
        {"phone": "", "name": "Ana", "marker": "cont-site-1"},
    )


def test_a_lead_s_event_bears_the_time_of_the_lead() -> None:
    """Else a lead of yesterday stands under today; the server refuses six digits of a second."""
    planned = plan(replace(LEAD, attributes={"received_at": "2026-03-02T03:00:00.123456+00:00"}))
    event = only(planned, "history").body
    assert (event["created"], event["content"]) == (
        "2026-03-02T03:00:00+00:00",
        "Hola\n\norigin: contact\n\n[site-1]",
    )


def test_a_lead_is_marked_as_relay_toml_says() -> None:
    """Else leads cannot be told from customers."""
    planned = plan(LEAD, contact_status="Warm", lead_tag="web")
    assert only(planned, "tag").body["tagName"] == "web"
    warm = Named("contact statuses", "Warm", "values.contact_status")
    assert only(planned, "contact_status").body == {"id": WHO, "contactStatusid": warm}
    assert "tag" not in kinds(plan(LEAD, lead_tag=""))


def test_an_open_order_is_an_opportunity_with_its_lines_in_words() -> None:
    """Else sales does not know what was ordered, for how much, or whose it is."""
    planned = plan(ORDER)
    assert [record.body for record in planned.records] == [
        PERSON,
        EMAIL,
        PHONE,
        {
            "title": "Order #1070 [shop-order-9]",
            "description": LINES,
            "contactid": WHO,
            "members": [WHO],
            "responsibleid": SELF,
            "bidType": 0,
            "bidValue": D("24.33"),
            "bidCurrencyAbbr": "MXN",
            "stageid": Named("stages", "Initial contact", "values.stage"),
            "successProbability": Named("stage chances", "Initial contact", "values.stage"),
            "expectedCloseDate": "2026-04-01",
        },
    ]
    assert about(planned).match == {"marker": "shop-order-9", "bracketed": "[shop-order-9]"}
    assert about(planned).changes == {"description": LINES, "bidValue": D("24.33"), "bidCurrencyAbbr": "MXN"}


@pytest.mark.parametrize(
    ("status", "stage", "chance"),
    [(OrderStatus.PAID, WON, 100), (OrderStatus.CANCELLED, LOST, 0), (OrderStatus.REFUNDED, LOST, 0)],
)
def test_an_order_that_ends_moves_to_the_stage_of_its_end(
    status: OrderStatus, stage: Named, chance: int
) -> None:
    """Else the forecast counts what is paid or lost."""
    opportunity = about(plan(replace(ORDER, status=status)))
    assert opportunity.body["stageid"] == stage
    assert opportunity.body["successProbability"] == chance
    assert opportunity.body["actualCloseDate"] == "2026-03-02"
    assert opportunity.changes is not None
    assert opportunity.changes["stageid"] == stage


def test_stages_follow_relay_toml() -> None:
    """Else a portal with stages of its own closes its orders in the wrong one."""
    paid = replace(ORDER, status=OrderStatus.PAID)
    assert about(plan(paid, stage_won=106)).body["stageid"] == 106
    named = about(plan(paid, stages={"Paid": "To be sent"})).body["stageid"]
    assert named == Named("stages", "To be sent", "values.stages")
    with pytest.raises(ValueMissing, match=r"values\.stage"):
        OFFICE.planners[RecordOrder](ORDER, Account("office", {}))


def test_why_an_order_was_cancelled_is_an_event_of_its_own() -> None:
    """Else the reason is lost, or told again with every later change."""
    planned = plan(replace(ORDER, status=OrderStatus.CANCELLED, reason="out of stock"), lines="invoice")
    assert "invoice" not in kinds(planned), "nobody is to pay for what is lost"
    event = only(planned, "history")
    assert event.key == "shop-order-9.cancelled"
    assert event.body == {
        "content": "Order cancelled: out of stock\n\n[shop-order-9.cancelled]",
        "categoryId": NOTE,
        "entityType": "opportunity",
        "entityId": Ref("opportunity", "shop-order-9"),
    }
    assert about(planned).kind == "opportunity"


def test_an_invoice_has_the_lines_and_takes_the_discount_off_the_largest() -> None:
    """Else the invoice says another amount than the shop: it knows no amount below zero."""
    planned = plan(ORDER, lines="invoice")
    invoice = only(planned, "invoice")
    opportunity = Ref("opportunity", "shop-order-9")
    same = {"issueDate": "2026-03-02", "dueDate": "2026-04-01", "contactId": WHO, "entityId": opportunity}
    lines = [
        ("A-1", "Tea, discount 2.00, tax 1.60, less 1.00 of what the order takes off", D(3), D("3.00")),
        ("B-2", "Cup, tax 1.23", D(1), D("7.50")),
        ("SHIPPING", "Shipping", D(1), D("5.00")),
        ("TAX", "Tax", D(1), D("2.83")),
    ]
    assert invoice.body == same | {
        "number": "shop-order-9",
        "currency": "MXN",
        "exchangeRate": D(1),
        "terms": "As ordered",
        "language": "en-US",
        "purchaseOrderNumber": "#1070",
        "description": "#1070",
        "invoiceLines": [
            {
                "invoiceItemID": Ref("invoice_item", f"prod-{sku}"),
                "description": said,
                "quantity": n,
                "price": p,
            }
            for sku, said, n, p in lines
        ],
    }
    items = [record for record in planned.records if record.kind == "invoice_item"]
    assert [item.body["price"] for item in items] == [D("4.00"), D("7.50"), D(1), D(1)]
    assert items[0].body == {"title": "Tea", "price": D("4.00"), "sku": "A-1", "description": "Tea"}
    assert all(item.shared for item in items)
    assert only(planned, "member").body == {"id": opportunity, "contactid": WHO}
    assert kinds(planned)[-1] == "invoice", "the opportunity must be there before its invoice"


@pytest.mark.parametrize(("currency", "total"), [("JPY", "14319"), ("VND", "1250000"), ("KWD", "1.235")])
def test_amounts_keep_the_decimals_of_their_currency(currency: str, total: str) -> None:
    """Else a yen order is off by a hundred, or a dinar order loses its last digit."""
    item = OrderLine("A-1", "Tea", D(7), D(total), D(0), D(0), D(total))
    none = D(0)
    order = replace(
        ORDER,
        currency=currency,
        total=D(total),
        tax=none,
        shipping=none,
        discount=none,
        lines=(item,),
    )
    assert about(plan(order)).body["bidValue"] == D(total)
    assert f"7 x A-1 Tea: {total} {currency}" in about(plan(order)).body["description"]
    if currency != "KWD":
        assert invoiced(only(plan(order, lines="invoice"), "invoice").body) == D(total)


CENTS = st.integers(0, 10**6).map(lambda cents: D(cents).scaleb(-2))
LINE = st.builds(
    lambda sku, quantity, total, tax: OrderLine(sku, sku, D(quantity), total, D(0), tax, total),
    st.sampled_from(["A", "B", "C"]),
    st.integers(1, 9),
    CENTS,
    CENTS,
)


@given(st.lists(LINE, min_size=1, max_size=4), CENTS, CENTS)
def test_any_invoice_comes_to_the_order_s_total(
    lines: list[OrderLine], shipping: Decimal, discount: Decimal
) -> None:
    """Else bookkeeping looks for cents."""
    tax = sum((line.tax for line in lines), D(0))
    gross = sum((line.total for line in lines), D(0)) + tax + shipping
    off = min(discount, gross)
    order = replace(ORDER, lines=tuple(lines), tax=tax, shipping=shipping, discount=off, total=gross - off)
    body = only(plan(order, lines="invoice"), "invoice").body
    assert invoiced(body) == order.total == about(plan(order)).body["bidValue"]
    assert all(line["price"] >= 0 for line in body["invoiceLines"])


UNFIT = {
    "a third decimal": ({"currency": "KWD"}, "currency: KWD has more decimals than the two"),
    "below zero": (
        {"total": D("-1.00"), "discount": D("26.33")},
        "total: it is below zero, which is less than the least",
    ),
    "above the column": ({"total": D("100000000.00")}, "total: it is above the 99999999.99"),
}


@pytest.mark.parametrize(("changes", "why"), UNFIT.values(), ids=UNFIT)
def test_an_order_that_no_invoice_holds_says_what_to_set(changes: dict[str, Any], why: str) -> None:
    """Else the server rounds a dinar, or refuses with no word on why, and nobody knows the way out."""
    order = replace(ORDER, **changes)
    with pytest.raises(CannotMap) as caught:
        plan(order, lines="invoice")
    assert str(caught.value) == (
        f'{why} that an invoice holds: set connections.office.values.lines to "description", where the lines of '
        "such an order fit, and release it"
    )
    assert about(plan(order)).body["bidValue"] == order.total


def test_a_ticket_is_a_case_with_its_text_and_a_task_with_its_day() -> None:
    """Else whoever answers does not know what was asked, or by when."""
    planned = plan(TICKET)
    case = Ref("case", "mail-1")
    assert kinds(planned) == ["person", "contact_info", "contact_info", "case", "history", "task"]
    assert [record.body for record in planned.records[3:]] == [
        {"title": "Broken [mail-1]", "members": [WHO]},
        {
            "content": "It broke.\n\npriority: High\nchannel: email\norder_number: 1070\n"
            "attachments[0].name: lamp.jpg\nattachments[0].media_type: image/jpeg\n\n[mail-1]",
            "categoryId": NOTE,
            "entityType": "case",
            "entityId": case,
        },
        {
            "title": "Broken [mail-1]",
            "deadline": "2026-03-05",
            "categoryId": FOLLOW_UP,
            "responsibleId": SELF,
            "entityType": "case",
            "entityId": case,
            "contactId": WHO,
        },
    ]
    assert about(planned).kind == "case"
    assert about(planned).changes == {}
    with pytest.raises(CannotMap, match=r"attributes\.date"):
        plan(replace(TICKET, attributes={}))


def test_a_ticket_that_is_solved_closes_its_case_and_its_task() -> None:
    """Else what is answered stays on somebody's list."""
    solved = plan(replace(TICKET, status=TicketStatus.SOLVED))
    again = plan(replace(TICKET, status=TicketStatus.OPEN))
    for kind in ("case", "task"):
        assert (only(solved, kind).changes, only(solved, kind).changes_when_new) == ({"closed": True}, True)
        assert (only(again, kind).changes, only(again, kind).changes_when_new) == ({"closed": False}, False)


def test_each_comment_is_an_event_of_its_own() -> None:
    """Else a second comment is lost, or the first is told twice."""
    comments = (Comment("c1", "Ana", "Any news?"), Comment("c2", "", "Solved."))
    first, second = plan(replace(TICKET, comments=comments)).records[-2:]
    assert (first.key, first.body["content"]) == ("mail-1.c1", "Ana:\nAny news?\n\n[mail-1.c1]")
    assert (second.key, second.body["content"]) == ("mail-1.c2", "Solved.\n\n[mail-1.c2]")
    assert first.body["entityId"] == Ref("case", "mail-1")


def test_custom_fields_are_found_by_id_or_label() -> None:
    """Else the server leaves them out without a word."""
    places = {"opportunity": {"gift": "632", "source": "Order note"}}
    order = replace(ORDER, attributes={"gift": "yes", "source": "fair"})
    assert about(plan(order, custom=places)).body["customFieldList"] == [
        {"key": 632, "value": "yes"},
        {"key": Named("opportunity fields", "Order note", "custom_fields.opportunity"), "value": "fair"},
    ]


def test_nothing_that_was_said_is_dropped() -> None:
    """Else a field of the sender is in no CRM and nobody knows."""
    home = replace(ANA, address=Address("Av. Juárez 1", "Guadalajara", "Jalisco", "44100", "MX"))
    commands = (
        replace(LEAD, person=home, consent="yes"),
        replace(ORDER, customer=home, attributes={"note": "Ring twice"}, reason="none"),
        replace(TICKET, requester=home, status=TicketStatus.OPEN, comments=(Comment("1", "A", "B"),)),
    )
    for command in commands:
        planned = plan(command)
        assert {row.source for row in planned.fields if row.outcome == "dropped"} == set()
        assert any("44100" in str(record.body) for record in planned.records)
