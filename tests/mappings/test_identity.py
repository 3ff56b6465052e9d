"""Who somebody is: names, e-mail addresses, telephone numbers and companies, over all sources alike."""

from __future__ import annotations

import copy
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mappings.commands import OpenTicket, Person, RecordOrder
from mappings.sources import SOURCES
from mappings.writing.parties import contact_key
from tests.mappings.test_sources import BODIES, arrival_of, beside, event_of

#: An e-mail says no telephone number, so that no country has to be known.
INBOXES = {"mailgun", "postmark", "sendgrid"}
LOCAL = "090 123 4567"


def people(body: Path) -> Iterator[Person]:
    """Return everybody who is named in what a fixture becomes."""
    event = event_of(arrival_of(body), beside(body, "fetched"))
    for command in SOURCES[event.source].handlers[event.type](event):
        person = command.requester if isinstance(command, OpenTicket) else getattr(command, "person", None)
        person = person or getattr(command, "customer", None)
        if person is not None:
            yield person


def with_local_phone(thing: Any) -> Any:
    """Return an answer or a payload whose telephone number has no country, and whose addresses have none."""
    if isinstance(thing, list):
        return [with_local_phone(item) for item in thing]
    if not isinstance(thing, dict):
        return thing
    changed = {key: with_local_phone(value) for key, value in thing.items()}
    phones = {
        key: LOCAL for key, value in changed.items() if "phone" in key and isinstance(value, str | None)
    }
    countries = {key: "" for key, value in changed.items() if "country" in key and isinstance(value, str)}
    return changed | phones | countries


@pytest.mark.parametrize("kind", [kind for kind in SOURCES if kind not in INBOXES])
def test_a_number_is_read_by_nobodys_country(kind: str) -> None:
    """Otherwise a customer who leaves out the country code is a second customer."""
    assert "default_region" in SOURCES[kind].options


@pytest.mark.parametrize(
    "fixture",
    [
        "bigcommerce/store__order__created__coupon_and_handling.json",
        "stripe/invoice.paid__new_shape.json",
        "tiendanube/order__paid__card.json",
        "woocommerce/order.created__coupon_fee_shipping.json",
        "shopify/orders__create__two_discounts_free_shipping.json",
    ],
)
def test_a_number_without_a_country_is_kept_as_it_was_typed(fixture: str) -> None:
    kind = fixture.partition("/")[0]
    body = next(b for b in BODIES if f"{kind}/{b.name}" == fixture)
    arrival = arrival_of(body)
    arrival = replace(
        arrival,
        payload=with_local_phone(copy.deepcopy(arrival.payload)),
        options={**arrival.options, "default_region": "VN"},
    )
    event = event_of(arrival, with_local_phone(beside(body, "fetched")))
    (order,) = SOURCES[kind].handlers[event.type](event)
    assert isinstance(order, RecordOrder)
    assert order.customer is not None
    assert order.customer.phone == "+84901234567"


@pytest.mark.parametrize("body", BODIES, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_a_name_is_torn_apart_by_a_guess(body: Path) -> None:
    """Where a CRM demands two parts, its own mapping makes them; a source hands over what its sender says."""
    payload = arrival_of(body).payload
    said = f"{payload}{beside(body, 'fetched')}{b64decode(payload.get('data_base64', '')).decode()}"
    for person in people(body):
        for part in (person.first_name, person.last_name):
            assert part in said or part in body.read_text("utf-8", "replace")
        # As it was typed, capitals and all; what is compared is in lower case.
        assert person.email in said
        assert contact_key(person) == contact_key(replace(person, email=person.email.upper()))
