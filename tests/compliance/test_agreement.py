"""The hours that a planner is given and the verdict of the engine are one answer to one question."""

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.compliance.intervals import inside
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.vocabulary import Verdict
from tests.compliance.triples import made_facts, made_policy, made_question
from tests.compliance.worlds import NOW

QUESTIONS_EACH = 10
"""Asked of each pair of policies and facts: making those costs more than asking."""


def agreements(seed: int, count: int) -> Counter[bool]:
    """How many triples were lawful and how many were not; every one of them judged alike by both."""
    random, found = Random(seed), Counter[bool]()
    while found.total() < count:
        policies = tuple(made_policy(random, name) for name in "abc"[: random.randint(1, 3)])
        facts = made_facts(random)
        for _ in range(QUESTIONS_EACH):
            question = made_question(random)
            span, zone = question.span, facts.place.zone
            assert span is not None
            assert zone is not None
            length: timedelta = span.ends_at - span.begins_at
            windows = lawful_windows(facts, policies, local_day(span.begins_at, zone), length=length)
            lawful = evaluate(question, facts, policies, NOW).verdict is Verdict.ALLOWED
            assert lawful == inside(windows, span), (question, facts, policies)
            found[lawful] += 1
    return found


def test_two_thousand_triples_are_judged_alike() -> None:
    found = agreements(seed=1, count=2_000)
    assert min(found[True], found[False]) > 100


@pytest.mark.long
def test_a_hundred_thousand_triples_are_judged_alike() -> None:
    found = agreements(seed=2, count=100_000)
    assert found.total() == 100_000
    # Up to three policies at once leave few instants lawful: of these triples 7,779. Fewer would mean that what is made
    # up had changed, and that little is proved of what is allowed.
    assert 7_500 < found[True] < found[False]
