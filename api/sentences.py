"""An error as a sentence that can be translated, with the words inside of it."""

from collections.abc import Mapping

from fieldvisit.errors import FieldVisitError, InvalidValue
from fieldvisit.languages import Message

# Details that are themselves words: the kind of thing that is missing, the reason against a value.
WORDS = ("what", "reason")


def sentence(error: FieldVisitError) -> Message:
    return Message(error.says, {name: _word(name, value) for name, value in error.details.items()})


def facts(error: FieldVisitError) -> Mapping[str, object]:
    """The details for a program: stable words stay as they are, a reason is for people."""
    if isinstance(error, InvalidValue):
        return sentence(error).values
    return error.details


def _word(name: str, value: object) -> object:
    return Message(value) if name in WORDS and isinstance(value, str) else value
