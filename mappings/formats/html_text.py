"""What a reader of an HTML e-mail sees, as lines of plain text."""

from __future__ import annotations

import html
import re

# Not html.parser: with Python 3.11 a mail of 100 kB of "<a " keeps it busy for minutes (CVE-2025-6069 and its
# kin), and anybody may write to a help desk. Each pattern here stops at the next "<", so the time is linear.
_TAG = re.compile(r"<(?:/?([a-zA-Z][a-zA-Z0-9]*)|[!?])[^<>]*>")
_SPACE = re.compile(r"\s+")
_BLOCKS = re.compile("article|blockquote|br|div|h[1-6]|hr|li|ol|p|pre|table|tr|ul", re.IGNORECASE)
_UNSEEN = [
    (re.compile(f"<{tag}(?=[\\s>])", re.IGNORECASE), re.compile(f"</{tag}\\s*>", re.IGNORECASE))
    for tag in ("script", "style", "template", "title", "head")
]
_COMMENT = (re.compile("<!--"), re.compile("-->"))


def text_of(source: str) -> str:
    """Return the text of `source`: a block starts a new line, and what a browser hides is left out.

    Never fails; what looks like a tag and is none stays as it is.
    """
    for opening, closing in (_COMMENT, *_UNSEEN):
        source = _without(source, opening, closing)
    # Line breaks of the source are only spaces to a reader.
    flat = _TAG.sub(_break, _SPACE.sub(" ", source))
    lines = (" ".join(line.split()) for line in html.unescape(flat).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _break(tag: re.Match[str]) -> str:
    return "\n" if _BLOCKS.fullmatch(tag[1] or "") else ""


def _without(source: str, opening: re.Pattern[str], closing: re.Pattern[str]) -> str:
    kept, position = [], 0
    while (start := opening.search(source, position)) and (end := closing.search(source, start.end())):
        kept.append(source[position : start.start()])
        position = end.end()
    return "".join(kept) + source[position:]
