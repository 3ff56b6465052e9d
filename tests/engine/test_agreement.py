"""What counts as changed by hand, and what is only another way to store the same."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from worker.reconcile.agreement import agree, differences
from worker.vendors.vendor import Proof

SAME = (
    (Decimal("36.85"), 36.85),
    (Decimal("10"), "10.00"),
    (0, None),
    (False, None),
    (True, "true"),
    ("Nguyễn Lan ", "nguyễn  lan"),
    ("2026-03-02T09:00:00+01:00", "2026-03-02T08:00:00Z"),
    ("2026-03-02T09:00:00+01:00", "2026-03-02T09:00:00"),
    ("2026-04-01", "2026-04-01T00:00:00.0000000Z"),
    ("2026-02-27T00:00:00+07:00", "2026-02-26"),
    ("01/04/26", "2026-04-01"),
    ("+84901234567", "0901 234 567"),
    ({"country_code": "+84", "number": "901234567"}, {"number": "0901234567", "country_name": "VN"}),
    ("12", {"id": 12, "title": "Warm"}),
    ([{"qty": 3}, {"qty": 1}], [{"qty": 1, "id": 8}, {"qty": 3, "id": 9}]),
    (
        [{"field": "Budget", "value": "900"}],
        [{"field": "Size", "value": ""}, {"field": "Budget", "value": "900"}],
    ),
    ('[{"price": 19.90}]', '[{"price": 19.9}]'),
    ('[{"price": 19.90}]', [{"price": 19.9}]),
    ("long " * 60, ("long " * 60)[:255]),
)
DIFFERENT = (
    (Decimal("36.85"), 36.86),
    (Decimal("10"), None),
    (True, False),
    ("Nguyễn Lan", "Nguyen Lan"),
    ("Please call", ""),
    ("Please call", None),
    ("2026-03-02T09:00:00+01:00", "2026-03-02T09:01:00+01:00"),
    ("2026-04-01", "2026-04-05"),
    ("+84901234567", "+84901234568"),
    ({"country_code": "+84", "number": "901234567"}, {"number": "907654321"}),
    ("12", {"id": 13, "title": "Cold"}),
    ([{"qty": 3}, {"qty": 3}], [{"qty": 3}, {"qty": 2}]),
    ('[{"price": 19.90}]', '[{"price": 18.90}]'),
    ("a short text", "a short"),
)


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_another_form_of_the_same_is_no_change(ours: Any, theirs: Any) -> None:
    """Otherwise every record of a CRM that writes numbers or phones its own way counts as changed."""
    assert agree(ours, theirs)


@pytest.mark.parametrize(("ours", "theirs"), DIFFERENT)
def test_another_value_is_a_change(ours: Any, theirs: Any) -> None:
    """Otherwise what sales has corrected is never seen."""
    assert not agree(ours, theirs)


def test_what_was_sent_empty_and_the_records_own_id_say_nothing() -> None:
    """Otherwise each field that a person fills in counts as a change of ours."""
    sent: Mapping[str, Any] = {
        "id": "our-own",
        "note": "",
        "address": {"street": ""},
        "tags": [],
        "owner": None,
    }
    assert differences(sent, {"id": "7", "note": "by hand", "address": {"street": "1"}}, Proof()) == (
        [],
        set(),
    )


def test_a_field_that_the_answer_does_not_show_is_named_and_no_change() -> None:
    """Otherwise a CRM that shows little of a record gives an alarm for each one."""
    assert differences({"lines": [1]}, {"id": 7}, Proof()) == ([], {"lines"})


def test_where_a_vendor_leaves_out_what_is_empty_a_field_that_is_gone_was_emptied() -> None:
    """Otherwise a description that somebody has deleted is not seen at ONLYOFFICE."""
    proof = Proof(lean=True, names={"description": "description", "stageid": "stage.id"})
    (found,), unseen = differences(
        {"description": "3 x Lamp", "stageid": 4, "x": 1}, {"stage": {"id": 4}}, proof
    )
    assert (found.field, found.ours, found.theirs) == ("description", "3 x Lamp", None)
    assert unseen == {"x"}


def test_lines_that_people_add_around_ours_are_no_change_where_updates_add_lines_too() -> None:
    """Otherwise each order with a second event counts as changed."""
    proof = Proof(grows=frozenset({"note"}))
    held = {"note": "Call first.\n[shop-1]\nstatus: paid\n\nDone."}
    assert differences({"note": "[shop-1]\n\nstatus: paid"}, held, proof) == ([], set())
    (found,), _ = differences({"note": "[shop-1]\nstatus: lost"}, held, proof)
    assert found.field == "note"
