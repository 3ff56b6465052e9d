"""Reading a record back by its id, and telling a record that is not there from one that nobody could read."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from worker.errors import Rejected, VendorDown
from worker.vendors.lookups import LookUp
from worker.vendors.vendor import Caller, Item

#: How vendors without statuses say it, in English and in Spanish.
_NOT_FOUND = re.compile(r"not found|not exist|no (?:se )?encontr|no existe", re.IGNORECASE)


def read_by_id(
    operation: str,
    name: str = "id",
    inside: str = "",
    written: Callable[[str], Any] = str,
    also: Mapping[str, str] | None = None,
) -> Callable[[Caller, str], Item | None]:
    """Return what reads a record by its id, which goes into the parameter `name`.

    `written` makes of the id what the parameter wants, `inside` is where the answer has the record. `also` are
    further parameters: a text as it stands, or `values.…` of relay.toml.
    """

    def read(api: Caller, record_id: str) -> Item | None:
        asked = {key: _value(api, said) for key, said in (also or {}).items()}
        try:
            answer = api.call(operation, {**asked, name: written(record_id)})
        except Rejected as error:
            if says_gone(error):
                return None
            raise
        found = answer.get(inside) if inside and isinstance(answer, Mapping) else answer
        if not isinstance(found, Mapping) or not found:
            raise VendorDown(f"{operation}: answered something that is no record")
        return found

    return read


def says_gone(error: Rejected) -> bool:
    """Say whether the vendor's own words are that there is no such record.

    A 404 without a word comes from proxies and wrong addresses, and "method not found" is about the call.
    """
    words = " ".join(error.fields.values())
    if "method" in words.casefold():
        return False
    if error.status is None or error.status == 200:
        return bool(_NOT_FOUND.search(words))
    return error.status in (404, 410) and bool(words)


def everything(
    operation: str, ask: Mapping[str, str] | None = None, always: Mapping[str, Any] | None = None
) -> LookUp:
    """Return the list of all records of a kind, or of all below what `ask` takes from the record."""
    return LookUp(operation, lambda item, record: False, ask or {}, always or {})


def _value(api: Caller, said: str) -> Any:
    return api.setting(said.removeprefix("values.")) if said.startswith("values.") else said
