"""Secrets that the process knows are taken out of every text, in every form, for as long as it lives."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from urllib.parse import quote_plus

import pytest

from tests.engine.harness import ENVIRON
from worker import masking
from worker.settings.configuration import load

QUOTED = 'quo"ted & spaced'
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()


@pytest.mark.parametrize("before", ["", "a", "ab", "user:"])
def test_a_secret_is_found_inside_base64_wherever_it_begins(before: str) -> None:
    """Otherwise the header of Basic authentication, echoed by a CRM, puts the password into the log."""
    masking.learn(["correct horse/battery"])
    text = base64.b64encode(f"{before}correct horse/battery".encode()).decode()
    inner = text[5:-5]
    assert inner not in masking.without_secrets(f"refused: Basic {text}")


@pytest.mark.parametrize("form", [str, quote_plus, json.dumps])
def test_a_secret_is_found_as_others_write_it(form: Callable[[str], str]) -> None:
    """Otherwise a URL or a JSON text in an error shows what the plain text hides."""
    masking.learn([QUOTED])
    said = masking.without_secrets(f"it said {form(QUOTED)}")
    assert "<secret>" in said
    assert "spaced" not in said


def test_tokens_come_and_go_and_the_configured_secrets_stay() -> None:
    """Otherwise a worker that has logged in often enough begins to write its passwords into the log."""
    masking.learn(["configured-password"])
    for number in range(3 * masking.MOST_TOKENS):
        masking.learn_token(f"vendor-token-{number:04}")
    said = masking.without_secrets("configured-password vendor-token-0119 vendor-token-0001")
    assert said == "<secret> <secret> vendor-token-0001"


def test_the_key_of_the_ledger_is_a_secret_too() -> None:
    """Otherwise whoever reads the log can read the payloads of every backup."""
    load({**ENVIRON, "RELAY_ENCRYPTION_KEY": KEY})
    assert masking.without_secrets(f"with {KEY}") == "with <secret>"
