"""Whatever bytes arrive, they become data that can be stored, or are refused with the place of the fault."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mappings.errors import BadBody
from mappings.reading.bodies import MAX_DEPTH, read_form, read_json, read_object

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"


def part(disposition: str, content: bytes = b"", more: bytes = b"") -> bytes:
    """Return one part of a multipart body with the boundary `b`."""
    return b"--b\r\nContent-Disposition: form-data; %b\r\n%b\r\n%b\r\n" % (
        disposition.encode(),
        more,
        content,
    )


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        (b" \n", "the body is empty"),
        (b'{"a": "\xff"}', "not UTF-8: byte 0xff at offset 7"),
        (b'{"a":\n  nope}', "line 2 column 3"),
        (b'{"a": 1} x', "Extra data at line 1 column 10"),
        (b'{"NaN": "NaN",\n "b": NaN}', "NaN is no JSON number, line 2 column 7"),
        (b"[-Infinity]", "-Infinity is no JSON number, line 1 column 2"),
        (b'[{"id": 1, "id": 2}]', "the key 'id' twice"),
        (b"[" + b"7" * 4_301 + b"]", "more than 4300 characters, line 1 column 2"),
        (b"[1e999999999]", "'1e999999999' is out of range, line 1 column 2"),
        (b"[0e" + b"9" * 30 + b"]", "out of range"),
        (b"[1.5e-4000]", "out of range"),
        (b"[" * 65 + b"]" * 65, "deeper than 64 levels, line 1 column 65"),
        (b'{"a":' * 100_000, "deeper than 64 levels, line 1 column 321"),
        (b'{"a\\u0000": 1, "a\\ufffd": 2}', "there twice"),
    ],
)
def test_a_sender_is_not_told_what_is_wrong_with_its_json(body: bytes, fault: str) -> None:
    with pytest.raises(BadBody) as refusal:
        read_json(body, "application/json")
    assert fault in str(refusal.value)


def test_an_order_id_or_an_amount_loses_its_last_digits() -> None:
    body = b'{"id": 9007199254740993, "price": 0.1, "big": 1E+3, "max": ' + b"9" * 4_300 + b"}"
    value = read_json(body, "application/json")
    assert value["id"] == 9007199254740993
    assert (value["price"], value["big"]) == (Decimal("0.1"), Decimal("1E+3"))
    assert value["max"] == 10**4_300 - 1


def test_postgresql_refuses_a_payload_that_the_door_took() -> None:
    body = b'\xef\xbb\xbf{"k\\u0000": ["a\\ud83d", "\\ud83d\\ude00", "line\nbreak"]}'
    assert read_json(body, "application/json") == {"k�": ["a�", "😀", "line\nbreak"]}
    assert read_form(b"k%00=a%00b", URLENCODED) == {"k�": "a�b"}


def test_a_payload_as_deep_as_the_limit_is_refused() -> None:
    assert read_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, "")


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"1", b"1.5", b"true", b"null"])
def test_a_list_is_taken_for_an_order(body: bytes) -> None:
    with pytest.raises(BadBody, match="where an object is needed"):
        read_object(body, "application/json")


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b"a=1&a=2&b=x+y%20z&c=", {"a": ["1", "2"], "b": "x y z", "c": ""}),
        (b"a[]=1", {"a": ["1"]}),
        (b"a=0&a[]=1&a[]=2", {"a": ["0", "1", "2"]}),
        (b"a[city]=H%C3%A0+N%E1%BB%99i&a[zip]=1", {"a": {"city": "Hà Nội", "zip": "1"}}),
        (b"a[0][b]=1&a[1][b]=2", {"a": {"0": {"b": "1"}, "1": {"b": "2"}}}),
        (b"a=1&a[b]=2", {"a": {"": "1", "b": "2"}}),
        (b"a[b]=2&a=1&a=3", {"a": {"": ["1", "3"], "b": "2"}}),
        (b"a[]=1&a[b]=2", {"a": {"": ["1"], "b": "2"}}),
        (b"a[1][2][3][4]=x", {"a": {"1": {"2": {"3": {"4": "x"}}}}}),
        (b"a[1][2][3][4][5]=x", {"a[1][2][3][4][5]": "x"}),
        (b"a[=1&]=2&[]=3&a[][b]=4&=5", {"a[": "1", "]": "2", "[]": "3", "a[][b]": "4", "": "5"}),
        ("né=ù".encode(), {"né": "ù"}),
        (b"x=%FF", {"x": "�"}),
    ],
)
def test_a_value_of_a_form_is_lost_or_lands_under_another_name(body: bytes, fields: dict[str, Any]) -> None:
    assert read_form(body, URLENCODED) == fields


@pytest.mark.parametrize(
    ("charset", "raw", "text"),
    [
        ("iso-8859-1", b"\x80\xe9", "€é"),
        ("Shift_JIS", "名前".encode("shift_jis"), "名前"),
        ("windows-1258", "Hà".encode("cp1258"), "Hà"),
        ("rot13", "é".encode(), "é"),
        ("iso-8859-12", "é".encode(), "é"),
    ],
)
def test_a_name_from_an_old_page_arrives_garbled(charset: str, raw: bytes, text: str) -> None:
    escaped = "".join(f"%{byte:02X}" for byte in raw).encode()
    assert read_form(b"a=" + escaped, f"{URLENCODED}; charset={charset}") == {"a": text}
    in_parts = part('name="a"', raw) + b"--b--\r\n"
    assert read_form(in_parts, f"{MULTIPART}; charset={charset}") == {"a": text}


def test_the_content_of_an_uploaded_file_is_kept_or_its_name_is_lost() -> None:
    image = b"Content-Type: image/png\r\n"
    body = (
        part('name="doc"; filename="a%22b.png"', b"\x00\xff\r\n1", image)
        + part('name="doc"; filename="c.png"', b"", image)
        + part('name="none"; filename=""')
        + part('name="t"', "ü".encode("latin-1"), b"Content-Type: text/plain; charset=iso-8859-1\r\n")
        + '--b\r\nContent-Disposition: form-data; name="h\xe9"\r\n\r\n1\r\n--b--'.encode("latin-1")
    )
    assert read_form(body, MULTIPART) == {
        "doc": [
            {"filename": 'a"b.png', "content_type": "image/png", "size": 5},
            {"filename": "c.png", "content_type": "image/png", "size": 0},
        ],
        "t": "ü",
        "h�": "1",
    }


@pytest.mark.parametrize(
    ("body", "content_type", "fault"),
    [
        (b"", URLENCODED, "empty"),
        (b"a=1", "", "a body without a content type"),
        (b"a=1", "image/png", "image/png"),
        (b"&".join(b"a=1" for _ in range(1_001)), URLENCODED, "more than 1000 fields"),
        (b"a=1\n" * 1_001, "text/plain", "more than 1000 fields"),
        (b"hello\na=1", "text/plain", "line 1"),
        (b"[1]", "application/json", "an array, where an object is needed"),
        (b'{"a": 1', "text/plain;charset=UTF-8", "not JSON"),
        (part('name="a"'), "multipart/form-data", "no usable boundary"),
        (part('name="a"'), "multipart/form-data; boundary=" + "x" * 201, "no usable boundary"),
        (part('name="a"', b"cut off"), MULTIPART, "broken after part 1"),
        (part("x=y") + b"--b--", MULTIPART, "part 1 of the multipart body has no name"),
        (part('name="a"') * 1_001 + b"--b--", MULTIPART, "more than 1000 parts"),
    ],
)
def test_a_broken_or_bloated_form_is_stored(body: bytes, content_type: str, fault: str) -> None:
    with pytest.raises(BadBody) as refusal:
        read_form(body, content_type)
    assert fault in str(refusal.value)


def test_a_form_of_exactly_a_thousand_fields_is_refused() -> None:
    assert len(read_form(b"&".join(b"a%d=1" % n for n in range(1_000)), URLENCODED)) == 1_000
    parts = b"".join(part(f'name="a{n}"', b"1") for n in range(1_000))
    assert len(read_form(parts + b"--b--", MULTIPART)) == 1_000


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (b'{"a": {"b": [1]}}', {"a": {"b": [1]}}),
        (b"a=1\r\nb=x\r\n\r\ny\r\n", {"a": "1", "b": "x\n\ny"}),
        (b"a=b=c\na=2", {"a": ["b=c", "2"]}),
    ],
)
def test_a_lead_sent_without_a_preflight_is_refused(body: bytes, fields: dict[str, Any]) -> None:
    assert read_form(body, "text/plain;charset=UTF-8") == fields


known_types = st.sampled_from([URLENCODED, MULTIPART, "application/json", "text/plain", "x+json"])
pieces = st.sampled_from(
    b'--b|--|=|&|[|]|%|{|}|:|,|"|\\u0000|\\ud800|1e9|99999999|\xff|\x00|name="a"|; filename="|\r\n|\n'
    b"|Content-Disposition: form-data; |--b\r\nContent-Disposition: form-data; name=a\r\n\r\n".split(b"|")
)


@given(st.binary(max_size=80) | st.lists(pieces, max_size=30).map(b"".join), known_types | st.text())
@example(b"--b\r\nContent-Disposition: form-data; name=\xff\r\n\r\n--b--", MULTIPART)
@example(b"a=1", "multipart/form-data; boundary=\u0130")
def test_some_bytes_bring_the_door_down(body: bytes, content_type: str) -> None:
    for read in (read_json, read_object, read_form):
        try:
            value = read(body, content_type)
        except BadBody:
            continue
        stored = json.dumps(value, ensure_ascii=False, default=str)
        assert "\x00" not in stored.encode().decode()
        assert read(body, content_type) == value


@given(st.lists(st.tuples(st.text("ab[]", max_size=8), st.text("xyz", min_size=1, max_size=3)), min_size=1))
def test_a_field_disappears_because_its_name_clashes_with_another(pairs: list[tuple[str, str]]) -> None:
    body = "&".join(f"{name}={value}" for name, value in pairs).encode()

    def texts(value: Any) -> list[str]:
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
        return [value] if inner is None else [text for item in inner for text in texts(item)]

    assert sorted(texts(read_form(body, URLENCODED))) == sorted(value for _, value in pairs)
