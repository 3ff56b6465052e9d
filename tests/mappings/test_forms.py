"""Submissions of form builders: what names them, what an edit is, and what no payload may do."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mappings.commands import as_json
from mappings.errors import BadBody, CannotMap
from mappings.source import Arrival, Naming
from mappings.sources import SOURCES
from tests.mappings.test_sources import BODIES, arrival_of, event_of, recorded

KINDS = ("contact_form_7", "elementor", "google_forms", "gravity_forms", "jotform", "wpforms")
OURS = [body for body in BODIES if body.parent.name in KINDS]
FORM = "application/x-www-form-urlencoded"


def named(kind: str, payload: Any, **options: Any) -> Naming:
    return SOURCES[kind].name(Arrival(kind, {}, payload, "digest", options))


def lead(kind: str, payload: Any, **options: Any) -> dict[str, Any]:
    event = event_of(Arrival(kind, {}, payload, "digest", options))
    (command,) = SOURCES[kind].handlers["submitted"](event)
    return as_json(command)


def read(kind: str, body: str, content_type: str = FORM) -> Any:
    return SOURCES[kind].read(body.encode(), content_type)


@pytest.mark.parametrize("body", OURS, ids=lambda body: f"{body.parent.name}/{body.stem}")
def test_a_submission_that_is_sent_twice_is_one_event(body: Path) -> None:
    """Otherwise a submission that is sent twice makes two leads."""
    first, again = arrival_of(body), arrival_of(body)
    name = SOURCES[body.parent.name].name
    assert name(first) == name(replace(again, body_digest="another boundary"))


@pytest.mark.parametrize("body", OURS, ids=lambda body: f"{body.parent.name}/{body.stem}")
def test_somebody_elses_submission_is_another_event(body: Path) -> None:
    """Otherwise somebody else's submission is taken for the same, and lost."""
    arrival, name = arrival_of(body), SOURCES[body.parent.name].name
    before = name(arrival)
    for path in leaves(arrival.payload):
        if path[-1] in ("name", "Name", "your-name", "Your Name", "1.3", "q3_name", "value", "who", "first"):
            changed = copy.deepcopy(arrival.payload)
            put(changed, path, "Somebody Else")
            is_bookkeeping = path[0] in ("meta", "form")
            assert (name(replace(arrival, payload=changed)).dedup_key == before.dedup_key) is is_bookkeeping


@pytest.mark.parametrize("kind", ["elementor", "contact_form_7", "wpforms"])
def test_equal_submissions_are_one_event_for_ten_minutes_only(kind: str) -> None:
    """Otherwise a customer who writes the same again next month is not heard."""
    assert named(kind, {"name": "Lan"}).window == timedelta(seconds=600)
    assert named(kind, {"name": "Lan"}, dedup_window_seconds=30).window == timedelta(seconds=30)


def test_a_visitor_who_tries_again_a_minute_later_is_one_lead() -> None:
    """Otherwise a visitor who tries again a minute later is two leads.

    Elementor shows an error when our answer is late; the time in the body is then another.
    """
    simple = dict(recorded("elementor/submitted__simple.txt").payload)
    later = simple | {"Time": "9:16 am", "User Agent": "Mozilla/5.0 (another)"}
    assert named("elementor", simple) == named("elementor", later)
    advanced = copy.deepcopy(recorded("elementor/submitted__advanced_german.txt").payload)
    again = copy.deepcopy(advanced)
    again["meta"]["time"]["value"] = "9:16"
    assert named("elementor", advanced) == named("elementor", again)
    again["form"]["id"] = "another form"
    assert named("elementor", advanced).dedup_key != named("elementor", again).dedup_key


def test_a_field_that_the_owner_called_like_the_builders_own_is_kept() -> None:
    """Otherwise a field that the owner called like the builder's own is thrown away.

    Only what stands at the end, where the plugin appends it, is the plugin's.
    """
    payload = read(
        "elementor",
        "Email=a%40example.com&Time=evening&Guests=4&Page+URL=https%3A%2F%2Fexample.com&form_id=1",
    )
    assert lead("elementor", payload)["attributes"] == {
        "Time": "evening",
        "Guests": "4",
        "page_url": "https://example.com",
    }


def test_a_template_that_makes_no_json_is_stored_as_text() -> None:
    """Otherwise a template that makes no JSON loses a customer.

    The plugin keeps no copy of what it sends, so the text is stored for a person to see.
    """
    broken = '{"name": "Lan", "message": "She said "hello" = hi"}'
    payload = read("contact_form_7", broken, "text/plain; charset=UTF-8")
    assert payload == broken
    other = read("contact_form_7", broken.replace("Lan", "Hoa"), "text/plain")
    assert named("contact_form_7", payload).dedup_key != named("contact_form_7", other).dedup_key
    with pytest.raises(CannotMap) as refusal:
        lead("contact_form_7", payload)
    assert refusal.value.path == "$"
    assert "your-field" in refusal.value.why
    fine = read("contact_form_7", '{"name": "Lan"}', "text/plain; charset=UTF-8")
    assert lead("contact_form_7", fine)["person"]["name"] == "Lan"


def test_a_telephone_number_is_known_by_the_names_that_plugins_make_up() -> None:
    """Otherwise a telephone number is lost because the plugin made up its name."""
    payload = {
        "text-1": "Lan",
        "tel-927": "0901",
        "tel-928": "0902",
        "acceptance-terms": "1",
        "email-of-friend": "x",
    }
    found = lead("contact_form_7", payload, fields={"name": "text-1"})
    assert (found["person"]["phone"], found["consent"]) == ("0901", "1")
    assert found["attributes"] == {"tel-928": "0902", "email-of-friend": "x"}
    both = lead("contact_form_7", {"tel-927": "0901", "phone": "0902"}, fields={"office": "tel-927"})
    assert (both["person"]["phone"], both["attributes"]) == ("0902", {"office": "0901"})


@pytest.mark.parametrize(
    ("name", "ours"),
    [
        ("your-tel", "phone"),
        ("your-mobile-phone", "phone"),
        ("ihre-telefonnummer", "phone"),
        ("votre-téléphone", "phone"),
        ("Phone (optional) *", "phone"),
        ("mail", "email"),
        ("votre-email", "email"),
        ("Correo (obligatorio)", "email"),
        ("Your Name (required)", "name"),
        ("votre-nom", "name"),
        ("Họ và tên (bắt buộc)", "name"),
        ("Name (of your pet)", ""),
        ("your-subject", ""),
        ("your", ""),
    ],
)
def test_a_field_called_yours_or_required_names_the_person(name: str, ours: str) -> None:
    """Otherwise a person is unknown because the field is called "your-name" or "Name (required)"."""
    found = lead("contact_form_7", {name: "0901", "contact-name": "Lan", "contact-phone": "0902"})
    if ours == "name":
        assert found["person"]["name"] == "0901"
    elif ours:
        assert found["person"][ours] == "0901"
    else:
        assert found["attributes"] == {name: "0901"}


@pytest.mark.parametrize("body", [b"", b" \r\n"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_body_is_refused(kind: str, body: bytes) -> None:
    """Otherwise an empty body is stored as a submission."""
    for media in SOURCES[kind].media_types:
        with pytest.raises(BadBody):
            SOURCES[kind].read(body, media)


def test_equal_submissions_that_the_site_numbers_are_two_events() -> None:
    """Otherwise the second of two equal wishes is lost though the site numbers them."""
    cf7 = [named("contact_form_7", {"your-name": "Lan", "_serial_number": n}) for n in ("7", "8")]
    wpforms = [named("wpforms", {"Name": "Lan", "number": n}, entry_id="number") for n in ("7", 8)]
    for first, second in (cf7, wpforms):
        assert first.dedup_key != second.dedup_key
        assert first.window is None
        assert first.entity is None
    lite = named("wpforms", {"Name": "Lan", "entry_id": "0"})
    assert lite.window is not None


def gravity(**changed: Any) -> dict[str, Any]:
    return {"id": "5", "form_id": "2", "date_updated": "2026-03-02 08:15:30", "2": "a@example.com", **changed}


def test_an_edited_entry_is_a_newer_version_of_its_lead() -> None:
    """Otherwise an edited entry is a second lead, or its old state wins."""
    first, second = (
        named("gravity_forms", gravity()),
        named("gravity_forms", gravity(date_updated="2026-03-02 08:16:00")),
    )
    assert first.entity == second.entity == "entry-2-5"
    assert first.version == "2026-03-02T08:15:30.000000Z"
    assert str(first.version) < str(second.version)
    assert first.dedup_key != second.dedup_key
    assert first.window is None
    assert first == named("gravity_forms", gravity(is_read="1", is_starred="1"))
    assert named("gravity_forms", gravity(date_updated="soon")).version is None


def test_two_edits_within_one_second_are_two_events() -> None:
    """Otherwise two edits within one second are taken for one."""
    assert (
        named("gravity_forms", gravity()).dedup_key != named("gravity_forms", gravity(**{"3": "x"})).dedup_key
    )


@pytest.mark.parametrize("status", ["spam", "trash"])
def test_spam_that_gravity_forms_has_recognised_is_no_lead(status: str) -> None:
    """Otherwise spam that Gravity Forms has recognised becomes a lead."""
    naming = named("gravity_forms", gravity(status=status))
    assert naming.type in SOURCES["gravity_forms"].ignored
    assert named("gravity_forms", {"status": status, "email": "a@example.com"}).type == "submitted"


def test_choices_that_nobody_named_are_attributes_of_their_own() -> None:
    """Otherwise choices that nobody named are lost or mixed up."""
    payload = gravity(
        **{"4.10": "ten", "4.2": "two", "9": '["a\\/b"]', "11": "[not JSON]", "12": "[1]", "gpoll": "3"}
    )
    options = {"fields": {"email": "2", "tenth": "4.10"}}
    assert lead("gravity_forms", payload, **options)["attributes"] == {
        "tenth": "ten",
        "4": "two",
        "9": "a/b",
        "11": "[not JSON]",
        "12": "[1]",
        "entry_id": "5",
    }


def response(**changed: Any) -> dict[str, Any]:
    script = {
        "responseId": "2_AB",
        "timestamp": "2026-03-02T02:15:00.000Z",
        "sentAt": "2026-03-02T02:15:03.000Z",
    }
    return script | {"namedValues": {"Name": ["Lan"]}} | changed


def test_an_edited_response_is_a_newer_version_of_its_lead() -> None:
    """Otherwise an edited response is a second lead, or its old answer wins."""
    first = named("google_forms", response())
    edited = named(
        "google_forms",
        response(namedValues={"Name": ["Lan"], "Size": ["L"]}, sentAt="2026-03-02T03:00:00.000Z"),
    )
    assert first.entity == edited.entity == "response-2_AB"
    assert str(first.version) < str(edited.version)
    assert first.dedup_key != edited.dedup_key


def test_a_trigger_that_fires_twice_makes_one_event() -> None:
    """Otherwise a trigger that fires twice makes two leads."""
    first, again = response(), response(sentAt="2026-03-02T02:15:04.000Z")
    assert named("google_forms", first).dedup_key == named("google_forms", again).dedup_key
    assert named("google_forms", first).window is not None, "an answer that is changed back later is news"


def test_the_scripts_test_is_a_test_and_hides_no_response() -> None:
    """Otherwise the script's test becomes a lead, or hides one."""
    test, genuine = named("google_forms", response(test=True)), named("google_forms", response())
    assert test.test
    assert not genuine.test
    assert test.dedup_key != genuine.dedup_key


@pytest.mark.parametrize("number", ["", "a b", "../x", "x" * 201, None, 1.5, ["2"]])
def test_a_response_without_a_usable_id_stands_alone(number: Any) -> None:
    """Otherwise a response without a usable id overwrites another."""
    naming = named("google_forms", response(responseId=number))
    assert (naming.entity, naming.version) == (None, None)


def test_a_spreadsheets_edit_is_no_lead() -> None:
    """Otherwise a spreadsheet's edit becomes a lead without a person.

    Without our script an edit brings the changed cells alone.
    """
    with pytest.raises(CannotMap, match="Size"):
        lead("google_forms", {"namedValues": {"Horodateur": ["02/03/2026"], "Name": [""], "Size": ["L"]}})
    with pytest.raises(CannotMap, match=r"google-forms\.gs"):
        lead("google_forms", {"values": ["Lan"]})


def test_the_address_that_was_typed_goes_before_the_one_that_google_collected() -> None:
    """Otherwise the address that Google collected hides the one that was typed."""
    typed = response(namedValues={"Email": ["work@example.com"]}, respondentEmail="home@example.com")
    assert lead("google_forms", typed)["person"]["email"] == "work@example.com"
    assert lead("google_forms", typed)["attributes"] == {"email address": "home@example.com"}
    same = response(namedValues={"Email": ["home@example.com"]}, respondentEmail="home@example.com")
    assert lead("google_forms", same)["attributes"] == {}


def test_a_question_with_brackets_can_be_named() -> None:
    """Otherwise a question with brackets cannot be given a place."""
    payload = response(namedValues={"Times [Monday]": ["early"], "Name": ["Lan"]})
    options = {"fields": {"monday": "Times [Monday]"}}
    assert lead("google_forms", payload, **options)["attributes"] == {"monday": "early"}


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Return the paths to all that is inside a payload."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inside:
        yield (*path, key)
        yield from leaves(item, (*path, key))


def put(payload: Any, path: tuple[Any, ...], value: Any) -> None:
    for key in path[:-1]:
        payload = payload[key]
    _ = payload[path[-1]]  # nothing is put where nothing is
    payload[path[-1]] = value
