"""A person is found however a sender packs the address, and nobody else is taken for them."""

from __future__ import annotations

import base64
import hashlib
import json
import quopri
from decimal import Decimal
from email.message import EmailMessage
from typing import Any

import pytest

from mappings.reading.bodies import read_form, read_object
from mappings.reading.person_search import Sought, sought

LAN = sought(["Lan@Example.com"], ["+84 90 123 45 67"])


def mail(encoding: str) -> str:
    message = EmailMessage()
    message["From"] = "Somebody <somebody@example.org>"
    message["Subject"] = "Order"
    message.set_content("Dear shop, write to lan@example.com, please. " + "ơ" * 30, cte=encoding)
    message.add_attachment(b"%PDF\xff\xfe", maintype="application", subtype="pdf", filename="a.pdf")
    return message.as_string()


MULTIPART = b'--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nI am LAN@example.com\r\n--b--\r\n'
FOUND: dict[str, Any] = {
    "plain": {"email": "lan@example.com"},
    "upper case": {"email": "LAN@EXAMPLE.COM"},
    "name of a field": {"lan@example.com": "yes"},
    "deep in a list": [{"a": [{"b": "x lan@example.com y"}]}],
    "at the end of a sentence": "write to lan@example.com.",
    "in angle brackets": "Lan Nguyen <lan@example.com>, other@example.org",
    "mailto": '<a href="mailto:lan@example.com?subject=x">',
    "urlencoded in a value": {"query": "a=1&mail=lan%40example.com"},
    "JSON in a value": {"raw": json.dumps({"mail": "lan@example.com"})},
    "JSON in JSON in a value": {"raw": json.dumps(json.dumps({"mail": "lan@example.com"}))},
    "a JSON escape": read_object(b'{"m": "lan\\u0040example.com"}', "application/json"),
    "an escape that nobody has undone": "lan\\u0040example.com",
    "HTML": "lan&#64;example.com",
    "base64": {"content": base64.b64encode(b"call lan@example.com now").decode()},
    "quoted-printable": quopri.encodestring("thư của lan@example.com gửi".encode()).decode(),
    "quoted-printable over two lines": "lan@exam=\nple.com",
    "an encoded header": "=?utf-8?B?" + base64.b64encode("Thư lan@example.com".encode()).decode() + "?=",
    "a mail in base64": {"mime": mail("base64")},
    "a mail in quoted-printable": {"mime": mail("quoted-printable")},
    "a form": read_form(b"m=lan%40example.com", "application/x-www-form-urlencoded"),
    "a multipart form": read_form(MULTIPART, "multipart/form-data; boundary=b"),
    "bytes": b"lan@example.com \xff",
    "a phone as E.164": {"phone": "+84901234567"},
    "a phone as dialled at home": "call 090 123 45 67",
    "a phone with dots": "0901.234.567",
    "a phone with 00": "0084901234567",
    "a phone with the zero in brackets": "+84 (0)90-123-4567",
    "a phone after another number": "order 1234 0901234567",
    "a phone as a number": {"phone": 84901234567},
    "a phone as a decimal": {"phone": Decimal(84901234567)},
}
OTHERS: dict[str, Any] = {
    "another whose address ends so": "ulan@example.com",
    "with a dot before": "thi.lan@example.com",
    "with a dash before": "jean-lan@example.com",
    "with a tag": "x+lan@example.com",
    "a longer domain": "lan@example.com.vn",
    "a longer word": "lan@example.community",
    "another sign for the dot": "lan@exampleXcom",
    "a longer number": "84901234567890",
    "a number with digits before": "1230901234567",
    "another phone": "+84901234568",
    "nothing": [None, True, 1.5, "", {}],
}


@pytest.mark.parametrize("value", FOUND.values(), ids=FOUND)
def test_the_person_is_found(value: Any) -> None:
    """Otherwise somebody is told to be forgotten and is not."""
    assert LAN.is_in(value)


@pytest.mark.parametrize("value", OTHERS.values(), ids=OTHERS)
def test_others_are_not_taken_for_the_person(value: Any) -> None:
    """Otherwise somebody else's order is erased with theirs."""
    assert not LAN.is_in(value)


@pytest.mark.parametrize(
    ("key", "is_theirs"),
    [
        ("acct-lan@example.com", True),
        ("cont-lan@example.com", True),
        ("cont-+84901234567", True),
        ("hook-lan@example.com", True),
        ("my-shop-lan@example.com", True),
        ("cont-lan@example.com/acct-hong-nhung", True),
        ("cont-ulan@example.com/acct-hong-nhung", False),
        ("acct-jean-lan@example.com", False),
        ("acct-lan@example.com.vn", False),
        ("shop-order-1.cont-lan@example.com", False),
        ("acct-ulan@example.com", False),
        ("acct-lan@example.com-extra", False),
        ("shop-order-1001", False),
        ("prod-lan@example.com", False),
    ],
)
def test_keys_are_theirs_or_not(key: str, is_theirs: bool) -> None:
    """Otherwise the address stays in `links`, or somebody else's record gets lost."""
    assert LAN.is_in_key(key, ["hook", "my-shop"]) is is_theirs


def test_keys_that_are_made_of_theirs_are_known() -> None:
    """Otherwise the address stays in the keys of what hangs on their contact."""
    assert LAN.may_be_in_key("shop-order-1.cont-lan@example.com")
    assert LAN.may_be_in_key("info-cont-lan@example.com.lan@example.com")
    assert not LAN.may_be_in_key("info-cont-ulan@example.com.x")


def test_an_address_that_a_key_cannot_hold_is_found_in_its_slug() -> None:
    """Otherwise those with an apostrophe in their address are never forgotten."""
    obrien = sought(["o'brien@example.com"], [])
    # By hand: the sign that a key may not hold is a dash, and SHA-256 of the whole begins with these digits.
    assert obrien.is_in_key("acct-o-brien@example.com-" + _hash("o'brien@example.com"), [])


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:10]


@pytest.mark.parametrize(
    ("emails", "phones", "complaint"),
    [(["lan"], [], "is no e-mail address"), ([], ["0901234567"], "with its country code")],
)
def test_what_cannot_be_looked_for_is_told(emails: list[str], phones: list[str], complaint: str) -> None:
    """Otherwise a typing error looks like a person who is not there."""
    with pytest.raises(ValueError, match=complaint):
        sought(emails, phones)


def test_hostile_nesting_ends() -> None:
    """Otherwise one event keeps the search busy for ever."""
    packed = "lan@example.com"
    for _ in range(40):
        packed = base64.b64encode(packed.encode()).decode()[:200_000]
    assert Sought(("lan@example.com",)).is_in(packed) is False
    assert Sought(("lan@example.com",)).is_in("%25" * 100_000) is False
