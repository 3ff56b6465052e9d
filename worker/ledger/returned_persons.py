"""Somebody who was forgotten and is back: their records at the vendor are still theirs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import bindparam, update

from worker.ledger.personal import is_personal, veiled
from worker.ledger.prepared import Prepared, Transaction
from worker.ledger.step_statements import LINK, REMOVE
from worker.ledger.tables import links

_UNVEIL = Prepared(
    update(links)
    .where(*(links.c[name] == bindparam(f"of_{name}") for name in ("connection", "kind", "key")))
    .values(key=bindparam("name"))
)


def is_back(t: Transaction, link: Mapping[str, Any], at_once: bool) -> bool:
    """Say whether the record of a link that was reserved just now is known from before its owner was forgotten.

    Then the old link has taken the place of the reservation and bears its name again. One that is looked up
    before it is made (not `at_once`) is only dropped: its owner may have been erased at the vendor, too.
    """
    if not is_personal(link["key"]):
        return False
    new = {f"of_{name}": link[name] for name in ("connection", "kind", "key")}
    old = {**new, "of_key": veiled(link["key"])}
    if t.first(LINK, old) is None:
        return False
    t.run(REMOVE, new if at_once else old)
    if at_once:
        t.run(_UNVEIL, {**old, "name": link["key"]})
    return at_once
