"""What people type where an e-mail address belongs, and what comes of it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from mappings.commands import OpenTicket, OrderStatus, Person, RecordOrder, RegisterLead
from mappings.writing.email_addresses import usable, with_usable_address

BOB = Person(name="Bob Two", phone="+14155550102")


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("lan@example.com", "lan@example.com"),
        ("Nhung+Test@Example.COM", "Nhung+Test@Example.COM"),
        ("a..b@docomo.ne.jp", "a..b@docomo.ne.jp"),
        ("user@bücher.example", "user@bücher.example"),
        ("Lan Nguyễn <lan@example.com>", "lan@example.com"),
        ("mailto:lan@example.com", "lan@example.com"),
        ("lan@example.com.", "lan@example.com"),
        ("lan@example.com; hoa@example.com", "lan@example.com"),
        ("n/a", ""),
        ("-", ""),
        ("lan@gmail", ""),
        ("lan@", ""),
        ("lan@example..com", ""),
        ("lan@example.com or 0901234567", ""),
        ("@" * 5000, ""),
        ("x@" + "a." * 200 + "com", ""),
    ],
)
def test_a_mailbox_is_lost_or_a_crm_is_given_what_is_none(typed: str, address: str) -> None:
    assert usable(typed) == address


def test_a_lead_is_refused_for_the_word_in_its_e_mail_field() -> None:
    command = with_usable_address(RegisterLead("k", replace(BOB, email="n/a"), attributes={"budget": "5"}))
    assert isinstance(command, RegisterLead)
    assert command.person == BOB
    assert command.attributes == {"budget": "5", "email_as_typed": "n/a"}


def test_a_request_of_which_only_a_wrong_address_is_known_is_nobodys() -> None:
    command = with_usable_address(OpenTicket("k", "Help", "", Person(email="lan@gmail")))
    assert isinstance(command, OpenTicket)
    assert command.requester == Person(name="lan@gmail")
    assert command.attributes == {"email_as_typed": "lan@gmail"}


def test_an_order_belongs_to_a_customer_called_none() -> None:
    nothing = Decimal(0)
    order = RecordOrder(
        "k",
        "1",
        OrderStatus.OPEN,
        None,
        "EUR",
        nothing,
        nothing,
        nothing,
        nothing,
        (),
        "2026-11-21T10:00:00Z",
    )
    assert with_usable_address(order) is order
    command = with_usable_address(replace(order, customer=Person(email="none")))
    assert isinstance(command, RecordOrder)
    assert (command.customer, command.attributes) == (Person(), {"email_as_typed": "none"})


def test_what_is_an_address_is_written_anew() -> None:
    lead = RegisterLead("k", replace(BOB, email="Bob@Example.com"))
    assert with_usable_address(lead) is lead
