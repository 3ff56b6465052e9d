"""The registry of all vendors' operations as rows, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.inputs import described
from relay.listing import as_table
from worker.vendors import VENDORS
from worker.vendors.vendor import Operation, Vendor

#: The columns of the list; the rest is in the JSON and in the description of one operation.
COLUMNS = ("vendor", "group", "operation", "call", "effect", "repeat", "confirmed", "makes")
#: The widest cell of the list: paths are longer than what the ledger's tables hold.
WIDEST = 80


def operations(vendor: str | None = None, changes_only: bool = False) -> list[dict[str, Any]]:
    """Return every operation, vendor by vendor, in the order of the vendor's document.

    `repeatable` says that a repetition does no harm, which is so for all that change nothing. `unclear` says
    what nobody knows and which key of relay.toml lets it run, and is empty where all is known. `request` is
    None where the registry does not describe the input. `kind` and `protection` belong to operations that
    make records.
    """
    return [
        _row(one, operation)
        for name, one in VENDORS.items()
        if vendor in (None, name)
        for operation in one.operations.values()
        if operation.changes or not changes_only
    ]


def _row(vendor: Vendor, operation: Operation) -> dict[str, Any]:
    made = {name: kind for name, kind in vendor.kinds.items() if kind.create == operation.name}
    return {
        "vendor": vendor.mapping.type,
        "group": operation.group,
        "operation": operation.name,
        "verb": operation.verb,
        "path": operation.path,
        "method": operation.method,
        "changes": operation.changes,
        "repeatable": not operation.changes
        or operation.repeatable
        or any(k.repeatable for k in made.values()),
        "probe": operation.probe,
        "confirmed": operation.confirmed,
        "unclear": _unclear(operation),
        "request": described(operation),
        "kind": ", ".join(made) or None,
        "protection": "; ".join(dict.fromkeys(kind.protection for kind in made.values())) or None,
    }


def _unclear(operation: Operation) -> str:
    if not operation.unclear:
        return ""
    return f"{operation.unclear}; set paths.{operation.name} (and verbs.{operation.name}) of the connection"


def as_list(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table with a line each, and how many there are."""
    if not rows:
        return "nothing"
    shown = [
        {
            **row,
            "call": _call(row),
            "effect": "changes" if row["changes"] else "reads",
            "repeat": "safe" if row["repeatable"] else "",
            "confirmed": "unclear" if row["unclear"] else ("yes" if row["confirmed"] else "configurable"),
            "makes": row["kind"],
        }
        for row in rows
    ]
    return f"{as_table(shown, COLUMNS, WIDEST)}\n{len(rows)} operations"


def as_description(row: Mapping[str, Any]) -> str:
    """Return all that is known of one operation, its input field by field."""
    facts = {
        "call": _call(row),
        "effect": "changes what the CRM holds" if row["changes"] else "only reads",
        "repeat": "does no harm" if row["repeatable"] else "may do it twice",
        "probe": row["probe"],
        "path": "stated by the vendor's document"
        if row["confirmed"]
        else "not stated; see paths in the README",
        "unclear": row["unclear"],
        "makes": row["kind"],
        "protected": row["protection"],
    }
    lines = [f"{row['vendor']} {row['operation']}", *(f"  {k:<10}{v}" for k, v in facts.items() if v)]
    if row["request"] is None:
        return "\n".join([*lines, "  input     not described: any JSON object"])
    return "\n".join([*lines, "  input     (* is required)", *_inputs(row["request"], "    ")])


def _inputs(fields: Mapping[str, Any], indent: str) -> Iterator[str]:
    for name, field in fields.items():
        wanted = f"; where nothing is known, {field['default']!r} is wanted" if "default" in field else ""
        yield f"{indent}{name}{'*' if field['required'] else ''}: {field['type']}{wanted}"
        yield from _inputs(field.get("fields", {}), f"{indent}  ")


def _call(row: Mapping[str, Any]) -> str:
    return f"{row['method']} ({row['path']})" if row["method"] else f"{row['verb']} {row['path']}"
