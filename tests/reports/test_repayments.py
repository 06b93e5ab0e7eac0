"""A repayment plan is proposed by one, decided on by another, and settled by what is paid."""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import ContactBlock, RepaymentPlan
from fieldvisit.repayment_terms import (
    Instalment,
    Limits,
    PlanDraft,
    RepaymentRulesDraft,
    approvable_by,
    standing_of_plan,
)
from fieldvisit.repayments import PlanMissed, PlanRunning, approve_plan, withdraw_plan
from fieldvisit.report_drafts import ReportContradicts
from fieldvisit.reports import report_visit
from fieldvisit.vocabulary import BlockTrigger, PromiseState, RepaymentState, Role, VisitOutcome
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.phone.worlds import Morning, report
from tests.reports.books import DAY, Books, due, late, plan
from tests.retention.worlds import demand
from tests.worlds import TODAY

OPEN, KEPT, PARTLY, BROKEN = PromiseState.OPEN, PromiseState.KEPT, PromiseState.PARTLY_KEPT, PromiseState.BROKEN


@pytest.mark.parametrize(
    ("states", "stands"),
    [
        ((OPEN, OPEN), RepaymentState.RUNNING),
        ((KEPT, OPEN), RepaymentState.RUNNING),
        ((BROKEN, OPEN), RepaymentState.RUNNING),
        ((BROKEN, PARTLY, OPEN), RepaymentState.BROKEN),
        ((KEPT, KEPT), RepaymentState.KEPT),
        ((KEPT, BROKEN), RepaymentState.PARTLY_KEPT),
        ((BROKEN, PARTLY), RepaymentState.PARTLY_KEPT),
        ((BROKEN, BROKEN), RepaymentState.BROKEN),
    ],
)
def test_a_plan_stands_where_its_instalments_stand(states: tuple[PromiseState, ...], stands: RepaymentState) -> None:
    assert standing_of_plan(states, broken_after=2) is stands


@given(st.lists(st.sampled_from(PromiseState), min_size=2, max_size=8), st.integers(1, 4))
def test_money_never_breaks_a_plan(states: list[PromiseState], broken_after: int) -> None:
    better = [KEPT if state in (PARTLY, BROKEN) else state for state in states]
    assert standing_of_plan(better, broken_after=broken_after) in (RepaymentState.RUNNING, RepaymentState.KEPT)


def test_who_may_approve_is_told_by_the_rules_of_every_house() -> None:
    usual = RepaymentRulesDraft()
    assert approvable_by(plan(), [usual], since=TODAY) == [Role.DISPATCHER, Role.SUPERVISOR]
    assert approvable_by(plan(*[500] * 8), [usual], since=TODAY) == [Role.SUPERVISOR]
    assert approvable_by(plan(grace_days=8), [usual], since=TODAY) == [Role.SUPERVISOR]
    assert approvable_by(plan(*[500] * 40), [usual], since=TODAY) == []
    # The days count from the proposal: a late first instalment makes no plan shorter.
    assert approvable_by(plan(), [usual], since=due(2) - 185 * DAY) == [Role.SUPERVISOR]
    assert approvable_by(plan(), [usual], since=due(2) - 1_097 * DAY) == []
    strict = RepaymentRulesDraft(
        dispatcher=Limits(most_instalments=12, most_days=90, most_grace_days=7, most_minor=999)
    )
    assert approvable_by(plan(), [usual, strict], since=TODAY) == [Role.SUPERVISOR]


@pytest.mark.parametrize(
    ("wrong", "path"),
    [
        (lambda: plan(1_000), "instalments"),
        (lambda: plan(1_000, 1_000, every=0), "instalments.due_on"),
        (lambda: plan(1_000, 0), "instalments.amount_minor"),
        (lambda: plan(grace_days=32), "grace_days"),
    ],
)
def test_what_is_no_plan_is_refused(wrong: Callable[[], PlanDraft], path: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        wrong()
    assert refused.value.details["path"] == path


def test_a_plan_goes_only_with_having_met_the_debtor() -> None:
    with pytest.raises(ReportContradicts, match="plan"):
        report(VisitOutcome.REFUSED, plan=plan())


def test_a_plan_that_is_missed_breaks_and_runs_again_once_it_is_caught_up_with(books: Books) -> None:
    """From the approval to the end: nobody is visited while it runs, and what is paid settles it."""
    running = books.propose(plan())
    books.approve(running)
    assert (books.standing(running), books.rests()) == (("running", ["open"] * 3), [True])

    books.pay(1_000, on=due(0), now=late(0))
    assert books.standing(running) == ("running", ["kept", "open", "open"])
    books.time_passes(late(1))
    assert books.standing(running) == ("running", ["kept", "broken", "open"])
    books.time_passes(late(2))
    assert (books.standing(running), books.rests()) == (("partly_kept", ["kept", "broken", "broken"]), [False])
    # It was sent in time and is heard of late: the earliest that lacks it gets it first.
    books.pay(2_000, on=due(2), now=late(2) + DAY)
    assert books.standing(running) == ("kept", ["kept"] * 3)


REST = """
[[stops]]
id = "house/stops/{number}"
trigger = "hardship_plan"
effect = "visits"
{lasts}
source = "ours"
confidence = "house"
"""


def test_the_rest_of_a_plan_lasts_as_long_as_the_plan_whatever_a_rule_says(books: Books) -> None:
    """And what a policy stops until it is lifted ends by the shorter rule of none."""
    short, open_ended = REST.format(number=1, lasts='lasts = "P30D"'), REST.format(number=2, lasts="")
    demand(books.sessions, books.morning, short)
    books.approve(books.propose(plan()))
    with books.acting(books.morning.world.lender) as session:
        rest = session.scalars(sa.select(ContactBlock)).one()
        heard = BlockDraft(debtor_id=rest.debtor_id, trigger=BlockTrigger.HARDSHIP_PLAN)
        ends = [rest.until_at, file_block(session, heard, filed_by_id=None, now=NOW)[0].until_at]
    demand(books.sessions, books.morning, short + open_ended)
    with books.acting(books.morning.world.lender) as session:
        ends.append(file_block(session, heard, filed_by_id=None, now=NOW)[0].until_at)
    assert [end is None for end in ends] == [True, False, True]


def test_a_broken_plan_gives_way_to_the_next_and_no_money_counts_for_both(books: Books) -> None:
    first = books.propose(plan())
    books.approve(first)
    with pytest.raises(PlanRunning):
        books.approve(books.propose(plan(2_000, 2_000)))
    books.time_passes(late(1))
    assert (books.standing(first), books.rests()) == (("broken", ["broken", "broken", "open"]), [False])

    later = [Instalment(amount_minor=500, due_on=due(2) + place * DAY) for place in range(2)]
    second = books.propose(plan(instalments=tuple(later)), now=late(1))
    books.approve(second, now=late(1))
    books.pay(1_000, on=due(2), now=late(2))
    assert books.standing(first) == ("broken", ["broken", "broken", "open"])
    assert (books.standing(second), books.rests()) == (("kept", ["kept", "kept"]), [False, False])


def test_what_is_taken_back_is_waited_for_no_more(books: Books) -> None:
    running = books.propose(plan())
    books.approve(running)
    with books.acting() as session:
        withdraw_plan(session, running, reason="The debtor asked.", by=books.by(), now=NOW)
    books.time_passes(late(2))
    assert (books.standing(running), books.rests()) == (("withdrawn", ["open"] * 3), [False])


def test_a_first_instalment_lies_no_further_off_than_a_plan_may_last(books: Books) -> None:
    parts = (dt.date(2190, 1, 1), 1), (dt.date(2190, 6, 1), 3_000)
    far = tuple(Instalment(amount_minor=amount, due_on=due_on) for due_on, amount in parts)
    with pytest.raises(InvalidValue, match=r"instalments\.due_on"):
        books.propose(plan(instalments=far))


def test_a_plan_that_was_missed_before_it_is_decided_on_is_not_approved(books: Books) -> None:
    """Where it was paid meanwhile it is kept to, and may be."""
    waiting = books.propose(plan())
    with pytest.raises(PlanMissed):
        books.approve(waiting, now=late(0))
    assert (books.standing(waiting), books.rests()) == (("proposed", []), [])
    books.pay(1_000, on=due(0), now=late(0))
    books.approve(waiting, now=late(0))
    assert books.standing(waiting) == ("running", ["kept", "open", "open"])


def test_a_crew_mates_proposal_is_withdrawn_when_the_lead_reports(
    books: Books, morning: Morning, tell: Callable[..., Any], identified: None
) -> None:
    told = report(VisitOutcome.MET_DEBTOR, disclosed=True, plan=plan())
    tell(report_visit, told, by=morning.oona)
    tell(report_visit, report(VisitOutcome.MET_DEBTOR, disclosed=True))
    with acting_for_all(books.sessions) as session:
        found = session.scalars(sa.select(RepaymentPlan)).one()
        assert (found.state, found.report_id) == (RepaymentState.WITHDRAWN, told.event_id)


def test_a_plan_that_is_approved_while_the_lead_reports_runs_on(
    books: Books, morning: Morning, tell: Callable[..., Any], identified: None
) -> None:
    tell(report_visit, report(VisitOutcome.MET_DEBTOR, disclosed=True, plan=plan()), by=morning.oona)
    with acting_for_all(books.sessions) as session:
        waiting = session.scalars(sa.select(RepaymentPlan.id)).one()
    with ThreadPoolExecutor(1) as beside:
        with books.acting() as session:
            approve_plan(session, waiting, by=books.by(), now=NOW)
            told = beside.submit(tell, report_visit, report(VisitOutcome.MET_DEBTOR, disclosed=True))
            until_somebody_waits(books.sessions)
        told.result()
    assert (books.standing(waiting), books.rests()) == (("running", ["open"] * 3), [True])
