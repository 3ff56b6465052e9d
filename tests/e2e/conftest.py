"""In which order the end-to-end tests run: several at a time, those that wait longest first."""

from __future__ import annotations

import pytest

#: Seconds after which a test hangs, where it says no number itself. A quiet machine needs a thirtieth of it.
HANGS_AFTER = 1500


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # What is begun last with minutes to wait would be waited for alone.
    items.sort(key=_patience, reverse=True)
    for item in items:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(HANGS_AFTER))


def _patience(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker else 0.0
