"""The forms that texts on the wire may have, as people say them: nobody at a door reads a regular expression."""

import re
from collections.abc import Mapping

from fieldvisit import forms, organisations, receipts
from fieldvisit.accounts import USERNAME
from fieldvisit.languages import Message

_CHOICES = re.compile(r"[A-Za-z-]+(\|[A-Za-z-]+)*")
DIGITS = "[0-9]+"
PHONE = r"\+[1-9][0-9]{6,14}"
REGION = "[A-Z]{2}-[A-Z0-9]{1,3}"
SHA256 = "[0-9a-f]{64}"
CURRENCY = "[A-Z]{3}"
TEMPLATE = "[a-z0-9][a-z0-9-]*"
SERVICE = "[A-Za-z0-9][A-Za-z0-9_-]*"
IN_WORDS: Mapping[str, Message] = {
    DIGITS: Message("digits alone"),
    PHONE: Message("a telephone number with its country code, such as +358401234567"),
    REGION: Message("a region by ISO 3166-2, such as US-MA"),
    SHA256: Message("a SHA-256 in 64 hexadecimal digits"),
    CURRENCY: Message("a currency by ISO 4217, such as EUR"),
    TEMPLATE: Message("small letters, digits and hyphens"),
    SERVICE: Message("letters, digits, hyphens and underscores"),
    organisations.CODE.pattern: Message("2 to 40 small letters, digits and hyphens"),
    forms.NAME.pattern: Message("up to 40 small letters, digits and underscores, a letter first"),
    receipts.STATED.pattern: Message("a receipt number such as R-000042"),
    USERNAME.pattern: Message("3 to 64 small letters, digits, dots, hyphens, underscores and @"),
}


def in_words(form: str) -> Message:
    """What a text of this form is. Raises KeyError for a form that nobody has put in words."""
    if _CHOICES.fullmatch(form):
        return Message("one of {given}", {"given": form.replace("|", ", ")})
    return IN_WORDS[form]
