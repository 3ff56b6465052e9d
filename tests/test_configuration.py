"""relay.toml and the environment: what is right is read, and all that is wrong is told at once, with its remedy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from mappings.sources import SOURCES
from mappings.vendors import VENDORS
from tests.engine.harness import ENVIRON, ROOT
from worker.settings import Settings, SettingsError
from worker.settings.configuration import load

KNOWN = ", ".join(sorted(VENDORS))
UNPROTECTED = (
    "name the environment variable that holds the secret, or say unprotected = true where anybody may post"
)
SMALL = """
[sources.shop]
type = "shopify"
secret_env = ["SHOP_SECRET", "SHOP_SECRET_OLD"]

[connections.opla]
vendor = "oplacrm"
base_url = "https://api-admin.oplacrm.com/api"
token_env = "OPLA_TOKEN"

[[routes]]
source = "shop"
to = ["opla"]
"""
TYPES = ", ".join(sorted(SOURCES))
Load = Callable[..., Settings]


@pytest.fixture
def load_text(tmp_path: Path) -> Load:
    """Read a relay.toml of the test's own with the environment of the example."""

    def read(text: str, **environ: str | None) -> Settings:
        path = tmp_path / "relay.toml"
        path.write_text(text, "utf-8")
        changed = {**ENVIRON, "RELAY_CONFIG": str(path), **environ}
        return load({name: value for name, value in changed.items() if value is not None})

    return read


@pytest.fixture
def faults(load_text: Load, tmp_path: Path) -> Callable[..., list[str]]:
    """Return the faults of a relay.toml, its path in them written as `relay.toml`."""

    def read(text: str, **environ: str | None) -> list[str]:
        with pytest.raises(SettingsError) as caught:
            load_text(text, **environ)
        return [str(fault).replace(f"{tmp_path}/", "") for fault in caught.value.faults]

    return read


def test_the_example_is_right() -> None:
    """Otherwise the first thing that a newcomer runs fails."""
    settings = load(ENVIRON)
    assert set(settings.sources) == {"website", "shop", "inbox"}
    all_five = ["opla", "centia", "office", "overplane", "crmtop"]
    assert set(settings.connections) == set(all_five)
    assert settings.connections_for("website", "submitted") == all_five
    assert settings.connections_for("inbox", "inbound") == all_five[1:]
    assert settings.connections_for("nobody", "submitted") == []


def test_what_is_not_said_has_a_default(load_text: Load, tmp_path: Path) -> None:
    """Otherwise an operator has to know each key before anything works."""
    settings = load_text(SMALL, RELAY_VAR=str(tmp_path))
    opla = settings.connections["opla"]
    assert (opla.timeout, opla.search_lag) == (timedelta(seconds=20), timedelta(seconds=10))
    assert (opla.give_up_after, opla.requests_per_second) == (timedelta(hours=24), None)
    assert settings.database_url == f"sqlite:///{tmp_path}/ledger.sqlite"
    assert settings.broker_url == f"redis+socket://{tmp_path}/broker.sock"
    assert (settings.body_limit, settings.sentry_dsn) == (1024 * 1024, "")
    assert settings.routes[0].events is None


def test_an_event_goes_to_each_of_its_connections_once(load_text: Load) -> None:
    """Otherwise two routes that overlap make two leads."""
    more = '\n[[routes]]\nsource = "shop"\nto = ["opla"]\nevents = ["orders/create"]\n'
    settings = load_text(SMALL + more)
    assert settings.connections_for("shop", "orders/create") == ["opla"]
    only = load_text(SMALL.replace('to = ["opla"]', 'to = ["opla"]\nevents = ["orders/paid"]'))
    assert only.connections_for("shop", "orders/create") == []
    assert only.connections_for("shop", "orders/paid") == ["opla"]


NO_PATH = "must be the http(s) address of your account, without query or credentials"
BAD_NAME = "must be 1 to 32 lower-case letters, digits, '-' or '_', beginning with a letter or digit"
BAD_RATE = "must be greater than 0 and at most 1000"
NO_VALUE = "there is no such value; docs/vendors.md lists those of each CRM"
NO_KEY = "there is no such key; the README lists those that there are"
UNSET = "no secret: set the environment variable"
HANDLED = ", ".join(sorted(SOURCES["shopify"].handlers))
#: What is replaced in the small file, by what, and the faults that must be told, each word of them.
BROKEN: dict[str, tuple[str, str, list[str]]] = {
    "unknown source type": (
        'type = "shopify"',
        'type = "shopfiy"',
        [f"relay.toml: sources.shop.type: must be one of: {TYPES}"],
    ),
    "unknown vendor": (
        'vendor = "oplacrm"',
        'vendor = "opla"',
        ["relay.toml: connections.opla.vendor: must be one of: " + KNOWN],
    ),
    "unknown key of a source": (
        'type = "shopify"',
        'type = "shopify"\nsecrets = "x"',
        [f"relay.toml: sources.shop.secrets: {NO_KEY}"],
    ),
    "unknown key of a connection": (
        'token_env = "OPLA_TOKEN"',
        'token_env = "OPLA_TOKEN"\ntimeout = 3',
        [f"relay.toml: connections.opla.timeout: {NO_KEY}"],
    ),
    "unknown value": (
        'token_env = "OPLA_TOKEN"',
        'token_env = "OPLA_TOKEN"\n[connections.opla.values]\nownr = "x"',
        [f"relay.toml: connections.opla.values.ownr: {NO_VALUE}"],
    ),
    "unknown table": ("[[routes]]", "[[rutes]]", [f"relay.toml: rutes: {NO_KEY}"]),
    "no TOML": (
        'type = "shopify"',
        "type = shopify",
        ["relay.toml: is not valid TOML: Invalid value (at line 3, column 8)"],
    ),
    "no protection": (
        'secret_env = ["SHOP_SECRET", "SHOP_SECRET_OLD"]',
        "",
        [
            f"relay.toml: sources.shop.secret_env: is missing: {UNPROTECTED}",
        ],
    ),
    "unset secret": (
        '["SHOP_SECRET", "SHOP_SECRET_OLD"]',
        '["NOBODY_SET_THIS", "NOR_THIS"]',
        [
            f"relay.toml: sources.shop.secret_env: {UNSET} NOBODY_SET_THIS or NOR_THIS",
        ],
    ),
    "no token": (
        'token_env = "OPLA_TOKEN"',
        "",
        ["relay.toml: connections.opla.token_env: is missing: name the variable that holds the token"],
    ),
    "unset token": (
        '"OPLA_TOKEN"',
        '"NOBODY_SET_THIS"',
        [
            "relay.toml: connections.opla.token_env: no token: set the environment variable NOBODY_SET_THIS",
        ],
    ),
    "strange credential": (
        'token_env = "OPLA_TOKEN"',
        'token_env = "OPLA_TOKEN"\npassword_env = "CENTIA_PASSWORD"',
        ["relay.toml: connections.opla.password_env: oplacrm has no such credential; remove it"],
    ),
    "address without a scheme": (
        "https://api-admin",
        "api-admin",
        [f"relay.toml: connections.opla.base_url: {NO_PATH}"],
    ),
    "address with credentials": (
        "https://api-admin",
        "https://me:secret@api-admin",
        [f"relay.toml: connections.opla.base_url: {NO_PATH}"],
    ),
    "address with a wrong port": (
        "oplacrm.com/api",
        "oplacrm.com:99999/api",
        ["relay.toml: connections.opla.base_url: has a port that does not exist: ports go from 0 to 65535"],
    ),
    "route from nowhere": (
        'source = "shop"',
        'source = "shoop"',
        ["relay.toml: routes[0].source: no [sources.shoop] in this file"],
    ),
    "route to nowhere": (
        'to = ["opla"]',
        'to = ["opla", "olpa"]',
        ["relay.toml: routes[0].to: no [connections.olpa] in this file"],
    ),
    "route of an event that is not handled": (
        'to = ["opla"]',
        'to = ["opla"]\nevents = ["orders/create", "order/paid"]',
        [f"relay.toml: routes[0].events: 'order/paid' is not handled; these are: {HANDLED}"],
    ),
    "name of a source": (
        "[sources.shop]",
        '[sources."My Shop"]',
        [f"relay.toml: sources.My Shop: {BAD_NAME}"],
    ),
    "zero requests": (
        'token_env = "OPLA_TOKEN"',
        'token_env = "OPLA_TOKEN"\nrequests_per_second = 0',
        [
            f"relay.toml: connections.opla.requests_per_second: {BAD_RATE}",
        ],
    ),
    "source that is no table": (
        SMALL[: SMALL.index("[connections")],
        "[sources]\nshop = 3\n",
        ["relay.toml: sources.shop: must be a table"],
    ),
    "no routes": (
        SMALL[SMALL.index("[[routes]]") :],
        "",
        ["relay.toml: has no sources, connections and routes: it needs one of each"],
    ),
}


@pytest.mark.parametrize(("old", "new", "told"), BROKEN.values(), ids=BROKEN)
def test_a_fault_is_told_with_file_key_and_remedy(
    faults: Callable[..., list[str]], old: str, new: str, told: list[str]
) -> None:
    """Otherwise the operator learns that something is wrong, and tries."""
    assert SMALL.count(old) == 1
    assert faults(SMALL.replace(old, new)) == told


def test_all_faults_are_told_at_once(faults: Callable[..., list[str]]) -> None:
    """Otherwise each start tells the next one, ten starts for ten slips."""
    broken = SMALL.replace('"oplacrm"', '"x"').replace('"shopify"', '"y"').replace('["opla"]', '["z"]')
    assert faults(broken, RELAY_BODY_LIMIT="1 MB") == [
        f"relay.toml: sources.shop.type: must be one of: {TYPES}",
        "relay.toml: connections.opla.vendor: must be one of: " + KNOWN,
        "relay.toml: routes[0].to: no [connections.z] in this file",
        "RELAY_BODY_LIMIT: must be a whole number of at least 1, not '1 MB'",
    ]


def test_a_fault_of_one_kind_hides_none_of_another(faults: Callable[..., list[str]]) -> None:
    """Otherwise a wrong number is corrected, and only then the wrong name beside it is told."""
    broken = SMALL.replace('["opla"]', '["z"]').replace(
        'token_env = "OPLA_TOKEN"', 'token_env = "OPLA_TOKEN"\nbreaker_after = 0\nvalues.stages = 3'
    )
    assert faults(broken + "[retention]\nfailed_days = 1.5\n") == [
        "relay.toml: retention.failed_days: must be a whole number",
        "relay.toml: connections.opla.breaker_after: must be at least 1 and at most 1000",
        "relay.toml: connections.opla.values.stages: must be a table",
        "relay.toml: routes[0].to: no [connections.z] in this file",
    ]


def test_a_source_of_a_wrong_name_is_not_missed_by_its_route(faults: Callable[..., list[str]]) -> None:
    """Otherwise one slip is told as two, and the second sends the operator to the wrong line."""
    (told,) = faults(
        SMALL.replace("sources.shop]", "sources.Shop]").replace('source = "shop"', 'source = "Shop"')
    )
    assert told.startswith("relay.toml: sources.Shop: must be 1 to 32 lower-case letters")


@pytest.mark.parametrize("limit", ["0", "-1", "1e6", "ten"])
def test_a_limit_that_is_none_is_told(faults: Callable[..., list[str]], limit: str) -> None:
    """Otherwise the receiver refuses every event, or reads bodies without end."""
    assert faults(SMALL, RELAY_BODY_LIMIT=limit) == [
        f"RELAY_BODY_LIMIT: must be a whole number of at least 1, not {limit!r}"
    ]


def test_a_number_of_threads_that_is_none_is_told(faults: Callable[..., list[str]]) -> None:
    """Otherwise the worker ends with a traceback, and `relay check` has found no fault."""
    assert faults(SMALL, RELAY_THREADS="many") == [
        "RELAY_THREADS: must be a whole number of at least 1, not 'many'"
    ]


def test_an_origin_may_be_written_as_people_write_it(
    load_text: Load, faults: Callable[..., list[str]]
) -> None:
    """Otherwise the page's script cannot read the answer, and nothing says why: browsers send no slash."""
    origins = 'allowed_origins = ["https://WWW.example.com/"]\n'
    table = "[sources.shop]\n"
    assert SMALL.count(table) == 1
    known = load_text(SMALL.replace(table, table + origins)).sources["shop"]
    assert known.allowed_origins == {"https://www.example.com"}
    page = origins.replace("com/", "com/contact")
    assert faults(SMALL.replace(table, table + page)) == [
        "relay.toml: sources.shop.allowed_origins.0: must end after the host: browsers send nothing of the path"
    ]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Otherwise whoever starts it in the wrong folder gets a traceback."""
    for path, told in (
        (tmp_path / "no.toml", "does not exist; set RELAY_CONFIG or run from the folder that holds it"),
        (tmp_path, "cannot be read"),
    ):
        with pytest.raises(SettingsError, match=told):
            load({**ENVIRON, "RELAY_CONFIG": str(path)})


@pytest.mark.parametrize(
    ("environ", "secrets"),
    [
        ({"SHOP_SECRET": "new", "SHOP_SECRET_OLD": "old"}, ("new", "old")),
        ({"SHOP_SECRET": "new"}, ("new",)),
        ({"SHOP_SECRET": None, "SHOP_SECRET_OLD": "old"}, ("old",)),
        ({"SHOP_SECRET": "", "SHOP_SECRET_OLD": "old"}, ("old",)),
    ],
)
def test_one_of_two_secrets_is_enough(
    load_text: Load, environ: Mapping[str, str | None], secrets: tuple[str, ...]
) -> None:
    """Otherwise a secret cannot be rotated without a pause, or an empty one verifies anything."""
    assert load_text(SMALL, **environ).sources["shop"].secrets == secrets


@pytest.mark.parametrize(
    ("base_url", "beside_a_sandbox"),
    [
        ("https://api-admin.oplacrm.com/api", "http://127.0.0.1:8900/oplacrm/api"),
        ("https://api-admin.oplacrm.com/api/", "http://127.0.0.1:8900/oplacrm/api"),
        ("https://api-admin.oplacrm.com", "http://127.0.0.1:8900/oplacrm"),
        ("https://api-admin.oplacrm.com/", "http://127.0.0.1:8900/oplacrm"),
        ("http://10.0.0.1:8080/a/b", "http://127.0.0.1:8900/oplacrm/a/b"),
    ],
)
def test_beside_a_sandbox_no_real_crm_is_called(
    load_text: Load, base_url: str, beside_a_sandbox: str
) -> None:
    """Otherwise the demo writes its samples into a customer's CRM."""
    text = SMALL.replace("https://api-admin.oplacrm.com/api", base_url)
    for sandbox in ("http://127.0.0.1:8900", "http://127.0.0.1:8900/"):
        settings = load_text(text, RELAY_SANDBOX_URL=sandbox)
        assert settings.connections["opla"].base_url == beside_a_sandbox
    assert load_text(text).connections["opla"].base_url == base_url.rstrip("/")


def test_settings_shown_hold_no_secret() -> None:
    """Otherwise a traceback, a log line or a debugger's screenshot gives the credentials away."""
    urls = {
        "RELAY_DATABASE_URL": "postgresql://relay:dbsecret@db/ledger",
        "RELAY_BROKER_URL": "redis://:brokersecret@redis/0",
        "SENTRY_DSN": "https://sentrysecret@o1.ingest.example/2",
    }
    environ = {**ENVIRON, **urls, "SHOP_SECRET_OLD": "oldsecret"}
    shown = repr(load(environ))
    for secret in ("dbsecret", "brokersecret", "sentrysecret", "oldsecret", "shop-secret", "inbox-token"):
        assert secret not in shown
    for secret in ("opla-token", "centia-password"):
        assert secret not in shown


def test_no_fault_tells_a_secret(faults: Callable[..., list[str]]) -> None:
    """Otherwise `relay check` shows the credentials to whoever looks over the operator's shoulder."""
    told = "\n".join(faults(SMALL.replace('"oplacrm"', '"x"'), OPLA_TOKEN="tok3n", SHOP_SECRET="s3cret"))
    assert "tok3n" not in told
    assert "s3cret" not in told


def test_the_example_names_each_secret_and_holds_none() -> None:
    """Otherwise a secret is committed with the file that everybody copies."""
    text = (ROOT / "relay.toml").read_text("utf-8")
    for name in ("SHOP_SECRET", "INBOX_TOKEN", "OPLA_TOKEN", "CENTIA_EMAIL", "CENTIA_PASSWORD"):
        assert name in text
        assert ENVIRON[name] not in text


def test_an_entry_may_be_written_with_id(load_text: Load) -> None:
    """Otherwise `owner_id`, which everybody writes who has an id at hand, is an unknown field."""
    values = '[connections.opla.values]\nowner_id = "M1"\n\n[[routes]]'
    settings = load_text(SMALL.replace("[[routes]]", values))
    assert settings.connections["opla"].account.values["owner"] == "M1"
