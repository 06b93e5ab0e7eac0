"""The clauses on hours: each policy's windows, the debtor's own times, consent and the margin."""

from dataclasses import replace
from datetime import date, time

import pytest
from hypothesis import given

from fieldvisit.compliance.decision import Decision
from fieldvisit.compliance.facts import ConsentFact, ConsentForm, DebtorTime, Facts, LocalTimes, Question, WishKind
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.wallclock import Day, local_day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import PlaceKind, Verdict
from tests.compliance.strategies import known_facts, open_policies, questions
from tests.compliance.worlds import (
    HELSINKI,
    HOME,
    NOW,
    asked,
    block,
    decide,
    facts,
    in_the_way,
    local,
    policy,
    rule,
    span,
    window,
    wish,
    words,
)

TUESDAY = date(2026, 3, 3)
NOT_IN_THE_MORNING = wish(WishKind.AVOID, until_time=time(12), weekdays=frozenset({Day.TUE}))
ONLY_EVENINGS = wish(WishKind.ONLY, from_time=time(17))
OFFICE = policy(window("08:00", "18:00"))
OFFICE_TOO = policy(window("08:00", "18:00", name="other"), name="other")
DAYTIME = policy(window("08:00", "20:00", days='["mon", "tue"]') + window("10:00", "14:00", days='["sat"]', number=2))


def warnings(decision: Decision) -> list[str]:
    return [clause.clause_id for clause in decision.clauses if clause.warning]


def hours_on(day: date, *policies: Policy, **known: object) -> list[str]:
    """The windows of a day by the clock in Helsinki."""
    found = lawful_windows(facts(**known), policies or (OFFICE,), day)
    return [
        f"{window.begins_at.astimezone(NOW.tzinfo):%H:%M}–{window.ends_at.astimezone(NOW.tzinfo):%H:%M}"
        for window in found
    ]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        (date(2026, 3, 2), ["08:00–20:00"]),
        (date(2026, 3, 3), ["08:00–20:00"]),
        (date(2026, 3, 4), []),
        (date(2026, 3, 7), ["10:00–14:00"]),
        (date(2026, 3, 8), []),
    ],
)
def test_a_day_that_no_window_names_is_closed(day: date, hours: list[str]) -> None:
    assert hours_on(day, DAYTIME) == hours


def test_several_windows_of_a_day_are_several_intervals() -> None:
    split = policy(window("08:00", "12:00") + window("14:00", "18:00", number=2))
    assert lawful_windows(facts(), [split], TUESDAY) == (
        span("2026-03-03 08:00", "2026-03-03 12:00"),
        span("2026-03-03 14:00", "2026-03-03 18:00"),
    )


def test_a_visit_may_run_across_a_seam_but_not_across_a_gap() -> None:
    seam = policy(window("08:00", "12:00") + window("12:00", "18:00", number=2))
    gap = policy(window("08:00", "12:00") + window("12:15", "18:00", number=2))
    over_noon = asked("2026-03-03 11:45")
    assert [in_the_way(decide(over_noon, facts(), some)) for some in (seam, gap)] == [[], ["test/windows/1"]]


def test_hours_that_run_on_over_midnight_belong_to_the_day_of_the_beginning() -> None:
    always = policy()
    assert lawful_windows(facts(), [always], TUESDAY) == (span("2026-03-03 00:00", "2026-03-05 00:00"),)
    assert decide(asked("2026-03-03 23:45"), facts(), always).verdict is Verdict.ALLOWED


def test_hours_that_begin_at_the_next_midnight_are_those_of_the_next_day() -> None:
    early = policy(window("00:00", "08:00"))
    assert lawful_windows(facts(), [early], TUESDAY) == (span("2026-03-03 00:00", "2026-03-03 08:00"),)


def test_a_window_counts_for_the_places_it_names() -> None:
    at_home = policy(window("08:00", "18:00", more='places = ["home"]'))
    at_work = facts(place=replace(HOME, kind=PlaceKind.WORK))
    assert [in_the_way(decide(asked(), known, at_home)) for known in (facts(), at_work)] == [[], ["test/windows/1"]]


def test_a_window_for_calls_opens_no_visit() -> None:
    calls = policy(window("08:00", "18:00", more='channels = ["call"]'))
    decision = decide(asked(), facts(), calls)
    assert in_the_way(decision) == ["product/windows"]
    assert words(decision) == ["No policy states the hours for visits."]
    assert decision.lawful == ()


def test_a_policy_without_hours_leaves_them_to_the_others() -> None:
    calls = policy(window("08:00", "18:00", more='channels = ["call"]', name="calls"), name="calls")
    assert decide(asked(), facts(), calls, OFFICE).verdict is Verdict.ALLOWED


def test_hours_that_only_warn_are_told_and_stop_nothing() -> None:
    advice = policy(window("12:00", "18:00", more='on_breach = "warn"'))
    decision = decide(asked("2026-03-03 10:00"), facts(), advice, policy(name="open"))
    assert (decision.verdict, warnings(decision)) == (Verdict.ALLOWED, ["test/windows/1"])
    assert hours_on(TUESDAY, advice, policy(name="open")) == ["00:00–00:00"]


def test_hours_that_only_warn_open_none_by_themselves() -> None:
    advice = policy(window("12:00", "18:00", more='on_breach = "warn"'))
    assert in_the_way(decide(asked("2026-03-03 13:00"), facts(), advice)) == ["product/windows"]
    assert hours_on(TUESDAY, advice) == []


def test_hours_that_somebody_may_override_name_the_role_and_are_not_planned_into() -> None:
    soft = policy(window("12:00", "18:00", more='on_breach = "needs_override"\noverride_role = "supervisor"'))
    decision = decide(asked("2026-03-03 10:00"), facts(), soft)
    assert decision.verdict is Verdict.NEEDS_OVERRIDE
    assert [clause.override_role for clause in decision.deciding] == ["supervisor"]
    assert hours_on(TUESDAY, soft) == ["12:00–18:00"]


@pytest.mark.parametrize(
    ("said", "hours"),
    [
        ((), ["08:00–18:00"]),
        ((NOT_IN_THE_MORNING,), ["12:00–18:00"]),
        ((ONLY_EVENINGS,), ["17:00–18:00"]),
        ((wish(WishKind.AVOID, from_time=time(10), until_time=time(11)),), ["08:00–10:00", "11:00–18:00"]),
        ((wish(WishKind.AVOID, weekdays=frozenset({Day.WED})),), ["08:00–18:00"]),
        ((wish(WishKind.AVOID),), []),
        ((wish(WishKind.ONLY, weekdays=frozenset({Day.WED})),), []),
        ((wish(WishKind.AVOID, from_time=time(17), until_time=time(9)),), ["09:00–17:00"]),
        (
            (wish(WishKind.AVOID, from_time=time(17), until_time=time(9), weekdays=frozenset({Day.MON})),),
            ["09:00–18:00"],
        ),
        (
            (wish(WishKind.ONLY, from_time=time(17), until_time=time(9), weekdays=frozenset({Day.MON})),),
            ["08:00–09:00"],
        ),
        ((wish(WishKind.AVOID, until_on=date(2026, 3, 2)),), ["08:00–18:00"]),
        ((wish(WishKind.AVOID, until_on=TUESDAY),), []),
        ((wish(WishKind.AVOID, from_on=date(2026, 3, 4)),), ["08:00–18:00"]),
        ((wish(WishKind.ONLY, from_time=time(17), until_on=date(2026, 3, 2)),), ["08:00–18:00"]),
        ((wish(WishKind.AVOID, place_id="work"),), ["08:00–18:00"]),
        ((wish(WishKind.AVOID, place_id="home"),), []),
        (
            (
                wish(WishKind.ONLY, "a", until_time=time(10)),
                wish(WishKind.ONLY, "b", from_time=time(16)),
            ),
            ["08:00–10:00", "16:00–18:00"],
        ),
        ((NOT_IN_THE_MORNING, wish(WishKind.ONLY, "b", until_time=time(13))), ["12:00–13:00"]),
    ],
)
def test_the_times_that_the_debtor_stated_narrow_the_hours(said: tuple[DebtorTime, ...], hours: list[str]) -> None:
    assert hours_on(TUESDAY, debtor_times=said) == hours


def test_a_stated_time_binds_where_the_policies_are_silent() -> None:
    decision = decide(asked("2026-03-03 10:00"), facts(debtor_times=(NOT_IN_THE_MORNING,)), OFFICE)
    assert [(clause.clause_id, clause.fact_ids) for clause in decision.deciding] == [
        ("product/debtor_times", ("wish",))
    ]
    assert words(decision) == ["The debtor stated another time for 2026-03-03."]


def test_a_stated_time_that_a_policy_only_regards_is_told_and_stops_nothing() -> None:
    regards = policy(rule("debtor_times", "binding = false"))
    decision = decide(asked("2026-03-03 10:00"), facts(debtor_times=(NOT_IN_THE_MORNING,)), regards)
    assert (decision.verdict, warnings(decision)) == (Verdict.ALLOWED, ["test/debtor_times/1"])


def test_one_policy_that_only_regards_a_stated_time_does_not_speak_for_a_silent_one() -> None:
    regards = policy(rule("debtor_times", "binding = false"))
    decision = decide(asked("2026-03-03 10:00"), facts(debtor_times=(NOT_IN_THE_MORNING,)), regards, OFFICE_TOO)
    assert (in_the_way(decision), warnings(decision)) == (["product/debtor_times"], ["test/debtor_times/1"])


def test_a_stated_time_that_is_kept_is_told_too() -> None:
    decision = decide(asked("2026-03-03 13:00"), facts(debtor_times=(NOT_IN_THE_MORNING,)), OFFICE)
    assert [c.clause_id for c in decision.clauses if c.clause_id.endswith("debtor_times")] == ["product/debtor_times"]
    assert decision.verdict is Verdict.ALLOWED


def agreed(**changes: object) -> ConsentFact:
    late = LocalTimes(from_time=time(18), until_time=time(21))
    return replace(ConsentFact(id="letter", given_at=local("2026-03-01 10:00"), times=late), **changes)  # type: ignore[arg-type]


WIDENED = policy(window("08:00", "18:00") + rule("widen_by", 'by = "consent"\nform = "written"', many=True))


@pytest.mark.parametrize(
    ("consent", "hours"),
    [
        (agreed(form=ConsentForm.WRITTEN), ["08:00–21:00"]),
        (agreed(form=ConsentForm.SEPARATE_DOCUMENT), ["08:00–21:00"]),
        (agreed(form=ConsentForm.ANY), ["08:00–18:00"]),
        (agreed(form=ConsentForm.WRITTEN, revoked_at=NOW), ["08:00–18:00"]),
        (agreed(form=ConsentForm.WRITTEN, place_id="home"), ["08:00–21:00"]),
        (agreed(form=ConsentForm.WRITTEN, place_id="work"), ["08:00–18:00"]),
        (agreed(form=ConsentForm.WRITTEN, visit_id="visit"), ["08:00–18:00"]),
        (agreed(form=ConsentForm.WRITTEN, times=None), ["08:00–18:00"]),
        (agreed(form=ConsentForm.WRITTEN, times=LocalTimes(from_time=time(18))), ["08:00–18:00"]),
    ],
)
def test_consent_opens_hours_only_in_the_form_and_for_what_it_says(consent: ConsentFact, hours: list[str]) -> None:
    assert hours_on(TUESDAY, WIDENED, consents=(consent,)) == hours


def test_consent_opens_nothing_in_a_policy_that_does_not_name_it() -> None:
    assert hours_on(TUESDAY, WIDENED, OFFICE_TOO, consents=(agreed(form=ConsentForm.WRITTEN),)) == ["08:00–18:00"]


def test_hours_that_rest_on_a_consent_name_it() -> None:
    consent = agreed(form=ConsentForm.WRITTEN)
    decision = decide(asked("2026-03-03 19:00"), facts(consents=(consent,)), WIDENED)
    found = [(c.clause_id, c.fact_ids) for c in decision.clauses if c.clause_id.startswith("test/widen_by")]
    assert (decision.verdict, found) == (Verdict.ALLOWED, [("test/widen_by/1", ("letter",))])


def test_a_margin_that_only_warns_does_not_shorten_the_hours() -> None:
    soft = policy(
        window("08:00", "18:00") + rule("fit", 'fit = "whole_visit_inside"\nmargin_min = 15\non_breach = "warn"')
    )
    decision = decide(asked("2026-03-03 17:30"), facts(), soft)
    assert (decision.verdict, warnings(decision)) == (Verdict.ALLOWED, ["test/fit/1"])
    assert hours_on(TUESDAY, soft) == ["08:00–18:00"]


def test_a_margin_binds_even_where_another_policys_hours_may_be_overridden() -> None:
    strict = policy(window("08:00", "18:00") + rule("fit", 'fit = "whole_visit_inside"\nmargin_min = 15'))
    soft = policy(
        window("08:00", "12:00", name="soft", more='on_breach = "needs_override"\noverride_role = "supervisor"'),
        name="soft",
    )
    decision = decide(asked("2026-03-03 17:30"), facts(), strict, soft)
    assert (decision.verdict, in_the_way(decision)) == (Verdict.BLOCKED, ["soft/windows/1", "test/fit/1"])


def test_the_hours_are_told_by_the_clock_on_the_wall() -> None:
    split = policy(window("08:00", "12:00") + window("14:00", "24:00", number=2))
    assert words(decide(asked("2026-03-03 13:00"), facts(), split)) == [
        "Outside the permitted hours of 2026-03-03: 08:00–12:00, 14:00–24:00."
    ]


def test_a_visit_of_more_than_twelve_hours_is_none() -> None:
    with pytest.raises(InvalidValue, match="twelve hours"):
        asked("2026-03-03 08:00", minutes=12 * 60 + 1)


@given(questions(), known_facts(), open_policies("one"))
def test_what_would_be_lawful_next_is_lawful_and_later(question: Question, known: Facts, one: Policy) -> None:
    known = replace(known, blocks=())
    decision = decide(question, known, one)
    assert question.span is not None
    if decision.next_lawful_at is not None:
        length = question.span.ends_at - question.span.begins_at
        later = replace(question, begins_at=decision.next_lawful_at, ends_at=decision.next_lawful_at + length)
        assert decision.next_lawful_at > question.span.begins_at
        assert decide(later, known, one).verdict is Verdict.ALLOWED


def test_the_next_lawful_beginning_waits_for_a_block_to_end() -> None:
    over_at = local("2026-03-05 11:30")
    decision = decide(asked("2026-03-03 10:00"), facts(blocks=(block(until=over_at),)), OFFICE)
    assert decision.next_lawful_at == over_at


@pytest.mark.parametrize(
    "known",
    [facts(blocks=(block(),)), facts(attempts=())],
    ids=["an open block", "no failed contact"],
)
def test_there_is_no_next_lawful_beginning_where_waiting_does_not_help(known: Facts) -> None:
    assert decide(asked("2026-03-03 21:00"), known).next_lawful_at is None


def test_the_next_lawful_beginning_is_on_the_next_open_day() -> None:
    saturday_night = decide(asked("2026-03-07 19:50"), facts())
    assert saturday_night.next_lawful_at == local("2026-03-09 08:00")
    assert local_day(local("2026-03-07 19:50"), HELSINKI) == date(2026, 3, 7)
