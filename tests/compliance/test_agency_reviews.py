"""An agency is looked at as often as the policies want, or its visits are warned of or refused, as the policy says."""

import datetime as dt

import pytest

from fieldvisit.compliance.facts import AgencyReviewFact, Scope
from fieldvisit.compliance.parameters import CollectorRole
from fieldvisit.vocabulary import AgencyReviewKind, CheckMoment, Verdict
from tests.compliance.worlds import (
    CHINA,
    asked,
    chinese_facts,
    decide,
    eligible,
    facts,
    in_the_way,
    policy,
    rule,
    words,
)

YEARLY = policy(rule("agency_reviews", 'kind = "evaluation"\nevery_months = 12', many=True))
EVALUATION = AgencyReviewKind.EVALUATION
CLAUSE = "test/agency_reviews/1"
AGENCY = Scope(role=CollectorRole.THIRD_PARTY)


def review(
    on: str, *, until: str | None = None, kind: AgencyReviewKind = AgencyReviewKind.EVALUATION
) -> AgencyReviewFact:
    next_due_on = dt.date.fromisoformat(until) if until else None
    return AgencyReviewFact(id=on, kind=kind, reviewed_on=dt.date.fromisoformat(on), next_due_on=next_due_on)


@pytest.mark.parametrize(
    ("reviews", "in_way"),
    [
        ([], [CLAUSE]),
        ([review("2025-03-04")], []),  # the visit is on 2026-03-03, the last day of the year
        ([review("2025-03-03")], [CLAUSE]),
        ([review("2024-01-01"), review("2025-06-01")], []),
        ([review("2025-06-01"), review("2026-03-04")], []),  # one to come counts for nothing yet
        ([review("2026-03-04")], [CLAUSE]),
        ([review("2025-06-01", until="2026-03-03")], []),
        ([review("2025-06-01", until="2026-03-02")], [CLAUSE]),
        ([review("2025-06-01", until="2027-03-02")], []),
        ([review("2025-06-01", kind=AgencyReviewKind.INSPECTION)], [CLAUSE]),
    ],
)
def test_a_review_holds_to_the_day_before_the_next_is_due(reviews: list[AgencyReviewFact], in_way: list[str]) -> None:
    known = facts(scope=AGENCY, agency_reviews=tuple(reviews))
    assert in_the_way(decide(asked(), known, YEARLY)) == in_way
    assert in_the_way(decide(eligible(), known, YEARLY)) == in_way


def test_nobody_reviews_a_lender_that_goes_itself() -> None:
    for role in (CollectorRole.FIRST_PARTY, None):
        decision = decide(asked(), facts(scope=Scope(role=role)), YEARLY)
        assert [clause.clause_id for clause in decision.clauses if "agency_reviews" in clause.clause_id] == []


def test_what_is_wrong_is_told_in_either_language_and_waiting_does_not_help() -> None:
    never = decide(asked(moment=CheckMoment.DOOR), facts(scope=AGENCY), YEARLY)
    assert words(never) == ["No review of the agency is on record: evaluation."]
    late = decide(asked(), facts(scope=AGENCY, agency_reviews=(review("2025-01-01"),)), YEARLY)
    assert words(late) == ["The agency was last reviewed on 2025-01-01; that holds until 2025-12-31: evaluation."]
    assert words(late, "zh_CN") == ["委外机构最近一次评估为 2025-01-01，有效至 2025-12-31。"]
    assert late.next_lawful_at is None


def test_in_china_an_overdue_review_warns_and_stops_nothing() -> None:
    known = chinese_facts(scope=AGENCY)
    decision = decide(eligible(), known, CHINA)
    assert decision.verdict is Verdict.ALLOWED
    warned = [clause.clause_id for clause in decision.clauses if clause.warning]
    assert warned == ["cn/agency_reviews/1", "cn/agency_reviews/2"]
