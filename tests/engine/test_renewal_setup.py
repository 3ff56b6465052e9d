"""How a token that ends is set up, what of it can be read by others, and the grant that needs no refresh token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from relay.check_offline import warnings
from tests.conftest import Clock
from tests.engine.harness import ENVIRON
from tests.engine.seller import APP, FIRST, SECRET, selling
from tests.stolen import is_in, on_disk
from worker.http import Http
from worker.ledger import sealing
from worker.ledger.database import Database
from worker.ledger.version import require_current
from worker.masking import masked
from worker.senders.renewal import Renewing, current
from worker.settings import Settings, SettingsError
from worker.settings.configuration import load
from worker.settings.encryption_keys import key_bytes, new_key

CONNECTION = """
[connections.opla]
vendor = "oplacrm"
base_url = "https://api-admin.oplacrm.com/api"
token_env = "OPLA_TOKEN"
[connections.opla.values]
ticket_as = "lead"
[[routes]]
source = "market"
to = ["opla"]
[sources.market]
token_env = "INBOX_TOKEN"
"""
ID, SECRET_KEY, REFRESH = (
    'api_client_id_env = "APP"\n',
    'api_client_secret_env = "APP_SECRET"\n',
    'api_refresh_token_env = "FIRST"\n',
)
FIXED = 'api_token_env = "OPLA_TOKEN"\n'
MERCADO_LIBRE, SHOPIFY = (
    'type = "mercado_libre"\n',
    'type = "shopify"\nshop = "x.myshopify.com"\nsecret_env = "OPLA_TOKEN"\n',
)
THREE = "api_client_id_env, api_client_secret_env and api_refresh_token_env"
TWO = "api_client_id_env and api_client_secret_env"
SECRETS = {"APP": APP, "APP_SECRET": SECRET, "FIRST": FIRST}
Load = Callable[..., Settings]


@pytest.fixture
def load_source(tmp_path: Path) -> Load:
    def read(table: str, **environ: str) -> Settings:
        path = tmp_path / "relay.toml"
        path.write_text(CONNECTION + table, "utf-8")
        return load({**ENVIRON, **SECRETS, "RELAY_CONFIG": str(path), **environ})

    return read


@pytest.mark.parametrize(
    ("table", "key", "remedy"),
    [
        (MERCADO_LIBRE, "api_token_env", f"with a token of its API, or {THREE}, as its tokens end"),
        (
            MERCADO_LIBRE + ID + SECRET_KEY,
            "api_refresh_token_env",
            f"is missing: a token is renewed with {THREE}",
        ),
        (
            MERCADO_LIBRE + REFRESH + ID,
            "api_client_secret_env",
            f"is missing: a token is renewed with {THREE}",
        ),
        (MERCADO_LIBRE + ID + SECRET_KEY + REFRESH + FIXED, "api_token_env", f"remove it, or {THREE}"),
        (
            SHOPIFY + ID + SECRET_KEY + REFRESH,
            "api_refresh_token_env",
            f"is not needed: a token is renewed with {TWO}",
        ),
        ('type = "stripe"\n' + ID, "api_client_id_env", "do not end; use api_token_env instead"),
        ('type = "generic"\n' + ID, "api_url", "fetched for them; remove api_url, api_client_id_env"),
    ],
)
def test_what_is_missing_or_too_much_is_named(load_source: Load, table: str, key: str, remedy: str) -> None:
    """Otherwise the first renewal, six hours later, is where the operator learns of a missing key."""
    with pytest.raises(SettingsError) as caught:
        load_source(table)
    assert any(
        fault.where.endswith(f"sources.market.{key}") and remedy in fault.what
        for fault in caught.value.faults
    ), list(map(str, caught.value.faults))


def test_a_variable_that_is_not_set_is_named(load_source: Load) -> None:
    """Otherwise a renewal is tried with nothing, and the sender is blamed."""
    with pytest.raises(SettingsError) as caught:
        load_source(MERCADO_LIBRE + ID + SECRET_KEY + REFRESH, FIRST="")
    (fault,) = caught.value.faults
    assert str(fault).endswith("api_refresh_token_env: no secret: set the environment variable FIRST")


def test_a_fixed_token_that_will_end_is_warned_about(load_source: Load) -> None:
    """Otherwise all works while it is set up, and stops in the night."""
    (warning,) = warnings(load_source(MERCADO_LIBRE + FIXED))
    assert warning.where.endswith("sources.market.api_token_env")
    assert "ends 6 hours after it was made" in warning.what
    assert THREE in warning.what
    gateway = MERCADO_LIBRE + FIXED + 'api_url = "http://127.0.0.1:9000"\n'
    for right in (gateway, MERCADO_LIBRE + ID + SECRET_KEY + REFRESH, SHOPIFY + FIXED):
        assert warnings(load_source(right)) == []


def test_a_token_is_renewed_where_the_interface_is(load_source: Load) -> None:
    """Otherwise a shop's secret goes to another shop, or to nobody."""
    market = load_source(MERCADO_LIBRE + ID + SECRET_KEY + REFRESH).sources["market"]
    assert market.renewal is not None
    assert market.renewal.url == "https://api.mercadolibre.com/oauth/token"
    assert (market.renewal.client_id, market.renewal.client_secret, market.renewal.first) == (
        APP,
        SECRET,
        FIRST,
    )
    assert SECRET not in repr(market)
    assert FIRST not in repr(market)
    shop = load_source(SHOPIFY + ID + SECRET_KEY).sources["market"]
    assert shop.renewal is not None
    assert shop.renewal.url == "https://x.myshopify.com/admin/oauth/access_token"
    assert (shop.renewal.first, shop.api_url) == ("", "https://x.myshopify.com/admin/api/2026-01")


def test_nobody_reads_a_token_in_the_ledger_or_in_a_text(
    db: Database, clock: Clock, load_source: Load
) -> None:
    """Otherwise who has a backup, or a log, reads the seller's orders and changes his prices."""
    load_source(MERCADO_LIBRE + ID + SECRET_KEY + REFRESH)
    first, second = key_bytes(new_key()), key_bytes(new_key())
    address = db.engine.url.render_as_string(hide_password=False)
    with selling(clock) as seller:
        for keys in ((first,), (second, first)):
            sealed = Database(address, 4, keys)
            require_current(sealed)
            if keys[0] == second:
                sealing.rotate(sealed, lambda page: None)
                sealing.forget_old_keys(sealed)
            token = current(Renewing(Http(), sealed, clock, lambda: None), seller.source())
            sealed.close()
            assert token == "APP_USR-access-1"
            with db.read() as c:
                (row,) = c.execute(text("SELECT access_token, refresh_token FROM sender_tokens")).all()
            assert all(str(value).startswith("sealed:1:") for value in row), row
            stolen = on_disk(db)
            assert not any(is_in(stolen, word) for word in ("APP_USR-access-1", "TG-following-1", FIRST))
    opened = Database(address, 4, (second,))
    require_current(opened)
    opened.close()
    told = masked(f"they said {FIRST}, TG-following-1, {token} and {SECRET} to us")
    assert told == "they said <secret>, <secret>, <secret> and <secret> to us"


def test_an_app_of_a_shop_gets_a_token_with_its_id_and_secret(db: Database, clock: Clock) -> None:
    """Otherwise who makes a Shopify app today has no token to put into relay.toml that lasts for a second day."""
    with selling(clock) as seller:
        shop, worker = seller.source("shop", first=""), Renewing(Http(), db, clock, lambda: None)
        assert current(worker, shop) == "APP_USR-access-1"
        assert current(worker, shop) == "APP_USR-access-1"
        clock.forward(hours=6)
        assert current(worker, shop) == "APP_USR-access-2"
    assert (
        seller.posts == [{"grant_type": "client_credentials", "client_id": APP, "client_secret": SECRET}] * 2
    )
