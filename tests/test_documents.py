"""What the documents name exists: paths, links, decisions, commands, make targets, keys, variables, defaults."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from marshmallow import Schema

from mappings.sources import SOURCES
from mappings.vendors import VENDORS
from relay.cli import main
from tests.test_architecture import ALL_COMMANDS
from worker.breaker import Phase
from worker.ledger.tables import State
from worker.settings.schema import ConnectionSchema, RelayToml, RetentionSchema, RouteSchema
from worker.settings.sources import GuardSchema, SignatureSchema, SourceSchema

ROOT = Path(__file__).parents[1]
DOCUMENTS = {
    str(path.relative_to(ROOT)): path.read_text("utf-8")
    for path in sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("**/*.md")])
}
README = DOCUMENTS["README.md"]
#: What the code and the deployment read; all other words in capitals are the users' own.
VARIABLE = re.compile(
    r"\b(?:RELAY_[A-Z_]*[A-Z]|SENTRY_DSN|(?:FLOWER_|SANDBOX_)?PORT|FLOWER_(?:PASSWORD|BASIC_AUTH))\b"
)
FOLDERS = r"(?:relay|webhooks|worker|mappings|sandbox|bench|chaos|tests|docs|\.ci)"
CODE_PATH = re.compile(rf"(?<![\w/.<-])({FOLDERS}/[\w./<>*-]*[\w>*/])")
LINK = re.compile(r"\]\(([^)\s]+)\)")
COMMAND = re.compile(r"(?:^|[`(]|\.venv/bin/)relay ([a-z]+(?: [a-z]+)?)([^`\n#|]*)", re.M)
#: Kept secret where it is set, and read by nothing else.
NOT_EXPLAINED = {"RELAY_CONSOLE_PASSWORD"}
#: Numbers that have a default, by their keys.
NUMBERS = {
    key: field.load_default
    for schema in (ConnectionSchema, SourceSchema)
    for key, field in schema._declared_fields.items()
    if isinstance(field.load_default, int | float) and not isinstance(field.load_default, bool)
}

each_document = pytest.mark.parametrize("name", DOCUMENTS)


def code(text: str) -> Iterator[str]:
    """Return what stands in backticks and in code blocks."""
    fences = re.findall(r"^ *```.*?\n(.*?)^ *```", text, re.M | re.S)
    yield from fences
    for fence in fences:
        text = text.replace(fence, "")
    yield from re.findall(r"`([^`\n]+)`", text)


def anchors(text: str) -> set[str]:
    """Return the anchors that a host of repositories makes of the headings."""
    titles = re.findall(r"^#+ (.*)$", text, re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def exists(path: str) -> bool:
    pattern = re.sub(r"<[^>]*>", "*", path).rstrip("/")
    return any(ROOT.glob(pattern)) or any(ROOT.glob(f"{pattern}.py")) or any(ROOT.glob(f"{pattern}-*.md"))


def test_there_are_documents_to_read() -> None:
    """Otherwise a moved folder makes all of these tests pass."""
    assert len(DOCUMENTS) > 40
    assert {"README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/operations.md"} <= set(DOCUMENTS)


@each_document
def test_every_path_in_a_document_leads_somewhere(name: str) -> None:
    """Otherwise the reader looks for a file that was renamed, and does not trust the rest either."""
    assert [path for path in CODE_PATH.findall(DOCUMENTS[name]) if not exists(path)] == []


@each_document
def test_every_link_in_a_document_leads_somewhere(name: str) -> None:
    """Otherwise a click ends in "not found", or at the top of a long page."""
    lost = []
    for link in LINK.findall(DOCUMENTS[name]):
        path, _, anchor = link.partition("#")
        if path.startswith("http"):
            continue
        target = ((ROOT / name).parent / path).resolve() if path else ROOT / name
        known = DOCUMENTS.get(str(target.relative_to(ROOT))) or ""
        if not target.exists() or (anchor and anchor not in anchors(known)):
            lost.append(link)
    assert lost == []


@each_document
def test_every_command_in_a_document_exists_with_its_options(name: str) -> None:
    """Otherwise an operator copies a line in the middle of the night, and it is refused."""
    wrong = []
    for piece in code(DOCUMENTS[name]):
        for words, rest in COMMAND.findall(piece):
            command = ALL_COMMANDS.get(f"relay {words.partition(' ')[0]}")
            if isinstance(command, click.Group) and f"relay {words}" in ALL_COMMANDS:
                command = ALL_COMMANDS[f"relay {words}"]
            options = {opt for p in command.params for opt in (*p.opts, "--help")} if command else set()
            given = re.findall(r"(?<!\S)\[?(--[a-z-]+)", rest)
            wrong += [words] if command is None else [f"{words} {o}" for o in given if o not in options]
    assert wrong == []


def test_every_command_is_in_the_readme() -> None:
    """Otherwise nobody finds what is not listed."""
    table = README.partition("## Commands")[2].partition("## Configuration")[0]
    assert [
        name for name in main.list_commands(click.Context(main)) if not re.search(rf"`{name}\b", table)
    ] == []


@each_document
def test_every_make_target_in_a_document_exists(name: str) -> None:
    """Otherwise the first command that a newcomer types says that there is no rule."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))
    named = {word for piece in code(DOCUMENTS[name]) for word in re.findall(r"(?:^|\n)make ([a-z]+)", piece)}
    assert named <= targets


def test_the_readme_explains_every_key_of_the_configuration() -> None:
    """Otherwise `relay check` refuses a key with "the README lists those that there are", and it does not."""
    table = README.partition("## Configuration")[2].partition("\n## ")[0]
    schemas: list[type[Schema]] = [RelayToml, SourceSchema, GuardSchema, SignatureSchema]
    schemas += [ConnectionSchema, RouteSchema, RetentionSchema]
    keys = {key for schema in schemas for key in schema._declared_fields}
    assert {key for key in keys if not re.search(rf"[`.\[]{key}[`.\]]", table)} == set()


@pytest.mark.parametrize("vendor", VENDORS)
def test_the_documents_explain_every_value_of_a_vendor(vendor: str) -> None:
    """Otherwise a value can be set, and only those who read the code know of it."""
    text = DOCUMENTS["docs/vendors.md"]
    assert {
        key
        for key in VENDORS[vendor].values._declared_fields
        if not re.search(rf"(^|`){key}[` =]", text, re.M)
    } == set()


@pytest.mark.parametrize("kind", SOURCES)
def test_the_documents_show_every_option_of_a_source(kind: str) -> None:
    """Otherwise an option can be set, and only those who read the code know of it."""
    text = "".join(
        [README, DOCUMENTS["docs/sources.md"], (ROOT / "docs/every-source.toml").read_text("utf-8")]
    )
    assert {key for key in SOURCES[kind].options if not re.search(rf"\b{key}\b", text)} == set()


def test_the_documents_name_the_variables_that_are_read() -> None:
    """Otherwise a variable is set that nobody reads, or one that would help is known to nobody."""
    files = [path for folder in ("relay", "webhooks", "worker") for path in (ROOT / folder).rglob("*.py")]
    files += [ROOT / name for name in ("Procfile", "docker-compose.yml")]
    read = {name for path in files for name in VARIABLE.findall(path.read_text("utf-8"))}
    table = README.partition("| variable | meaning |")[2].partition("\n## ")[0]
    assert set(VARIABLE.findall(table)) == read - NOT_EXPLAINED
    assert {name for text in DOCUMENTS.values() for name in VARIABLE.findall(text)} <= read


@pytest.mark.parametrize("key", NUMBERS)
def test_a_default_in_the_readme_is_the_default(key: str) -> None:
    """Otherwise somebody relies on a time or a number that is another one."""
    row = next(
        line for line in README.splitlines() if line.startswith("|") and f"`{key}`" in line.split("|")[1]
    )
    assert re.findall(r"default (\d+)", row) == [f"{NUMBERS[key]:g}"]


def test_the_readme_explains_every_state() -> None:
    """Otherwise `relay deliveries` shows a word that is explained nowhere."""
    words = README.partition("## Words")[2].partition("\n## ")[0]
    assert {state.value for state in State if f"`{state}`" not in words} == set()


def test_the_manual_explains_every_event_of_the_log() -> None:
    """Otherwise an alert waits for a line that no process writes, or one comes up that nobody can look up."""
    packages = [ROOT / name for name in ("webhooks", "worker")]
    written = "".join(path.read_text("utf-8") for folder in packages for path in folder.rglob("*.py"))
    logged = set(re.findall(r"\b(?:log\(\)\.[a-z]+|alert)\(\s*\"([a-z]+\.[a-z_]+)\"", written))
    timers = re.findall(r"\bTimer\(\"([a-z]+)\"", written)
    logged |= {f"{timer}.{end}" for timer in timers for end in ("failed", "crashed")}
    table = DOCUMENTS["docs/operations.md"].partition("## The log")[2].partition("\n## ")[0]
    named = {
        name
        for row in re.findall(r"^\| (`.+?) \|", table, re.M)
        for name in re.findall(r"`([a-z_.-]+)`", row)
    }
    # These are made of the breaker's word; `connection.opened` says the first opening and who waits.
    assert named - {"event"} == logged | {f"connection.{phase}" for phase in Phase}
