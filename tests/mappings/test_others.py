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
def test_an_order_keeps_its_cents(body: Any) -> None:
    """Otherwise cents of an order are lost."""
    event = event_of(arrival_of(body), beside(body, "fetched"))
    for order in SOURCES[event.source].handlers[event.type](event):
        if isinstance(order, RecordOrder):
            lines = sum((line.total for line in order.lines), NOTHING)
            assert lines + order.shipping + order.tax - order.discount == order.total


@pytest.mark.parametrize("body", FIXTURES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_an_event_that_is_posted_again_is_the_same_event(body: Any) -> None:
    """Otherwise an event that is posted again is done again."""
    kind = SOURCES[body.parent.name]
    assert kind.name(arrival_of(body)) == kind.name(arrival_of(body))


def test_a_payment_goes_before_the_checkout_that_waited_for_it() -> None:
    """Otherwise a payment that came through is overwritten by the checkout that waited for it."""
    waiting, paid = (
        named(name, created=1772445600)
        for name in ("stripe/checkout.session.completed__yen_not_yet_paid.json", PAID)
    )
    assert waiting.entity == paid.entity
    assert (waiting.version or "") < (paid.version or "")
    assert (paid.version or "") < (named(PAID, created=1772445601).version or "")


def test_a_subscription_is_one_order() -> None:
    """Otherwise a subscription is two orders: one of the checkout and one of its invoice."""
    checkout = named("stripe/checkout.session.completed__dinars_with_invoice.json")
    invoice = recorded("stripe/invoice.paid__new_shape.json")
    invoice.payload["data"]["object"]["id"] = "in_9"
    naming = SOURCES["stripe"].name(invoice)
    assert naming.entity == checkout.entity == "order-in_9"
    later = named("stripe/checkout.session.completed__dinars_with_invoice.json", created=1772449999)
    assert (naming.version or "") > (later.version or ""), "the invoice's number and address would be lost"


def test_a_payment_of_test_mode_is_a_test() -> None:
    """Otherwise a payment of test mode becomes a sale."""
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
def test_amounts_have_the_decimals_of_their_currency(currency: str, amount: int, total: str) -> None:
    """Otherwise an amount is a hundred times too much."""
    arrival = recorded(PAID)
    arrival.payload["data"]["object"] |= {"currency": currency, "amount_total": amount}
    fetched = {"line_items": {"data": [], "has_more": False}}
    (order,) = SOURCES["stripe"].handlers[arrival.payload["type"]](event_of(arrival, fetched))
    assert as_json(order)["total"] == total


def test_an_order_of_more_lines_than_were_read_is_parked() -> None:
    """Otherwise the hundred and first line is left out of an order."""
    event = event_of(recorded(PAID), {"line_items": {"data": [], "has_more": True}})
    with pytest.raises(CannotMap, match=r"line_items\.has_more"):
        list(SOURCES["stripe"].handlers[event.type](event))


@pytest.mark.parametrize("id_", ["cs_1/../../v1/customers", "../charges", "", None, 7, "cs_é"])
def test_an_id_that_is_none_is_never_asked_for(id_: Any) -> None:
    """Otherwise an id of a payload leads our token to another address."""
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


def test_what_an_event_does_not_hold_is_fetched() -> None:
    """Otherwise an order lacks its lines, or each event costs calls for nothing."""
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


def test_a_second_change_of_an_order_is_another_event() -> None:
    """Otherwise a second change of an order is taken for the first.

    Their bodies are equal; only the first read of the order could have seen both.
    """
    changed = named("tiendanube/order__updated__note.json")
    assert changed.window is not None
    assert changed.window.total_seconds() <= 1
    assert named("tiendanube/order__created__coupon.json").window is None
    assert named("bigcommerce/store__order__updated__incomplete.json") != named(
        "bigcommerce/store__order__updated__incomplete.json", hash="other"
    )


def test_an_event_of_another_store_is_parked() -> None:
    """Otherwise an order of another store is read at ours."""
    arrival = recorded("tiendanube/order__paid__card.json")
    event = event_of(replace(arrival, payload={**arrival.payload, "store_id": 9}))
    with pytest.raises(CannotMap, match="store_id"):
        list(SOURCES["tiendanube"].handlers[event.type](event))


def test_numbers_by_paths_sort_as_versions() -> None:
    """Otherwise an old state overwrites a new one."""
    versions = [named(LEAD, data={"ref": "a", "rev": rev}).version or "" for rev in (9, 10, "11", 100)]
    assert versions == sorted(versions)
    assert len({*versions, ""}) == 5
    assert named(LEAD, data={"ref": "a", "rev": "v12"}).version is None


def test_events_by_paths_that_are_alike_are_two() -> None:
    """Otherwise an event by paths that is like another is swallowed."""
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
def test_a_version_that_is_no_number_is_none(number: Any) -> None:
    """Otherwise a number that is none crashes the door."""
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
def test_a_mapped_field_that_is_not_there_is_told_with_its_path(change: Any, path: str) -> None:
    """Otherwise a mapped field that is not there leaves a gap that nobody sees."""
    arrival = recorded(LEAD)
    event = event_of(replace(arrival, payload={**arrival.payload, **change}))
    with pytest.raises(CannotMap) as refusal:
        list(SOURCES["generic"].handlers["lead"](event))
    assert refusal.value.path == path


def test_a_field_that_may_be_missing_stops_no_event() -> None:
    """Otherwise a field that may be missing stops the event."""
    arrival = recorded(LEAD)
    del arrival.payload["data"]["note"]
    options = copy.deepcopy(dict(arrival.options))
    options["map"]["optional"] = ["message"]
    (lead,) = SOURCES["generic"].handlers["lead"](event_of(replace(arrival, options=options)))
    assert as_json(lead)["message"] == ""


def test_a_state_that_nobody_explained_is_parked() -> None:
    """Otherwise a state that nobody explained is guessed."""
    arrival = recorded("generic/order__minor_units_tax_inside.json")
    event = event_of(replace(arrival, payload={**arrival.payload, "state": "storniert"}))
    with pytest.raises(CannotMap, match=r"state.*statuses"):
        list(SOURCES["generic"].handlers["order"](event))


@pytest.mark.parametrize("wrong", [{"emial": "a"}, {"email": "a..b"}, {"line": {"price": "a"}}, {"email": 3}])
def test_a_slip_in_the_map_is_found_at_the_start(wrong: Any) -> None:
    """Otherwise a slip in the map is found with the first event only."""
    with pytest.raises(Exception, match=r"Unknown field|dotted path|Not a valid string"):
        PATH_OPTIONS["map"].deserialize(wrong)


def test_events_that_the_owner_ignores_or_never_named_stay_out() -> None:
    """Otherwise events that the owner ignores or never named reach the CRM."""
    options = {"events": {"booking.asked": "ignored"}, "map": {"event": "type"}}
    generic, arrival = SOURCES["generic"], replace(recorded(LEAD), options=options)
    assert generic.name(arrival).type in generic.ignored
    other = generic.name(replace(arrival, payload={"type": "booking.left"})).type
    assert other == "booking.left"
    assert other not in generic.handlers


def test_the_events_of_a_batch_are_read_again_as_they_were() -> None:
    """Otherwise the events of a batch are read otherwise when they are stored."""
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


def test_an_array_in_binary_mode_is_one_event() -> None:
    """Otherwise an array in binary mode is torn apart."""
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
def test_an_odd_payload_is_mapped_or_parked(body: Any, data: Any) -> None:
    """Otherwise an odd payload stops the worker."""
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
