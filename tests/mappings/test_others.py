"""What fixtures cannot show of the sources mapped by paths, Stripe, BigCommerce and Tiendanube."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.commands import RecordOrder, as_json
from mappings.errors import BadBody, CannotMap
from mappings.families.by_paths import PATH_OPTIONS
from mappings.families.order_totals import NOTHING
from mappings.source import Arrival, Naming
from mappings.sources import SOURCES
from tests.mappings.test_sources import BODIES, arrival_of, beside, event_of, recorded

OURS = ("bigcommerce", "cloudevents", "generic", "standard_webhooks", "stripe", "tiendanube")
FIXTURES = [body for body in BODIES if body.parent.name in OURS]
PAID = "stripe/checkout.session.async_payment_succeeded__yen.json"
LEAD = "generic/lead__from_a_booking_tool.json"


def named(name: str, **changed: Any) -> Naming:
    """Return what the fixture is called with these top-level values of its payload changed."""
    arrival = recorded(name)
    return SOURCES[arrival.source].name(replace(arrival, payload={**arrival.payload, **changed}))


@pytest.mark.parametrize("body", FIXTURES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_order_of_which_cents_are_lost(body: Any) -> None:
    event = event_of(arrival_of(body), beside(body, "fetched"))
    for order in SOURCES[event.source].handlers[event.type](event):
        if isinstance(order, RecordOrder):
            lines = sum((line.total for line in order.lines), NOTHING)
            assert lines + order.shipping + order.tax - order.discount == order.total


@pytest.mark.parametrize("body", FIXTURES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_event_that_is_posted_again_is_done_again(body: Any) -> None:
    kind = SOURCES[body.parent.name]
    assert kind.name(arrival_of(body)) == kind.name(arrival_of(body))


def test_a_payment_that_came_through_is_overwritten_by_the_checkout_that_waited_for_it() -> None:
    waiting, paid = (
        named(name, created=1772445600)
        for name in ("stripe/checkout.session.completed__yen_not_yet_paid.json", PAID)
    )
    assert waiting.entity == paid.entity
    assert (waiting.version or "") < (paid.version or "")
    assert (paid.version or "") < (named(PAID, created=1772445601).version or "")


def test_a_subscription_is_two_orders_one_of_the_checkout_and_one_of_its_invoice() -> None:
    checkout = named("stripe/checkout.session.completed__dinars_with_invoice.json")
    invoice = recorded("stripe/invoice.paid__new_shape.json")
    invoice.payload["data"]["object"]["id"] = "in_9"
    naming = SOURCES["stripe"].name(invoice)
    assert naming.entity == checkout.entity == "order-in_9"
    later = named("stripe/checkout.session.completed__dinars_with_invoice.json", created=1772449999)
    assert (naming.version or "") > (later.version or ""), "the invoice's number and address would be lost"


def test_a_payment_of_test_mode_becomes_a_sale() -> None:
    assert named(PAID, livemode=False).test
    assert not named(PAID).test


@pytest.mark.parametrize(
    ("currency", "amount", "total"),
    [
        ("usd", 1099, "10.99"),
        ("vnd", 1099, "1099"),
        ("bhd", 1099, "1.099"),
        ("isk", 500, "5"),
        ("ugx", 500, "5"),
    ],
)
def test_an_amount_is_a_hundred_times_too_much(currency: str, amount: int, total: str) -> None:
    arrival = recorded(PAID)
    arrival.payload["data"]["object"] |= {"currency": currency, "amount_total": amount}
    fetched = {"line_items": {"data": [], "has_more": False}}
    (order,) = SOURCES["stripe"].handlers[arrival.payload["type"]](event_of(arrival, fetched))
    assert as_json(order)["total"] == total


def test_the_hundred_and_first_line_is_left_out_of_an_order() -> None:
    event = event_of(recorded(PAID), {"line_items": {"data": [], "has_more": True}})
    with pytest.raises(CannotMap, match=r"line_items\.has_more"):
        list(SOURCES["stripe"].handlers[event.type](event))


@pytest.mark.parametrize("id_", ["cs_1/../../v1/customers", "../charges", "", None, 7, "cs_é"])
def test_an_id_of_a_payload_leads_our_token_to_another_address(id_: Any) -> None:
    stripe = recorded(PAID)
    stripe.payload["data"]["object"]["id"] = id_
    big = recorded("bigcommerce/store__order__created__coupon_and_handling.json")
    big.payload["data"]["id"] = id_ if id_ != 7 else "7/../8"
    tienda = replace(
        recorded("tiendanube/order__paid__card.json"), payload={"event": "order/paid", "id": "1?x"}
    )
    for arrival in (stripe, big, tienda):
        fetches = SOURCES[arrival.source].fetches
        assert fetches is not None
        assert list(fetches(event_of(arrival))) == []


def test_the_wrong_things_are_fetched() -> None:
    asked = {}
    for body in FIXTURES:
        event, fetches = event_of(arrival_of(body)), SOURCES[body.parent.name].fetches
        asked[body.stem] = [(f.path, dict(f.query)) for f in fetches(event)] if fetches else []
    page = {"limit": "100"}
    assert asked["invoice.paid__new_shape"] == []
    assert asked["checkout.session.completed__card_kept_for_later"] == []
    assert asked["invoice.payment_failed__old_shape_long_list"] == [("v1/invoices/in_8/lines", page)]
    assert asked["checkout.session.async_payment_failed__yen"] == [
        ("v1/checkout/sessions/cs_live_a2/line_items", page)
    ]
    assert asked["store__order__updated__incomplete"] == [
        ("v2/orders/250", {}),
        ("v2/orders/250/products", {"limit": "250"}),
    ]
    assert asked["order__paid__card"] == [("orders/871254203", {})]


def test_a_second_change_of_an_order_is_taken_for_the_first() -> None:
    """Their bodies are equal; only the first read of the order could have seen both."""
    changed = named("tiendanube/order__updated__note.json")
    assert changed.window is not None
    assert changed.window.total_seconds() <= 1
    assert named("tiendanube/order__created__coupon.json").window is None
    assert named("bigcommerce/store__order__updated__incomplete.json") != named(
        "bigcommerce/store__order__updated__incomplete.json", hash="other"
    )


def test_an_order_of_another_store_is_read_at_ours() -> None:
    arrival = recorded("tiendanube/order__paid__card.json")
    event = event_of(replace(arrival, payload={**arrival.payload, "store_id": 9}))
    with pytest.raises(CannotMap, match="store_id"):
        list(SOURCES["tiendanube"].handlers[event.type](event))


def test_an_old_state_by_paths_overwrites_a_new_one() -> None:
    versions = [named(LEAD, data={"ref": "a", "rev": rev}).version or "" for rev in (9, 10, "11", 100)]
    assert versions == sorted(versions)
    assert len({*versions, ""}) == 5
    assert named(LEAD, data={"ref": "a", "rev": "v12"}).version is None


def test_an_event_by_paths_that_is_like_another_is_swallowed() -> None:
    keys = [
        named(LEAD, **changed).dedup_key
        for changed in (
            {},
            {"delivery": "d-2"},
            {"type": "other"},
            {"data": {"ref": "a", "rev": 4}},
            {"delivery": ""},
        )
    ]
    assert len(set(keys)) == len(keys)
    plain = recorded("generic/lead__urlencoded_form.txt")
    assert SOURCES["generic"].name(plain).window is not None


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("sNaN"), Decimal("-1"), 10**400, True])
def test_a_number_that_is_none_crashes_the_door(number: Any) -> None:
    assert named(LEAD, data={"ref": "a", "rev": number}).version is None


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (
            {"data": {"ref": "a", "rev": 1, "note": "", "guest": {"full": "A"}}},
            "data.guest.mail",
        ),
        ({"delivery": None, "data": None}, "data.ref"),
        ({"data": {"ref": "a", "rev": "v1", "guest": {}}}, "data.rev"),
    ],
)
def test_a_mapped_field_that_is_not_there_leaves_a_gap_that_nobody_sees(change: Any, path: str) -> None:
    arrival = recorded(LEAD)
    event = event_of(replace(arrival, payload={**arrival.payload, **change}))
    with pytest.raises(CannotMap) as refusal:
        list(SOURCES["generic"].handlers["lead"](event))
    assert refusal.value.path == path


def test_a_field_that_may_be_missing_stops_the_event() -> None:
    arrival = recorded(LEAD)
    del arrival.payload["data"]["note"]
    options = copy.deepcopy(dict(arrival.options))
    options["map"]["optional"] = ["message"]
    (lead,) = SOURCES["generic"].handlers["lead"](event_of(replace(arrival, options=options)))
    assert as_json(lead)["message"] == ""


def test_a_state_that_nobody_explained_is_guessed() -> None:
    arrival = recorded("generic/order__minor_units_tax_inside.json")
    event = event_of(replace(arrival, payload={**arrival.payload, "state": "storniert"}))
    with pytest.raises(CannotMap, match=r"state.*statuses"):
        list(SOURCES["generic"].handlers["order"](event))


@pytest.mark.parametrize("wrong", [{"emial": "a"}, {"email": "a..b"}, {"line": {"price": "a"}}, {"email": 3}])
def test_a_slip_in_the_map_is_found_with_the_first_event_only(wrong: Any) -> None:
    with pytest.raises(Exception, match=r"Unknown field|dotted path|Not a valid string"):
        PATH_OPTIONS["map"].deserialize(wrong)


def test_events_that_the_owner_ignores_or_never_named_reach_the_crm() -> None:
    options = {"events": {"booking.asked": "ignored"}, "map": {"event": "type"}}
    generic, arrival = SOURCES["generic"], replace(recorded(LEAD), options=options)
    assert generic.name(arrival).type in generic.ignored
    other = generic.name(replace(arrival, payload={"type": "booking.left"})).type
    assert other == "booking.left"
    assert other not in generic.handlers


def test_the_events_of_a_batch_are_read_otherwise_when_they_are_stored() -> None:
    kind, content_type = SOURCES["cloudevents"], "application/cloudevents-batch+json"
    events = [{"specversion": "1.0", "type": "t", "source": "s", "id": str(i), "data": {}} for i in (1, 2)]
    assert kind.parts is not None
    parts = kind.parts(kind.read(json.dumps(events).encode(), content_type))
    assert [kind.read(json.dumps(part).encode(), content_type) for part in parts] == events
    keys = {kind.name(Arrival("e", {"content-type": content_type}, part, "d")).dedup_key for part in parts}
    assert keys == {"s 1", "s 2"}
    with pytest.raises(BadBody):
        kind.read(b"[1]", content_type)
    with pytest.raises(BadBody):
        kind.read(b"[]", "application/cloudevents+json")


def test_an_array_in_binary_mode_is_torn_apart() -> None:
    kind = SOURCES["cloudevents"]
    payload = kind.read(b"[1, 2]", "application/json")
    assert kind.parts is not None
    assert kind.parts(payload) == [payload]


odd = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals() | st.text(max_size=6) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each container of `value` with each of its keys."""
    for key in (
        list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    ):
        yield value, key
        yield from places(value[key])


@given(st.sampled_from(FIXTURES), st.data())
def test_an_odd_payload_stops_the_worker_instead_of_being_parked(body: Any, data: Any) -> None:
    arrival, fetched = arrival_of(body), beside(body, "fetched")
    kind, type_ = SOURCES[arrival.source], event_of(arrival_of(body)).type
    whole = {"payload": copy.deepcopy(arrival.payload), "fetched": fetched}
    for _ in range(data.draw(st.integers(1, 3))):
        container, key = (
            data.draw(st.sampled_from(list(places(whole)))) if any(places(whole)) else (whole, "payload")
        )
        if data.draw(st.booleans()) and isinstance(container, dict) and container is not whole:
            del container[key]
        else:
            container[key] = data.draw(odd)
    event = event_of(replace(arrival, payload=whole["payload"]), None)
    fetched = whole["fetched"] if isinstance(whole.get("fetched"), dict) else {}
    list(kind.fetches(event) if kind.fetches else ())
    try:
        for command in kind.handlers[type_](replace(event, type=type_, fetched=fetched)):
            as_json(command)
    except CannotMap:
        return
