"""Each clause of each preset at its boundary, to the second, in the words of its source."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from fieldvisit.compliance.facts import ConsentFact, ConsentForm, LocalTimes, PlaceFacts, Question, StaffFact
from fieldvisit.compliance.loading import load_preset
from fieldvisit.compliance.parameters import Confidence
from fieldvisit.compliance.policy import Policy
from fieldvisit.vocabulary import (
    AttemptResult,
    BlockScope,
    BlockTrigger,
    Channel,
    CheckMoment,
    CredentialKind,
    PlaceKind,
    Verdict,
)
from tests.compliance.worlds import (
    CHINA,
    HOME,
    HOUSE,
    SHANGHAI,
    asked,
    attempt,
    block,
    chinese_facts,
    decide,
    eligible,
    facts,
    in_the_way,
    local,
    paper,
    reserved,
    visitor,
)

TRAINED = paper(CredentialKind.CERTIFICATE)
TWO = (
    visitor("Lin", paper(CredentialKind.BADGE), TRAINED),
    visitor("Wang", paper(CredentialKind.ID_CARD), TRAINED),
)
"""Two visitors, each trained, with one paper that shows who they are."""


def from_until(begins: datetime, ends: datetime, *staff: StaffFact) -> Question:
    return Question(visit_id="visit", moment=CheckMoment.PLANNING, begins_at=begins, ends_at=ends, staff=staff)


def china(begins: str, ends: str, **known: object) -> list[str]:
    question = from_until(local(begins, SHANGHAI), local(ends, SHANGHAI), *TWO)
    return in_the_way(decide(question, chinese_facts(**known), CHINA, now=local("2026-03-03 09:00", SHANGHAI)))


def house(begins: str, ends: str, **known: object) -> list[str]:
    return in_the_way(decide(from_until(local(begins), local(ends), visitor()), facts(**known)))


@pytest.mark.parametrize(
    ("begins", "ends", "in_way"),
    [
        ("2026-03-04 08:00", "2026-03-04 08:30", []),
        ("2026-03-04 07:59:59", "2026-03-04 08:30", ["cn/windows/1"]),
        ("2026-03-04 21:30", "2026-03-04 22:00", []),
        ("2026-03-04 21:30", "2026-03-04 22:00:01", ["cn/windows/1"]),
        ("2026-03-04 22:00", "2026-03-04 22:30", ["cn/windows/1"]),
        ("2026-03-04 03:00", "2026-03-04 03:30", ["cn/windows/1"]),
        ("2026-03-07 21:00", "2026-03-07 21:30", []),  # a Saturday
        ("2026-03-08 08:00", "2026-03-08 08:30", []),  # a Sunday
        ("2026-10-01 10:00", "2026-10-01 10:30", []),  # the National Day
    ],
)
def test_cn_no_contact_from_22_to_8_weekends_and_holidays_not_distinguished(
    begins: str, ends: str, in_way: list[str]
) -> None:
    assert china(begins, ends) == in_way


@pytest.mark.parametrize(
    ("begins", "ends", "in_way"),
    [
        ("2026-03-04 22:00", "2026-03-04 23:00", []),
        ("2026-03-04 22:00", "2026-03-04 23:00:01", ["cn/windows/1"]),
        ("2026-03-04 21:30", "2026-03-04 22:30", []),
        ("2026-03-05 22:00", "2026-03-05 22:30", ["cn/windows/1"]),
    ],
)
def test_cn_unless_the_debtor_agrees(begins: str, ends: str, in_way: list[str]) -> None:
    day = local("2026-03-04 00:00", SHANGHAI).date()
    hours = LocalTimes(
        from_time=local("2026-03-04 22:00", SHANGHAI).time(),
        until_time=local("2026-03-04 23:00", SHANGHAI).time(),
        from_on=day,
        until_on=day,
    )
    consent = ConsentFact(id="on the phone", given_at=local("2026-03-02 10:00", SHANGHAI), times=hours)
    assert china(begins, ends, consents=(consent,)) == in_way


@pytest.mark.parametrize(
    ("staff", "in_way"),
    [
        (TWO, []),
        (TWO[:1], ["cn/staff_min/1"]),
        ((), ["cn/staff_min/1", "product/staff"]),
        (
            (TWO[0], visitor("Zhao", paper(CredentialKind.AUTHORISATION_LETTER), TRAINED)),
            ["cn/credentials/1"],
        ),
    ],
)
def test_cn_at_least_two_on_a_visit_each_with_credentials(staff: tuple[StaffFact, ...], in_way: list[str]) -> None:
    begins = local("2026-03-04 10:00", SHANGHAI)
    question = from_until(begins, begins + timedelta(minutes=30), *staff)
    assert in_the_way(decide(question, chinese_facts(), CHINA, now=local("2026-03-03 09:00", SHANGHAI))) == in_way


def test_cn_three_effective_calls_a_day_cap_no_visit() -> None:
    answered = [attempt(f"2026-03-03 0{hour}:00", AttemptResult.THIRD_PARTY, zone=SHANGHAI) for hour in (1, 2, 3, 4)]
    known = chinese_facts()
    known = replace(known, attempts=(*known.attempts, *answered))
    question = from_until(local("2026-03-03 10:00", SHANGHAI), local("2026-03-03 10:30", SHANGHAI), *TWO)
    decision = decide(question, known, CHINA, now=local("2026-03-03 09:00", SHANGHAI))
    assert decision.verdict is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("begins", "ends", "in_way"),
    [
        ("2026-03-04 08:00", "2026-03-04 08:30", []),
        ("2026-03-04 07:59:59", "2026-03-04 08:30", ["house/windows/1"]),
        ("2026-03-04 19:15", "2026-03-04 19:45", []),
        ("2026-03-04 19:15", "2026-03-04 19:45:01", ["house/fit/1"]),
        ("2026-03-04 19:30", "2026-03-04 20:00", ["house/fit/1"]),
        ("2026-03-04 19:30", "2026-03-04 20:00:01", ["house/windows/1"]),
        ("2026-03-07 10:00", "2026-03-07 10:30", []),  # a Saturday
        ("2026-03-08 10:00", "2026-03-08 10:30", ["house/windows/1"]),  # a Sunday
        ("2026-04-03 10:00", "2026-04-03 10:30", ["house/holidays/1"]),  # Good Friday
        ("2026-04-06 10:00", "2026-04-06 10:30", ["house/holidays/1"]),  # Easter Monday
        ("2026-04-07 10:00", "2026-04-07 10:30", []),
    ],
)
def test_house_from_8_to_20_but_sundays_and_holidays_with_a_margin(begins: str, ends: str, in_way: list[str]) -> None:
    assert house(begins, ends) == in_way


@pytest.mark.parametrize(
    ("last_visit", "in_way"),
    [
        ("2026-02-25 10:00", []),
        ("2026-02-26 00:00", ["house/caps/1"]),
        ("2026-03-03 08:00", ["house/caps/1"]),
    ],
)
def test_house_one_visit_in_seven_days_whoever_was_met(last_visit: str, in_way: list[str]) -> None:
    before = attempt(last_visit, AttemptResult.NOBODY_HOME, channel=Channel.VISIT, number=None)
    assert house("2026-03-04 10:00", "2026-03-04 10:30", attempts=(*facts().attempts, before)) == in_way


@pytest.mark.parametrize(("day", "in_way"), [("2026-03-10", ["house/caps/1"]), ("2026-03-11", [])])
def test_house_one_visit_in_seven_days_planned_ones_included(day: str, in_way: list[str]) -> None:
    assert house("2026-03-04 10:00", "2026-03-04 10:30", planned_visits=(reserved(day),)) == in_way


@pytest.mark.parametrize(
    ("kind", "in_way"),
    [
        (PlaceKind.HOME, []),
        (PlaceKind.CHOSEN, []),
        (PlaceKind.WORK, ["house/places/1"]),
        (PlaceKind.HOSPITAL, ["house/places/2"]),
        (PlaceKind.SCHOOL, ["house/places/3"]),
        (PlaceKind.PUBLIC, ["house/places/4"]),
    ],
)
def test_house_places(kind: PlaceKind, in_way: list[str]) -> None:
    place = replace(HOME, id="there", kind=kind)
    assert house("2026-03-04 10:00", "2026-03-04 10:30", place=place) == in_way


def test_house_at_work_where_the_debtor_agreed() -> None:
    work = replace(HOME, id="shop", kind=PlaceKind.WORK)
    agreed = ConsentFact(id="letter", given_at=local("2026-03-01 10:00"), form=ConsentForm.WRITTEN, place_id="shop")
    assert house("2026-03-04 10:00", "2026-03-04 10:30", place=work, consents=(agreed,)) == []


@pytest.mark.parametrize("trigger", [t for t in BlockTrigger if "refused" not in t])
def test_house_every_reason_to_stop_stops_a_visit_even_where_it_was_recorded_for_calls(trigger: BlockTrigger) -> None:
    for_calls = block(trigger, BlockScope.CHANNEL, channel=Channel.CALL)
    (stopped,) = house("2026-03-04 10:00", "2026-03-04 10:30", blocks=(for_calls,))
    assert stopped.startswith("house/stops/")


@pytest.mark.parametrize("trigger", [BlockTrigger.MEDIUM_REFUSED, BlockTrigger.PLACE_REFUSED])
def test_house_a_refused_channel_or_place_stops_that_one_alone(trigger: BlockTrigger) -> None:
    for_calls = block(trigger, BlockScope.CHANNEL, channel=Channel.CALL)
    elsewhere = block(trigger, BlockScope.PLACE, place_id="elsewhere")
    assert house("2026-03-04 10:00", "2026-03-04 10:30", blocks=(for_calls,)) == []
    assert house("2026-03-04 10:00", "2026-03-04 10:30", blocks=(elsewhere,)) == []


def test_house_covers_every_reason_to_stop() -> None:
    assert sorted(rule.trigger for rule in HOUSE.stops) == sorted(BlockTrigger)


@pytest.mark.parametrize("people", [1, 2, 3, 4])
def test_house_one_to_three_people(people: int) -> None:
    crew = tuple(visitor(f"visitor {number}") for number in range(people))
    decision = decide(asked(staff=crew), facts())
    assert in_the_way(decision) == (["house/staff_max/1"] if people > 3 else [])


@pytest.mark.parametrize("preset", [HOUSE, CHINA], ids=lambda policy: policy.id)
def test_every_rule_of_a_preset_says_where_it_comes_from(preset: Policy) -> None:
    assert [rule.id for _, rule in preset.rules() if not rule.source] == []
    houses_own = {rule.id for _, rule in CHINA.rules() if rule.confidence is Confidence.HOUSE}
    assert houses_own == {"cn/visits/1", "cn/prior_effort/1", "cn/zone/1"}


LONDON, SYDNEY = (
    PlaceFacts(id="home", kind=PlaceKind.HOME, zone=zone, country=country)
    for zone, country in (("Europe/London", "GB"), ("Australia/Sydney", "AU"))
)


@pytest.mark.parametrize(("trigger", "in_way"), [(BlockTrigger.DEADLOCK, ["gb/stops/7"]), (BlockTrigger.PAID, [])])
def test_gb_no_visit_where_talks_lead_nowhere(trigger: BlockTrigger, in_way: list[str]) -> None:
    for_calls = block(trigger, BlockScope.CHANNEL, channel=Channel.CALL)
    known = facts(place=LONDON, blocks=(for_calls,))
    assert in_the_way(decide(eligible(), known, load_preset("gb"))) == in_way


@pytest.mark.parametrize(("agreed", "warned"), [(True, []), (False, ["au/consent_visit/1"])])
def test_au_the_debtor_is_generally_asked_first_which_warns_and_stops_nothing(agreed: bool, warned: list[str]) -> None:
    consent = ConsentFact(id="on the phone", given_at=local("2026-03-01 10:00"), visit_id="visit")
    known = facts(place=SYDNEY, consents=(consent,) if agreed else ())
    question = from_until(local("2026-03-04 10:00", "Australia/Sydney"), local("2026-03-04 10:30", "Australia/Sydney"))
    decision = decide(question, known, load_preset("au"))
    assert [clause.clause_id for clause in decision.clauses if clause.warning] == warned
    assert "au/consent_visit/1" not in in_the_way(decision)
