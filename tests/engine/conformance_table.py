"""Shows at the end of a run what the conformance suite has proved, as a table of vendor and job by scenario."""

from __future__ import annotations

from collections import Counter

import pytest

#: The tests of test_conformance.py and the column that each fills.
SCENARIOS = {
    "test_a_job_makes_its_records": "created",
    "test_a_repeated_job_changes_nothing": "again",
    "test_a_fault_at_a_create_makes_no_second_record": "faults",
    "test_a_refused_create_fails_and_is_made_once_it_is_released": "refused",
    "test_a_worker_killed_after_the_call_makes_no_second_record": "killed",
    "test_a_token_that_expires_is_renewed": "token",
    "test_a_look_up_that_fails_is_not_a_record_that_is_missing": "look-up fails",
    "test_a_search_that_lags_makes_no_second_record": "search lags",
    "test_what_was_deleted_by_hand_is_made_again": "reference missing",
}
_ran: Counter[tuple[str, str]] = Counter()
_held: Counter[tuple[str, str]] = Counter()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        scenario = SCENARIOS.get(getattr(item, "originalname", ""))
        if scenario and item.path.name == "test_conformance.py":
            job = item.callspec.params["job"]  # type: ignore[attr-defined]
            item.user_properties.append(("conformance", f"{job.vendor} {job.name}|{scenario}"))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    place = dict(report.user_properties).get("conformance")
    if place and (report.when == "call" or report.failed):
        row, _, scenario = str(place).partition("|")
        _ran[row, scenario] += 1
        _held[row, scenario] += report.passed


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _ran:
        return
    columns = [name for name in dict.fromkeys(SCENARIOS.values()) if any(s == name for _, s in _ran)]
    terminalreporter.section("each job under each scenario: exactly one record")
    terminalreporter.write_line(f"{'':<22}" + "".join(f"{name:>18}" for name in columns))
    for row in dict.fromkeys(row for row, _ in _ran):
        cells = [f"{_held[row, c]} of {_ran[row, c]}" if _ran[row, c] else "-" for c in columns]
        terminalreporter.write_line(f"{row:<22}" + "".join(f"{cell:>18}" for cell in cells))
