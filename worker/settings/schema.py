"""What relay.toml may hold, as marshmallow schemas; an unknown key is an error."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from marshmallow import RAISE, Schema, ValidationError, fields, validate, validates_schema

from worker.settings import Fault
from worker.settings.complaints import UNKNOWN, in_our_words

#: Names of sources and connections go into URLs, queue names and the external keys of records.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
SECRET_KEYS = ("token_env", "email_env", "password_env", "client_id_env", "client_secret_env")
_NAMED_BY_ENV = (*SECRET_KEYS, "secret_env", "api_token_env", "captcha_secret_env")


def _a_name(text: str) -> None:
    if not NAME.match(text):
        raise ValidationError(
            "must be 1 to 32 lower-case letters, digits, '-' or '_', beginning with a letter or digit"
        )


def an_address(text: str) -> None:
    """Raise ValidationError unless `text` is an http(s) address without query and credentials."""
    if not re.match(r"https?://[^\s/?#@]+(/[^\s?#]*)?\Z", text):
        raise ValidationError("must be the http(s) address of your account, without query or credentials")
    try:
        urlsplit(text).port  # noqa: B018
    except ValueError:
        raise ValidationError("has a port that does not exist: ports go from 0 to 65535") from None


def _days() -> fields.Integer:
    return fields.Integer(strict=True, load_default=None, validate=validate.Range(min=1, max=36500))


def _a_zone(text: str) -> None:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValidationError(
            'must be a time zone such as "Asia/Ho_Chi_Minh"; if it is one, this machine lacks the package tzdata'
        ) from None


class NamesOrName(fields.Field[list[str]]):
    """One environment variable's name, or a list of them."""

    def _deserialize(self, value: Any, *args: Any, **kwargs: Any) -> list[str]:
        names = [value] if isinstance(value, str) else value
        if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
            raise ValidationError("must be the name of an environment variable, or a list of names")
        return names


class RelayToml(Schema):
    """The file as a whole."""

    class Meta:
        unknown = RAISE

    sources = fields.Dict(keys=fields.String(validate=_a_name), values=fields.Dict(), load_default=dict)
    connections = fields.Dict(keys=fields.String(validate=_a_name), values=fields.Dict(), load_default=dict)
    routes = fields.List(fields.Nested(lambda: RouteSchema()), load_default=list)
    retention = fields.Nested(lambda: RetentionSchema(), load_default=lambda: RetentionSchema().load({}))


class ConnectionSchema(Schema):
    """`[connections.X]`: how to reach one account at a vendor, and how patient to be with it."""

    class Meta:
        unknown = RAISE

    vendor = fields.String(required=True)
    base_url = fields.String(required=True, validate=an_address)
    token_env = fields.String()
    email_env = fields.String()
    password_env = fields.String()
    client_id_env = fields.String()
    client_secret_env = fields.String()
    requests_per_second = fields.Float(
        load_default=None, validate=validate.Range(min=0, min_inclusive=False, max=1000)
    )
    requests_per_day = fields.Integer(
        load_default=None, strict=True, validate=validate.Range(min=1, max=1_000_000_000)
    )
    day_zone = fields.String(load_default="UTC", validate=_a_zone)
    concurrency = fields.Integer(load_default=None, strict=True, validate=validate.Range(min=1, max=1000))
    breaker_after = fields.Integer(load_default=5, strict=True, validate=validate.Range(min=1, max=1000))
    timeout_seconds = fields.Float(load_default=20.0, validate=validate.Range(min=1, max=300))
    search_lag_seconds = fields.Float(load_default=10.0, validate=validate.Range(min=0, max=3600))
    give_up_after_hours = fields.Float(load_default=24.0, validate=validate.Range(min=0.001, max=24 * 30))
    values = fields.Dict(keys=fields.String(), load_default=dict)
    custom_fields = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.String()),
        load_default=dict,
    )
    paths = fields.Dict(keys=fields.String(), values=fields.String(), load_default=dict)
    verbs = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf(["PUT", "PATCH", "POST"])),
        load_default=dict,
    )


class RouteSchema(Schema):
    """`[[routes]]`."""

    class Meta:
        unknown = RAISE

    source = fields.String(required=True)
    to = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    events = fields.List(fields.String(), load_default=list)


class RetentionSchema(Schema):
    """`[retention]`: for how many days what is kept; what is not said is kept for ever."""

    class Meta:
        unknown = RAISE

    delivered_days = _days()
    ignored_days = _days()
    failed_days = _days()
    remembered_days = _days()

    @validates_schema
    def _remembers_longest(self, data: dict[str, Any], **_: Any) -> None:
        longest = max((days for name, days in data.items() if days and name != "remembered_days"), default=0)
        if (data["remembered_days"] or longest) < longest:
            raise ValidationError(
                f"must be at least {longest}, the longest of the others: until then the payload is there",
                "remembered_days",
            )


def report(path: Path, where: str, messages: Any, faults: list[Fault]) -> None:
    """Add what marshmallow says of a table to `faults`, each with its place in the file."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            # Of an entry of a Dict marshmallow says whether its key or its value is wrong: no level of the file.
            inside = where if key in ("_schema", "key", "value") else f"{where}.{key}".lstrip(".")
            report(path, inside, inner, faults)
    else:
        several = messages if isinstance(messages, list) else [messages]
        faults += [Fault(f"{path}: {where}", _mended(where, str(message))) for message in several]


def _mended(where: str, message: str) -> str:
    if message == "Not a valid mapping type.":
        return "must be a table"
    if message != UNKNOWN:
        return in_our_words(message)
    key = where.rpartition(".")[2]
    if f"{key}_env" in _NAMED_BY_ENV:
        return f"does not belong in a file: put it into an environment variable, and name that in {key}_env"
    if re.match(r"connections\.[^.]+\.values\.", where):
        return "there is no such value; docs/vendors.md lists those of each CRM"
    return "there is no such key; the README lists those that there are"
