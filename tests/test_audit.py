"""`make audit` says what is known, and never takes silence for safety."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
SOUND = {"name": "click", "version": "8.1", "vulns": []}
BAD = {
    "name": "flask",
    "version": "0.1",
    "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"], "aliases": []}],
}
UNKNOWN = {"name": "celery", "skip_reason": "not found"}


def audit(folder: Path, answer: str) -> tuple[int, str]:
    """Run the audit with a pip-audit that says `answer`; return its exit code and what it prints."""
    tool = folder / "pip-audit"
    tool.write_text(f"#!{sys.executable}\nimport sys\n{answer}\n")
    tool.chmod(0o700)
    argv = [sys.executable, str(ROOT / ".ci" / "audit.py"), str(tool), "a.lock"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


CASES: dict[str, tuple[list[dict[str, Any]], int, str]] = {
    "sound": ([SOUND], 0, "none known in 1 packages"),
    "known": ([SOUND, BAD], 1, "KNOWN VULNERABILITIES: flask 0.1 (PYSEC-1, mended in 0.2)"),
    "partly": (
        [SOUND, UNKNOWN],
        0,
        "none known in 1 packages; NOT CHECKED, unknown to the advisory service: 1",
    ),
    "nothing": ([UNKNOWN], 0, "NOT CHECKED: the advisory service knows none of the 1 packages"),
    "both": ([UNKNOWN, BAD], 1, "KNOWN VULNERABILITIES: flask 0.1 (PYSEC-1, mended in 0.2); NOT CHECKED"),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_known_is_said(tmp_path: Path, case: str) -> None:
    """If this fails, a known hole passes for none, or a build fails for want of a network."""
    packages, code, words = CASES[case]
    written = json.dumps({"dependencies": packages, "fixes": []})
    ended, said = audit(tmp_path, f"print({written!r}); sys.exit({code})")
    assert (ended, said.startswith(f"audit a.lock: {words}")) == (code, True), said


def test_a_service_that_is_away_is_no_clean_bill(tmp_path: Path) -> None:
    """If this fails, a build without network claims that everything was checked."""
    ended, said = audit(tmp_path, "sys.exit('ConnectionError: nobody there')")
    assert (ended, said) == (0, "audit a.lock: NOT CHECKED: ConnectionError: nobody there\n")
