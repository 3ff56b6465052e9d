"""One instance of each marshmallow schema."""

from __future__ import annotations

from functools import cache

from marshmallow import Schema


@cache
def instance(schema: type[Schema]) -> Schema:
    """Return the one instance of `schema`: making one takes longer than loading with it, and they keep no state."""
    return schema()
