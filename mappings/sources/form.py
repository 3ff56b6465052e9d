"""A form on any web page. Special: nobody fixed the names of its fields, and it signs and numbers nothing."""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from mappings.bodies import read_form
from mappings.commands import Person, RegisterLead
from mappings.errors import CannotMap
from mappings.phones import to_e164
from mappings.source import Arrival, Event, Naming, Source, UrlToken

DEDUP_WINDOW_SECONDS = 600  # a second click or a reload comes within minutes; the same question later is news


def _folded(name: str) -> str:
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", name).casefold())


#: Field names that people use, by our attribute. Case, spaces and punctuation do not matter.
KNOWN_AS = {
    "name": "name, full name, your name, contact name, customer name, nombre completo, họ tên, "
    "họ và tên, tên",
    "first_name": "first name, fname, given name, forename, vorname, prénom, prenom, nombre",
    "last_name": "last name, lname, surname, family name, nachname, nom, apellido, apellidos, họ",
    "email": "email, email address, your email, e-mail-adresse, correo, correo electrónico, "
    "courriel, thư điện tử",
    "phone": "phone, phone number, your phone, tel, telephone, telefon, téléphone, teléfono, telefono, "
    "mobile, mobile number, cell phone, whatsapp, zalo, điện thoại, số điện thoại, sđt, sdt",
    "company": "company, company name, your company, organisation, organization, business name, firma, "
    "entreprise, société, empresa, công ty, tên công ty",
    "message": "message, your message, comment, comments, enquiry, inquiry, question, nachricht, mensaje, "
    "comentarios, lời nhắn, tin nhắn, nội dung",
    "consent": "consent, gdpr, gdpr consent, privacy, privacy policy, datenschutz, accept terms, đồng ý",
    "language": "language, lang, locale, sprache, langue, idioma, ngôn ngữ",
}
_KNOWN = {_folded(name): ours for ours, names in KNOWN_AS.items() for name in names.split(",")}

#: What a form sends that nobody filled in: tokens of captchas, which are spent, marks of frameworks, buttons.
#: So is every field whose name begins with "_" (_next, _ts, _wpcf7 …).
NOISE = frozenset(
    map(
        _folded,
        "cf-turnstile-response, g-recaptcha-response, h-captcha-response, csrf_token, csrfmiddlewaretoken, "
        "authenticity_token, utf8, submit, submit button, btn submit, button".split(","),
    )
)


def name_event(arrival: Arrival) -> Naming:
    """Name a submission: the same values from the same source within the window are the same submission."""
    fields = {k: v for k, v in arrival.payload.items() if not _is_noise(k)}
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), default=str)
    seconds = arrival.options.get("dedup_window_seconds", DEDUP_WINDOW_SECONDS)
    return Naming(
        type="submitted",
        dedup_key=hashlib.sha256(canonical.encode()).hexdigest(),
        window=timedelta(seconds=seconds),
    )


def register_lead(event: Event) -> Iterable[RegisterLead]:
    """Turn the fields into a lead; every field that has a value and a meaning for nobody is an attribute.

    Raises CannotMap where there is neither a name nor an e-mail address nor a telephone number.
    """
    values = _flat(event.payload)
    known, attributes = _sorted_out(values, event.options.get("fields", {}))
    full_name = known.get("name") or " ".join(filter(None, map(known.get, ("first_name", "last_name"))))
    if not (full_name or known.get("email") or known.get("phone")):
        there = ", ".join(sorted(values)) or "none"
        raise CannotMap("fields", f"no name, e-mail address or telephone number among: {there}")
    person = Person(
        name=full_name,
        first_name=known.get("first_name", ""),
        last_name=known.get("last_name", ""),
        email=known.get("email", ""),
        phone=to_e164(known.get("phone", ""), event.options.get("default_region")),
        company=known.get("company", ""),
        language=known.get("language", ""),
    )
    yield RegisterLead(
        key=event.key,
        person=person,
        message=known.get("message", ""),
        origin=event.options.get("origin") or event.source,
        consent=known.get("consent", ""),
        attributes=attributes,
    )


def _sorted_out(
    values: Mapping[str, str], aliases: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values that a lead has a place for, and the rest; an alias goes before a known name."""
    known: dict[str, str] = {}
    attributes: dict[str, str] = {}
    used = set()
    for ours, theirs in aliases.items():
        wanted = [_dotted(name) for name in ([theirs] if isinstance(theirs, str) else theirs)]
        found = next((name for name in wanted if name in values), None)
        if found is not None:
            (known if ours in KNOWN_AS else attributes)[ours] = values[found]
            used.add(found)
    for name, value in values.items():
        ours = _KNOWN.get(_folded(name), "")
        if name in used or _is_noise(name):
            continue
        if ours and ours not in known:
            known[ours] = value
        else:
            _add(attributes, name, value)
    return known, attributes


def _is_noise(name: str) -> bool:
    return name.startswith("_") or _folded(name) in NOISE


def _dotted(name: str) -> str:
    """Return `address[city]`, as it stands in the page, as `address.city`, as it stands in an attribute."""
    return re.sub(r"\[([^\]]*)\]", r".\1", name).rstrip(".")


def _flat(fields: Mapping[str, Any]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for name, value in _leaves(fields, ""):
        if value:
            _add(flat, name or "(no name)", value)
    return flat


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, ".".join(filter(None, (name, str(key)))))
    elif isinstance(value, list):
        yield name, ", ".join(filter(None, map(_written, value)))
    else:
        yield name, _written(value)


def _written(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return format(value, "f") if isinstance(value, Decimal) else str(value).strip()


def _add(values: dict[str, str], name: str, value: str) -> None:
    values[name] = f"{values[name]}, {value}" if name in values else value


SOURCE = Source(
    type="form",
    media_types=frozenset(
        {"application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain"}
    ),
    read=read_form,
    name=name_event,
    handlers={"submitted": register_lead},
    protection=UrlToken(required=False),
    options={"fields": dict, "default_region": str, "origin": str, "dedup_window_seconds": int},
)
