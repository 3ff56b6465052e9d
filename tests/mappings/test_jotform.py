"""Submissions of Jotform, whose answers are a JSON text inside a form."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from mappings.errors import CannotMap
from tests.mappings.test_forms import lead, named, read


def jotform(raw: Any, number: str = "618") -> Any:
    text = raw if isinstance(raw, str) else json.dumps(raw)
    return read("jotform", urlencode({"formID": "26", "submissionID": number, "rawRequest": text}))


def test_an_edited_jotform_is_a_newer_version_of_its_lead() -> None:
    """Otherwise an edited submission is a second lead, or its old answer wins."""
    first = named("jotform", jotform({"q3_name": "Lan", "event_id": "1772440100000_26_a"}))
    edited = named("jotform", jotform({"q3_name": "Hoa", "event_id": "1772526500000_26_b"}))
    assert first.entity == edited.entity == "submission-618"
    assert str(first.version) < str(edited.version)
    assert first.dedup_key != edited.dedup_key
    assert first.window is not None
    unordered = named("jotform", jotform({"q3_name": "Lan"}))
    assert (unordered.entity, unordered.version) == ("submission-618", None)


def test_answers_that_cannot_be_read_are_stored() -> None:
    """Otherwise answers that cannot be read are refused and gone."""
    payload = jotform("{broken")
    assert payload["rawRequest"] == "{broken"
    assert named("jotform", payload).dedup_key != named("jotform", jotform("{broken too")).dedup_key
    with pytest.raises(CannotMap) as refusal:
        lead("jotform", payload)
    assert refusal.value.path == "rawRequest"


def test_a_field_that_is_named_is_not_guessed_from_its_shape() -> None:
    """Otherwise the named field loses its name to a guess from its shape."""
    raw = {"q3_name": {"first": "Lan", "last": "Ngo"}, "q4_boss": {"first": "Ada", "last": "Eze"}}
    found = lead("jotform", jotform(raw), fields={"name": "q4_boss", "assistant": "name"})
    assert found["person"]["name"] == "Ada Eze"
    assert found["attributes"] == {"assistant": "Lan Ngo"}


def test_the_names_that_jotform_makes_of_labels_say_who_it_is() -> None:
    """Otherwise the names that Jotform makes of labels hide who it is."""
    raw = {
        "q69_1Name69": "Lan",
        "q4_email4": "lan@example.com",
        "q5_5": "five",
        "q6_date6": "a",
        "q7_date7": "b",
    }
    found = lead("jotform", jotform(raw), fields={"moving": "date7"})
    assert (found["person"]["name"], found["person"]["email"]) == ("Lan", "lan@example.com")
    assert found["attributes"] == {"5": "five", "date": "a", "moving": "b"}
