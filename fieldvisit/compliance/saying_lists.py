"""How several things, days and spans of time stand in one sentence."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

from fieldvisit.compliance import saying_words as words
from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.wallclock import WEEK, Day
from fieldvisit.languages import Message

Said = Message | StrEnum | str


def after_each_other(said: Sequence[Message]) -> Message:
    first, *rest = said
    return Message("{first} {rest}", {"first": first, "rest": after_each_other(rest)}) if rest else first


def listed(items: Iterable[Said]) -> Said:
    """Several things in one sentence, in the order given."""
    first, *rest = items
    return Message("{first}, {rest}", {"first": first, "rest": listed(rest)}) if rest else first


def members(list_: type[StrEnum], chosen: Iterable[StrEnum]) -> Said:
    """Members of a closed list, in its order, as they are called."""
    return listed(words.called(each) for each in list_ if each in set(chosen))


def any_of(value: frozenset[Any]) -> Said:
    return members(type(next(iter(value))), value)


def is_all(value: frozenset[StrEnum]) -> bool:
    return value == frozenset(type(next(iter(value))))


def days_named(days: frozenset[Day]) -> Said:
    named = [day for day in Day if day in days]
    if set(WEEK) <= days:
        every: Said = Message("every day of the week")
        return listed([every, words.called(Day.HOLIDAY)]) if Day.HOLIDAY in days else every
    return listed(words.called(day) for day in named)


def lasting(time: Duration) -> Said:
    parts = ((time.years, "{count} years"), (time.months, "{count} months"), (time.days, "{count} days"))
    return listed(Message(words.SPANS[text], {"count": count}) for count, text in parts if count)


def only_if(holds: object, text: Message) -> Message | None:
    return text if holds else None
