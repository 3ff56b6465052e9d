"""The field ledger: nothing that a sender wrote may vanish without a row that says so."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from marshmallow import Schema, fields

from mappings.commands import Address, Attachment, OpenTicket, Person, RegisterLead
from mappings.errors import CannotMap, ValueMissing
from mappings.vendor import Account, FieldRow, Ref
from mappings.writing.fields import FieldLedger
from mappings.writing.shape import shape


class Values(Schema):
    """What the vendor of these tests wants to know."""

    owner_id = fields.String()
    stage_id = fields.Integer(strict=True)
    stages = fields.Dict(keys=fields.String(), values=fields.Integer())
    days = fields.Integer(strict=True, load_default=30)
    title_length = fields.Integer(load_default=40)


Body = shape(
    "Body",
    blank="email note",
    text="owner_id",
    sources={"email": "person.email", "owner_id": "values.owner_id"},
)
PERSON = Person(name="Lan", email="lan@example.com", address=Address(city="Huế", country="VN"))
LEAD = RegisterLead("site-1", PERSON, message="Hello\nthere", attributes={"budget": "5000", "empty": ""})


def ledger_of(lead: RegisterLead = LEAD, **values: object) -> FieldLedger:
    return FieldLedger(lead, Account("x", values, {"lead": {"budget": "Ngân sách"}}), Values)


def test_a_field_that_no_mapping_reads_is_dropped_in_sight() -> None:
    """Else a customer's words are lost and nobody ever learns."""
    assert ledger_of().rows() == tuple(
        FieldRow(source, "", "dropped")
        for source in (
            "key",
            "person.name",
            "person.email",
            "person.address.city",
            "person.address.country",
            "message",
            "attributes.budget",
        )
    )


def test_rows_bear_the_commands_own_word_for_the_person() -> None:
    """Else the operator is told of a `person` that a ticket does not have."""
    ticket = OpenTicket("mail-1", "", "", PERSON, attachments=(Attachment("a.png", "", 3),))
    ledger = FieldLedger(ticket, Account("x"), Values)
    assert ledger.take("person.email", "ticket.email") == "lan@example.com"
    assert FieldRow("requester.email", "ticket.email", "mapped") in ledger.rows()
    assert FieldRow("attachments[0].size", "", "dropped") in ledger.rows()


def test_a_body_is_filled_from_its_sources_and_defaults_are_told() -> None:
    """Else nobody sees that an owner came from relay.toml and not from the sender."""
    ledger = ledger_of(owner_id="E-1")
    body = ledger.body("lead", Body, note=lambda: ledger.remainder("lead.note", first="message"))
    assert body == {
        "email": "lan@example.com",
        "owner_id": "E-1",
        "note": (
            "Hello\nthere\n\nkey: site-1\nname: Lan\naddress.city: Huế\naddress.country: VN\nbudget: 5000"
        ),
    }
    assert FieldRow("values.owner_id", "lead.owner_id", "defaulted") in ledger.rows()
    assert not [row for row in ledger.rows() if row.outcome == "dropped"]


def test_a_demanded_value_that_is_missing_names_its_key() -> None:
    """Else the delivery fails at the vendor with a message that nobody can act on."""
    demanding = shape("D", required="stage_id", id="stage_id", sources={"stage_id": "values.stage_id"})
    with pytest.raises(ValueMissing, match=r"values\.stage_id"):
        ledger_of().body("lead", demanding)
    with pytest.raises(ValueMissing, match=r"values\.stage_id"):
        ledger_of(stage_id="six")


def test_a_body_that_its_schema_refuses_is_never_sent() -> None:
    """Else a typing error in a mapping reaches the vendor as a field that it does not know."""
    linked = shape("Linked", required="company_id", key="company_id")
    assert ledger_of().body("lead", linked, company_id=Ref("company", "k")) == {
        "company_id": Ref("company", "k")
    }
    with pytest.raises(CannotMap, match=r"lead\.company_id"):
        ledger_of().body("lead", linked, company_id=5)
    with pytest.raises(CannotMap, match=r"lead\.compny"):
        ledger_of().body("lead", linked, company_id=Ref("company", "k"), compny=5)


@pytest.mark.parametrize(
    ("message", "title", "outcome"),
    [
        ("Hi", "Lead: Hi [site-1]", "mapped"),
        ("Hello\nthere", "Lead: Hello there [site-1]", "converted"),
        ("x" * 99, f"Lead: {'x' * 25} [site-1]", "cut"),
    ],
)
def test_a_title_keeps_its_marker_however_long_the_text(message: str, title: str, outcome: str) -> None:
    """Else a record whose making timed out is not found again and made twice."""
    ledger = ledger_of(RegisterLead("site-1", PERSON, message=message))
    assert ledger.title("deal.title", "Lead: ", "message") == title
    assert FieldRow("message", "deal.title", outcome) in ledger.rows()


@pytest.mark.parametrize(
    "written", ["2026-03-02T03:00:00Z", "Mon, 2 Mar 2026 10:00:00 +0700", "2026-03-02 03:00"]
)
def test_dates_are_read_in_both_ways_that_senders_write_them(written: str) -> None:
    """Else tickets from e-mail are parked although they bear a date."""
    ledger = ledger_of(RegisterLead("k", PERSON, attributes={"date": "soon", "received_at": written}))
    found = ledger.moment("deal.date", "attributes.date", "attributes.received_at")
    assert found == datetime(2026, 3, 2, 3, tzinfo=UTC)
    assert ledger.deadline("deal.date", "days", "attributes.received_at") == date(2026, 4, 1)
    with pytest.raises(CannotMap, match="no date"):
        ledger.moment("deal.date", "attributes.date")


def test_custom_fields_are_told_and_choices_fall_back() -> None:
    """Else an attribute that the operator gave a place is called dropped, or a stage is guessed."""
    ledger = ledger_of(stages={"Hello\nthere": 7}, stage_id=1)
    assert ledger.custom("lead") == [("Ngân sách", "5000")]
    assert ledger.chosen("stages", "message", "deal.stage", "stage_id") == 7
    assert ledger.chosen("stages", "key", "deal.stage", "stage_id") == 1
    assert FieldRow("attributes.budget", "lead.custom_fields", "mapped") in ledger.rows()
    assert ledger_of().chosen("stages", "key", "deal.stage", "stage_id", demanded=False) is None
    with pytest.raises(ValueMissing, match=r"values\.stage_id"):
        ledger_of().chosen("stages", "key", "deal.stage", "stage_id")
