"""The vendor's lists of names: believed for a while, and read anew where a name is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from worker.vendors.references import References
from worker.vendors.vendor import Reference

STAGES = Reference("list_stages")


class Crm:
    """A CRM whose list of stages changes, and which counts how often it is read."""

    def __init__(self) -> None:
        self.stages: list[dict[str, Any]] = [{"id": 1, "name": "New"}]
        self.reads = 0

    def fetch(self) -> Iterator[dict[str, Any]]:
        self.reads += 1
        return iter(self.stages)


def test_a_list_is_read_once_while_it_is_believed() -> None:
    """Otherwise every delivery costs a request for each name that relay.toml has."""
    now, crm = [0.0], Crm()
    references = References(lambda: now[0])
    for seconds in (0.0, 1.0, 599.0):
        now[0] = seconds
        assert references.entries("stages", STAGES, "New", crm.fetch)["new"].id == 1
    assert crm.reads == 1


def test_a_renamed_stage_is_noticed_after_ten_minutes() -> None:
    """Otherwise records go to a stage by a name that now belongs to another one, until the workers restart."""
    now, crm = [0.0], Crm()
    references = References(lambda: now[0])
    references.entries("stages", STAGES, "New", crm.fetch)
    crm.stages = [{"id": 2, "name": "New"}]
    now[0] = 601.0
    assert references.entries("stages", STAGES, "New", crm.fetch)["new"].id == 2


def test_a_stage_that_was_just_added_is_found_within_half_a_minute() -> None:
    """Otherwise a person adds the stage that `relay check` asked for, and deliveries fail for ten minutes more."""
    now, crm = [0.0], Crm()
    references = References(lambda: now[0])
    assert "won" not in references.entries("stages", STAGES, "Won", crm.fetch)
    crm.stages.append({"id": 9, "name": "Won"})
    now[0] = 29.0
    assert "won" not in references.entries("stages", STAGES, "Won", crm.fetch)
    assert crm.reads == 1, "a name that is nowhere does not cost a request for each delivery"
    now[0] = 31.0
    assert references.entries("stages", STAGES, "Won", crm.fetch)["won"].id == 9
