"""The rules that a linter does not know: sizes, names, words at the head of files, lists that agree."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pytest

from mappings.commands import Comment, OpenTicket
from mappings.source import Event
from mappings.sources import SOURCES
from mappings.vendor import JsonText, Plan, Ref
from mappings.vendors import VENDORS as MAPPINGS
from relay.cli import main
from sandbox.app import VENDORS as PLAYED
from tests.engine.harness import ENVIRON, SECRETS_OF_EVERY_SOURCE
from tests.engine.jobs import JOBS
from worker.settings.configuration import load
from worker.vendors import VENDORS as CALLED

ROOT = Path(__file__).parents[1]
PACKAGES = ("relay", "webhooks", "worker", "mappings", "sandbox", "bench", "chaos")
BANNED = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "managers"}
#: Lines of a file and of a function, in the packages and in the tests.
LIMITS = {"packages": (250, 40), "tests": (400, 60)}
#: Lines of a source: mappings/sources/<sender>.py, or the __init__.py of a folder of that name.
LONGEST_SOURCE = 120
FILES = sorted(
    path.relative_to(ROOT)
    for folder in (*PACKAGES, "tests")
    for path in (ROOT / folder).rglob("*.py")
    if "__pycache__" not in path.parts
)
NAMED = {str(path): path for path in FILES}
OF_PACKAGES = {name: path for name, path in NAMED.items() if path.parts[0] != "tests"}

each_file = pytest.mark.parametrize("path", NAMED.values(), ids=NAMED)
Function = ast.FunctionDef | ast.AsyncFunctionDef


def tree_of(path: Path) -> ast.Module:
    return ast.parse((ROOT / path).read_text("utf-8"))


def functions(path: Path) -> Iterator[Function]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, Function))


def lines_of(function: Function) -> int:
    """Return how many lines a function has, its docstring and signature among them."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def limits(path: Path) -> tuple[int, int]:
    return LIMITS["tests" if path.parts[0] == "tests" else "packages"]


def test_there_are_files_to_look_at() -> None:
    """Otherwise a moved folder makes all of these tests pass."""
    assert len(FILES) > 100
    assert {path.parts[0] for path in FILES} >= {*PACKAGES, "tests"}


@each_file
def test_a_file_says_in_its_first_words_what_it_is(path: Path) -> None:
    """Otherwise one reads the code to learn whether one has to read it."""
    first = (ast.get_docstring(tree_of(path)) or "").partition("\n")[0]
    assert first.endswith((".", ":"))


@each_file
def test_a_file_fits_in_the_head(path: Path) -> None:
    """Otherwise files grow to thousands of lines, each addition too small to refuse."""
    count = len((ROOT / path).read_text("utf-8").splitlines())
    assert count <= limits(path)[0]


@pytest.mark.parametrize("kind", SOURCES)
def test_a_source_shows_at_once_what_is_special_about_its_sender(kind: str) -> None:
    """Otherwise thirty senders read as thirty programs instead of one table with a few real differences."""
    sources = ROOT / "mappings" / "sources"
    folder = sources / kind / "__init__.py"
    source = folder if folder.exists() else sources / f"{kind}.py"
    assert len(source.read_text("utf-8").splitlines()) <= LONGEST_SOURCE


@each_file
def test_a_function_fits_on_a_screen(path: Path) -> None:
    """Otherwise the path of an event cannot be read any more."""
    # A migration lists all of its tables in one function.
    most = 1000 if "migrations" in path.parts else limits(path)[1]
    long = {f.name: lines_of(f) for f in functions(path) if lines_of(f) > most}
    assert long == {}


def test_no_file_is_a_drawer() -> None:
    """Otherwise what has no place of its own collects where nobody looks for it."""
    names = {part.removesuffix(".py").strip("_").lower() for path in FILES for part in path.parts}
    words = {word for name in names for word in name.split("_")}
    assert words & BANNED == set()


@pytest.mark.parametrize("path", OF_PACKAGES.values(), ids=OF_PACKAGES)
def test_no_function_imports(path: Path) -> None:
    """Otherwise circles between modules stay hidden, and a missing package is found in the middle of a call."""
    inside = {
        function.name
        for function in functions(path)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert inside == set()


@pytest.mark.parametrize("path", [p for p in OF_PACKAGES.values() if p.name == "__init__.py"], ids=str)
def test_no_module_takes_the_name_of_what_its_package_imports(path: Path) -> None:
    """Otherwise the name means the module as soon as that is loaded, which no type checker sees."""
    package = ".".join(path.parent.parts)
    imported = {
        alias.asname or alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import | ast.ImportFrom) and getattr(node, "module", None) != package
        for alias in node.names
    }
    assert imported & {beside.stem for beside in (ROOT / path.parent).iterdir()} == set()


def test_all_lists_know_the_same_vendors() -> None:
    """Otherwise a connection passes `relay check` and fails at its first delivery."""
    assert set(MAPPINGS) == set(CALLED) == set(PLAYED)
    for name, vendor in CALLED.items():
        assert vendor.mapping is MAPPINGS[name]
        assert MAPPINGS[name].type == name
        assert PLAYED[name].name == name
        assert set(PLAYED[name].credential_keys) == set(vendor.mapping.secrets)


def test_all_lists_know_the_same_sources() -> None:
    """Otherwise a source is found under another name than its events bear."""
    assert all(source.type == name for name, source in SOURCES.items())
    for source in SOURCES.values():
        assert not source.ignored & set(source.handlers), "handled or ignored, not both"


def test_the_import_contracts_name_every_source_and_vendor() -> None:
    """Otherwise a new source may import another one, and the check that forbids it says nothing."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    independent = {name for contract in contracts for name in contract.get("modules", ())}
    assert independent == {f"mappings.sources.{name}" for name in SOURCES} | {
        f"worker.vendors.{name}" for name in CALLED
    }


def test_every_source_and_vendor_is_in_the_example() -> None:
    """Otherwise nobody sees how it is configured, and the demo leaves it out."""
    settings = load(
        {**ENVIRON, **SECRETS_OF_EVERY_SOURCE, "RELAY_CONFIG": str(ROOT / "docs" / "every-source.toml")}
    )
    assert {source.type for source in settings.sources.values()} == set(SOURCES)
    settings = load(ENVIRON)
    assert {connection.vendor for connection in settings.connections.values()} == set(MAPPINGS)


@pytest.mark.parametrize("vendor", CALLED)
def test_a_vendors_kinds_use_operations_that_exist(vendor: str) -> None:
    """Otherwise the first record of that kind ends in a KeyError."""
    known = CALLED[vendor]
    for name, operation in known.operations.items():
        assert operation.name == name
    for kind in known.kinds.values():
        assert known.operations[kind.create].changes
        assert kind.remove is None or known.operations[kind.remove].changes
        assert kind.protection
        assert kind.find or kind.repeatable, "what cannot be found again must say so, and is listed here"


@pytest.mark.parametrize("vendor", CALLED)
def test_the_sandbox_plays_every_operation_that_is_called(vendor: str) -> None:
    """Otherwise an operation is used that no test and no demo has ever called."""
    played = {operation.name for operation in PLAYED[vendor].operations}
    assert set(CALLED[vendor].operations) <= played


def plans(vendor: str) -> Iterator[Plan]:
    """Return what every job that comes in becomes at `vendor`, as an order that is open, paid and cancelled."""
    settings = load(ENVIRON)
    account = next(c.account for c in settings.connections.values() if c.vendor == vendor)
    for job in JOBS:
        known = settings.sources[job.source]
        source = SOURCES[known.type]
        bodies = [job.body]
        if job.name == "order":
            later = ({"financial_status": "paid"}, {"cancelled_at": "2026-03-03T09:00:00+01:00"})
            bodies += [json.dumps({**json.loads(job.body), **changes}).encode() for changes in later]
        for body in bodies:
            payload = source.read(body, job.content_type)
            for kind, handler in source.handlers.items():
                if job.headers and kind != job.headers["x-shopify-topic"]:
                    continue
                event = Event(job.source, "e1", kind, payload, job.headers, "order-1", None, known.options)
                for command in handler(event):
                    planner = MAPPINGS[vendor].planners.get(type(command))
                    dated = {**command.attributes, "received_at": "2026-03-02T12:00:00+00:00"}
                    if planner:
                        yield planner(replace(command, attributes=dated), account)
                    if planner and isinstance(command, OpenTicket):
                        said = (Comment("1", "Minh", "Any news?"),)
                        yield planner(replace(command, attributes=dated, comments=said), account)


def references(value: Any) -> Iterator[Ref]:
    if isinstance(value, Ref):
        yield value
    elif isinstance(value, JsonText):
        yield from references(value.value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from references(inner)


@pytest.mark.parametrize("vendor", CALLED)
def test_every_kind_that_a_plan_names_can_be_made(vendor: str) -> None:
    """Otherwise a mapping asks for a record that the engine cannot make, and the delivery crashes for ever."""
    found = list(plans(vendor))
    assert len(found) >= 4
    named = {record.kind for plan in found for record in plan.records}
    assert named == set(CALLED[vendor].kinds), "each kind is planned, and each that is planned is known"
    for plan in found:
        made: set[tuple[str, str]] = set()
        for record in plan.records:
            wanted = {(ref.kind, ref.key) for ref in references([record.body, record.changes])}
            assert wanted <= made, "a record is named before it is made"
            made.add((record.kind, record.key))


def commands(group: click.Command, name: str = "relay") -> Iterator[tuple[str, click.Command]]:
    yield name, group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for word in group.list_commands(context):
            command = group.get_command(context, word)
            assert command is not None
            yield from commands(command, f"{name} {word}")


ALL_COMMANDS = dict(commands(main))


@pytest.mark.parametrize("command", ALL_COMMANDS.values(), ids=ALL_COMMANDS)
def test_every_command_says_what_it_does(command: click.Command) -> None:
    """Otherwise a newcomer has to read the code to use it."""
    assert len((command.help or "").split()) >= 4
    assert (command.help or "").partition("\n")[0].rstrip().endswith(".")
