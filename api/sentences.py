"""An error as a sentence that can be translated, with the words inside of it."""

from collections.abc import Mapping, Sequence

from fieldvisit.errors import FieldVisitError, InvalidValue
from fieldvisit.languages import Message
from fieldvisit.vocabulary import Role

# Details that are themselves words: the kind of thing that is missing, the reason against a value.
WORDS = ("what", "reason")
ROLES, BETWEEN = "roles", ", "
"""A detail that names roles by their codes, and what stands between them."""


def sentence(error: FieldVisitError) -> Message:
    return Message(error.says, {name: _word(name, value) for name, value in error.details.items()})


def facts(error: FieldVisitError) -> Mapping[str, object]:
    """The details for a program: stable words stay as they are, a reason is for people."""
    if isinstance(error, InvalidValue):
        return sentence(error).values
    return error.details


def _word(name: str, value: object) -> object:
    if name == ROLES and isinstance(value, str) and value.split(BETWEEN)[0] in Role:
        return _listed([Role(code) for code in value.split(BETWEEN)])
    return Message(value) if name in WORDS and isinstance(value, str) else value


def _listed(roles: Sequence[Role]) -> Message | Role:
    first, *rest = roles
    return Message("{first}, {rest}", {"first": first, "rest": _listed(rest)}) if rest else first
