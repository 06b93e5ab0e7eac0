"""The answer: a verdict, and every clause that mattered, in words and by id.

A decision can be stored as JSON and told later in any language: messages are kept as ids with their values.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import date, datetime, time
from enum import Enum, StrEnum
from functools import cache, cached_property, partial
from operator import attrgetter, methodcaller
from typing import Any, Protocol

from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.intervals import Intervals
from fieldvisit.compliance.wallclock import WallClock
from fieldvisit.languages import Message, label_id
from fieldvisit.vocabulary import Role, Verdict

SEVERITY = {Verdict.ALLOWED: 0, Verdict.NEEDS_OVERRIDE: 1, Verdict.BLOCKED: 2}


@dataclass(frozen=True, kw_only=True)
class ClauseResult:
    """What one clause says. `warning`: it was not kept, but its policy only warns. `fact_ids`: what it rests on.

    `overridden_by`: it was not kept, and this override lets the visit go beyond it.
    """

    clause_id: str
    verdict: Verdict
    message: Message
    fact_ids: tuple[str, ...] = ()
    source: str = ""
    override_role: Role | None = None
    second_person: bool = False
    warning: bool = False
    overridden_by: str | None = None


class Later(Protocol):
    """What of a decision takes long and is not always asked for."""

    def lawful(self) -> Intervals: ...

    def next_lawful_at(self) -> datetime | None: ...

    def inputs_hash(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Decision:
    """A verdict with all that it rests on. What is costly is worked out when it is first asked for, from the same
    inputs: the answer is the same whenever that is."""

    verdict: Verdict
    clauses: tuple[ClauseResult, ...]
    policies: tuple[tuple[str, int], ...]
    calendars: tuple[str, ...]
    later: Later = field(repr=False, compare=False)

    @cached_property
    def lawful(self) -> Intervals:
        """The lawful hours of the day asked about."""
        return self.later.lawful()

    @cached_property
    def next_lawful_at(self) -> datetime | None:
        """The next beginning that hours, wishes, caps, rests and blocks with an end would permit: None if that is now,
        if none lies within a month, or if waiting does not help."""
        return self.later.next_lawful_at()

    @cached_property
    def inputs_hash(self) -> str:
        return self.later.inputs_hash()

    @property
    def deciding(self) -> tuple[ClauseResult, ...]:
        """The clauses that the verdict rests on: where it is not ALLOWED, those that stand in the way."""
        if self.verdict is Verdict.ALLOWED:
            return self.clauses
        return tuple(clause for clause in self.clauses if clause.verdict is not Verdict.ALLOWED)


def strictest(verdicts: Sequence[Verdict]) -> Verdict:
    """The strictest of them; of none: BLOCKED, because nothing is permitted unless something permits it."""
    return max(verdicts, key=SEVERITY.__getitem__, default=Verdict.BLOCKED)


PLAIN_ALREADY = frozenset({str, int, float, bool, type(None)})


def _compared(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind) if item.compare)


def plain(value: object) -> Any:
    """The value as JSON knows it: dataclasses as objects, sets sorted, instants with their offset, enums by value.

    A `Message` becomes ``{"text": ..., "values": {...}}``; an enum among its values becomes the message of its label.
    """
    kind: Any = type(value)
    return value if kind in PLAIN_ALREADY else _way(kind)(value)


@cache
def _way(kind: type) -> Callable[[Any], Any]:
    """How values of the class are told; looked up once a class, since a decision is made of hundreds of values."""
    if issubclass(kind, Duration | WallClock):
        return str
    if issubclass(kind, Message):
        return _message
    if is_dataclass(kind):
        return partial(_object, _compared(kind))
    if issubclass(kind, Enum):
        return attrgetter("value")
    if issubclass(kind, datetime | date | time):
        return methodcaller("isoformat")
    if issubclass(kind, frozenset | set):
        return _sorted
    if issubclass(kind, tuple | list):
        return _list
    return _mapping if issubclass(kind, Mapping) else _itself


def _message(value: Message) -> dict[str, Any]:
    return {"text": value.text, "values": {name: _spoken(inner) for name, inner in value.values.items()}}


def _object(names: Sequence[str], value: object) -> dict[str, Any]:
    return {name: plain(getattr(value, name)) for name in names}


def _sorted(value: Iterable[Any]) -> list[Any]:
    return sorted(plain(item) for item in value)


def _list(value: Iterable[Any]) -> list[Any]:
    return [plain(item) for item in value]


def _mapping(value: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): plain(inner) for name, inner in value.items()}


def _itself(value: Any) -> Any:
    return value


def message_from(record: Mapping[str, Any]) -> Message:
    """The message that `plain` made a record of."""
    text, values = record["text"], record["values"].items()
    return Message(text, {name: message_from(inner) if isinstance(inner, Mapping) else inner for name, inner in values})


def hashed(**inputs: object) -> str:
    """SHA-256 over the canonical JSON of the inputs: the same inputs, the same 64 hex digits, on every machine."""
    text = json.dumps(plain(inputs), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _spoken(value: object) -> Any:
    return plain(Message(label_id(value)) if isinstance(value, StrEnum) else value)
