"""Fills in what a mapping cannot know: the vendor's ids of other records, and of entries of its lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.vendor import JsonText, Named, Ref
from worker.vendors.api import Api
from worker.vendors.vendor import json_body

#: The vendor's ids of records by kind and our key.
Made = Mapping[tuple[str, str], str]


def filled_in(api: Api, made: Made, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return `body` as the vendor gets it. Raises KeyError for a record that is not `made`, NotConfigured."""
    return {name: _value(api, made, value) for name, value in body.items()}


def _value(api: Api, made: Made, value: Any) -> Any:
    if isinstance(value, Ref):
        return api.vendor.kinds[value.kind].reference(made[value.kind, value.key])
    if isinstance(value, Named):
        return api.named(value)
    if isinstance(value, JsonText):
        return json_body(_value(api, made, value.value)).decode()
    if isinstance(value, Mapping):
        return filled_in(api, made, value)
    if isinstance(value, list | tuple):
        return [_value(api, made, item) for item in value]
    return value
