"""Telephone numbers reach the CRM in one form, and are never turned into somebody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.formats.phones import split, to_e164


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("090 123 4567", "VN", "+84901234567"),
        (" +84 (0)90-123-4567 ", None, "+84901234567"),
        ("tel:+1-613-555-0142", None, "+16135550142"),
        ("613 555 0142", "ca", "+16135550142"),
        ("06 1234 5678", "IT", "+390612345678"),
        ("０９０１２３４５６７", "VN", "+84901234567"),
    ],
)
def test_the_same_telephone_makes_two_contacts_because_it_was_typed_differently(
    typed: str, region: str | None, number: str
) -> None:
    assert to_e164(typed, region) == number


@pytest.mark.parametrize(
    ("typed", "region"),
    [
        ("090 123 4567", None),
        ("090 123 4567", "XX"),
        ("090 123 4567", ""),
        ("555-0142", "US"),
        ("12", "VN"),
        ("090 123 4567 Zalo", "VN"),
        ("613 555 0142 ext. 12", "CA"),
        ("0800 FLOWERS", "GB"),
        ("090 123 4567", "US"),
        ("+1 123 456 7890", None),
        ("none", "VN"),
        ("", "VN"),
    ],
)
def test_a_number_that_we_cannot_know_is_completed_by_a_guess(typed: str, region: str | None) -> None:
    assert to_e164(f" {typed}\n", region) == typed


@pytest.mark.parametrize(
    ("e164", "parts"),
    [
        ("+84901234567", ("+84", "VN", "901234567")),
        ("+16135550142", ("+1", "CA", "6135550142")),
        ("+12025550142", ("+1", "US", "2025550142")),
        ("+390612345678", ("+39", "IT", "0612345678")),
        ("+80012345678", None),
        ("0901234567", None),
        ("+84 901234567", None),
        ("+999", None),
        ("as typed", None),
    ],
)
def test_a_vendor_gets_the_wrong_country_for_a_number(e164: str, parts: tuple[str, str, str] | None) -> None:
    assert split(e164) == parts


@given(st.text(max_size=40) | st.text("+0123456789 ()-;ext=", max_size=24), st.none() | st.text(max_size=3))
def test_an_odd_number_stops_the_whole_lead(typed: str, region: str | None) -> None:
    number = to_e164(typed, region)
    assert number in (typed.strip(), f"+{number.lstrip('+')}")
