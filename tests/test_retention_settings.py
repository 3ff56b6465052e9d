"""What relay.toml and the environment say of retention and encryption, and what is wrong with it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.engine.harness import ENVIRON, ROOT
from worker.settings import Retention, SettingsError
from worker.settings.configuration import load
from worker.settings.encryption_keys import key_bytes, new_key

GOOD = "7bGiSw0FozcaARj7xIJ9yHftEDg-2FWfXMtEEzZnW6A="
EXAMPLE = (ROOT / "relay.toml").read_text("utf-8").partition("[retention]")[0]


def loaded(tmp_path: Path, more: str = "", **environ: str) -> Retention:
    path = tmp_path / "relay.toml"
    path.write_text(f"{EXAMPLE}\n{more}", "utf-8")
    return load({**ENVIRON, "RELAY_CONFIG": str(path), **environ}).retention


def test_nothing_is_purged_where_nothing_is_said(tmp_path: Path) -> None:
    """Otherwise an upgrade deletes what nobody asked it to."""
    assert loaded(tmp_path) == Retention()


def test_days_are_days(tmp_path: Path) -> None:
    """Otherwise what shall be kept for a quarter goes after ninety seconds."""
    found = loaded(tmp_path, "[retention]\ndelivered_days = 90\nignored_days = 30\nremembered_days = 730\n")
    assert found == Retention(
        delivered=timedelta(days=90), ignored=timedelta(days=30), failed=None, remembered=timedelta(days=730)
    )


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("delivered_days = 0", "retention.delivered_days: must be at least 1"),
        ("delivered_days = 1.5", "retention.delivered_days: must be a whole number"),
        ("delivered = 90", "retention.delivered: there is no such key"),
        ("failed_days = 90\nremembered_days = 30", "retention.remembered_days: must be at least 90"),
    ],
)
def test_a_wrong_age_is_told_with_its_place(tmp_path: Path, line: str, complaint: str) -> None:
    """Otherwise data is kept, or goes, against the operator's will."""
    with pytest.raises(SettingsError) as told:
        loaded(tmp_path, f"[retention]\n{line}\n")
    assert complaint in str(told.value)


def test_keys_are_read_in_their_order_and_never_shown() -> None:
    """Otherwise the old key seals, or a log holds the key."""
    new, old = new_key(), new_key()
    settings = load({**ENVIRON, "RELAY_ENCRYPTION_KEY": f"{new}, {old}"})
    assert settings.encryption_keys == (key_bytes(new), key_bytes(old))
    assert str(key_bytes(new)) not in repr(settings)


@pytest.mark.parametrize(
    "wrong", ["secret", GOOD[:-2], GOOD + "A", "é" * 44], ids=["word", "cut", "long", "signs"]
)
def test_a_key_that_is_none_is_told_and_not_shown(wrong: str) -> None:
    """Otherwise a key that was copied without its end locks the ledger up, or the error shows it to everybody."""
    good = new_key()
    with pytest.raises(SettingsError) as told:
        load({**ENVIRON, "RELAY_ENCRYPTION_KEY": f"{good},{wrong}"})
    said = str(told.value)
    assert said == "RELAY_ENCRYPTION_KEY: key number 2 is not a valid key: `relay keys new` makes one"
