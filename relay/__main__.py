"""`python -m relay` is the same as `relay`."""

from __future__ import annotations

from relay.cli import main

main()
