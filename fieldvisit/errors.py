"""Everything that can go wrong, in one vocabulary.

A class per reason. `code` is stable and meant for programs; `kind` says whose fault it is (only `api.errors` turns it
into a status number); `says` is the sentence for people, an English message id whose placeholders are filled from the
details and which the catalogues of `fieldvisit.languages` translate.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """Whose fault it is, and whether trying again can help."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    MISSING = "missing"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


class FieldVisitError(Exception):
    """The base. Details are facts by name; they travel to the caller, so they hold no personal data."""

    code: ClassVar[str]
    kind: ClassVar[Kind]
    says: ClassVar[str]

    def __init__(self, **details: object) -> None:
        self.details: Mapping[str, object] = details
        super().__init__(self.says.format_map(_Lenient(details)))


@dataclass(frozen=True)
class Refused:
    """A refusal of which something has to stay: it is answered, not raised. The edge commits, and raises it then."""

    error: FieldVisitError


def unless_refused[Answer](answer: Answer | Refused) -> Answer:
    """The answer itself; raises the error of a refusal. For after the commit."""
    if isinstance(answer, Refused):
        raise answer.error
    return answer


class _Lenient(dict[str, object]):
    """A missing detail shows its own name: an error about an error helps nobody."""

    def __missing__(self, key: str) -> str:
        return "{" + key + "}"


def every_error() -> list[type[FieldVisitError]]:
    """All error classes that have a code, sorted by it."""
    found: set[type[FieldVisitError]] = set()
    waiting = [FieldVisitError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            waiting.append(child)
            if "code" in vars(child):
                found.add(child)
    return sorted(found, key=lambda error: error.code)


class SettingsRefused(FieldVisitError):
    code, kind = "settings_refused", Kind.INVALID
    says = "The settings are not usable: {faults}"


class DatabaseUnavailable(FieldVisitError):
    code, kind = "database_unavailable", Kind.UNAVAILABLE
    says = "The database does not answer just now. Nothing was stored; try again."


class NotFound(FieldVisitError):
    code, kind = "not_found", Kind.MISSING
    says = "There is no {what} {id} that you may see."


class NotPermitted(FieldVisitError):
    code, kind = "not_permitted", Kind.FORBIDDEN
    says = "This needs one of these roles: {roles}."


class InvalidValue(FieldVisitError):
    """A value that means nothing in the domain; `path` names the field."""

    code, kind = "invalid_value", Kind.INVALID
    says = "{path}: {reason}"


class AlreadyExists(FieldVisitError):
    code, kind = "already_exists", Kind.CONFLICT
    says = "This {what} exists already: the same {key}."


class Contradiction(FieldVisitError):
    """The database refused a write that breaks one of its named constraints."""

    code, kind = "contradiction", Kind.CONFLICT
    says = "This contradicts what is stored (rule {rule})."
