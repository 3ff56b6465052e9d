"""Who somebody is, in forms whose owners named the fields."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.commands import as_json
from mappings.source import Event
from mappings.sources import SOURCES


def lead_of(payload: dict[str, Any]) -> dict[str, Any]:
    """Return the lead that a form with these fields makes."""
    event = Event(source="form", id="1", type="submitted", payload=payload, headers={})
    (lead,) = SOURCES["form"].handlers["submitted"](event)
    return as_json(lead)


@pytest.mark.parametrize(
    ("fields", "name", "first", "last"),
    [
        ({"name": "Mario", "surname": "Rossi"}, "Mario Rossi", "Mario", "Rossi"),
        ({"họ": "Đào", "tên": "Lan"}, "Đào Lan", "Lan", "Đào"),
        ({"name": "Mario Rossi", "surname": "Rossi"}, "Mario Rossi", "", "Rossi"),
        ({"name": "M. Rossi", "first name": "Mario", "surname": "Rossi"}, "M. Rossi", "Mario", "Rossi"),
    ],
)
def test_a_family_name_beside_the_name_is_kept(
    fields: dict[str, str], name: str, first: str, last: str
) -> None:
    """Otherwise a lead loses its family name.

    Many forms ask for the name and, apart from it, for the family name.
    """
    person = lead_of(fields)["person"]
    assert (person["name"], person["first_name"], person["last_name"]) == (name, first, last)


def test_a_nested_contact_has_its_address() -> None:
    """Otherwise a lead of a nested contact cannot be written to.

    `contact[name]` was known for long, and `contact[email]` was not.
    """
    payload = {"contact": {"name": "Ann", "email": "ann@example.com", "phone": "+84901234567"}}
    person = lead_of(payload)["person"]
    assert (person["name"], person["email"], person["phone"]) == ("Ann", "ann@example.com", "+84901234567")


def test_a_sentence_in_the_field_of_the_address_is_kept_whole() -> None:
    """Otherwise a sentence in the field of the address is cut up.

    What is no list of e-mail addresses stays as it was typed: a person can read it, and nothing is lost.
    """
    payload = {"email": "ann@example.com or call me", "name": "Ann"}
    lead = lead_of(payload)
    assert (lead["person"]["email"], lead["attributes"]) == ("ann@example.com or call me", {})
