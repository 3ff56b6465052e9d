"""Two articles whose codes differ in case alone are two: `lamp-1` may be the bulb of `LAMP-1`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.engine.harness import Bench
from tests.engine.jobs import ORDER
from worker.ledger.tables import State

Body = dict[str, Any]


def ids_by(bench: Bench, vendor: str, kind: str, field: str) -> dict[str, str]:
    """Return the ids of the CRM's records by one of their fields."""
    return {record["body"][field]: str(record["id"]) for record in bench.records(vendor, kind)}


def of_opla(bench: Bench, order: Body) -> list[str]:
    return [line["product_external_id"].removeprefix("prod-") for line in order["opportunities_products"]]


def of_centia(bench: Bench, order: Body) -> list[str]:
    codes = {made: sku for sku, made in ids_by(bench, "centiacrm", "product", "sku").items()}
    return [codes[str(line["product_id"])] for line in order["products"]]


def of_crmtop(bench: Bench, order: Body) -> list[str]:
    codes = {made: code for code, made in ids_by(bench, "crmtop", "product", "code").items()}
    return [codes[line["productId"]] for line in json.loads(order["products"])]


def of_office(bench: Bench, order: Body) -> list[str]:
    codes = {made: sku for sku, made in ids_by(bench, "onlyoffice", "invoice_item", "sku").items()}
    return [codes[str(line["invoiceItemID"])] for line in order["invoiceLines"]]


def of_overplane(bench: Bench, order: Body) -> list[str]:
    codes = ids_by(bench, "overplane", "item", "item_code")
    lines = [record["body"] for record in bench.records("overplane", "opportunity_item")]
    mine = [line["item_code"] for line in lines if order["utm_content"] in line["description"]]
    return [code for code in mine if code in codes]


Read = Callable[[Bench, Body], list[str]]
#: Vendor, the kind of record with the order's lines, and how to see which articles they are of.
ORDERED: dict[str, tuple[str, str, Read]] = {
    "opla": ("oplacrm", "opportunity", of_opla),
    "centia": ("centiacrm", "opportunity", of_centia),
    "crmtop": ("crmtop", "order", of_crmtop),
    "office": ("onlyoffice", "invoice", of_office),
    "overplane": ("overplane", "opportunity", of_overplane),
}


def order(bench: Bench, to: str, number: int, sku: str) -> None:
    line = {**ORDER["line_items"][0], "sku": sku, "title": f"Article {sku}"}  # type: ignore[index]
    body = json.dumps({**ORDER, "id": number, "name": f"#{number}", "line_items": [line]}).encode()
    delivery = bench.receive("shop", body, headers={"x-shopify-topic": "orders/create"}, to=to)
    assert bench.attempt(delivery) == State.DELIVERED, bench.show(delivery)["reason"]


@pytest.mark.parametrize("to", ORDERED)
def test_no_order_gets_the_product_of_another_case(bench: Bench, to: str) -> None:
    """Otherwise the customer is sent a lamp and not its bulb."""
    vendor, kind, read = ORDERED[to]
    order(bench, to, 5001, "LAMP-1")
    order(bench, to, 5002, "lamp-1")
    first, second = (read(bench, record["body"]) for record in bench.records(vendor, kind))
    assert "LAMP-1" in first
    assert "lamp-1" not in first
    assert "lamp-1" in second
    assert "LAMP-1" not in second
