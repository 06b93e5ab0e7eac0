"""The tricky cases of the design by their names, as far as the engine reaches today.

Not here, because the parameters do not exist yet: overdue-day exceptions, notice in business days, recording gaps and
the retention clock. Late facts that reach the crew on the road are tested with the phones.
"""

from dataclasses import replace
from datetime import date, datetime, time, timedelta

import pytest

from fieldvisit.compliance.facts import ConsentFact, ConsentForm, LocalTimes, PlaceFacts, Purpose, WishKind
from fieldvisit.compliance.intervals import inside
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.wallclock import Day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.vocabulary import AttemptResult, Channel, CheckMoment, CredentialKind, PlaceKind, Verdict
from tests.compliance.worlds import (
    CHINA,
    HOME,
    HOUSE,
    NOW,
    UNREACHED,
    asked,
    attempt,
    block,
    decide,
    facts,
    in_the_way,
    local,
    paper,
    policy,
    reserved,
    rule,
    span,
    visitor,
    window,
    wish,
    words,
)

ZONES = [
    "Europe/Helsinki",
    "Europe/Dublin",
    "America/New_York",
    "Australia/Sydney",
    "Australia/Brisbane",
    "Asia/Shanghai",
]
"""Zones with daylight saving on both halves of the globe, and neighbours without it."""

NIGHTS = ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01"]
"""The days of 2026 on which one of them changes its clocks."""


def one_in(
    period: str, *, days: int | None = None, scope: str = "debtor", counts: str = "attempt", channels: str = '["visit"]'
) -> Policy:
    """A policy that caps contacts at one in the period."""
    length = f"\ndays = {days}" if days else ""
    body = f'max = 1\nperiod = "{period}"{length}\nscope = "{scope}"\ncounts = "{counts}"\nchannels = {channels}'
    return policy(rule("caps", body, many=True))


def at(place: PlaceFacts, day: str, opens: str, closes: str, *policies: Policy) -> bool:
    """Whether a visit from and until, by the clock of the place, lies in the lawful hours of the day."""
    zone = place.zone or ""
    windows = lawful_windows(facts(place=place), policies, date.fromisoformat(day))
    return inside(windows, span(f"{day} {opens}", f"{day} {closes}", zone))


def test_1_overnight_bans_are_stored_as_the_hours_they_leave_and_their_end_is_outside() -> None:
    banned_from_22_to_8 = policy(window("08:00", "22:00"))
    assert in_the_way(decide(asked("2026-03-03 21:30"), facts(), banned_from_22_to_8)) == []
    for begins in ("2026-03-03 22:00", "2026-03-03 23:59", "2026-03-04 00:00", "2026-03-04 07:59:59"):
        assert in_the_way(decide(asked(begins), facts(), banned_from_22_to_8)) == ["test/windows/1"]
    assert in_the_way(decide(asked("2026-03-04 08:00"), facts(), banned_from_22_to_8)) == []


def test_2_irelands_literal_gap_a_time_that_no_window_names_is_forbidden() -> None:
    week = policy(
        window("09:00", "21:00", days='["mon", "tue", "wed", "thu", "fri", "sat"]'),
        head='jurisdiction = "IE"',
    )
    dublin = replace(HOME, zone="Europe/Dublin", country="IE")
    assert not at(dublin, "2026-03-02", "00:00", "00:30", week)
    assert not at(dublin, "2026-03-02", "08:30", "09:00", week)
    assert at(dublin, "2026-03-02", "09:00", "09:30", week)
    assert not at(dublin, "2026-03-08", "12:00", "12:30", week)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", NIGHTS)
def test_3_dst_hours_keep_to_the_clock_on_the_wall(zone: str, day: str) -> None:
    place = replace(HOME, zone=zone)
    day_hours = policy(window("08:00", "20:00"))
    expected = (span(f"{day} 08:00", f"{day} 20:00", zone),)
    assert lawful_windows(facts(place=place), [day_hours], date.fromisoformat(day)) == expected


@pytest.mark.parametrize(("day", "minutes"), [("2026-03-28", 240), ("2026-03-29", 180), ("2026-10-25", 300)])
def test_3_dst_a_window_in_the_night_is_as_long_as_that_night(day: str, minutes: int) -> None:
    night = policy(window("01:00", "05:00"))
    (whole,) = lawful_windows(facts(), [night], date.fromisoformat(day))
    assert whole.ends_at - whole.begins_at == timedelta(minutes=minutes)


def test_3_dst_both_times_of_a_repeated_hour_are_judged_each_by_itself() -> None:
    until_half_past_three = policy(window("01:00", "03:30"))
    first, second = (local("2026-10-25 03:10", fold=fold) for fold in (0, 1))
    between = local("2026-10-25 03:40", fold=0)
    verdicts = [
        decide(asked(begins, 10), facts(), until_half_past_three).verdict for begins in (first, between, second)
    ]
    assert verdicts == [Verdict.ALLOWED, Verdict.BLOCKED, Verdict.ALLOWED]


def test_3_dst_neighbours_without_it_keep_their_own_hours() -> None:
    hours = policy(window("08:00", "20:00"))
    day = date(2026, 1, 13)
    sydney, brisbane = (
        lawful_windows(facts(place=replace(HOME, zone=zone)), [hours], day)[0]
        for zone in ("Australia/Sydney", "Australia/Brisbane")
    )
    assert brisbane.begins_at - sydney.begins_at == timedelta(hours=1)


def test_4_rolling_windows_count_local_days_and_not_168_hours() -> None:
    late_visit = attempt("2026-02-24 19:30", AttemptResult.REACHED, channel=Channel.VISIT, number=None)
    after = tuple(attempt(day) for day in ("2026-02-25 10:00", "2026-02-26 13:00", "2026-02-27 18:00"))
    early_a_week_later = asked("2026-03-03 08:00")
    assert local("2026-03-03 08:00") - local("2026-02-24 19:30") < timedelta(hours=168)
    assert in_the_way(decide(early_a_week_later, facts(attempts=(late_visit, *after)), now=NOW)) == []


def test_4_rolling_windows_count_the_visits_that_are_planned_after() -> None:
    thirty = one_in("rolling_days", days=30, scope="case")
    planned = facts(planned_visits=(reserved("2026-04-01"),))
    assert in_the_way(decide(asked("2026-03-03 10:00"), planned, thirty)) == ["test/caps/1"]
    assert in_the_way(decide(asked("2026-03-03 10:00"), facts(planned_visits=(reserved("2026-04-02"),)), thirty)) == []


def test_5_calendar_windows_a_visit_belongs_to_the_day_on_which_it_starts() -> None:
    monthly = one_in("calendar_month")
    before_midnight = attempt("2026-03-31 23:30", AttemptResult.REACHED, channel=Channel.VISIT, number=None)
    in_april = decide(
        asked("2026-04-01 10:00"), facts(attempts=(before_midnight,)), monthly, now=local("2026-04-01 09:00")
    )
    assert in_april.verdict is Verdict.ALLOWED


def test_6_count_what_happened_visits_where_nobody_was_met_may_be_left_out() -> None:
    met_only = one_in("rolling_days", days=30, scope="case", counts="contact_made")
    nobody = attempt("2026-03-01 10:00", AttemptResult.NOBODY_HOME, channel=Channel.VISIT, number=None)
    met = replace(nobody, result=AttemptResult.REACHED)
    assert in_the_way(decide(asked(), facts(attempts=(nobody,)), met_only)) == []
    assert in_the_way(decide(asked(), facts(attempts=(met,)), met_only)) == ["test/caps/1"]


def test_7_shared_caps_a_call_and_a_visit_share_one_slot_and_late_events_count() -> None:
    shared = one_in("calendar_week", channels='["call", "visit"]', counts="contact_made")
    talk = attempt("2026-03-02 10:00", AttemptResult.REACHED, case="another lender's case")
    assert in_the_way(decide(asked(), facts(attempts=()), shared)) == []
    assert in_the_way(decide(asked(), facts(attempts=(talk,)), shared)) == ["test/caps/1"]


def test_8_zone_of_whom_in_xinjiang_the_legal_time_counts() -> None:
    urumqi = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="Asia/Urumqi", country="CN")
    (hours,) = lawful_windows(facts(place=urumqi), [CHINA], date(2026, 3, 3))
    assert hours == span("2026-03-03 08:00", "2026-03-03 22:00", "Asia/Shanghai")


def test_8_zone_of_whom_with_two_clocks_both_must_allow() -> None:
    urumqi = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="Asia/Urumqi", country="CN")
    place_clock = policy(window("08:00", "20:00"))
    (hours,) = lawful_windows(facts(place=urumqi), [CHINA, place_clock], date(2026, 3, 3))
    assert hours == span("2026-03-03 10:00", "2026-03-03 22:00", "Asia/Shanghai")


@pytest.mark.parametrize(
    ("effect", "own_window", "hours"),
    [
        ("none", False, [("08:00", "20:00")]),
        ("forbidden", False, []),
        ("as_sunday", False, [("12:00", "14:00")]),
        ("own_window", False, []),
        ("own_window", True, [("10:00", "12:00")]),
    ],
)
def test_9_holidays_do_what_the_rule_says(effect: str, own_window: bool, hours: list[tuple[str, str]]) -> None:
    good_friday = "2026-04-03"
    rules = (
        window("08:00", "20:00", days='["mon", "tue", "wed", "thu", "fri", "sat"]')
        + window("12:00", "14:00", days='["sun"]', number=2)
        + (window("10:00", "12:00", days='["holiday"]', number=3) if own_window else "")
        + rule("holidays", f'effect = "{effect}"')
    )
    found = lawful_windows(facts(), [policy(rules)], date.fromisoformat(good_friday))
    assert list(found) == [span(f"{good_friday} {opens}", f"{good_friday} {closes}") for opens, closes in hours]


def test_9_holidays_a_day_of_the_nation_and_a_day_of_the_state() -> None:
    boston = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="America/New_York", country="US", region="US-MA")
    closed = policy(window("08:00", "20:00") + rule("holidays", 'effect = "forbidden"'))
    national_only = policy(window("08:00", "20:00") + rule("holidays", 'effect = "forbidden"\ncalendar = "US"'))
    patriots_day = date(2026, 4, 20)
    assert lawful_windows(facts(place=boston), [closed], patriots_day) == ()
    assert len(lawful_windows(facts(place=boston), [national_only], patriots_day)) == 1


def test_9_holidays_the_edition_of_the_calendar_is_kept_with_the_decision() -> None:
    (calendar,) = decide(asked(), facts()).calendars
    assert calendar.startswith("FI, holidays ")


def test_10_debtor_stated_times_that_leave_nothing_are_told_to_a_person() -> None:
    nights_only = wish(WishKind.ONLY, from_time=time(21), until_time=time(23))
    decision = decide(asked(), facts(debtor_times=(nights_only,)))
    assert words(decision) == ["The times that the debtor stated leave no permitted hour on 2026-03-03."]
    assert (decision.lawful, decision.next_lawful_at) == ((), None)


def test_10_debtor_stated_times_not_tuesdays_before_noon() -> None:
    tuesdays = wish(WishKind.AVOID, until_time=time(12), weekdays=frozenset({Day.TUE}))
    decision = decide(asked("2026-03-03 10:00"), facts(debtor_times=(tuesdays,)))
    assert decision.next_lawful_at == local("2026-03-03 12:00")
    assert decide(asked("2026-03-04 10:00"), facts(debtor_times=(tuesdays,))).verdict is Verdict.ALLOWED


def test_11_consent_that_widens_needs_its_form_and_ends_when_it_is_withdrawn() -> None:
    widened = policy(
        window("09:00", "21:00") + rule("widen_by", 'by = "consent"\nform = "separate_document"', many=True)
    )
    early = LocalTimes(from_time=time(8), until_time=time(10))
    consent = ConsentFact(id="paper", given_at=NOW, form=ConsentForm.SEPARATE_DOCUMENT, times=early)
    question = asked("2026-03-04 08:00")
    assert in_the_way(decide(question, facts(consents=(consent,)), widened)) == []
    oral = replace(consent, form=ConsentForm.ANY)
    withdrawn = replace(consent, revoked_at=NOW + timedelta(hours=1))
    for weaker in (oral, withdrawn):
        assert in_the_way(decide(question, facts(consents=(weaker,)), widened)) == ["test/windows/1"]


def test_13_whole_visit_fit_a_last_visit_that_begins_in_time_and_ends_too_late() -> None:
    assert in_the_way(decide(asked("2026-03-03 19:50"), facts())) == ["house/windows/1"]
    assert in_the_way(decide(asked("2026-03-03 19:20"), facts())) == ["house/fit/1"]
    assert in_the_way(decide(asked("2026-03-03 19:15"), facts())) == []


def test_15_late_facts_change_the_answer_at_the_door() -> None:
    question = asked("2026-03-03 10:00")
    at_the_door = replace(question, moment=CheckMoment.DOOR)
    stopped = block(since=local("2026-03-03 09:58"))
    assert decide(question, facts()).verdict is Verdict.ALLOWED
    assert decide(at_the_door, facts(blocks=(stopped,)), now=local("2026-03-03 10:00")).verdict is Verdict.BLOCKED


def test_16_two_policies_at_once_the_house_is_stricter_than_the_law() -> None:
    flat = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="Asia/Shanghai", country="CN")
    crew = tuple(visitor(name) for name in ("Lin", "Wang"))
    known = facts(place=flat)
    evening, alone = (
        asked("2026-03-03 20:30", zone="Asia/Shanghai", staff=crew),
        asked("2026-03-03 10:00", zone="Asia/Shanghai"),
    )
    assert in_the_way(decide(evening, known, CHINA)) == []
    assert in_the_way(decide(evening, known, CHINA, HOUSE)) == ["house/windows/1"]
    assert in_the_way(decide(alone, known, HOUSE)) == []
    assert in_the_way(decide(alone, known, CHINA, HOUSE)) == ["cn/staff_min/1"]


def test_17_purpose_serving_papers_is_not_collection() -> None:
    collection_only = policy(window("10:00", "11:00"))
    serving = replace(policy(name="serving"), purposes=frozenset({Purpose.PROCESS_SERVING}))
    question = asked("2026-03-03 15:00", purpose=Purpose.PROCESS_SERVING)
    assert decide(question, facts(), collection_only, serving).policies == (("serving", 1),)
    assert decide(question, facts(), collection_only, serving).verdict is Verdict.ALLOWED
    assert in_the_way(decide(question, facts(), collection_only)) == ["product/policy"]


def test_18_two_staff_rule_and_late_drop_out() -> None:
    two = policy(rule("staff_min", "people = 2"))
    both, one = (visitor("Aino"), visitor("Eero")), (visitor("Aino"),)
    assert in_the_way(decide(asked(staff=both, moment=CheckMoment.PUBLISHING), facts(), two)) == []
    assert in_the_way(decide(asked(staff=one, moment=CheckMoment.DOOR), facts(), two)) == ["test/staff_min/1"]


def test_18_two_staff_both_papers_must_be_valid_by_local_date() -> None:
    until_today = paper(CredentialKind.ID_CARD, valid_until=date(2026, 3, 3))
    needs = policy(rule("credentials", 'any_of = ["id_card"]', many=True))
    late = asked("2026-03-03 23:00", staff=(visitor("Aino", until_today), visitor("Eero")))
    assert decide(late, facts(), needs).verdict is Verdict.ALLOWED
    next_morning_utc_still_the_third = asked("2026-03-04 00:30", staff=(visitor("Aino", until_today),))
    assert in_the_way(decide(next_morning_utc_still_the_third, facts(), needs)) == ["test/credentials/1"]


def test_21_draft_law_is_loaded_and_not_enforced() -> None:
    draft = policy(visits="forbidden", name="draft", head='status = "draft"')
    decision = decide(asked(), facts(), HOUSE, draft)
    assert (decision.verdict, decision.policies) == (Verdict.ALLOWED, (("house", 1),))


def test_21_a_new_version_counts_from_its_first_day_for_visits_planned_before() -> None:
    old = policy(head="version = 1\neffective_from = 2020-01-01\neffective_to = 2026-03-31")
    new = policy(visits="forbidden", head="version = 2\neffective_from = 2026-04-01")
    last, first = asked("2026-03-31 23:00"), asked("2026-04-01 00:00")
    assert [decide(question, facts(), old, new).policies for question in (last, first)] == [
        (("test", 1),),
        (("test", 2),),
    ]
    assert in_the_way(decide(first, facts(), old, new)) == ["test/visits/1"]


def test_22_a_preset_with_a_hole_shows_which_number_is_the_houses() -> None:
    effort = CHINA.prior_effort
    assert effort is not None
    assert (effort.confidence, effort.legal_force, effort.within_days) == ("house", "house", 30)
    assert "house number" in effort.note


def test_the_gate_and_the_door_may_differ_in_what_was_heard_meanwhile() -> None:
    reached = attempt(datetime.fromisoformat("2026-03-03T07:55+00:00"), AttemptResult.REACHED)
    question = asked("2026-03-03 10:00", moment=CheckMoment.DOOR)
    decision = decide(question, facts(attempts=(*UNREACHED, reached)), now=local("2026-03-03 10:00"))
    assert in_the_way(decision) == ["house/prior_effort/1"]
