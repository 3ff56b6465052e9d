"""The ids of events, deliveries and tasks: in the order of their making, and never one twice."""

from __future__ import annotations

import os
from uuid import RFC_4122, UUID

from worker.ids import new_id


def test_ids_sort_in_the_order_of_their_making() -> None:
    """Otherwise two events of one millisecond are applied in the wrong order."""
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {i[14] for i in ids} == {"7"}
    assert {UUID(i).variant for i in ids} == {RFC_4122}


def test_a_process_and_its_child_go_on_with_different_numbers() -> None:
    """Otherwise two workers that gunicorn forked may give two events one id, and one of the senders gets a 503."""
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 36).decode()
    os.close(reading)
    os.close(writing)
    assert UUID(theirs).int & (1 << 62) - 1 != UUID(new_id()).int & (1 << 62) - 1
