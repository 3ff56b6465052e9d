"""Sources of leads: what their payloads are called, what comes in one post, and what no payload may do."""

from __future__ import annotations

import copy
import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
import simplejson
from hypothesis import given
from hypothesis import strategies as st

from mappings.commands import RegisterLead, as_json
from mappings.errors import BadBody, CannotMap
from mappings.source import Arrival, Event, Naming
from mappings.sources import SOURCES
from tests.mappings.test_sources import BODIES, arrival_of, beside, event_of, json_values, recorded

KINDS = ("calendly", "google_ads", "hubspot", "meta_lead_ads", "tally", "typeform", "webflow")
FIXTURES = {f"{body.parent.name}/{body.stem}": body for body in BODIES if body.parent.name in KINDS}


def named(kind: str, payload: Any, **options: Any) -> Naming:
    """Return what `payload` is called when it comes by itself."""
    digest = hashlib.sha256(repr(payload).encode()).hexdigest()
    return SOURCES[kind].name(Arrival(kind, {}, payload, digest, options))


def changed(name: str, *path: str | int, to: Any) -> Any:
    """Return the payload of a fixture with another value at `path`; for None, without what is there."""
    payload = copy.deepcopy(recorded(name).payload)
    inner = payload
    for key in path[:-1]:
        inner = inner[key]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return payload


TYPEFORM = "typeform/form_response__every_kind_of_answer.json"
TALLY = "tally/FORM_RESPONSE__choices_and_their_twins.json"
WEBFLOW = "webflow/form_submission__telephone_as_a_number.json"
BOOKED = "calendly/invitee.created__questions_and_campaign.json"
CANCELED = "calendly/invitee.canceled__by_the_invitee.json"
GOOGLE = "google_ads/lead__columns_without_names.json"
CREATED = "hubspot/contact.creation__fetched.json"
CHANGED = "hubspot/contact.propertyChange__of_any_kind_of_object.json"
WORKFLOW = "hubspot/workflow.contact__whole.json"
LEADGEN = "meta_lead_ads/leadgen__ready_made_and_own_questions.json"


@pytest.mark.parametrize(
    ("name", "path", "to"),
    [
        (TYPEFORM, ("event_id",), "01JANOTHER"),
        (TALLY, ("eventId",), "another"),
        (BOOKED, ("created_by",), "https://api.calendly.com/users/U9"),
        (GOOGLE, ("gcl_id",), "other"),
        (CREATED, ("attemptNumber",), 3),
        (WORKFLOW, ("form-submissions",), [{"page-url": "https://www.example.com"}]),
        (LEADGEN, ("entry", 0, "time"), 1772450999),
    ],
)
def test_a_post_that_is_sent_again_is_the_same_event(name: str, path: tuple[str | int, ...], to: Any) -> None:
    """Otherwise a post that is sent again makes a second lead."""
    kind = name.partition("/")[0]
    assert named(kind, changed(name, *path, to=to)).dedup_key == named(kind, recorded(name).payload).dedup_key


@pytest.mark.parametrize(
    ("name", "path", "to"),
    [
        (TYPEFORM, ("form_response", "token"), "7c1e5f0a9b2d43e9"),
        (TALLY, ("data", "submissionId"), "rA9"),
        (WEBFLOW, ("payload", "id"), "65f000000000000000000abe"),
        (BOOKED, ("event",), "invitee.canceled"),
        (BOOKED, ("payload", "uri"), "https://api.calendly.com/scheduled_events/MEET-1/invitees/INV-A2"),
        (GOOGLE, ("lead_id",), "CjwKLead-0001_y"),
        (CREATED, ("objectId",), 106314056577),
        (CHANGED, ("occurredAt",), 1772445900001),
        (CHANGED, ("propertyName",), "mobilephone"),
        (CHANGED, ("propertyValue",), "912 345 679"),
        (CHANGED, ("portalId",), 45),
        (WORKFLOW, ("properties", "lastmodifieddate", "value"), "1772445600124"),
        (WORKFLOW, ("portal-id",), 45),
        (LEADGEN, ("entry", 0, "changes", 0, "value", "leadgen_id"), "612345678901234568"),
    ],
)
def test_people_who_differ_in_little_are_two_events(name: str, path: tuple[str | int, ...], to: Any) -> None:
    """Otherwise two people who differ in little pass for one, and the second is lost."""
    kind = name.partition("/")[0]
    assert named(kind, changed(name, *path, to=to)).dedup_key != named(kind, recorded(name).payload).dedup_key


@pytest.mark.parametrize(
    ("name", "path"),
    [
        (TYPEFORM, ("form_response", "token")),
        (BOOKED, ("payload", "uri")),
        (GOOGLE, ("lead_id",)),
        (CREATED, ("objectId",)),
        (LEADGEN, ("entry", 0, "changes", 0, "value", "leadgen_id")),
    ],
)
def test_events_without_the_usual_id_differ_by_what_they_say(name: str, path: tuple[str | int, ...]) -> None:
    """Otherwise events without the usual id all pass for one."""
    kind, (*parents, last) = name.partition("/")[0], path
    bare = changed(name, *path, to=None)
    other = changed(name, *parents, last, to="../odd id")
    assert named(kind, bare).dedup_key != named(kind, other).dedup_key
    assert named(kind, bare).entity is None


def test_partial_submissions_are_ignored_beside_the_whole_one() -> None:
    """Otherwise partial submissions of one visitor hide the whole one."""
    partial = changed(TYPEFORM, "event_type", to="form_response_partial")
    later = {**partial, "event_id": "01JLATER"}
    keys = {named("typeform", p).dedup_key for p in (partial, later, recorded(TYPEFORM).payload)}
    assert len(keys) == 3
    assert named("typeform", partial).type in SOURCES["typeform"].ignored


def test_a_submission_without_a_number_is_known_by_what_it_says() -> None:
    """Otherwise a submission without a number is lost or doubled."""
    for name in (WEBFLOW, "webflow/form_submission__flat_of_the_first_interface.json"):
        at = ("payload", "id") if name == WEBFLOW else ("_id",)
        bare = changed(name, *at, to=None)
        first = named("webflow", bare, dedup_window_seconds=60)
        assert first.window is not None
        assert first.window.total_seconds() == 60
        assert first == named("webflow", bare, dedup_window_seconds=60)
        data = (bare["payload"] if name == WEBFLOW else bare)["data"]
        data["More"] = "1"
        assert named("webflow", bare).dedup_key != first.dedup_key
    contact = changed(WORKFLOW, "properties", "lastmodifieddate", to=None)
    assert named("hubspot", contact).window is not None


def test_a_cancellation_goes_before_its_booking() -> None:
    """Otherwise a booking that comes late brings a cancelled meeting back.

    The cancellation must sort after the booking, whichever came first.
    """
    booked, cancelled = (
        named("calendly", recorded(BOOKED).payload),
        named("calendly", recorded(CANCELED).payload),
    )
    assert booked.entity == cancelled.entity == "invitee-INV-A1"
    assert (booked.version or "") < (cancelled.version or "")


def test_a_moved_meeting_and_the_old_one_name_each_other() -> None:
    """Otherwise a moved meeting cannot be found from the old one."""
    old = recorded("calendly/invitee.canceled__moved_to_another_day.json")
    new = recorded("calendly/invitee.created__moved_from_another_day.json")
    (gone,) = map(as_json, SOURCES["calendly"].handlers["invitee.canceled"](event_of(old)))
    (come,) = map(as_json, SOURCES["calendly"].handlers["invitee.created"](event_of(new)))
    assert come["key"].endswith(gone["attributes"]["rescheduled_to"])
    assert gone["key"].endswith(come["attributes"]["rescheduled_from"])


def test_a_subscription_and_a_workflow_share_one_order_of_versions() -> None:
    """Otherwise a subscription and a workflow overwrite each other in the wrong order."""
    earlier = named("hubspot", changed(CREATED, "objectId", to=251))
    workflow = named("hubspot", recorded(WORKFLOW).payload)
    assert earlier.entity == workflow.entity == "contact-251"
    assert (
        (earlier.version or "")
        < (workflow.version or "")
        < (named("hubspot", recorded(CHANGED).payload).version or "")
    )


def test_the_senders_test_button_makes_a_test() -> None:
    """Otherwise the sender's test button makes a lead."""
    fours = changed(LEADGEN, "entry", 0, "changes", 0, "value", "leadgen_id", to="444444444444")
    button = {**recorded(CREATED).payload, "eventId": 100, "objectId": 123}
    assert named("meta_lead_ads", fours).test
    assert named("google_ads", changed(GOOGLE, "lead_stage", to="NEW") | {"is_test": True}).test
    assert named("hubspot", button).test
    for name in (LEADGEN, GOOGLE, CREATED):
        assert not named(name.partition("/")[0], recorded(name).payload).test


def test_each_part_of_a_batch_is_an_event() -> None:
    """Otherwise a batch is one event, and all but its first are lost."""
    one, two = (
        recorded(LEADGEN).payload,
        changed(LEADGEN, "entry", 0, "changes", 0, "value", "leadgen_id", to="7"),
    )
    page = {**one["entry"][0], "changes": [*one["entry"][0]["changes"], *two["entry"][0]["changes"]]}
    odd = {"id": "9", "messaging": [{"message": {"text": "hi"}}]}
    split = SOURCES["meta_lead_ads"].parts
    assert split is not None
    parts = split({"object": "page", "entry": [page, odd, two["entry"][0]]})
    assert [named("meta_lead_ads", part).entity for part in parts] == [
        "lead-612345678901234567", "lead-7", None, "lead-7",
    ]  # fmt: skip
    assert split(one)[0] is one
    batch = [recorded(CREATED).payload, 5, recorded(CHANGED).payload]
    split = SOURCES["hubspot"].parts
    assert split is not None
    assert split(batch) == batch
    whole = recorded(WORKFLOW).payload
    assert split(whole)[0] is whole


def test_a_part_of_a_batch_is_read_again_as_it_was() -> None:
    """Otherwise a part of a batch cannot be read again from the ledger."""
    for kind, payload in (
        ("hubspot", [recorded(CREATED).payload, 5, None]),
        ("meta_lead_ads", recorded(LEADGEN).payload),
    ):
        source = SOURCES[kind]
        assert source.parts is not None
        for part in source.parts(payload):
            again = source.read(json.dumps(part).encode(), "application/json")
            assert named(kind, again) == named(kind, part)


@pytest.mark.parametrize("number", ["../me", "1/accounts", "", "12 3", True, 1.5, None, {"a": 1}, "9" * 31])
def test_a_forged_id_is_never_asked_for(number: Any) -> None:
    """Otherwise a forged id reads something else at the sender.

    The id becomes a path: what is no number is never asked for, and the lead is shown as unmappable.
    """
    payloads = {
        "meta_lead_ads": changed(LEADGEN, "entry", 0, "changes", 0, "value", to={"leadgen_id": number}),
        "hubspot": {**recorded(CREATED).payload, "objectId": number},
    }
    for kind, payload in payloads.items():
        source, naming = SOURCES[kind], named(kind, payload)
        event = Event(kind, "1", naming.type, payload, {})
        assert source.fetches is not None
        assert list(source.fetches(event)) == []
        with pytest.raises(CannotMap):
            list(source.handlers[naming.type](event))


def test_what_relay_toml_asks_for_is_fetched() -> None:
    """Otherwise what is fetched is not what relay.toml asks for."""
    for name, key, wanted in ((LEADGEN, "fields", "ad_name"), (CREATED, "properties", "industry")):
        arrival = recorded(name)
        fetches = SOURCES[arrival.source].fetches
        assert fetches is not None
        (asked,) = fetches(event_of(arrival))
        assert wanted in asked.query[key].split(",")
        (asked,) = fetches(replace(event_of(arrival), options={}))
        assert wanted not in asked.query[key].split(",")
        assert asked.path in ("612345678901234567", "crm/v3/objects/contacts/106314056576")
    fetches = SOURCES["hubspot"].fetches
    assert fetches is not None
    assert list(fetches(event_of(recorded(WORKFLOW)))) == []


@pytest.mark.parametrize(
    ("kind", "payload", "type_"),
    [
        ("hubspot", {"subscriptionType": "deal.creation", "objectId": 1}, "deal.creation"),
        (
            "hubspot",
            {"subscriptionType": "object.creation", "objectId": 1, "objectTypeId": "0-3"},
            "object.creation",
        ),
        (
            "hubspot",
            {"subscriptionType": "contact.privacyDeletion", "objectId": 1},
            "contact.privacyDeletion",
        ),
        ("webflow", {"triggerType": "site_publish", "payload": {"siteId": "1"}}, "site_publish"),
        ("calendly", {"event": "invitee_no_show.created", "payload": {}}, "invitee_no_show.created"),
        ("meta_lead_ads", {"entry": [{"changes": [{"field": "feed", "value": {}}]}]}, "feed"),
    ],
)
def test_what_is_no_lead_is_ignored(kind: str, payload: Any, type_: str) -> None:
    """Otherwise what is no lead is shown as a fault."""
    assert named(kind, payload).type == type_
    assert type_ in SOURCES[kind].ignored


@pytest.mark.parametrize("kind", KINDS)
def test_a_lead_that_says_nobody_is_parked(kind: str) -> None:
    """Otherwise a lead that says nobody becomes an empty record."""
    for name, body in FIXTURES.items():
        if not name.startswith(kind):
            continue
        event = event_of(arrival_of(body))
        empty: list[Any] = [{}, {"payload": {}}, {"form_response": {}}, {"data": {"fields": []}}]
        for payload in empty:
            with pytest.raises(CannotMap):
                list(SOURCES[kind].handlers[event.type](replace(event, payload=payload)))


def outcome(kind: str, payload: Any, fetched: Any, type_: str = "") -> None:
    """Carry a payload through all that its source does with it."""
    source = SOURCES[kind]
    for part in source.parts(payload) if source.parts else [payload]:
        naming = named(kind, part)
        event = Event(kind, "1", type_ or naming.type, part, {}, naming.entity, naming.version, {}, fetched)
        if event.type not in source.handlers:
            continue
        for wanted in source.fetches(event) if source.fetches else ():
            assert wanted.path.rpartition("/")[2].isdigit()
        try:
            for command in source.handlers[event.type](event):
                assert isinstance(command, RegisterLead)
                as_json(command)
        except CannotMap:
            continue


@given(st.sampled_from(KINDS), json_values, json_values, st.randoms(use_true_random=False))
def test_an_odd_payload_is_a_lead_or_parked(kind: str, payload: Any, fetched: Any, choice: Any) -> None:
    """Otherwise an odd payload stops the worker.

    Whatever is posted or fetched, it is a lead or it is parked with a reason.
    """
    source = SOURCES[kind]
    try:
        read = source.read(
            simplejson.dumps(payload, use_decimal=True, ignore_nan=True).encode(), "application/json"
        )
    except BadBody:
        return
    type_ = choice.choice(sorted(source.handlers))
    outcome(kind, read, {"lead": fetched, "contact": fetched})
    outcome(kind, read, {"lead": fetched, "contact": fetched}, type_)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Return every container in `value` with each of its keys."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


ODD = st.none() | st.sampled_from(
    ["", " ", "\ufffd", 10**400, -1, 1e300, True, [], {}, [[]], [None], {"a": None}]
)


@given(
    st.sampled_from(sorted(FIXTURES)), st.integers(0, 10**6), ODD | json_values, st.booleans(), st.booleans()
)
def test_a_payload_with_one_odd_place_is_a_lead_or_parked(
    name: str, place: int, odd: Any, drop: bool, in_fetched: bool
) -> None:
    """Otherwise a payload with one odd place stops the worker.

    A sender that changes one field parks its leads at most; it never makes a fault of ours.
    """
    payload = copy.deepcopy(arrival_of(FIXTURES[name]).payload)
    fetched = beside(FIXTURES[name], "fetched")
    changed_one = fetched if in_fetched and fetched else payload
    found = places(changed_one)
    container, key = found[place % len(found)]
    if drop:
        del container[key]
    else:
        container[key] = odd
    outcome(name.partition("/")[0], payload, fetched)
    outcome(name.partition("/")[0], payload, fetched, FIXTURES[name].stem.rsplit("__", 1)[0])
