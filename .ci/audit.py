"""Asks pip-audit for known vulnerabilities of the lock files: `audit.py PIP_AUDIT LOCK…`.

Ends with 1 where one is known. That nobody could be asked is said and is no failure: a build must not depend on a
service of others. It is never taken for "none known".
"""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

SECONDS = 120


@dataclass(frozen=True)
class Verdict:
    """What is known of one lock file: a line to print, and whether it is a failure."""

    line: str
    fails: bool = False


def main(pip_audit: str, locks: list[str]) -> int:
    """Print a line for each lock file; return the exit code."""
    with ThreadPoolExecutor() as pool:
        verdicts = list(pool.map(lambda lock: asked(pip_audit, lock), locks))
    for lock, verdict in zip(locks, verdicts, strict=True):
        sys.stdout.write(f"audit {lock}: {verdict.line}\n")
    return int(any(verdict.fails for verdict in verdicts))


def asked(pip_audit: str, lock: str) -> Verdict:
    """Return what pip-audit says of `lock`."""
    argv = [pip_audit, "--requirement", lock, "--disable-pip", "--require-hashes", "--format", "json"]
    argv += ["--progress-spinner", "off"]
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Verdict(f"NOT CHECKED: no answer within {SECONDS} s")
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        said = (done.stderr.strip() or "no word").splitlines()[-1]
        return Verdict(f"NOT CHECKED: {said[:200]}")
    return judged(packages)


def judged(packages: list[dict[str, object]]) -> Verdict:
    """Return what `packages`, as pip-audit lists them, come to."""
    bad = [f"{p['name']} {p['version']} ({_ids(p['vulns'])})" for p in packages if p.get("vulns")]
    unknown = [str(p["name"]) for p in packages if "skip_reason" in p]
    checked = len(packages) - len(unknown)
    left_out = f"; NOT CHECKED, unknown to the advisory service: {len(unknown)}" if unknown else ""
    if bad:
        return Verdict(f"KNOWN VULNERABILITIES: {', '.join(bad)}{left_out}", fails=True)
    if not checked:
        return Verdict(f"NOT CHECKED: the advisory service knows none of the {len(packages)} packages")
    return Verdict(f"none known in {checked} packages{left_out}")


def _ids(found: object) -> str:
    listed = found if isinstance(found, list) else []
    return ", ".join(f"{one['id']}, mended in {' or '.join(one['fix_versions']) or 'none'}" for one in listed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
