"""What a failed call of centiaCRM means: its error is a text without a code, in Spanish or in English.

The order decides. A text about the token comes first, then one about a field, because a field may be called
session or log in; only then what else may be meant for us or for the record.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

Meaning = Literal["token", "record", "unknown"]

#: The token is what the text speaks of: "Token expired", "The token is invalid", "invalid_token".
_TOKEN = re.compile(
    r"^\W*(?:(?:the|your|el|su|an?|access|bearer|auth\w*)\W+)*token\b"
    r"|\btoken_(?:expired|invalid|absent|missing|not_provided|blacklisted)\b|\b(?:invalid|expired|missing)_token\b"
    r"|\b(?:session|sesion)_expired\b"
    r"|\b(?:invalid|expired|missing|revoked|wrong|no|campo)\W+(?:\w+\W+){0,3}?token\b"
    r"|\btoken\W+(?:\w+\W+){0,2}?(?:expir|caduc|inv[aá]lid|invalid|revo|no v[aá]lid)"
    r"|^\W*(?:un\w*authori[sz]ed|unauthenticated|not auth\w+|no autorizad\w|no autenticad\w)\W*$"
    r"|^\W*(?:\w+\W+){0,3}?expir(?:ed|ad[oa]|ó)\W*$",
    re.IGNORECASE,
)
#: A field is: the words of form checks in both languages, and names of parameters as the vendor writes them.
_FIELD = re.compile(
    r"\bfields?\b|\bcampos?\b|\bselected\b|\bseleccionad|\battribute\b|\batributo\b|\b[a-z]+(?:_[a-z]+)+\b"
    r"|\bbelong|\bpertenec|\bparameters?\b|\bpar[aá]metros?\b",
    re.IGNORECASE,
)
#: Who we are is no longer known, in whole phrases: a product may well be called "Session".
_LOGIN = re.compile(
    r"\bun(?:authori[sz]ed|authenticated)\b|\bno (?:est[aá] )?(?:autorizad|autenticad)"
    r"|\b(?:session|sesi[oó]n)\W+(?:\w+\W+){0,2}?(?:expir|caduc|venc|ended|timed|inv[aá]lid|invalid|termin|finaliz)"
    r"|\b(?:expired|invalid)\W+session\b|\blogged (?:in|out)\b"
    r"|\b(?:please|must|need to|have to)\W+(?:first\W+)?log ?in\b|\blog ?in (?:again|first|required)\b"
    r"|\b(?:inicie|inicia|iniciar) sesi[oó]n\b|\bautent[ií](?:car|que)",
    re.IGNORECASE,
)
_RECORD = re.compile(
    r"required|obligatori|requerid|invalid|inv[aá]lid|no v[aá]lid|no es v[aá]lid|no existe|not exist|not found"
    r"|no encontrad|no se encontr|\bmust\b|\bdebe",
    re.IGNORECASE,
)

_ORDER: tuple[tuple[Callable[[str], object], Meaning], ...] = (
    (_TOKEN.search, "token"),
    (_FIELD.search, "record"),
    (_LOGIN.search, "token"),
    (_RECORD.search, "record"),
)


def meaning_of(said: str) -> Meaning:
    """Return what the error text is about; "unknown" is tried again until the connection's patience ends."""
    return next((meaning for fits, meaning in _ORDER if fits(said)), "unknown")
