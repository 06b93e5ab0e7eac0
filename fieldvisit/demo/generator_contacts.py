"""Six weeks of made-up attempts to reach the debtors, by archetype.

The histories stay clear of every boundary of the gate ("at least 3 failed attempts on 2 days and in 2 parts of the day
within 30 days, every number tried, nothing reached since"): who ought to be visited has at least four recent failures
on as many days, who ought not has at most two, or a talk since, or all on one day, at one hour, or over a month ago.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import cycle, islice
from random import Random

from fieldvisit.demo.generator_calendar import ZONE, DayPart, moment, working_days_ago
from fieldvisit.demo.generator_cases import Archetype, CaseRow

WEEKS_BACK_DAYS = 42
NOBODY_ANSWERED = {"no_answer": 52, "voicemail": 18, "switched_off": 16, "busy": 14}
TALKS = {
    Archetype.REACHED: ("reached", "talked"),
    Archetype.PROMISED: ("reached", "promised"),
    Archetype.REFUSED: ("refused_call", ""),
    Archetype.DISPUTED: ("reached", "disputed"),
    Archetype.STOPPED: ("reached", "asked_to_stop"),
    Archetype.WRONG_PERSON: ("wrong_person", ""),
    Archetype.THIRD_PARTY: ("third_party", ""),
}


@dataclass(frozen=True)
class Attempt:
    """One try, not yet numbered."""

    at: datetime
    case_id: str
    channel: str
    contact_point: str
    result: str
    detail: str = ""
    source: str = "dialer"


@dataclass(frozen=True)
class AttemptRow:
    """One line of ``contacts.csv``, the columns in their order; `at` is ISO 8601 with the offset of Helsinki."""

    attempt_id: str
    case_id: str
    channel: str
    contact_point: str
    at: str
    result: str
    detail: str
    source: str


def attempts(chance: Random, cases: Sequence[tuple[Archetype, CaseRow]], *, today: date) -> list[AttemptRow]:
    """Everything that was tried, the oldest first."""
    tried = [attempt for kind, case in cases for attempt in _History(chance, case, today).of(kind)]
    tried.sort(key=lambda attempt: (attempt.at, attempt.case_id))
    return [
        AttemptRow(
            attempt_id=f"A-{number:06}",
            case_id=attempt.case_id,
            channel=attempt.channel,
            contact_point=attempt.contact_point,
            at=attempt.at.isoformat(),
            result=attempt.result,
            detail=attempt.detail,
            source=attempt.source,
        )
        for number, attempt in enumerate(tried, start=1)
    ]


class _History:
    """The attempts on one case."""

    def __init__(self, chance: Random, case: CaseRow, today: date) -> None:
        self._chance = chance
        self._case = case
        self._today = today
        self._phones = [phone for phone in (case.phone, case.phone_2) if phone]

    def of(self, kind: Archetype) -> Iterator[Attempt]:
        """Phone first, then words on paper; the talk, where there is one, comes last."""
        if kind is Archetype.UNREACHABLE:
            yield from self._unreachable()
        elif kind is Archetype.DEAD_NUMBERS:
            yield from self._dead_numbers()
        elif kind in {Archetype.ONE_DAY, Archetype.SAME_HOURS, Archetype.LONG_AGO}:
            yield from self._not_enough(kind)
        elif kind is Archetype.FEW_ATTEMPTS:
            yield from self._failures(self._chance.randint(1, 2), oldest=14, newest=3)
            yield self._sent("sms", self._case.phone, ago=(13, 6), bounces=0.0)
        else:
            yield from self._talked(kind)

    def _unreachable(self) -> Iterator[Attempt]:
        if len(self._phones) > 1 and self._chance.random() < 0.5:
            # A dead second number is found out once; nobody dials it again.
            dead = self._phones.pop()
            yield self._call(self._some_day(28, 20), DayPart.MORNING, result="number_invalid", phone=dead)
        yield from self._failures(self._chance.randint(2, 4), oldest=WEEKS_BACK_DAYS, newest=27)
        yield from self._failures(self._chance.randint(4, 7), oldest=24, newest=3)
        yield from self._written(bounces=0.25)

    def _dead_numbers(self) -> Iterator[Attempt]:
        """Every number the debtor ever gave is dead; nothing else is needed to know that the phone cannot work."""
        for phone in self._phones:
            yield self._call(self._some_day(20, 5), DayPart.MORNING, result="number_invalid", phone=phone)
        yield from self._written(bounces=1.0)

    def _not_enough(self, kind: Archetype) -> Iterator[Attempt]:
        """Many failures that prove nothing: on one day, at one hour only, or too long ago."""
        if kind is Archetype.ONE_DAY:
            day = self._some_day(12, 4)
            for part in DayPart:
                yield self._call(day, part, result=self._nobody())
        elif kind is Archetype.SAME_HOURS:
            for day in self._days(5, oldest=21, newest=4):
                yield self._call(day, DayPart.MORNING, result=self._nobody())
        else:
            yield from self._failures(5, oldest=WEEKS_BACK_DAYS, newest=34)

    def _talked(self, kind: Archetype) -> Iterator[Attempt]:
        result, detail = TALKS[kind]
        if kind in {Archetype.REACHED, Archetype.PROMISED}:
            yield from self._failures(self._chance.randint(2, 5), oldest=WEEKS_BACK_DAYS, newest=22)
            yield self._call(self._some_day(21, 15), DayPart.AFTERNOON, result="reached", detail="talked")
            yield from self._written(bounces=0.0)
        else:
            # A stranger's voice is one more failed call to some policies: with one before it there are two.
            before = 1 if kind is Archetype.WRONG_PERSON else self._chance.randint(1, 2)
            yield from self._failures(before, oldest=28, newest=17)
        if kind is Archetype.REFUSED:
            yield self._call(self._some_day(16, 10), DayPart.EVENING, result=result)
        yield self._call(self._some_day(9, 3), DayPart.AFTERNOON, result=result, detail=detail)

    def _failures(self, count: int, *, oldest: int, newest: int) -> Iterator[Attempt]:
        """Unanswered calls on as many days, by turns to each number and in each part of the day."""
        days = self._days(count, oldest=oldest, newest=newest)
        for day, part, phone in zip(days, cycle(DayPart), cycle(self._phones), strict=False):
            yield self._call(day, part, result=self._nobody(), phone=phone)

    def _written(self, *, bounces: float) -> Iterator[Attempt]:
        """A message by phone, sometimes one by mail, and a letter; `bounces` is the share that does not arrive."""
        yield self._sent("sms", self._case.phone, ago=(26, 17), bounces=bounces)
        if self._case.email and self._chance.random() < 0.5:
            yield self._sent("email", self._case.email, ago=(16, 11), bounces=bounces)
        if self._chance.random() < 0.6:
            yield self._sent("letter", self._case.address, ago=(15, 10), bounces=bounces / 5)

    def _sent(self, channel: str, contact_point: str, *, ago: tuple[int, int], bounces: float) -> Attempt:
        result = "bounced" if self._chance.random() < bounces else "delivered"
        at = moment(self._chance, self._some_day(*ago), DayPart.AFTERNOON)
        if channel == "letter":
            # Letters leave together, with the last post.
            at = datetime.combine(at.date(), time(16, 30), tzinfo=ZONE)
        source = "post" if channel == "letter" else "messages"
        return Attempt(at, self._case.case_id, channel, contact_point, result, source=source)

    def _call(self, day: date, part: DayPart, *, result: str, detail: str = "", phone: str = "") -> Attempt:
        number = phone or self._chance.choice(self._phones)
        return Attempt(moment(self._chance, day, part), self._case.case_id, "call", number, result, detail)

    def _nobody(self) -> str:
        return self._chance.choices(list(NOBODY_ANSWERED), weights=list(NOBODY_ANSWERED.values()))[0]

    def _some_day(self, oldest: int, newest: int) -> date:
        return self._chance.choice(working_days_ago(self._today, oldest, newest))

    def _days(self, count: int, *, oldest: int, newest: int) -> list[date]:
        days = working_days_ago(self._today, oldest, newest)
        return sorted(islice(self._chance.sample(days, len(days)), count))
