"""Reads one `[sources.X]` of relay.toml: what its type may hold, its secrets, its protection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields as members
from dataclasses import replace
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from limits import parse
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from mappings.protection import Hmac, Signature
from mappings.source import OptionType, Source
from mappings.sources import SOURCES
from worker.settings import Fault, FormGuard, SourceSettings
from worker.settings.schema import NamesOrName, an_address, report
from worker.settings.source_apis import Place, api_url_of, renewal_of

CAPTCHAS = ("turnstile", "recaptcha", "hcaptcha")


def _a_network(text: str) -> None:
    try:
        ip_network(text, strict=False)
    except ValueError:
        raise ValidationError("must be an IP address or a network such as 192.0.2.0/24") from None


def _an_origin(text: str) -> None:
    an_address(text)
    if urlsplit(text).path.strip("/"):
        raise ValidationError("must end after the host: browsers send nothing of the path")


def _a_rate(text: str) -> None:
    try:
        if text:
            parse(text)
    except ValueError:
        raise ValidationError('must be a rate such as "10/minute"') from None


class GuardSchema(Schema):
    """`[sources.X.form]`: what keeps robots out of a form on a public page."""

    class Meta:
        unknown = RAISE

    honeypot = fields.String(load_default="")
    filled_at = fields.String(load_default="")
    least_seconds = fields.Float(load_default=3.0, validate=validate.Range(0, 600))
    captcha = fields.String(load_default="", validate=validate.OneOf(["", *CAPTCHAS]))
    captcha_secret_env = fields.String(load_default="")
    least_score = fields.Float(load_default=0.5, validate=validate.Range(0, 1))
    # No rate unless it is asked for: behind one address may be a whole office, or the proxy in front of us.
    rate = fields.String(load_default="", validate=_a_rate)
    return_hosts = fields.List(fields.String(), load_default=list)


class SignatureSchema(Schema):
    """`[sources.X.signature]`: what differs from the sender's scheme as we know it; see mappings/protection.py."""

    class Meta:
        unknown = RAISE

    header = fields.String()
    algorithm = fields.String(validate=validate.OneOf(["sha1", "sha256", "sha384", "sha512"]))
    encoding = fields.String(validate=validate.OneOf(["base64", "hex"]))
    prefix = fields.String()
    signed = fields.String(validate=validate.ContainsNoneOf("\r\n"))
    parted_by = fields.String()
    signature_name = fields.String()
    timestamp_name = fields.String()
    timestamp_header = fields.String()
    timestamp_in = fields.String(validate=validate.OneOf(["seconds", "milliseconds", "iso"]))
    id_header = fields.String()
    tolerance_seconds = fields.Float(validate=validate.Range(0, 86400 * 365))
    key_is = fields.String(validate=validate.OneOf(["text", "base64", "html"]))
    secret_prefix = fields.String()


class SourceSchema(Schema):
    """`[sources.X]`: the keys that every source has; its type may know more."""

    class Meta:
        unknown = RAISE

    type = fields.String(required=True)
    secret_env = NamesOrName(load_default=list)
    token_env = NamesOrName(load_default=list)
    unprotected = fields.Boolean(load_default=False)
    allowed_addresses = fields.List(fields.String(validate=_a_network), load_default=list)
    allowed_origins = fields.List(fields.String(validate=_an_origin), load_default=list)
    public_url = fields.String(load_default="", validate=an_address)
    api_url = fields.String(load_default="", validate=an_address)
    api_token_env = fields.String(load_default="")
    api_client_id_env = fields.String(load_default="")
    api_client_secret_env = fields.String(load_default="")
    api_refresh_token_env = fields.String(load_default="")
    deliver_tests = fields.Boolean(load_default=False)
    signature = fields.Nested(SignatureSchema, load_default=None)
    form = fields.Nested(GuardSchema, load_default=None)


def read_source(
    name: str, table: Any, environ: Mapping[str, str], path: Path, faults: list[Fault]
) -> SourceSettings | None:
    """Return the source that `table` describes; what is wrong with it is added to `faults`."""
    place = f"sources.{name}"
    sender = SOURCES.get(str(table.get("type")))
    if sender is None:
        faults.append(Fault(f"{path}: {place}.type", f"must be one of: {', '.join(sorted(SOURCES))}"))
        return None
    options = {k: v for k, v in table.items() if k in sender.options}
    for key, value in options.items():
        _check_option(path, f"{place}.{key}", sender.options[key], value, faults)
    try:
        loaded = SourceSchema().load({k: v for k, v in table.items() if k not in sender.options})
    except ValidationError as error:
        report(path, place, error.messages, faults)
        return None
    where = Place(f"{path}: {place}", environ, faults)
    # The token of a sender with a challenge is spent there: what is posted later bears none.
    token = loaded["token_env"] if sender.challenge is None else []
    is_named = loaded["secret_env"] or token or loaded["allowed_addresses"]
    if not is_named and not sender.is_public and not loaded["unprotected"]:
        key = "secret_env" if sender.signatures else "token_env"
        remedy = "or say unprotected = true where anybody may post"
        where.fault(key, f"is missing: name the environment variable that holds the secret, {remedy}")
    return _made(name, sender, loaded, options, where)


def _check_option(path: Path, place: str, wanted: OptionType, value: Any, faults: list[Fault]) -> None:
    if isinstance(wanted, fields.Field):
        try:
            wanted.deserialize(value)
        except ValidationError as error:
            report(path, place, error.messages, faults)
    elif not isinstance(value, wanted):
        faults.append(Fault(f"{path}: {place}", f"must be of type {wanted.__name__}"))


def _made(
    name: str, sender: Source, loaded: Mapping[str, Any], options: Mapping[str, Any], where: Place
) -> SourceSettings:
    guard = _guard(where, sender, loaded["form"])
    api_url = api_url_of(where, sender, loaded, options)
    return SourceSettings(
        name=name,
        type=sender.type,
        secrets=where.secrets("secret_env", loaded["secret_env"]),
        tokens=where.secrets("token_env", loaded["token_env"]),
        signatures=_signatures(where, sender, loaded),
        addresses=_networks(loaded["allowed_addresses"]),
        public_url=loaded["public_url"],
        api_url=api_url,
        api_token=where.secret("api_token_env", loaded["api_token_env"]),
        renewal=renewal_of(where, sender, loaded, options, api_url),
        options={**options, **_noise(guard)},
        # As browsers write them.
        allowed_origins=frozenset(origin.rstrip("/").lower() for origin in loaded["allowed_origins"]),
        deliver_tests=loaded["deliver_tests"],
        guard=guard,
        unprotected=loaded["unprotected"],
    )


def _signatures(where: Place, sender: Source, loaded: Mapping[str, Any]) -> tuple[Signature, ...]:
    if loaded["secret_env"] and not sender.signatures and not loaded["signature"]:
        where.fault("secret_env", "this type of sender does not sign its posts; use token_env")
    if not loaded["signature"]:
        return sender.signatures
    changed = dict(loaded["signature"])
    if "tolerance_seconds" in changed:
        changed["tolerance"] = timedelta(seconds=changed.pop("tolerance_seconds"))
    for name in ("header", "timestamp_header", "id_header"):
        if name in changed:
            changed[name] = changed[name].lower()
    first = sender.signatures[0] if sender.signatures else Hmac(header="")
    if not isinstance(first, Hmac):
        where.fault("signature", "this type of sender signs in a way that cannot be configured")
        return sender.signatures
    made = replace(
        first, **{name: changed[name] for name in (m.name for m in members(Hmac)) if name in changed}
    )
    if not made.header:
        where.fault("signature.header", "is missing: name the header that holds the signature")
    return (made,)


def _networks(written: list[str]) -> tuple[IPv4Network | IPv6Network, ...] | None:
    return tuple(ip_network(text, strict=False) for text in written) or None


def _guard(where: Place, sender: Source, loaded: Mapping[str, Any] | None) -> FormGuard | None:
    if not sender.is_public:
        if loaded is not None:
            where.fault("form", "is for forms on public pages only")
        return None
    values = dict(loaded if loaded is not None else GuardSchema().load({}))
    name = values.pop("captcha_secret_env")
    if bool(values["captcha"]) != bool(name):
        where.fault("form.captcha_secret_env", "captcha and captcha_secret_env belong together")
    secret = where.secret("form.captcha_secret_env", name)
    return FormGuard(**values | {"captcha_secret": secret, "return_hosts": frozenset(values["return_hosts"])})


def _noise(guard: FormGuard | None) -> dict[str, list[str]]:
    # The fields that catch robots are nothing that anybody filled in, and differ each time the page is opened.
    return {"noise": [name for name in (guard.honeypot, guard.filled_at) if name]} if guard else {}
