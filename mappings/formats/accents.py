"""Letters with accents: as one sign, or as a letter and signs after it, which look the same and are not."""

from __future__ import annotations

import re
import unicodedata

# A letter and what is put on it (also the Japanese voicing marks), and the parts of a Korean syllable. Not the
# whole text: composing it also replaces Japanese family names' own forms of a letter (U+FA19) by the usual ones.
_IN_PARTS = re.compile(r"[^\W\d_][\u0300-\u036f\u3099\u309a]+|[\u1100-\u11ff]+")


def composed(text: str) -> str:
    """Return `text` with its accents composed (Unicode form NFC), as keyboards type them and CRMs search for them.

    Apple's systems write names of files in parts, and copy them so into forms and lists.
    """
    return text if text.isascii() else _IN_PARTS.sub(_compose, text)


def _compose(found: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", found[0])
