"""What the payloads of shops cannot show: which event is which, what is thin, and what nonsense comes to."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings.commands import Command, RecordOrder, as_json
from mappings.errors import CannotMap
from mappings.source import Arrival, Event
from mappings.sources import SOURCES
from tests.mappings.test_sources import BODIES, arrival_of, beside, event_of, json_values, recorded

SHOPS = ("haravan", "sapo", "shopify", "woocommerce")
BODIES_OF_SHOPS = [body for body in BODIES if body.parent.name in SHOPS]
SHOPIFY_NAME = SOURCES["shopify"].name
THIN = [body for body in BODIES_OF_SHOPS if beside(body, "fetched")]


def named(kind: str, headers: dict[str, str], payload: Any, digest: str = "d", **options: Any) -> Any:
    return SOURCES[kind].name(Arrival(kind, headers, payload, digest, options))


def commands_of(event: Event) -> list[Command]:
    return list(SOURCES[event.source].handlers[event.type](event))


@pytest.mark.parametrize("body", BODIES_OF_SHOPS, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_the_parts_of_an_order_add_up(body: Path) -> None:
    """Otherwise the CRM shows a deal of another amount than the shop was paid, or a line named "Difference"."""
    for command in commands_of(event_of(arrival_of(body), beside(body, "fetched"))):
        if isinstance(command, RecordOrder):
            parts = [line.total for line in command.lines] + [command.shipping, command.tax]
            assert sum(parts, Decimal(0)) - command.discount == command.total
            strange = [line for line in command.lines if line.name.startswith("Difference")]
            assert not strange or "rounding" in body.stem


@pytest.mark.parametrize("body", THIN, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_thin_event_asks_for_what_it_names(body: Path) -> None:
    """Otherwise a refund changes nothing in the CRM, or the wrong order is fetched."""
    event = event_of(arrival_of(body))
    fetches = SOURCES[event.source].fetches
    assert fetches is not None
    (wanted,) = fetches(event)
    assert [wanted.name] == list(beside(body, "fetched"))
    number = (event.entity or "").partition("-")[2]
    assert wanted.path.removesuffix(".json") == f"{wanted.name}s/{number}"
    with pytest.raises(CannotMap) as refusal:
        commands_of(event)
    assert "api_token_env" in refusal.value.why


@pytest.mark.parametrize("number", ["../../shop", "1/../2", True, 1.5, -1, "", None, [1], "٣", 10**30])
def test_an_odd_id_of_a_payload_is_never_asked_for(number: Any) -> None:
    """Otherwise whoever can sign a refund reads any page of the shop's interface with our token."""
    for kind, topic in (("shopify", "refunds/create"), ("haravan", "refunds/create")):
        event = Event(kind, "1", topic, {"order_id": number}, {})
        assert list(SOURCES[kind].fetches(event)) == []  # type: ignore[misc]
        with pytest.raises(CannotMap, match="order_id"):
            commands_of(event)
    event = Event("woocommerce", "1", "order.deleted", {"id": number}, {})
    assert list(SOURCES["woocommerce"].fetches(event)) == []  # type: ignore[misc]


def test_whole_events_are_not_fetched() -> None:
    """Otherwise each order costs a call at the shop, and the CRM waits for it."""
    for body in BODIES_OF_SHOPS:
        if body not in THIN:
            event = event_of(arrival_of(body))
            assert list(SOURCES[event.source].fetches(event)) == []  # type: ignore[misc]


@pytest.mark.parametrize(
    ("kind", "older", "newer"),
    [
        ("haravan", "orders__create__cash_on_delivery", "orders__paid__by_transfer"),
        ("sapo", "orders__create__tax_included", "orders__cancelled__by_buyer"),
        ("woocommerce", "order.created__coupon_fee_shipping", "order.updated__refunded"),
        ("shopify", "orders__fulfilled__all_sent", "refunds__create__half_paid_back"),
    ],
)
def test_an_update_that_overtakes_its_order_is_newer(kind: str, older: str, newer: str) -> None:
    """Otherwise a cancelled order comes back to life when its creation arrives late."""
    first = SOURCES[kind].name(recorded(f"{kind}/{older}.json"))
    second = SOURCES[kind].name(recorded(f"{kind}/{newer}.json"))
    assert first.entity == second.entity
    assert first.entity is not None
    assert first.version is not None
    assert second.version is not None
    assert first.version < second.version


@pytest.mark.parametrize("kind", ["haravan", "sapo", "shopify"])
def test_an_order_that_was_paid_in_the_second_of_its_making_stays_paid(kind: str) -> None:
    """Otherwise a buyer who has paid is chased for money when the creation arrives last."""
    body = next(b for b in BODIES_OF_SHOPS if b.parent.name == kind and b.stem.startswith("orders__create"))
    arrival, payload = arrival_of(body), arrival_of(body).payload
    states = [("pending", None), ("paid", None), ("paid", "2026-04-02T08:30:05+00:00")]
    states += [("refunded", "2026-04-02T08:30:05+00:00")]
    versions = []
    for financial, cancelled in states:
        told = {
            **payload,
            "financial_status": financial,
            "cancelled_at": cancelled,
            "cancelled_on": cancelled,
        }
        versions.append(SOURCES[kind].name(replace(arrival, payload=told)).version)
    assert None not in versions
    assert versions == sorted(set(versions), key=str)


def test_an_order_of_woocommerce_that_was_paid_in_the_second_of_its_making_stays_paid() -> None:
    """Otherwise it depends on luck whether a deal is won: the shop sends created and updated at the same time."""
    arrival = recorded("woocommerce/order.created__coupon_fee_shipping.json")
    states = [("pending", None), ("failed", None), ("processing", "2026-04-02T08:30:05")]
    states += [("cancelled", "2026-04-02T08:30:05")]
    versions = []
    for status, paid in states:
        told = {**arrival.payload, "status": status, "date_paid_gmt": paid, "date_paid": paid}
        versions.append(SOURCES["woocommerce"].name(replace(arrival, payload=told)).version)
    assert None not in versions
    assert versions == sorted(set(versions), key=str)


def test_of_two_changes_in_one_second_the_later_one_is_newer() -> None:
    """Otherwise the CRM keeps the lines that an order had before it was edited, when that state arrives last."""
    arrival = recorded("shopify/orders__fulfilled__all_sent.json")
    before, after = (
        SHOPIFY_NAME(replace(arrival, headers={**arrival.headers, "x-shopify-triggered-at": moment})).version
        for moment in ("2026-04-02T08:30:05.417931715Z", "2026-04-02T08:30:05.9Z")
    )
    assert str(before) < str(after)
    # A later second is later, however little was paid by then.
    later = {**arrival.payload, "updated_at": "2099-01-01T00:00:00Z", "financial_status": "pending"}
    assert str(after) < str(SHOPIFY_NAME(replace(arrival, payload=later)).version)


def test_two_orders_of_one_second_are_two_events() -> None:
    """Otherwise the busier a WooCommerce shop is, the more of its orders are lost: they share a delivery id."""
    arrival = recorded("woocommerce/order.created__coupon_fee_shipping.json")
    other = replace(arrival, payload={**arrival.payload, "id": 964}, body_digest="other")
    assert arrival.headers["x-wc-webhook-delivery-id"] == other.headers["x-wc-webhook-delivery-id"]
    assert SOURCES["woocommerce"].name(arrival).dedup_key != SOURCES["woocommerce"].name(other).dedup_key


@pytest.mark.parametrize("kind", SHOPS)
def test_a_repeated_post_is_the_same_event(kind: str) -> None:
    """Otherwise a shop that heard no answer makes a second deal; yet each change of the content is one."""
    body = next(b for b in BODIES_OF_SHOPS if b.parent.name == kind and "create" in b.stem)
    arrival = arrival_of(body)
    name = SOURCES[kind].name
    assert name(arrival) == name(replace(arrival, headers=dict(arrival.headers)))
    bare = replace(arrival, headers={k: v for k, v in arrival.headers.items() if "webhook-id" not in k})
    assert name(bare).dedup_key != name(replace(bare, body_digest="another")).dedup_key


def test_a_repeat_of_a_woocommerce_post_with_another_delivery_id_is_the_same_event() -> None:
    """Otherwise the same state, sent by two webhooks or by hand once more, is two events."""
    arrival = recorded("woocommerce/order.updated__refunded.json")
    again = replace(arrival, headers={**arrival.headers, "x-wc-webhook-delivery-id": "f" * 32})
    assert SOURCES["woocommerce"].name(arrival) == SOURCES["woocommerce"].name(again)


def test_the_second_deletion_of_an_order_is_another_event() -> None:
    """Otherwise an order that was deleted, restored and deleted again stays open in the CRM."""
    arrival = recorded("woocommerce/order.deleted__in_the_bin.json")
    again = replace(arrival, headers={**arrival.headers, "x-wc-webhook-delivery-id": "f" * 32})
    assert SOURCES["woocommerce"].name(arrival).dedup_key != SOURCES["woocommerce"].name(again).dedup_key


def test_an_error_of_the_shop_is_parked() -> None:
    """Otherwise the CRM fills with orders of nothing as soon as the webhook's owner loses a right."""
    error = {"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}}
    for topic in ("order.updated", "customer.updated"):
        naming = named("woocommerce", {"x-wc-webhook-topic": topic}, error)
        assert (naming.type, naming.entity, naming.version) == (topic, None, None)
        with pytest.raises(CannotMap, match="woocommerce_rest_cannot_view"):
            commands_of(Event("woocommerce", "1", topic, error, {}))


def test_an_empty_address_that_php_wrote_as_a_list_is_none() -> None:
    """Otherwise an order is parked because PHP wrote an empty address as a list."""
    arrival = recorded("woocommerce/order.created__coupon_fee_shipping.json")
    payload = arrival.payload | {"billing": [], "shipping": []}
    (order,) = commands_of(event_of(replace(arrival, payload=payload)))
    assert isinstance(order, RecordOrder)
    assert order.customer is None
    assert order.lines


def test_a_topic_is_found_in_its_parts_or_under_the_name_that_relay_toml_gives() -> None:
    """Otherwise a proxy that drops one header, or a shop with another name for it, sends unknown events."""
    headers = {"x-wc-webhook-resource": "order", "x-wc-webhook-event": "created"}
    assert named("woocommerce", headers, {}).type == "order.created"
    assert named("woocommerce", {}, []).type == "unknown"
    assert named("sapo", {"x-own": " orders/paid "}, {}, topic_header="X-Own").type == "orders/paid"
    assert named("sapo", {"x-sapo-topic": "orders/paid"}, {}, topic_header="X-Own").type == "orders/paid"
    assert named("shopify", {"shopify-topic": "orders/paid"}, {}).type == "orders/paid"


@pytest.mark.parametrize("kind", ["haravan", "sapo", "shopify"])
def test_a_test_event_of_a_shop_is_a_test(kind: str) -> None:
    """Otherwise the first record that a newcomer sees in the CRM is Shopify's order 9999."""
    headers = {f"x-{kind}-topic": "orders/create"}
    assert named(kind, headers | {f"x-{kind}-test": "true"}, {}).test
    assert not named(kind, headers | {f"x-{kind}-test": "false"}, {}).test
    assert not named(kind, headers, {}).test


def test_a_fault_in_a_sapo_order_is_told_under_sapos_own_name() -> None:
    """Otherwise the operator searches the payload for a field that is not in it."""
    payload = dict(recorded("sapo/orders__create__tax_included.json").payload)
    del payload["created_on"]
    with pytest.raises(CannotMap, match=r"^created_on: "):
        commands_of(Event("sapo", "1", "orders/create", payload, {}))


def test_ids_beyond_doubles_keep_all_their_digits() -> None:
    """Otherwise two orders are one to us, and the fetched one is a stranger's."""
    number = 2**53 + 1
    naming = named("shopify", {"x-shopify-topic": "refunds/create"}, {"order_id": number})
    assert naming.entity == f"order-{number}"
    assert named("woocommerce", {"x-wc-webhook-topic": "order.updated"}, {"id": str(number)}).entity == (
        f"order-{number}"
    )


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the way to every value inside `value`."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from paths(item, (*path, key))


ODD = (
    st.sampled_from(["", " ", "0", "NaN", "1e400", "-", "2026-13-99", "\u202e", "&#0;", True, False, None])
    | st.sampled_from([10**40, -1, Decimal("1E+300"), Decimal("NaN"), Decimal("0.1234567"), [], {}, [None]])
    | json_values
)


def survives(event: Event) -> None:
    """Let an event be named, fetched for and mapped; nothing but CannotMap may come of it."""
    kind = SOURCES[event.source]
    kind.name(Arrival(event.source, event.headers, event.payload, "d", event.options))
    if kind.fetches:
        list(kind.fetches(event))
    try:
        for command in kind.handlers[event.type](event):
            json.dumps(as_json(command))
    except CannotMap:
        return


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_garbled_payload_is_mapped_or_parked(data: st.DataObject) -> None:
    """Otherwise one odd order is tried for ever as our own fault, and those behind it wait."""
    body = data.draw(st.sampled_from(BODIES_OF_SHOPS))
    event = event_of(arrival_of(body), beside(body, "fetched"))
    whole = copy.deepcopy({"payload": event.payload, "fetched": dict(event.fetched)})
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(list(paths(whole))))
        holder: Any = whole
        for key in way:
            holder = holder[key]
        if data.draw(st.booleans()) and isinstance(holder, dict) and way:
            del holder[last]
        else:
            # A copy: the next round may write into what this one drew.
            holder[last] = copy.deepcopy(data.draw(ODD))
    if not isinstance(whole["payload"], dict):
        return  # `read` of these sources returns objects only
    fetched = whole.get("fetched")
    survives(replace(event, payload=whole["payload"], fetched=fetched if isinstance(fetched, dict) else {}))


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["id", "order_id", "currency", "line_items"]) | st.text(max_size=5), ODD)
)
def test_any_object_is_mapped_or_parked(payload: dict[str, Any]) -> None:
    """Otherwise whoever knows the address can take the worker's time with a few bytes."""
    for kind in SHOPS:
        for topic in SOURCES[kind].handlers:
            survives(Event(kind, "1", topic, payload, {}, fetched={"order": payload, "customer": payload}))
