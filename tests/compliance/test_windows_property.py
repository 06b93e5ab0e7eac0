"""The hours a planner gets, the verdict of the engine and the clock on the wall agree, everywhere."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import event, given
from hypothesis import strategies as st

from fieldvisit.compliance.calendars import is_holiday
from fieldvisit.compliance.decision import Decision
from fieldvisit.compliance.facts import ConsentForm, Facts, LocalTimes, Question, WishKind
from fieldvisit.compliance.intervals import inside
from fieldvisit.compliance.parameters import Breach, HolidayEffect
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.wallclock import Day, WallClock, local_day, weekday
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.vocabulary import Verdict
from tests.compliance.strategies import known_facts, open_policies, questions
from tests.compliance.worlds import NOW, decide

OF_HOURS = {"windows", "holidays", "widen_by", "fit", "debtor_times"}

some_policies = st.one_of(
    open_policies("one").map(lambda one: (one,)), st.tuples(open_policies("one"), open_policies("two"))
)


def hours_kept(decision: Decision) -> bool:
    return all(
        clause.verdict is Verdict.ALLOWED for clause in decision.clauses if clause.clause_id.split("/")[1] in OF_HOURS
    )


def shown(times: LocalTimes, wall: datetime) -> bool:
    """Whether the clock on the wall shows one of the recurring times, those of the night before included."""
    at, today, yesterday = wall.time(), wall.date(), wall.date() - timedelta(days=1)
    begins, ends = times.from_time, times.until_time
    assert begins is not None
    starts_today = times.in_force(today) and weekday(today) in times.weekdays and at >= begins
    if ends is None or ends > begins:
        return starts_today and (ends is None or at < ends)
    started_yesterday = times.in_force(yesterday) and weekday(yesterday) in times.weekdays and at < ends
    return starts_today or started_yesterday


def open_by(policy: Policy, facts: Facts, instant: datetime) -> bool:
    """Whether the policy's own text opens this one instant."""
    zone = policy.zone.zone if policy.zone and policy.zone.zone else facts.place.zone
    assert zone is not None
    wall = instant.astimezone(ZoneInfo(zone))
    kinds = {weekday(wall.date())}
    if policy.holidays and is_holiday(policy.holidays, facts.place, wall.date()):
        kinds = {
            HolidayEffect.NONE: kinds,
            HolidayEffect.OWN_WINDOW: {Day.HOLIDAY},
            HolidayEffect.AS_SUNDAY: {Day.SUN},
            HolidayEffect.FORBIDDEN: set(),
        }[policy.holidays.effect]
    at = WallClock.of(wall.time())
    stated = any(rule.days & kinds and rule.opens <= at < rule.closes for rule in policy.windows)
    forms = list(ConsentForm)
    agreed = any(
        consent.revoked_at is None
        and consent.times is not None
        and consent.times.until_time is not None
        and forms.index(consent.form) >= forms.index(rule.form)
        and shown(consent.times, wall)
        for rule in policy.widen_by
        for consent in facts.consents
    )
    return stated or agreed


def wished(facts: Facts, instant: datetime) -> bool:
    assert facts.place.zone is not None
    wall = instant.astimezone(ZoneInfo(facts.place.zone))
    only = [wish.times for wish in facts.debtor_times if wish.kind is WishKind.ONLY]
    avoided = [wish.times for wish in facts.debtor_times if wish.kind is WishKind.AVOID]
    bound = any(times.in_force(wall.date()) for times in only)
    return (not bound or any(shown(times, wall) for times in only)) and not any(shown(t, wall) for t in avoided)


def instants(question: Question, margin_min: int) -> Iterator[datetime]:
    """Every five minutes of the visit and its margin: nothing in these worlds changes in between."""
    assert question.begins_at is not None
    assert question.ends_at is not None
    at = question.begins_at
    while at < question.ends_at + timedelta(minutes=margin_min):
        yield at
        at += timedelta(minutes=5)


def by_the_wall(question: Question, facts: Facts, policies: tuple[Policy, ...]) -> bool:
    """The answer of somebody who walks through the visit minute by minute with all the texts in hand."""
    binding = [policy for policy in policies if policy.windows[0].on_breach is not Breach.WARN]
    wishes_bind = any(policy.debtor_times is None or policy.debtor_times.binding for policy in policies)
    margin_min = max((policy.fit.margin_min for policy in policies if policy.fit), default=0)
    return bool(binding) and all(
        all(open_by(policy, facts, at) for policy in binding) and (not wishes_bind or wished(facts, at))
        for at in instants(question, margin_min)
    )


@given(questions(), known_facts(), some_policies)
def test_a_visit_is_lawful_when_it_lies_in_one_lawful_window(
    question: Question, facts: Facts, policies: tuple[Policy, ...]
) -> None:
    assert question.span is not None
    assert facts.place.zone is not None
    day = local_day(question.span.begins_at, facts.place.zone)
    held = inside(lawful_windows(facts, policies, day), question.span)
    event(f"lawful: {held}")
    assert hours_kept(decide(question, facts, *policies, now=NOW)) == held


@given(questions(), known_facts(), some_policies)
def test_a_visit_is_lawful_when_every_minute_of_it_is(
    question: Question, facts: Facts, policies: tuple[Policy, ...]
) -> None:
    assert hours_kept(decide(question, facts, *policies, now=NOW)) == by_the_wall(question, facts, policies)


@given(known_facts(), some_policies, st.integers(0, 364))
def test_windows_are_sorted_apart_and_begin_on_their_day(
    facts: Facts, policies: tuple[Policy, ...], shift: int
) -> None:
    assert facts.place.zone is not None
    day = datetime(2026, 1, 1, tzinfo=UTC).date() + timedelta(days=shift)
    windows = lawful_windows(facts, policies, day)
    assert all(before.ends_at < after.begins_at for before, after in itertools.pairwise(windows))
    assert {local_day(window.begins_at, facts.place.zone) for window in windows} <= {day}
