"""The tricky cases of the design that rest on the wider schema, by their names; the others are beside this file."""

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from fieldvisit.compliance.calendars import is_business_day
from fieldvisit.compliance.conduct_parameters import Recorded, RecordType
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import (
    ConsentAbout,
    ConsentFact,
    DebtorTime,
    LocalTimes,
    NoticeFact,
    PlaceFacts,
    Question,
    Scope,
    WishKind,
)
from fieldvisit.compliance.merging import merge, terms_for
from fieldvisit.compliance.parameters import NoticeAbout, NoticeForm
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.retention import CaseClocks, kept
from fieldvisit.compliance.wallclock import Day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.vocabulary import AttemptResult, BlockTrigger, Channel, CheckMoment, PlaceKind, Verdict
from tests.compliance.worlds import (
    HOME,
    NOW,
    asked,
    attempt,
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

NINE_TO_NINE = window("09:00", "21:00", days='["mon", "tue", "wed", "thu", "fri", "sat"]')


def many(parameter: str, body: str, *, number: int = 1) -> str:
    return rule(parameter, body, number=number, many=True)


def capped(body: str) -> Policy:
    return policy(many("caps", f'max = 1\nchannels = ["visit"]\n{body}'))


def test_3_a_beginning_inside_the_hours_is_enough_where_a_policy_says_so() -> None:
    begins = policy(window("09:00", "21:00") + rule("fit", 'fit = "start_inside"'))
    assert [decide(asked(at), facts(), begins).verdict for at in ("2026-03-03 20:59:59", "2026-03-03 21:00")] == [
        Verdict.ALLOWED,
        Verdict.BLOCKED,
    ]
    half_an_hour = timedelta(minutes=30)
    (hours,) = lawful_windows(facts(), [begins], date(2026, 3, 3), length=half_an_hour)
    assert hours.ends_at == local("2026-03-03 21:30") - timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("result", "in_way"), [(AttemptResult.NOBODY_HOME, []), (AttemptResult.REACHED, ["test/caps/1"])]
)
def test_6_count_what_happened_results_that_a_text_leaves_out(result: AttemptResult, in_way: list[str]) -> None:
    thirty = capped(
        'period = "rolling_days"\ndays = 30\nscope = "case"\ncounts = "attempt"\nexcludes = ["nobody_home"]'
    )
    before = attempt("2026-02-20 10:00", result, channel=Channel.VISIT, number=None)
    assert in_the_way(decide(asked(), facts(attempts=(before,)), thirty)) == in_way


def test_7_shared_caps_of_one_lender_and_its_agencies_leave_another_lender_alone() -> None:
    shared = capped('period = "calendar_day"\nscope = "creditor"\ncounts = "attempt"')
    ours = attempt("2026-03-03 08:00", channel=Channel.VISIT, number=None, case="another case")
    of_another = replace(ours, creditor_id="another lender")
    of_the_same = replace(ours, creditor_id="lender")
    assert in_the_way(decide(asked(), facts(attempts=(of_another,)), shared)) == []
    assert in_the_way(decide(asked(), facts(attempts=(of_the_same,)), shared)) == ["test/caps/1"]


def test_5_calendar_windows_a_week_begins_on_the_day_that_the_policy_names() -> None:
    from_sunday = capped('period = "calendar_week"\nscope = "debtor"\ncounts = "attempt"\nweek_starts = "sun"')
    from_monday = capped('period = "calendar_week"\nscope = "debtor"\ncounts = "attempt"')
    on_sunday = attempt("2026-03-01 10:00", channel=Channel.VISIT, number=None)
    assert in_the_way(decide(asked(), facts(attempts=(on_sunday,)), from_sunday)) == ["test/caps/1"]
    assert in_the_way(decide(asked(), facts(attempts=(on_sunday,)), from_monday)) == []


def test_4_rolling_windows_fix_the_day_in_the_zone_of_the_event() -> None:
    daily = capped('period = "calendar_day"\nscope = "debtor"\ncounts = "attempt"')
    # Half past eleven at night in Helsinki is still the afternoon in New York: there it was the second of March too.
    late = attempt("2026-03-03 01:00", channel=Channel.VISIT, number=None)
    assert in_the_way(decide(asked(), facts(attempts=(late,)), daily)) == ["test/caps/1"]
    abroad = replace(late, zone="America/New_York")
    assert in_the_way(decide(asked(), facts(attempts=(abroad,)), daily)) == []


@pytest.mark.parametrize(("day", "in_way"), [("2026-03-09", ["test/cooldowns/1"]), ("2026-03-10", [])])
def test_4_seven_days_after_a_talk_of_which_its_own_day_is_the_first(day: str, in_way: list[str]) -> None:
    rest = policy(many("cooldowns", 'after = "conversation"\ndays = 7\nday_of_event_is = 1\nchannels = ["visit"]'))
    talk = attempt("2026-03-03 08:00", AttemptResult.REACHED)
    assert (
        in_the_way(decide(asked(f"{day} 10:00"), facts(attempts=(talk,)), rest, now=local("2026-03-08 09:00")))
        == in_way
    )


def test_8_zone_of_whom_an_address_that_may_lie_in_two_zones_keeps_both_clocks() -> None:
    border = replace(HOME, other_zones=("Europe/Stockholm",))
    (hours,) = lawful_windows(facts(place=border), [policy(window("08:00", "20:00"))], date(2026, 3, 3))
    assert hours == span("2026-03-03 09:00", "2026-03-03 20:00")


def test_8_zone_of_whom_every_place_where_the_debtor_may_be_has_to_allow() -> None:
    everywhere = policy(window("08:00", "20:00") + rule("zone", 'basis = "all_candidates"'))
    known = facts(candidate_zones=("Europe/Lisbon", "Europe/Helsinki"))
    (hours,) = lawful_windows(known, [everywhere], date(2026, 3, 3))
    assert hours == span("2026-03-03 10:00", "2026-03-03 20:00")


def test_8_zone_of_whom_the_debtors_home_though_the_visit_is_elsewhere() -> None:
    at_home = policy(window("08:00", "20:00") + rule("zone", 'basis = "debtor_home"'))
    home = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="Europe/Stockholm", country="SE")
    (hours,) = lawful_windows(facts(scope=Scope(home=home)), [at_home], date(2026, 3, 3))
    assert hours == span("2026-03-03 09:00", "2026-03-03 21:00")


def test_9_holidays_as_weekend_take_the_hours_of_saturdays_and_sundays() -> None:
    rules = window("08:00", "22:00", days='["mon", "tue", "wed", "thu", "fri"]')
    rules += window("09:00", "20:00", days='["sat"]', number=2) + window("10:00", "21:00", days='["sun"]', number=3)
    weekend = policy(rules + rule("holidays", 'effect = "as_weekend"'))
    (good_friday,) = lawful_windows(facts(), [weekend], date(2026, 4, 3))
    assert good_friday == span("2026-04-03 10:00", "2026-04-03 20:00")


def test_9_holidays_a_day_that_was_moved_counts_only_where_the_rule_says_so() -> None:
    # Independence Day of 2026 is a Saturday, observed on Friday the third.
    texas = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="America/Chicago", country="US", region="US-TX")
    moved = policy(window("08:00", "20:00") + rule("holidays", 'effect = "forbidden"'))
    not_moved = policy(window("08:00", "20:00") + rule("holidays", 'effect = "forbidden"\nobserved = false'))
    observed = date(2026, 7, 3)
    assert lawful_windows(facts(place=texas), [moved], observed) == ()
    assert len(lawful_windows(facts(place=texas), [not_moved], observed)) == 1


def test_9_holidays_a_make_up_working_saturday_of_china_is_a_day_of_work() -> None:
    flat = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="Asia/Shanghai", country="CN")
    worked, free, holiday = date(2026, 2, 14), date(2026, 3, 14), date(2026, 10, 1)
    assert [is_business_day(flat, day) for day in (worked, free, holiday)] == [True, False, False]


def test_10_debtor_stated_times_bind_up_to_so_many_hours_a_week_the_first_ones_first() -> None:
    korean = policy(window("08:00", "21:00") + rule("debtor_times", "binding = true\nmax_hours_per_week = 28"))
    weekdays = frozenset({Day.MON, Day.TUE, Day.WED, Day.THU})
    mornings = DebtorTime(
        id="mornings",
        kind=WishKind.AVOID,
        times=LocalTimes(weekdays=weekdays, from_time=time(8), until_time=time(14)),
        stated_at=local("2026-02-01 10:00"),
    )
    evenings = replace(
        mornings,
        id="evenings",
        times=LocalTimes(weekdays=weekdays, from_time=time(17), until_time=time(21)),
        stated_at=local("2026-02-02 10:00"),
    )
    known = facts(debtor_times=(evenings, mornings))
    assert in_the_way(decide(asked("2026-03-03 10:00"), known, korean)) == ["test/debtor_times/1"]
    evening = decide(asked("2026-03-03 18:00"), known, korean)
    assert in_the_way(evening) == []
    assert [clause.warning for clause in evening.clauses if clause.clause_id == "test/debtor_times/1"] == [True]


def test_10_debtor_stated_times_may_widen_only_where_the_policy_says_so() -> None:
    asked_for = wish(WishKind.ONLY, from_time=time(21), until_time=time(23))
    for may_widen, in_way in (("true", []), ("false", ["test/windows/1"])):
        one = policy(NINE_TO_NINE + rule("debtor_times", f"binding = true\nmay_widen = {may_widen}"))
        late = decide(asked("2026-03-03 21:30"), facts(debtor_times=(asked_for,)), one)
        assert in_the_way(late) == in_way


def test_11_consent_that_widens_no_further_than_the_text_lets_it() -> None:
    doorstep = policy(
        window("10:00", "21:00")
        + many("widen_by", 'by = "consent"\nform = "separate_document"\nopens = "08:00"\ncloses = "10:00"')
    )
    all_night = LocalTimes(from_time=time(0), until_time=time(23, 59))
    paper = ConsentFact(id="paper", given_at=NOW, form="separate_document", times=all_night)  # type: ignore[arg-type]
    known = facts(consents=(paper,))
    assert in_the_way(decide(asked("2026-03-04 08:00"), known, doorstep)) == []
    assert in_the_way(decide(asked("2026-03-04 07:59"), known, doorstep)) == ["test/windows/1"]
    assert in_the_way(decide(asked("2026-03-04 21:00"), known, doorstep)) == ["test/windows/1"]


@pytest.mark.parametrize(("day", "in_way"), [("2026-03-04", ["test/windows/1"]), ("2026-03-05", [])])
def test_12_overdue_day_exceptions_depend_on_the_date_of_the_visit(day: str, in_way: list[str]) -> None:
    philippine = policy(window("06:00", "22:00") + many("widen_by", 'by = "overdue_days"\nmin_overdue_days = 15'))
    known = facts(days_past_due=14, past_due_as_of=date(2026, 3, 3))
    assert in_the_way(decide(asked(f"{day} 22:30"), known, philippine)) == in_way


def announced(day: str, sent: str, **more: object) -> NoticeFact:
    hours = span(f"{day} 09:00", f"{day} 12:00")
    made = NoticeFact(id="letter", about=NoticeAbout.VISIT, sent_at=local(sent), visit_id="visit", announced=hours)
    return replace(made, **more)  # type: ignore[arg-type]


FIVE_WORKING_DAYS = policy(
    window("09:00", "21:00")
    + many("notices", 'about = "visit"\nunit = "business_days"\namount = 5\nform = "written"\ncounts_from = "sent"')
)


@pytest.mark.parametrize(
    ("day", "in_way"),
    # Sent on Friday 27 March: Monday to Thursday are four, Good Friday and Easter Monday none, Tuesday the fifth.
    [("2026-04-07", ["test/notices/1"]), ("2026-04-08", [])],
)
def test_14_notice_in_business_days_by_the_local_calendar(day: str, in_way: list[str]) -> None:
    known = facts(notices=(announced(day, "2026-03-27 15:00"),))
    at_the_door = asked(f"{day} 10:00", moment=CheckMoment.DOOR)
    assert in_the_way(decide(at_the_door, known, FIVE_WORKING_DAYS, now=local(f"{day} 10:00"))) == in_way


def test_14_notice_a_visit_that_moves_was_not_announced() -> None:
    known = facts(notices=(announced("2026-04-08", "2026-03-27 15:00"),))
    moved = asked("2026-04-08 13:00", moment=CheckMoment.DOOR)
    assert words(decide(moved, known, FIVE_WORKING_DAYS, now=local("2026-04-08 13:00"))) == [
        "This visit, at this time, was not announced to the debtor."
    ]


def test_14_notice_by_word_of_mouth_is_none_where_it_has_to_be_written() -> None:
    spoken = announced("2026-04-08", "2026-03-27 15:00", form=NoticeForm.ANY)
    door = asked("2026-04-08 10:00", moment=CheckMoment.DOOR)
    assert in_the_way(decide(door, facts(notices=(spoken,)), FIVE_WORKING_DAYS, now=local("2026-04-08 10:00"))) == [
        "test/notices/1"
    ]


def test_14_notice_that_can_still_be_given_lets_a_visit_be_planned() -> None:
    soon, late = asked("2026-03-06 10:00"), asked("2026-03-11 10:00")
    assert in_the_way(decide(soon, facts(), FIVE_WORKING_DAYS)) == ["test/notices/1"]
    assert in_the_way(decide(late, facts(), FIVE_WORKING_DAYS)) == []
    assert decide(soon, facts(), FIVE_WORKING_DAYS).next_lawful_at == local("2026-03-11 09:00")


def test_14_notice_counts_from_receipt_where_the_text_says_so() -> None:
    received = policy(many("notices", 'about = "visit"\nunit = "days"\namount = 2\ncounts_from = "received"'))
    door, now = asked("2026-03-06 10:00", moment=CheckMoment.DOOR), local("2026-03-06 10:00")
    on_its_way = announced("2026-03-06", "2026-03-01 10:00")
    assert in_the_way(decide(door, facts(notices=(on_its_way,)), received, now=now)) == ["test/notices/1"]
    arrived = replace(on_its_way, received_at=local("2026-03-03 23:00"))
    assert in_the_way(decide(door, facts(notices=(arrived,)), received, now=now)) == []


def test_14_notice_may_be_waived_on_the_spot_only_on_a_first_visit() -> None:
    adequate = policy(many("notices", 'about = "visit"\nunit = "adequate"\namount = 24\nwaiver = "on_the_spot"'))
    door = asked("2026-03-03 10:00", moment=CheckMoment.DOOR)
    first = decide(door, facts(), adequate)
    assert (first.verdict, [clause.clause_id for clause in first.clauses if clause.warning]) == (
        Verdict.ALLOWED,
        ["test/notices/1"],
    )
    before = attempt("2026-02-20 10:00", AttemptResult.NOBODY_HOME, channel=Channel.VISIT, number=None)
    assert in_the_way(decide(door, facts(attempts=(before,)), adequate)) == ["test/notices/1"]


def test_16_two_policies_at_once_that_of_the_visit_and_that_of_the_debtors_home() -> None:
    massachusetts = policy(window("08:00", "21:00"), head='jurisdiction = "US-MA"')
    hampshire = policy(window("09:00", "17:00", name="nh"), name="nh", head='jurisdiction = "US-NH"')
    shop = PlaceFacts(id="shop", kind=PlaceKind.WORK, zone="America/New_York", country="US", region="US-NH")
    home = replace(shop, id="flat", kind=PlaceKind.HOME, region="US-MA")
    both = terms_for([massachusetts, hampshire], shop, date(2026, 3, 3), scope=Scope(home=home))
    alone = terms_for([massachusetts, hampshire], shop, date(2026, 3, 3))
    assert both is not None
    assert alone is not None
    assert [[p.id for p in terms.policies] for terms in (both, alone)] == [["nh", "test"], ["nh"]]


def test_16_two_policies_at_once_a_region_that_is_not_known_may_be_any() -> None:
    massachusetts = policy(head='jurisdiction = "US-MA"')
    somewhere = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="America/New_York", country="US")
    assert terms_for([massachusetts], somewhere, date(2026, 3, 3)) is not None


def test_16_two_policies_at_once_kept_too_long_for_one_and_too_short_for_the_other() -> None:
    body = 'record_type = "contact"\ncounts_from = "created"\n'
    collection = policy(many("retention", f'{body}min = "P3Y"'))
    privacy = policy(rule("retention", f'{body}max = "P2Y"', many=True, name="privacy"), name="privacy")
    assert words(decide(asked(), facts(), collection, privacy)) == [
        "The policies contradict each other: privacy/retention/1, test/retention/1."
    ]
    assert in_the_way(decide(asked(), facts(), collection)) == []


def test_19_recording_gap_what_must_be_recorded_is_asked_for_at_the_door() -> None:
    whole = policy(many("recording", 'channels = ["visit"]\nneed = "audio_and_video"\nwhole = true'))
    planned = asked()
    assert in_the_way(decide(planned, facts(), whole)) == []
    for running, in_way in (
        (frozenset(Recorded), []),
        (frozenset({Recorded.AUDIO}), ["test/recording/1"]),
        (None, ["test/recording/1"]),
    ):
        door = replace(planned, moment=CheckMoment.DOOR, recording=running)
        assert in_the_way(decide(door, facts(), whole)) == in_way


def test_19_recording_compulsory_here_and_unlawful_without_consent_there() -> None:
    must = policy(many("recording", 'channels = ["visit"]\nneed = "audio"'))
    ask_first = policy(
        rule("recording", 'channels = ["visit"]\nneed = "optional"\nconsent_needed = true', many=True, name="ask"),
        name="ask",
    )
    door = asked(moment=CheckMoment.DOOR, recording=frozenset({Recorded.AUDIO}))
    assert in_the_way(decide(door, facts(), must, ask_first)) == ["ask/recording/1"]
    agreed = ConsentFact(id="yes", given_at=local("2026-03-03 08:00"), about=ConsentAbout.RECORDING)
    assert in_the_way(decide(door, facts(consents=(agreed,)), must, ask_first)) == []


def test_19_recording_compulsory_and_forbidden_at_once_is_for_a_person() -> None:
    must = policy(many("recording", 'channels = ["visit"]\nneed = "audio"'))
    never = policy(rule("recording", 'channels = ["visit"]\nneed = "forbidden"', many=True, name="never"), name="never")
    assert in_the_way(decide(asked(), facts(), must, never)) == ["product/conflict"]


def test_20_retention_clock_from_the_last_activity_moves_with_each_new_event() -> None:
    terms = merge([policy(many("retention", 'record_type = "contact"\ncounts_from = "last_activity"\nmin = "P3Y"'))])
    clocks = CaseClocks(created_on=date(2024, 1, 5), last_activity_on=date(2026, 3, 3))
    assert kept(terms, RecordType.CONTACT, clocks).not_before == date(2029, 3, 3)
    later = replace(clocks, last_activity_on=date(2026, 8, 1))
    assert not kept(terms, RecordType.CONTACT, later).may_go(date(2029, 3, 3))
    assert kept(terms, RecordType.CONTACT, later).may_go(date(2029, 8, 1))


def test_20_retention_respects_a_legal_hold_and_a_case_that_is_still_open() -> None:
    body = 'record_type = "contact"\ncounts_from = "closed"\nmin = "P2Y"\nmax = "P5Y"'
    terms = merge([policy(many("retention", body))])
    open_case = CaseClocks(created_on=date(2020, 1, 1), last_activity_on=date(2020, 2, 1))
    assert kept(terms, RecordType.CONTACT, open_case).not_before is None
    closed = replace(open_case, closed_on=date(2021, 1, 1))
    assert kept(terms, RecordType.CONTACT, closed).not_before == date(2023, 1, 1)
    assert kept(terms, RecordType.CONTACT, closed).not_after == date(2026, 1, 1)
    assert kept(terms, RecordType.CONTACT, replace(closed, held=True)).not_before is None


def test_a_rest_after_an_occasion_lasts_as_long_as_its_renewals_say() -> None:
    rest = policy(many("blackouts", 'occasion = "deceased"\nlasts = "P3M"\nrenewals = 1'))
    since = local("2026-01-10 12:00")
    over = local("2026-01-11 12:00")
    death = block(BlockTrigger.DECEASED, since=since, until=over)
    for renewals, day, in_way in (
        (0, "2026-04-09", ["test/blackouts/1"]),
        (0, "2026-04-10", []),
        (1, "2026-04-10", ["test/blackouts/1"]),
        (5, "2026-07-10", []),
    ):
        known = facts(blocks=(replace(death, renewals=renewals),))
        assert in_the_way(decide(asked(f"{day} 10:00"), known, rest, now=local(f"{day} 09:00"))) == in_way


def test_a_question_of_the_past_is_answered_by_the_rules_of_that_day() -> None:
    dated = policy(many("windows", 'days = ["tue"]\nopens = "09:00"\ncloses = "10:00"\neffective_from = 2026-03-04'))
    question = Question(
        visit_id="visit",
        moment=CheckMoment.PLANNING,
        begins_at=local("2026-03-03 09:00"),
        ends_at=local("2026-03-03 09:30"),
        staff=asked().staff,
    )
    assert in_the_way(decide(question, facts(), dated)) == ["product/windows"]


@pytest.mark.parametrize(
    ("country", "zone", "sent", "day", "in_way"),
    [
        # The Spring Festival of 2026, 15 to 23 February, is made up for on Saturday the 14th.
        ("CN", "Asia/Shanghai", "2026-02-10", "2026-02-24", ["test/notices/1"]),
        ("CN", "Asia/Shanghai", "2026-02-10", "2026-02-25", []),
        # From Wednesday 30 September: the National Day week is none, Saturday 10 October is worked.
        ("CN", "Asia/Shanghai", "2026-09-30", "2026-10-13", ["test/notices/1"]),
        ("CN", "Asia/Shanghai", "2026-09-30", "2026-10-14", []),
        # Independence Day 2026 is a Saturday, observed on Friday 3 July.
        ("US", "America/New_York", "2026-06-29", "2026-07-07", ["test/notices/1"]),
        ("US", "America/New_York", "2026-06-29", "2026-07-08", []),
        # Martin Luther King Day, Monday 19 January.
        ("US", "America/New_York", "2026-01-15", "2026-01-23", ["test/notices/1"]),
        ("US", "America/New_York", "2026-01-15", "2026-01-24", []),
    ],
)
def test_14_notice_in_business_days_where_holidays_move_the_week(
    country: str, zone: str, sent: str, day: str, in_way: list[str]
) -> None:
    here = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone=zone, country=country)
    five = policy(window("00:00", "24:00") + many("notices", 'about = "visit"\nunit = "business_days"\namount = 5'))
    begins, told = (datetime.fromisoformat(f"{each}T10:00").replace(tzinfo=ZoneInfo(zone)) for each in (day, sent))
    notice = NoticeFact(id="letter", about=NoticeAbout.VISIT, sent_at=told, visit_id="visit")
    door = Question(visit_id="visit", moment=CheckMoment.DOOR, begins_at=begins, ends_at=begins + timedelta(minutes=20))
    decision = evaluate(door, replace(facts(notices=(notice,)), place=here), (five,), begins)
    refused = [clause for clause in decision.deciding if clause.verdict is not Verdict.ALLOWED]
    assert [clause.clause_id for clause in refused if "notices" in clause.clause_id] == in_way
