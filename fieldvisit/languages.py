"""What people read, in zh-CN and in English.

The catalogues ``fieldvisit/locale/<language>/<part>.po``, one for each part of the product, are read as they are;
nothing has to be compiled. A message id is either the English sentence itself or, for the closed lists of
`fieldvisit.vocabulary`, ``<list>.<value>``; those stand in the English catalogue too. A message missing from a
catalogue is shown by its id, never as an error.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files

from babel import negotiate_locale
from babel.messages.pofile import read_po

from fieldvisit.errors import FieldVisitError

LANGUAGES = ("en", "zh_CN")
DEFAULT = "en"


@dataclass(frozen=True)
class Message:
    """A sentence not yet spoken in any language: the id and the values for its placeholders."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English, for logs and for the text of an error that carries a message."""
        return say(self, DEFAULT)


def say(message: Message | StrEnum | FieldVisitError | str, language: str) -> str:
    """The message in `language` (one of `LANGUAGES`; anything else falls back to English)."""
    if isinstance(message, StrEnum):
        return _translated(label_id(message), language)
    if isinstance(message, FieldVisitError):
        message = Message(message.says, message.details)
    if isinstance(message, str):
        return _translated(message, language)
    if not message.values:
        # Without values there are no placeholders: a brace in it is a brace.
        return _translated(message.text, language)
    said = {name: _inner(value, language) for name, value in message.values.items()}
    return _translated(message.text, language).format_map(_Lenient(said))


def label_id(member: StrEnum) -> str:
    """``AttemptResult.NO_ANSWER`` → ``attempt_result.no_answer``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(member).__name__).lower() + "." + member.value


def best_language(accept_language: str | None) -> str:
    """The language for an ``Accept-Language`` header or a ``LANG`` variable; English where nothing fits."""
    if not accept_language:
        return DEFAULT
    weighted = []
    for place, part in enumerate(accept_language.split(",")):
        tag, _, options = part.strip().partition(";")
        weight = re.search(r"q\s*=\s*([0-9.]+)", options)
        weighted.append((-_number(weight.group(1)) if weight else -1.0, place, tag.split(".")[0].replace("-", "_")))
    for quality, _, tag in sorted(weighted):
        if not quality:  # q=0 says: not this one
            break
        # Every Chinese falls back to the one Chinese there is: a reader of zh-Hant reads zh-CN before English.
        found = "zh_CN" if tag.lower().startswith("zh") else negotiate_locale([tag], LANGUAGES)
        if found:
            return found
    return DEFAULT


def spoken_language(languages: Iterable[str]) -> str:
    """In which of the languages that there are one writes to somebody who speaks these."""
    return "zh_CN" if any(each.lower().startswith("zh") for each in languages) else DEFAULT


def tag(language: str) -> str:
    """The language as HTTP names it: ``zh_CN`` → ``zh-CN``."""
    return language.replace("_", "-")


@cache
def catalogue(language: str) -> Mapping[str, str]:
    """All translations of one language by message id, of all parts together."""
    found: dict[str, str] = {}
    for source in sorted((files("fieldvisit") / "locale" / language).iterdir(), key=lambda entry: entry.name):
        if source.name.endswith(".po"):
            with source.open("rb") as stream:
                entries = read_po(stream, locale=language)
            found |= {str(entry.id): str(entry.string) for entry in entries if entry.id and entry.string}
    return found


def _translated(text: str, language: str) -> str:
    return catalogue(language if language in LANGUAGES else DEFAULT).get(text, text)


def _inner(value: object, language: str) -> object:
    if isinstance(value, list | tuple):
        return " ".join(str(_inner(each, language)) for each in value)
    return say(value, language) if isinstance(value, Message | StrEnum) else value


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


class _Lenient(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return "{" + key + "}"
