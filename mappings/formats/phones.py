"""Telephone numbers: as people type them, as E.164, and in the parts that some vendors want."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers

# A letter says more than a number does ("Zalo 090…", "… ext 5", "0800 FLOWERS"), and E.164 would lose it.
_SAYS_MORE = re.compile(r"[^\W\d_]")
_PREFIX = re.compile(r"(?i)^tel:")
_NORTH_AMERICA = 1


def to_e164(text: str, default_region: str | None) -> str:
    """Return `text` as E.164 ("+84901234567"), or stripped as typed where that would lose or invent.

    `default_region` (ISO 3166-1 alpha-2, any case) is where a number without a country code belongs; None if
    that is not known. A number counts when its length is possible there; whether it was ever given out is not
    asked, since the tables of that (libphonenumber's metadata) are always behind.
    """
    typed = text.strip()
    number = _parsed(_PREFIX.sub("", typed), default_region)
    if number is None or number.extension or _SAYS_MORE.search(_PREFIX.sub("", typed)):
        return typed
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def split(e164: str) -> tuple[str, str, str] | None:
    """Return call code, region and national number, ("+84", "VN", "901234567"); None if `e164` is no E.164.

    The region of a call code that several countries share (+1, +7, +44 …) follows from the digits after it,
    or is the main one of these countries where they do not tell. Numbers of no country (+800 …) give None.
    """
    number = _parsed(e164, None)
    if number is None or phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) != e164:
        return None
    code = number.country_code or 0
    region = phonenumbers.region_code_for_number(number) or phonenumbers.region_code_for_country_code(code)
    if not region.isalpha() or region == "ZZ":
        return None
    return f"+{code}", region, phonenumbers.national_significant_number(number)


# A lead's phone is read three times on its way; what is kept is never changed.
@lru_cache(256)
def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, region.upper() if region else None)
    except phonenumbers.NumberParseException:
        return None
    # Not `is_possible_number`, which also takes seven digits without the area code.
    reason = phonenumbers.is_possible_number_with_reason(number)
    return number if reason == phonenumbers.ValidationResult.IS_POSSIBLE and _has_area(number) else None


def _has_area(number: phonenumbers.PhoneNumber) -> bool:
    # In North America no area code begins with 0 or 1: such a number is of another country and lacks its code,
    # as a Vietnamese one of ten digits in a shop of the United States.
    national = phonenumbers.national_significant_number(number)
    return number.country_code != _NORTH_AMERICA or national[0] not in "01"
