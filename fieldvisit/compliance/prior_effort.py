"""Has the phone demonstrably failed? The pure gate from a history of attempts to yes with evidence, or no with reasons.

- An attempt counts as failed if its channel and its result are among those of the rule and its local date lies within
  `within_days` dates, today included. What lies after `now` is not looked at; the order in which attempts are given,
  however late they came in, does not matter.
- Being reached, by whatever channel and with whatever outcome (a talk, a promise, a dispute, a request to stop), ends
  the series: earlier failures no longer count. So does a call that was answered and rung off: the telephone works, and
  what was heard is a wish, no failure. A failure at the very same instant counts as earlier.
- What is neither (a letter delivered, a message read, a third person on the line) counts nothing and ends nothing.
- `invalid_at_once`: when the last attempt to every known number says that it is invalid, the rule is met at once. As
  long as one number may work, it must be tried; a number that rang again after it was called invalid may work.
- `every_number_tried`: each known number has a failed attempt of its own in the series. Numbers that were tried but are
  no longer known of the debtor need no further try; their failures count.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fieldvisit.compliance.facts import AttemptFact
from fieldvisit.compliance.rules import PriorEffortRule
from fieldvisit.compliance.wallclock import WallClock, local_day, wall_clock
from fieldvisit.languages import Message
from fieldvisit.vocabulary import AttemptResult, Channel

ENDS_THE_SERIES = frozenset({AttemptResult.REACHED, AttemptResult.REFUSED_CALL})


@dataclass(frozen=True, kw_only=True)
class EffortResult:
    """`evidence`: the ids of the failed attempts that count, oldest first. `missing` is empty exactly when `met`."""

    met: bool
    evidence: tuple[str, ...]
    missing: tuple[Message, ...]


def failed_contact(
    attempts: Sequence[AttemptFact],
    rule: PriorEffortRule,
    now: datetime,
    zone: str,
    *,
    number_ids: Collection[str] = (),
) -> EffortResult:
    """Whether the attempts meet the rule, counted in the days and day parts of `zone`.

    `number_ids` are the telephone numbers known of the debtor; where none is known, those that were tried stand for
    them.
    """
    past = sorted((attempt for attempt in attempts if attempt.at <= now), key=lambda attempt: (attempt.at, attempt.id))
    reached_at = max((attempt.at for attempt in past if attempt.result in ENDS_THE_SERIES), default=None)
    earliest = local_day(now, zone) - timedelta(days=rule.within_days - 1)
    recent = [
        attempt
        for attempt in past
        if attempt.channel in rule.channels
        and local_day(attempt.at, zone) >= earliest
        and (reached_at is None or attempt.at > reached_at)
    ]
    failed = [attempt for attempt in recent if attempt.result in rule.results]
    numbers = set(number_ids) or {attempt.contact_point_id for attempt in recent if attempt.contact_point_id}
    missing = _missing(rule, failed, zone, untried=numbers - {attempt.contact_point_id for attempt in failed})
    if rule.invalid_at_once and numbers and numbers <= _invalid(recent):
        missing = []
    if missing and reached_at is not None and local_day(reached_at, zone) >= earliest:
        day = local_day(reached_at, zone).isoformat()
        missing.append(Message("The debtor was reached on {day}: what failed before no longer counts.", {"day": day}))
    return EffortResult(met=not missing, evidence=tuple(attempt.id for attempt in failed), missing=tuple(missing))


def _missing(
    rule: PriorEffortRule, failed: Sequence[AttemptFact], zone: str, *, untried: Collection[str]
) -> list[Message]:
    days = {local_day(attempt.at, zone) for attempt in failed}
    parts = {_day_part(rule, attempt.at, zone) for attempt in failed}
    found = []
    if len(failed) < rule.min_failed:
        values = {"found": len(failed), "needed": rule.min_failed, "within": rule.within_days}
        found.append(Message("{found} of {needed} failed attempts within {within} days.", values))
    if len(days) < rule.min_days:
        found.append(Message("Tried on {found} of {needed} different days.", _of(days, rule.min_days)))
    if len(parts) < rule.min_day_parts:
        found.append(
            Message("Tried in {found} of {needed} different parts of the day.", _of(parts, rule.min_day_parts))
        )
    if rule.every_number_tried and untried:
        values = {"count": len(untried)}
        found.append(Message("Known telephone numbers not yet tried without success: {count}.", values))
    return found


def _of(found: Collection[object], needed: int) -> dict[str, int]:
    return {"found": len(found), "needed": needed}


def _day_part(rule: PriorEffortRule, at: datetime, zone: str) -> WallClock:
    """The start of the part of the day; before the first start, the last part of the day before goes on."""
    shown = wall_clock(at, zone)
    return max((start for start in rule.day_part_starts if start <= shown), default=rule.day_part_starts[-1])


def _invalid(attempts: Iterable[AttemptFact]) -> set[str]:
    """The numbers whose last call said that they are invalid."""
    last = {
        attempt.contact_point_id: attempt.result
        for attempt in attempts
        if attempt.channel is Channel.CALL and attempt.contact_point_id is not None
    }
    return {number for number, result in last.items() if result is AttemptResult.NUMBER_INVALID}
