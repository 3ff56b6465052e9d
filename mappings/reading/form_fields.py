"""Forms whose owners named the fields: which of them says who somebody is, whatever they call it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Any

from mappings.commands import Address, Person, RegisterLead
from mappings.errors import CannotMap
from mappings.formats.accents import composed
from mappings.formats.phones import to_e164
from mappings.source import Arrival, Event, Naming

#: Characters of a field's name, beyond which it is none that a form has.
LONGEST_NAME = 80
DEDUP_WINDOW_SECONDS = 600  # a second click or a reload comes within minutes; the same question later is news

#: Equal fields give equal text, in whatever order they come.
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=str)
#: Options of relay.toml that every source of leads has: `fields` are our attribute = the name of their field.
LEAD_OPTIONS: Mapping[str, Any] = {"fields": dict, "default_region": str, "origin": str}
#: A signature or a file that a page wrote into a field (RFC 2397).
_DRAWN = re.compile("data:([a-z]{1,20}/[a-z0-9.+-]{1,80})(?:;[a-z]+=[a-z0-9-]+)*;base64,", re.IGNORECASE)
#: With those of forms whose submissions bear no number.
FORM_OPTIONS: Mapping[str, Any] = {**LEAD_OPTIONS, "dedup_window_seconds": int}


def _folded(name: str) -> str:
    # A form sends the same names each time. What is longer than any name is not worth a place in memory.
    return _folded_name(name) if len(name) <= LONGEST_NAME else _fold(name)


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", "", composed(name).casefold())


_folded_name = lru_cache(4096)(_fold)

#: Field names that people use, by our attribute. Case, spaces and punctuation do not matter.
KNOWN_AS = {
    "name": "name, full name, your name, contact name, customer name, vollständiger name, vor- und nachname, "
    "votre nom, nom et prénom, nom complet, nombre completo, nombre y apellidos, nome, nome completo, "
    "nome e cognome, naam, volledige naam, họ tên, họ và tên, tên, "
    "姓名, 名前, お名前, 氏名, ご氏名, 이름, 성함, الاسم, الاسم الكامل",
    "first_name": "first name, name first, fname, given name, forename, vorname, prénom, prenom, nombre, "
    "primeiro nome, voornaam, 名, الاسم الأول",
    "last_name": "last name, name last, lname, surname, family name, nachname, nom, nom de famille, apellido, "
    "apellidos, cognome, sobrenome, achternaam, họ, 姓, اسم العائلة",
    "email": "email, email address, mail, your email, work email, business email, contact email, customer email, "
    "e-mail-adresse, e-mailadres, "
    "correo, correo electrónico, correo electronico, courriel, adresse e-mail, adresse email, indirizzo email, "
    "endereço de e-mail, thư điện tử, 邮箱, 电子邮箱, 电子邮件, 電子郵件, 電郵, メール, メールアドレス, 이메일, "
    "البريد الإلكتروني, الإيميل",
    "phone": "phone, phone number, phone no, mobile phone, telephone number, work phone, work phone number, tel, "
    "telephone, telefon, telefonnummer, handynummer, téléphone, numéro de téléphone, portable, teléfono, telefono, "
    "numero di telefono, telefone, celular, móvil, cellulare, telefoonnummer, telefoon, mobile, mobile number, "
    "cell phone, whatsapp, zalo, contact phone, contact number, customer phone, điện thoại, số điện thoại, sđt, "
    "sdt, 电话, 電話, 手机, 手机号, 手機, 電話番号, 携帯電話, 전화번호, 연락처, "
    "رقم الهاتف, الهاتف, رقم الجوال, الجوال",
    "company": "company, company name, your company, organisation, organization, business name, firma, "
    "firmenname, unternehmen, entreprise, société, empresa, azienda, bedrijf, bedrijfsnaam, công ty, tên công ty, "
    "公司, 公司名称, 公司名稱, 会社名, 貴社名, 회사, 회사명, الشركة, اسم الشركة",
    "message": "message, your message, comment, comments, enquiry, inquiry, question, nachricht, ihre nachricht, "
    "votre message, mensaje, comentarios, messaggio, mensagem, bericht, lời nhắn, tin nhắn, nội dung, 留言, "
    "お問い合わせ内容, お問合せ内容, メッセージ, 메시지, 문의내용, الرسالة, رسالتك",
    "consent": "consent, gdpr, gdpr consent, privacy, privacy policy, datenschutz, accept terms, đồng ý",
    "language": "language, lang, locale, sprache, langue, idioma, lingua, taal, ngôn ngữ",
}
#: Family names by what languages call them in which these are written before the given name.
FAMILY_FIRST = frozenset({"họ", "姓"})
_KNOWN = {_folded(name): ours for ours, names in KNOWN_AS.items() for name in names.split(",")}
#: What stands before and behind a known name without changing what it means: `your-tel`, `Name (required)`.
_WHOSE = re.compile(r"(?:your|ihre?|deine?|votre|vos|tu|su|seu|sua|uw|jouw)[\W_]+", re.IGNORECASE)
_ASIDE = re.compile(
    r"\W*\((?:required|optional|pflichtfeld|erforderlich|obligatoire|facultatif|obligatorio|opcional"
    r"|obbligatorio|facoltativo|verplicht|bắt buộc|không bắt buộc)\)\W*",
    re.IGNORECASE,
)

#: What a form sends that nobody filled in: tokens of captchas, which are spent, marks of frameworks, buttons.
#: So is every field whose name begins with "_" (_next, _ts, _wpcf7 …).
NOISE = frozenset(
    map(
        _folded,
        "cf-turnstile-response, g-recaptcha-response, h-captcha-response, csrf_token, csrfmiddlewaretoken, "
        "authenticity_token, utf8, submit, submit button, btn submit, button".split(","),
    )
)


def named_by_content(arrival: Arrival, type_: str, fields: Any) -> Naming:
    """Name a submission that bears no number: equal `fields` within a window are one and the same."""
    canonical = _CANONICAL.encode(fields)
    seconds = arrival.options.get("dedup_window_seconds", DEDUP_WINDOW_SECONDS)
    return Naming(
        type=type_,
        dedup_key=hashlib.sha256(canonical.encode()).hexdigest(),
        window=timedelta(seconds=seconds),
    )


def lead_of(
    event: Event,
    values: Mapping[str, str],
    *,
    origin: str = "",
    language: str = "",
    address: Address | None = None,
    attributes: Mapping[str, str] | None = None,
) -> RegisterLead:
    """Return the lead that the fields `values`, by the names of their owner, make.

    A field with a meaning for nobody becomes an attribute, beside those in `attributes`. `origin` is the form
    or campaign, where the source knows it; relay.toml's word goes before it. Raises CannotMap where there is
    neither a name nor an e-mail address nor a telephone number.
    """
    known, others = _sorted_out(values, event.options.get("fields", {}))
    _first_address(known, others)
    _complete_name(known, family_first=any(_folded(name) in FAMILY_FIRST for name in values))
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
        address=address,
        language=known.get("language", "") or language,
    )
    return RegisterLead(
        key=event.key,
        person=person,
        message=known.get("message", ""),
        origin=event.options.get("origin") or origin or event.source,
        consent=known.get("consent", ""),
        attributes=others | {name: value for name, value in (attributes or {}).items() if value},
    )


def _complete_name(known: dict[str, str], *, family_first: bool) -> None:
    """Take a "name" beside a family name for the given one, as in `name` and `surname`, `tên` and `họ`."""
    name, family = known.get("name", ""), known.get("last_name", "")
    if not name or not family or "first_name" in known or family.casefold() in name.casefold():
        return
    known["first_name"] = name
    known["name"] = f"{family} {name}" if family_first else f"{name} {family}"


def _first_address(known: dict[str, str], others: dict[str, str]) -> None:
    """Keep the first of several e-mail addresses in one field: two are none, and no CRM could write to them."""
    written = [each for each in re.split(r"[\s,;]+", known.get("email", "")) if each]
    if len(written) > 1 and all(re.fullmatch("[^@<>]+@[^@<>]+", each) for each in written):
        known["email"] = written[0]
        more = ", ".join(dict.fromkeys(each for each in written[1:] if each != written[0]))
        if more:
            _add(others, "other_email", more)


def _sorted_out(
    values: Mapping[str, str], aliases: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the values that a lead has a place for, and the rest; an alias goes before a known name."""
    known: dict[str, str] = {}
    attributes: dict[str, str] = {}
    used = set()
    for ours, theirs in aliases.items():
        # Also as it is written: a question may have brackets in it that no page made.
        names = [theirs] if isinstance(theirs, str) else theirs
        wanted = [form for name in names for form in (_dotted(name), name)]
        found = next((name for name in wanted if name in values), None)
        if found is not None:
            (known if ours in KNOWN_AS else attributes)[ours] = values[found]
            used.add(found)
    for name, value in values.items():
        ours = _meaning(name)
        if name in used or is_noise(name):
            continue
        if ours and ours not in known:
            known[ours] = value
        else:
            _add(attributes, name, value)
    return known, attributes


def _meaning(name: str) -> str:
    """Return our attribute for a field that is called `name`; empty for one with a meaning for nobody."""
    known = _KNOWN.get(_folded(name), "")
    if known or len(name) > LONGEST_NAME:
        return known
    whose = _WHOSE.match(name)
    bare = name[whose.end() :] if whose else name
    aside = _ASIDE.search(bare)
    bare = bare[: aside.start()] if aside and aside.end() == len(bare) else bare
    return "" if bare == name else _KNOWN.get(_folded(bare), "")


def is_noise(name: str) -> bool:
    """Say whether nobody filled this field in: a captcha's token, a framework's mark, a button."""
    return name.startswith("_") or _folded(name) in NOISE


def _dotted(name: str) -> str:
    """Return `address[city]`, as it stands in the page, as `address.city`, as it stands in an attribute."""
    return re.sub(r"\[([^\]]*)\]", r".\1", name).rstrip(".")


def flat(fields: Mapping[str, Any]) -> dict[str, str]:
    """Return the filled-in fields of a nested payload as text, by dotted names; repeated ones are joined."""
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
    text = format(value, "f") if isinstance(value, Decimal) else composed(str(value).strip())
    drawn = _DRAWN.match(text)
    # The picture itself stays in the stored event: no field of a CRM holds it, and nobody could read it there.
    return f"({drawn[1]}, {(len(text) - drawn.end()) * 3 // 4} bytes)" if drawn else text


def _add(values: dict[str, str], name: str, value: str) -> None:
    values[name] = f"{values[name]}, {value}" if name in values else value
