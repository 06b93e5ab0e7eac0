"""What is wrong with a request, value by value: what was given, where, why it is refused and what would be right."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, fields
from marshmallow.exceptions import SCHEMA

from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message, say

SHOWN_CHARACTERS = 80
NEVER_SHOWN = frozenset({"password", "refresh_token", "national_id", "url", "bearer_token", "secret"})
"""An address may hold a password."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One value that was refused. `pointer` is a JSON pointer in a body, a parameter's name in a query."""

    place: str
    pointer: str
    value: object
    reason: Message
    expected: Message | None

    def spoken(self, language: str) -> dict[str, Any]:
        return {
            "in": self.place,
            "pointer": self.pointer,
            "value": self.value,
            "reason": say(self.reason, language),
            "expected": say(self.expected, language) if self.expected else None,
        }


def faults(messages: Any, *, place: str, data: Any, schema: Schema) -> list[Fault]:
    """Every complaint of marshmallow, with the value and the field it is about."""
    return [
        Fault(
            place=place,
            pointer=_pointer(path) if place == "body" else ".".join(map(str, path)),
            value=_shown(path, data),
            reason=reason if isinstance(reason, Message) else Message(str(reason)),
            expected=_expected(path, schema),
        )
        for path, reason in _complaints(messages, ())
    ]


def domain_fault(error: InvalidValue, *, data: Any, schema: Schema) -> Fault:
    """What the domain has against one value of the body, at the name that the value has on the wire."""
    steps = [
        int(step) if step.isdigit() else step for step in re.split(r"[./\[\]]+", str(error.details["path"])) if step
    ]
    path = _on_the_wire(steps, schema)
    reason = error.details["reason"]
    return Fault(
        place="body",
        pointer=_pointer(path),
        value=_shown(path, data),
        reason=reason if isinstance(reason, Message) else Message(str(reason)),
        expected=_expected(path, schema),
    )


# The names of the domain and of files, where the wire has others: units are told in its names.
SUFFIXES = ("", "_on", "_at", "_minor")
OTHER_NAMES = {"payment_id": "external_id", "placed_from": "from_on", "placed_until": "until_on", "place": "places"}


def _on_the_wire(path: Sequence[str | int], schema: Schema) -> tuple[str | int, ...]:
    known = _by_wire_name(schema)
    first = str(path[0])
    named = next((first + suffix for suffix in SUFFIXES if first + suffix in known), OTHER_NAMES.get(first, first))
    return (named, *path[1:])


def _complaints(messages: Any, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], object]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            # Marshmallow puts what concerns the whole object under a key of its own.
            yield from _complaints(inner, path if key == SCHEMA else (*path, key))
    elif isinstance(messages, list):
        for inner in messages:
            yield from _complaints(inner, path)
    else:
        yield path, messages


def _pointer(path: tuple[str | int, ...]) -> str:
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


def _shown(path: tuple[str | int, ...], data: Any) -> object:
    """The refused value, shortened; None for a whole object, for what is missing and for what is secret."""
    for part in path:
        if part in NEVER_SHOWN:
            return None
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    if isinstance(data, str):
        return data[:SHOWN_CHARACTERS]
    # JSON has no word for what is beyond all numbers, although Python reads and writes one.
    return data if isinstance(data, int) or (isinstance(data, float) and math.isfinite(data)) else None


def _expected(path: tuple[str | int, ...], schema: Schema) -> Message | None:
    """What the field at this path takes, as its class says; for an unknown one, the names that are known."""
    if not path:
        return Message("a JSON object")
    field: Any = None
    level: Schema | None = schema
    for part in path:
        if isinstance(part, int):
            field = field.inner if isinstance(field, fields.List) else field
        elif level is None or part not in (known := _by_wire_name(level)):
            return Message("one of: {known}", {"known": ", ".join(_by_wire_name(level))}) if level else None
        else:
            field = known[part]
        inner = field.inner if isinstance(field, fields.List) else field
        level = inner.schema if isinstance(inner, fields.Nested) else None
    expected = getattr(field, "expected", None)
    return expected() if expected else None


def _by_wire_name(schema: Schema) -> dict[str, Any]:
    return {field.data_key or name: field for name, field in schema.load_fields.items()}
