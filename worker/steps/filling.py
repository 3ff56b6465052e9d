"""Fills in what a mapping cannot know: the vendor's ids of other records, and of entries of its lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.vendor import JsonText, Named, Ref
from worker.errors import Rejected
from worker.vendors.api import Api
from worker.vendors.vendor import json_body

#: The vendor's ids of records by kind and our key.
Made = Mapping[tuple[str, str], str]


def filled_in(api: Api, made: Made, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` as the vendor gets it.

    Raises KeyError for a record that is not `made`, NotConfigured, Rejected for one that is there no more.
    """
    return {name: _value(api, made, value) for name, value in body.items()}


def _shown(api: Api, asked: Ref, record_id: str) -> Any:
    read = api.vendor.kinds[asked.kind].proof.one
    item = read(api, record_id) if read else None
    if item is None or not item.get(asked.field):
        raise Rejected(f"the {asked.kind} {asked.key} is not there any more, or shows no {asked.field}")
    return item[asked.field]


def _value(api: Api, made: Made, value: Any) -> Any:
    if isinstance(value, Ref):
        record_id = made[value.kind, value.key]
        return (
            _shown(api, value, record_id)
            if value.field
            else api.vendor.kinds[value.kind].reference(record_id)
        )
    if isinstance(value, Named):
        return api.named(value)
    if isinstance(value, JsonText):
        return json_body(_value(api, made, value.value)).decode()
    if isinstance(value, Mapping):
        return filled_in(api, made, value)
    if isinstance(value, list | tuple):
        return [_value(api, made, item) for item in value]
    return value
