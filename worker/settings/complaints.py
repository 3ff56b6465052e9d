"""marshmallow's complaints about a field in our words, which follow the name of the field."""

from __future__ import annotations

UNKNOWN = "Unknown field."

_SAID = {
    "Missing data for required field.": "is missing",
    "Field may not be null.": "must not be null",
    "Not a valid string.": "must be a text",
    "Not a valid integer.": "must be a whole number",
    "Not a valid number.": "must be a number",
    "Not a valid boolean.": "must be true or false",
    "Not a valid list.": "must be a list",
    "Not a valid mapping type.": "must be an object",
    "Invalid input type.": "must be an object",
    "Not a valid email address.": "must be an e-mail address",
    "String does not match expected pattern.": "has another form than the vendor documents",
}


def in_our_words(message: str) -> str:
    """Return a complaint of marshmallow as the rest of a sentence that begins with the field's name."""
    plain = message.replace("greater than or equal to", "at least").replace(
        "less than or equal to", "at most"
    )
    return _SAID.get(message) or (plain[:1].lower() + plain[1:]).rstrip(".")
