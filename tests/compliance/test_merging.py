"""Several policies at once: the strictest outcome wins, and nothing is ever wider than each of them alone."""

from dataclasses import fields, replace
from datetime import date, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from fieldvisit.compliance.decision import SEVERITY
from fieldvisit.compliance.facts import BlockFact, Facts, PlaceFacts, Purpose, Question
from fieldvisit.compliance.intervals import inside
from fieldvisit.compliance.merging import MERGES, Merge, applicable, merge, terms_for
from fieldvisit.compliance.parameters import PlaceDemand
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.vocabulary import PlaceKind
from tests.compliance.strategies import blocks, known_facts, policies, questions
from tests.compliance.worlds import CHINA, HOME, HOUSE, decide, policy, rule, window

DAY = date(2026, 3, 3)
BOSTON = PlaceFacts(id="flat", kind=PlaceKind.HOME, zone="America/New_York", country="US", region="US-MA")


def names(
    *found: Policy, place: PlaceFacts = HOME, day: date = DAY, purpose: Purpose = Purpose.COLLECTION
) -> list[str]:
    return [f"{item.id} {item.version}" for item in applicable(found, place, day, purpose=purpose)]


def test_the_table_of_merges_names_every_parameter() -> None:
    header = {"id", "version", "title", "jurisdiction", "status", "effective_from", "effective_to", "purposes"}
    header |= {"applies_to"}
    assert set(MERGES) == {item.name for item in fields(Policy)} - header


def test_a_policy_applies_in_its_jurisdiction() -> None:
    federal, state = policy(name="us", head='jurisdiction = "US"'), policy(name="us-ma", head='jurisdiction = "US-MA"')
    assert names(federal, state, HOUSE, CHINA, place=BOSTON) == ["house 1", "us 1", "us-ma 1"]
    assert names(federal, state, HOUSE, CHINA, place=replace(BOSTON, region="US-NH")) == ["house 1", "us 1"]
    assert names(federal, state, HOUSE, CHINA) == ["house 1"]


def test_a_draft_is_never_enforced() -> None:
    assert names(policy(head='status = "draft"')) == []


def test_the_version_in_force_on_the_day_of_the_visit_is_taken() -> None:
    old = policy(head="version = 1\neffective_from = 2020-01-01\neffective_to = 2026-03-03")
    new = policy(head="version = 2\neffective_from = 2026-03-04")
    assert [names(old, new, day=DAY + timedelta(days=shift)) for shift in (0, 1)] == [["test 1"], ["test 2"]]


def test_of_versions_that_overlap_the_latest_is_taken() -> None:
    old, new = policy(head="version = 1"), policy(head="version = 2\neffective_from = 2026-03-03")
    assert [names(new, old, day=DAY - timedelta(days=1)), names(new, old)] == [["test 1"], ["test 2"]]


def test_a_policy_applies_to_the_purposes_it_names() -> None:
    serving = replace(policy(), purposes=frozenset({Purpose.COLLECTION, Purpose.PROCESS_SERVING}))
    assert names(serving, HOUSE, purpose=Purpose.PROCESS_SERVING) == ["test 1"]


def test_where_no_policy_applies_there_are_no_terms() -> None:
    assert terms_for([CHINA], HOME, DAY) is None


def test_house_and_china_together() -> None:
    terms = merge([CHINA, HOUSE])
    assert (terms.margin, terms.staff_min, terms.staff_max) == (timedelta(minutes=15), 2, 3)
    assert (terms.wishes_bind, terms.verify_before_disclosure, terms.looks_back_days) == (True, True, 31)
    assert [item.id for item in terms.prior_effort] == ["cn/prior_effort/1", "house/prior_effort/1"]
    assert [item.id for item in terms.credentials] == ["cn/credentials/1", "house/credentials/1", "house/credentials/2"]
    assert [item.id for item in terms.hours] == ["cn", "house"]


def test_a_rule_that_only_warns_narrows_no_number() -> None:
    warned = policy(rule("staff_min", 'people = 3\non_breach = "warn"') + rule("fit", 'fit = "whole_visit_inside"'))
    assert (merge([warned]).staff_min, merge([warned]).margin) == (1, timedelta())


def test_wishes_bind_unless_every_policy_says_that_they_do_not() -> None:
    regard = policy(rule("debtor_times", "binding = false"), name="test")
    silent = policy(name="silent")
    assert [merge(some).wishes_bind for some in ([regard], [silent], [regard, silent])] == [False, True, True]


@pytest.mark.parametrize(
    ("demands", "strictest"),
    [
        ([], PlaceDemand.OK),
        (["ok", "consent"], PlaceDemand.CONSENT),
        (["forbidden", "consent", "ok"], PlaceDemand.FORBIDDEN),
    ],
)
def test_the_strictest_demand_for_a_place_holds(demands: list[str], strictest: PlaceDemand) -> None:
    some = [
        policy(rule("places", f'place = "work"\ndemand = "{demand}"', name=f"p{n}", many=True), name=f"p{n}")
        for n, demand in enumerate(demands)
    ]
    terms = merge(some or [policy()])
    assert (terms.place_demand(PlaceKind.WORK), terms.place_demand(PlaceKind.HOME)) == (strictest, PlaceDemand.OK)


def test_how_numbers_merge_is_told_by_the_table() -> None:
    few, many = policy(rule("staff_min", "people = 1")), policy(rule("staff_min", "people = 3", name="b"), name="b")
    assert MERGES["staff_min"] is Merge.LARGEST
    assert (merge([few, many]).staff_min, merge([many, few]).staff_min) == (3, 3)


def test_the_shortest_stay_that_binds_holds_and_a_text_without_a_number_gives_none() -> None:
    rules = ("minutes = 60", "minutes = 45", "", 'minutes = 5\non_breach = "warn"')
    some = [policy(rule("visit_length", said, name=f"p{n}"), name=f"p{n}") for n, said in enumerate(rules)]
    assert merge(some).longest_stay == timedelta(minutes=45)
    assert merge(some[2:]).longest_stay is None


def test_windows_of_two_policies_intersect() -> None:
    early, late = policy(window("06:00", "14:00")), policy(window("12:00", "22:00", name="b"), name="b")
    facts = Facts(place=HOME, case_id="case")
    (left,) = lawful_windows(facts, [early, late], DAY)
    assert (left.begins_at.hour, left.ends_at.hour) == (10, 12)  # in UTC; noon to two by the clock of the place


@given(questions(), known_facts(), policies("one"), policies("two"))
def test_merging_never_widens(question: Question, facts: Facts, one: Policy, two: Policy) -> None:
    together = SEVERITY[decide(question, facts, one, two).verdict]
    # Of a policy whose hours only warn, nothing is permitted alone: others have to state them.
    alone = [SEVERITY[decide(question, facts, each).verdict] for each in (one, two) if each.windows[0].binds]
    assert together >= max(alone, default=0)


@given(known_facts(), policies("one"), policies("two"), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_merging_never_adds_hours(facts: Facts, one: Policy, two: Policy, day: date) -> None:
    # Wishes bind one policy and not another: what both leave is compared under the same wishes.
    assume(one.windows[0].binds)
    plain = replace(facts, debtor_times=())
    alone = lawful_windows(plain, [one], day)
    assert all(inside(alone, window) for window in lawful_windows(plain, [one, two], day))


@given(questions(), known_facts(), policies("one"), blocks())
def test_a_further_block_never_allows_more(question: Question, facts: Facts, one: Policy, block: BlockFact) -> None:
    blocked = replace(facts, blocks=(*facts.blocks, block))
    assert SEVERITY[decide(question, blocked, one).verdict] >= SEVERITY[decide(question, facts, one).verdict]
