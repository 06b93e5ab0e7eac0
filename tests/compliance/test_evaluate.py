"""The whole decision: what it says, what it rests on, and that it is the same for the same facts."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from importlib.metadata import version

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldvisit.compliance.calendars import is_holiday
from fieldvisit.compliance.decision import ClauseResult, hashed, message_from, plain, strictest
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.facts import ConsentFact, Facts, PlaceFacts, Question
from fieldvisit.compliance.parameters import HolidayEffect
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import HolidayRule
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message, say
from fieldvisit.vocabulary import AttemptResult, BlockTrigger, Channel, CheckMoment, PlaceKind, Verdict
from tests.compliance.strategies import known_facts, policies, questions
from tests.compliance.worlds import (
    CHINA,
    HELSINKI,
    HOME,
    HOUSE,
    NOW,
    SAID,
    UNREACHED,
    asked,
    block,
    decide,
    eligible,
    facts,
    in_the_way,
    local,
    policy,
    rule,
    span,
    words,
)


def test_a_lawful_visit_names_every_clause_that_let_it_pass_in_the_stated_order() -> None:
    decision = decide(asked(), facts())
    assert [clause.clause_id for clause in decision.clauses] == [
        "product/blocks",
        "house/visits/1",
        "house/prior_effort/1",
        "house/windows/1",
        "house/fit/1",
        "house/caps/1",
        "house/staff_min/1",
        "house/staff_max/1",
        "house/credentials/1",
        "house/credentials/2",
    ]
    assert decision.verdict is Verdict.ALLOWED
    assert (decision.lawful, decision.next_lawful_at) == ((span("2026-03-03 08:00", "2026-03-03 19:45"),), None)
    assert decision.policies == (("house", 1),)
    assert decision.calendars == (f"FI, holidays {version('holidays')}",)
    assert decision.deciding == decision.clauses


def test_an_eligible_case_is_judged_without_hour_and_crew() -> None:
    decision = decide(eligible(), facts())
    ids = [clause.clause_id for clause in decision.clauses]
    assert ids == ["product/blocks", "house/visits/1", "house/prior_effort/1", "house/caps/1"]
    assert decision.verdict is Verdict.ALLOWED


def test_an_eligible_case_is_eligible_at_night_and_on_sundays() -> None:
    assert decide(eligible(), facts(), now=local("2026-03-08 03:00")).verdict is Verdict.ALLOWED


def test_the_evidence_of_failed_contact_is_named_by_its_ids() -> None:
    (effort,) = (c for c in decide(eligible(), facts()).clauses if c.clause_id == "house/prior_effort/1")
    assert effort.fact_ids == tuple(item.id for item in UNREACHED)


def test_a_clause_carries_its_source() -> None:
    assert {c.source for c in decide(asked(), facts()).clauses if c.clause_id == "house/fit/1"} == {"House number"}


def test_everything_that_stands_in_the_way_is_told_at_once() -> None:
    decision = decide(asked("2026-03-08 21:00", staff=()), facts(attempts=(), blocks=(block(),)))
    assert in_the_way(decision) == [
        "house/stops/1",
        "house/prior_effort/1",
        "house/windows/1",
        "house/staff_min/1",
        "product/staff",
    ]
    assert decision.deciding == tuple(c for c in decision.clauses if c.clause_id in in_the_way(decision))


def test_no_policy_means_nothing_is_permitted() -> None:
    for none in ([], [CHINA], [policy(head='status = "draft"')]):
        decision = evaluate(asked(), facts(), none, NOW)
        assert words(decision) == ["No policy applies in FI on 2026-03-03: nothing is permitted."]
        assert (decision.verdict, decision.lawful, decision.policies) == (Verdict.BLOCKED, (), ())


def test_a_place_without_a_known_zone_permits_nothing() -> None:
    nowhere = facts(place=replace(HOME, zone=None))
    decision = decide(asked(), nowhere)
    assert (in_the_way(decision), decision.lawful) == (["product/place"], ())


@pytest.mark.parametrize(
    ("visits", "in_way"),
    [("yes", []), ("forbidden", ["test/visits/1"]), ("consent_each_time", ["test/visits/1"])],
)
def test_visits_as_such(visits: str, in_way: list[str]) -> None:
    assert in_the_way(decide(asked(), facts(), policy(visits=visits))) == in_way


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, True),
        ({"visit_id": None}, False),
        ({"visit_id": "other visit"}, False),
        ({"revoked_at": NOW}, False),
        ({"given_at": NOW + timedelta(seconds=1)}, False),
        ({"place_id": "home"}, True),
        ({"place_id": "work"}, False),
    ],
)
def test_consent_each_time_is_consent_to_this_visit(changes: dict[str, object], counts: bool) -> None:
    given = ConsentFact(id="yes", given_at=NOW - timedelta(days=1), visit_id="visit")
    consent = replace(given, **changes)  # type: ignore[arg-type]
    decision = decide(asked(), facts(consents=(consent,)), policy(visits="consent_each_time"))
    assert (decision.verdict is Verdict.ALLOWED) is counts


def test_a_place_that_needs_consent_has_it_by_visit_or_by_place() -> None:
    work = replace(HOME, id="shop", kind=PlaceKind.WORK)
    needs = policy(rule("places", 'place = "work"\ndemand = "consent"', many=True))
    general = ConsentFact(id="c", given_at=NOW)
    for consent, allowed in (
        (general, False),
        (replace(general, place_id="shop"), True),
        (replace(general, visit_id="visit"), True),
        (replace(general, place_id="home"), False),
        (replace(general, place_id="shop", visit_id="other"), False),
    ):
        decision = decide(asked(), facts(place=work, consents=(consent,)), needs)
        assert (decision.verdict is Verdict.ALLOWED) is allowed, consent


def test_an_override_says_who_may_give_it_and_loses_to_a_block() -> None:
    soft = policy(rule("staff_min", 'people = 2\non_breach = "needs_override"\noverride_role = "supervisor"'))
    decision = decide(asked(), facts(), soft)
    assert (decision.verdict, decision.deciding[0].override_role) == (Verdict.NEEDS_OVERRIDE, "supervisor")
    assert decide(asked(), facts(blocks=(block(),)), soft).verdict is Verdict.BLOCKED


def test_the_strictest_verdict_wins_and_of_none_nothing_is_allowed() -> None:
    assert strictest([Verdict.ALLOWED, Verdict.BLOCKED, Verdict.NEEDS_OVERRIDE]) is Verdict.BLOCKED
    assert strictest([Verdict.NEEDS_OVERRIDE, Verdict.ALLOWED]) is Verdict.NEEDS_OVERRIDE
    assert strictest([]) is Verdict.BLOCKED


def test_an_unknown_holiday_calendar_is_told_and_stops_nothing() -> None:
    atlantis = replace(HOME, country="XA")
    decision = decide(asked("2026-01-01 10:00"), facts(place=atlantis, attempts=()), policy(HOLIDAYS))
    told = [(clause.clause_id, say(clause.message, "en")) for clause in decision.clauses if clause.warning]
    assert decision.verdict is Verdict.ALLOWED
    assert told == [
        ("test/holidays/1", "No holiday calendar is known for XA on 2026-01-01: holidays were not looked at.")
    ]


HOLIDAYS = rule("holidays", 'effect = "forbidden"')


def holiday(country: str, day: str, region: str | None = None, calendar: str = "place") -> bool | None:
    place = PlaceFacts(id="p", kind=PlaceKind.HOME, zone=HELSINKI, country=country, region=region)
    stated = HolidayRule(**SAID, id="x/holidays/1", effect=HolidayEffect.FORBIDDEN, calendar=calendar)
    return is_holiday(stated, place, date.fromisoformat(day))


@pytest.mark.parametrize(
    ("country", "region", "calendar", "day", "answer"),
    [
        ("FI", None, "place", "2026-04-03", True),
        ("FI", None, "place", "2026-04-07", False),
        ("FI", None, "CN", "2026-04-03", False),
        ("CN", None, "place", "2026-10-01", True),
        ("US", "US-MA", "place", "2026-04-20", True),  # Patriots' Day
        ("US", "US-NY", "place", "2026-04-20", False),
        ("US", "US-ZZ", "place", "2026-07-03", True),  # the region is unknown, the country's days hold; 4 July observed
        ("XA", None, "place", "2026-01-01", None),
        ("CN", None, "place", "2999-01-01", None),
    ],
)
def test_holidays_are_those_of_the_place_or_of_the_named_calendar(
    country: str, region: str | None, calendar: str, day: str, answer: bool | None
) -> None:
    assert holiday(country, day, region, calendar) is answer


# The record and the hash.


def test_the_same_question_gives_the_same_hash_in_whatever_order_the_facts_come() -> None:
    known = facts(blocks=(block(BlockTrigger.DISPUTE, id="a"), block(BlockTrigger.PAID, id="b")))
    turned = replace(known, attempts=known.attempts[::-1], blocks=known.blocks[::-1])
    assert decide(asked(), turned).inputs_hash == decide(asked(), known).inputs_hash


def test_the_hash_is_taken_over_the_canonical_text_of_the_inputs() -> None:
    text = '{"a":["call","visit"],"now":"2026-03-03T07:00:00+00:00","z":null,"债":1}'
    inputs = {"z": None, "债": 1, "now": NOW.astimezone(UTC), "a": frozenset({Channel.VISIT, Channel.CALL})}
    assert hashed(**inputs) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("question", "known", "rules", "now"),
    [
        (asked("2026-03-03 10:01"), facts(), HOUSE, NOW),
        (asked(moment=CheckMoment.DOOR), facts(), HOUSE, NOW),
        (asked(), facts(days_past_due=61), HOUSE, NOW),
        (asked(), facts(attempts=UNREACHED[:2]), HOUSE, NOW),
        (asked(), facts(), replace(HOUSE, version=2), NOW),
        (asked(), facts(), replace(HOUSE, title="Another"), NOW),
        (asked(), facts(), HOUSE, NOW + timedelta(seconds=1)),
    ],
)
def test_whatever_is_different_gives_another_hash(
    question: Question, known: Facts, rules: Policy, now: datetime
) -> None:
    changed = evaluate(question, known, [rules], now)
    assert changed.inputs_hash != decide(asked(), facts()).inputs_hash


def test_the_zone_in_which_an_instant_is_given_makes_no_difference() -> None:
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert decide(asked(), facts(), now=elsewhere) == decide(asked(), facts())


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidValue, match="now: must name its UTC offset"):
        decide(asked(), facts(), now=datetime(2026, 3, 3, 9))  # noqa: DTZ001


def test_an_hour_is_needed_but_for_eligibility() -> None:
    with pytest.raises(InvalidValue, match="begins_at: is needed"):
        Question(visit_id="visit", moment=CheckMoment.DOOR)


@given(questions(), known_facts(), policies("one"), st.booleans())
def test_a_decision_survives_being_stored(question: Question, known: Facts, one: Policy, chinese: bool) -> None:
    decision = decide(question, known, one)
    language = "zh_CN" if chinese else "en"
    stored = json.loads(json.dumps(plain(decision)))
    told = [say(message_from(clause["message"]), language) for clause in stored["clauses"]]
    assert told == [say(clause.message, language) for clause in decision.clauses]
    again = decide(question, known, one)
    assert again == decision
    assert (again.lawful, again.next_lawful_at, again.inputs_hash) == (
        decision.lawful,
        decision.next_lawful_at,
        decision.inputs_hash,
    )


def test_a_set_is_written_in_one_order() -> None:
    assert plain(frozenset(AttemptResult)) == sorted(result.value for result in AttemptResult)


def test_a_stored_clause_is_plain_json() -> None:
    clause = ClauseResult(
        clause_id="product/blocks",
        verdict=Verdict.BLOCKED,
        message=Message("A contact block stops this visit: {trigger}.", {"trigger": BlockTrigger.DISPUTE}),
        fact_ids=("block",),
    )
    assert plain(clause) == {
        "clause_id": "product/blocks",
        "verdict": "blocked",
        "message": {
            "text": "A contact block stops this visit: {trigger}.",
            "values": {"trigger": {"text": "block_trigger.dispute", "values": {}}},
        },
        "fact_ids": ["block"],
        "source": "",
        "override_role": None,
        "second_person": False,
        "warning": False,
        "overridden_by": None,
    }
