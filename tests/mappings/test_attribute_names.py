"""Attributes of orders: one name for each meaning, and every name where people look for it."""

from __future__ import annotations

import json
import re

import pytest

from tests.engine.harness import ROOT

FIXTURES = ROOT / "tests" / "fixtures" / "sources"
#: Mapped by paths: what their attributes are called is said in relay.toml.
BY_PATHS = ("generic", "cloudevents", "standard_webhooks")
#: In front of names that people made up.
PREFIXES = ("note.", "meta.", "metadata.", "custom.", "extra.", "billing.", "utm_")


def told() -> set[tuple[str, str]]:
    found = set()
    for path in FIXTURES.glob("*/*.commands.json"):
        for command in json.loads(path.read_text("utf-8")):
            if command["command"] == "RecordOrder" and path.parent.name not in BY_PATHS:
                found |= {(path.parent.name, name) for name in command["attributes"]}
    return found


def listed() -> set[str]:
    text = (ROOT / "docs" / "sources.md").read_text("utf-8")
    section = text[text.index("## Attributes") : text.index("## Senders")]
    rows = [row.split("|")[1] for row in section.splitlines() if row.startswith("| `")]
    return {name for row in rows for name in re.findall("`([^`]+)`", row)}


def test_every_attribute_of_an_order_stands_in_the_table() -> None:
    """Otherwise nobody knows which name to write into custom_fields, and a second name for the same comes in."""
    known = listed()
    assert len(known) > 50
    missing = {pair for pair in told() if pair[1] not in known and not pair[1].startswith(PREFIXES)}
    # A key of meta_data, named by the shop in `fields`.
    assert missing == {("woocommerce", "vat_number")}


@pytest.mark.parametrize(
    ("name", "senders"),
    [
        ("refunded", "bigcommerce haravan mercado_libre sapo shopify woocommerce"),
        ("discount_codes", "bigcommerce haravan sapo shopify tiendanube woocommerce"),
        ("payment_method", "bigcommerce haravan mercado_libre sapo shopify tiendanube woocommerce"),
        ("sales_channel", "bigcommerce haravan sapo shopify tiendanube woocommerce"),
        ("tax_number", "stripe tiendanube"),
        ("presentment_currency", "bigcommerce shopify stripe"),
    ],
)
def test_shops_call_one_thing_by_one_name(name: str, senders: str) -> None:
    """Otherwise a company with two shops needs two custom fields for the same, and its reports show half."""
    assert {sender for sender, attribute in told() if attribute == name} == set(senders.split())
