"""How long a visit may take, to the second, where somebody gave a number."""

from dataclasses import replace

import pytest

from fieldvisit.compliance.loading import load_preset
from tests.compliance.worlds import asked, decide, eligible, facts, in_the_way, local, policy, rule, words

HOUSE_SAYS = policy(rule("visit_length", "minutes = 30"))


@pytest.mark.parametrize(
    ("ends", "in_way"), [("10:30:00", []), ("10:30:01", ["test/visit_length/1"]), ("10:29:59", [])]
)
def test_a_visit_takes_no_longer_than_the_number_says(ends: str, in_way: list[str]) -> None:
    question = replace(asked("2026-03-03 10:00"), ends_at=local(f"2026-03-03 {ends}"))
    assert in_the_way(decide(question, facts(), HOUSE_SAYS)) == in_way


def test_the_refusal_tells_both_numbers_in_either_language() -> None:
    decision = decide(asked(minutes=45), facts(), HOUSE_SAYS)
    assert words(decision) == ["Minutes that the visit takes: 45; at most 30."]
    assert words(decision, "zh_CN") == ["外访用时 45 分钟；上限 30 分钟。"]
    assert decision.next_lawful_at is None


def test_a_rule_that_warns_stops_nothing_and_is_told() -> None:
    warns = policy(rule("visit_length", 'minutes = 30\non_breach = "warn"'))
    decision = decide(asked(minutes=45), facts(), warns)
    assert in_the_way(decision) == []
    assert [clause.clause_id for clause in decision.clauses if clause.warning] == ["test/visit_length/1"]


def test_a_text_without_a_number_judges_nothing_and_no_hour_is_no_length() -> None:
    assert load_preset("gb").visit_length is not None
    unnumbered = policy(rule("visit_length", ""))
    for question, under in ((asked(minutes=600), unnumbered), (eligible(), HOUSE_SAYS)):
        decision = decide(question, facts(), under)
        assert [each for each in decision.clauses if "visit_length" in each.clause_id] == []
