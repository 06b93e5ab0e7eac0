"""Who would stand at the door, and with which papers."""

from dataclasses import replace
from datetime import date

import pytest

from fieldvisit.compliance.facts import CredentialFact, StaffFact
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import CheckMoment, CredentialKind, Verdict
from tests.compliance.worlds import asked, decide, eligible, facts, in_the_way, paper, policy, rule, visitor, words

ID, LETTER = paper(CredentialKind.ID_CARD), paper(CredentialKind.AUTHORISATION_LETTER)
DAY = date(2026, 3, 3)


def crew(*members: StaffFact) -> list[str]:
    return words(decide(asked("2026-03-03 10:00", staff=members), facts()))


@pytest.mark.parametrize(
    ("letter", "fault"),
    [
        (LETTER, []),
        (paper(LETTER.kind, valid_until=DAY), []),
        (paper(LETTER.kind, valid_from=DAY), []),
        (
            paper(LETTER.kind, valid_until=date(2026, 3, 2)),
            ["is valid only until 2026-03-02: Letter of authorisation."],
        ),
        (paper(LETTER.kind, valid_from=date(2026, 3, 4)), ["is valid only from 2026-03-04: Letter of authorisation."]),
        (paper(LETTER.kind, revoked=True), ["was revoked: Letter of authorisation."]),
        (paper(LETTER.kind, for_organisation_id="lender"), []),
        (
            paper(LETTER.kind, for_organisation_id="other lender"),
            ["is for another organisation or case: Letter of authorisation."],
        ),
        (paper(LETTER.kind, for_case_id="case"), []),
        (paper(LETTER.kind, for_case_id="other"), ["is for another organisation or case: Letter of authorisation."]),
    ],
)
def test_a_paper_must_be_good_on_the_day(letter: CredentialFact, fault: list[str]) -> None:
    assert crew(visitor("Aino", ID, letter)) == [f"The paper of visitor Aino {what}" for what in fault]


def test_each_of_the_crew_needs_the_papers() -> None:
    assert crew(visitor("Aino"), visitor("Eero", LETTER)) == ["Visitor Eero has no such paper: Identity card."]


def test_a_renewed_paper_makes_up_for_the_expired_one() -> None:
    expired = paper(LETTER.kind, id="old", valid_until=date(2026, 3, 1))
    assert crew(visitor("Aino", ID, expired, LETTER)) == []


def test_of_several_bad_papers_the_one_that_runs_longest_is_named() -> None:
    old, older = (paper(LETTER.kind, id=f"until {day}", valid_until=date(2026, 3, day)) for day in (2, 1))
    decision = decide(asked("2026-03-03 10:00", staff=(visitor("Aino", ID, older, old),)), facts())
    assert decision.deciding[0].fact_ids == ("Aino", "until 2")


def test_a_paper_must_last_through_a_visit_over_midnight() -> None:
    needs = policy(rule("credentials", 'any_of = ["id_card"]', many=True))
    until_midnight = visitor("Aino", paper(CredentialKind.ID_CARD, valid_until=DAY))
    over = asked("2026-03-03 23:30", 60, staff=(until_midnight,))
    exactly = asked("2026-03-03 23:30", 30, staff=(until_midnight,))
    assert [in_the_way(decide(question, facts(), needs)) for question in (over, exactly)] == [
        ["test/credentials/1"],
        [],
    ]


def test_a_rule_may_ask_for_the_day_of_the_beginning_alone() -> None:
    needs = policy(rule("credentials", 'any_of = ["id_card"]\nthrough_visit = false', many=True))
    until_midnight = visitor("Aino", paper(CredentialKind.ID_CARD, valid_until=DAY))
    assert in_the_way(decide(asked("2026-03-03 23:30", 60, staff=(until_midnight,)), facts(), needs)) == []


def test_one_paper_among_the_crew_is_enough_where_the_rule_says_so() -> None:
    needs = policy(rule("credentials", 'any_of = ["licence"]\nheld_by = "one"', many=True))
    licensed = visitor("Aino", paper(CredentialKind.LICENCE))
    assert in_the_way(decide(asked(staff=(licensed, visitor("Eero"))), facts(), needs)) == []
    assert words(decide(asked(staff=(visitor("Eero"),)), facts(), needs)) == [
        "Visitor Eero has no such paper: Licence."
    ]


def test_one_of_several_kinds_is_enough() -> None:
    needs = policy(rule("credentials", 'any_of = ["badge", "id_card"]', many=True))
    with_badge = visitor("Aino", paper(CredentialKind.BADGE))
    assert in_the_way(decide(asked(staff=(with_badge,)), facts(), needs)) == []
    decision = decide(asked(staff=(visitor("Eero", LETTER),)), facts(), needs)
    assert words(decision, "zh_CN") == ["外访员 Eero 没有所需证件：工牌 / 身份证件。"]


def test_nobody_at_all_makes_no_visit() -> None:
    assert in_the_way(decide(asked(staff=()), facts(), policy())) == ["product/staff"]


def test_the_number_of_people_is_told() -> None:
    two = policy(rule("staff_min", "people = 2") + rule("staff_max", "people = 2"))
    assert words(decide(asked(staff=(visitor(),)), facts(), two)) == ["People at the door: 1; at least 2 are needed."]
    three = tuple(visitor(name) for name in ("Aino", "Eero", "Irja"))
    assert words(decide(asked(staff=three), facts(), two)) == ["People at the door: 3; at most 2 are allowed."]


def test_policies_that_no_crew_can_satisfy_are_a_conflict() -> None:
    many = policy(rule("staff_min", "people = 3"))
    few = policy(rule("staff_max", "people = 2", name="few"), name="few")
    decision = decide(asked(staff=(visitor("Aino"), visitor("Eero"), visitor("Irja"))), facts(), many, few)
    assert in_the_way(decision) == ["product/conflict", "few/staff_max/1"]
    assert words(decision)[0] == "The policies contradict each other: test/staff_min/1, few/staff_max/1."


def test_somebody_cannot_come_twice() -> None:
    with pytest.raises(InvalidValue, match="staff: names somebody twice"):
        asked(staff=(visitor("Aino"), visitor("Aino")))


def test_papers_are_not_asked_for_before_there_is_a_crew() -> None:
    assert decide(eligible(), facts()).verdict is Verdict.ALLOWED


def test_papers_are_asked_for_at_the_door_again() -> None:
    question = asked(staff=(visitor("Aino", ID),), moment=CheckMoment.DOOR)
    assert in_the_way(decide(question, facts())) == ["house/credentials/2"]


def test_who_has_left_makes_no_visit_under_any_policy() -> None:
    crew = (visitor("Aino"), replace(visitor("Eero"), active=False))
    decision = decide(asked(staff=crew), facts(), policy(rule("staff_min", "people = 2")))
    assert in_the_way(decision) == ["product/staff"]
    assert [clause.fact_ids for clause in decision.deciding] == [("Eero",)]
    assert words(decision) == ["Visitor Eero has left, or is away for long, and makes no visit."]
    assert words(decision, "zh_CN") == ["外访员 Eero 已离职或长期不在岗，不能参加外访。"]
