"""A repayment plan is proposed by one, decided on by another, and settled by what is paid."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.cases import PaymentDraft, record_payment
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Case, ContactBlock, RepaymentPlan, Visit
from fieldvisit.promises import settle_overdue
from fieldvisit.repayment_terms import (
    Instalment,
    Limits,
    PlanDraft,
    RepaymentRulesDraft,
    approvable_by,
    standing_of_plan,
)
from fieldvisit.repayments import Decider, PlanRunning, approve_plan, propose_plan, withdraw_plan
from fieldvisit.report_drafts import ReportContradicts
from fieldvisit.reports import report_visit
from fieldvisit.vocabulary import PaymentMethod, PromiseState, RepaymentState, Role, VisitOutcome
from tests.conftest import NOW
from tests.phone.worlds import Morning, report
from tests.safety.worlds import make_account
from tests.worlds import TODAY

DAY = dt.timedelta(days=1)
FIRST = TODAY + 7 * DAY
OPEN, KEPT, PARTLY, BROKEN = PromiseState.OPEN, PromiseState.KEPT, PromiseState.PARTLY_KEPT, PromiseState.BROKEN


def plan(*amounts: int, every: int = 30, **given: Any) -> PlanDraft:
    parts = tuple(
        Instalment(amount_minor=amount, due_on=FIRST + every * place * DAY)
        for place, amount in enumerate(amounts or (1_000, 1_000, 1_000))
    )
    return PlanDraft(**({"instalments": parts, "currency": "EUR", "method": PaymentMethod.TRANSFER} | given))


def due(place: int) -> dt.date:
    return FIRST + 30 * place * DAY


def late(place: int) -> dt.datetime:
    """The morning after the grace of an instalment has run out."""
    return dt.datetime.combine(due(place) + 4 * DAY, dt.time(8), dt.UTC)


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
    assert approvable_by(plan(), [usual]) == [Role.DISPATCHER, Role.SUPERVISOR]
    assert approvable_by(plan(*[500] * 8), [usual]) == [Role.SUPERVISOR]
    assert approvable_by(plan(grace_days=8), [usual]) == [Role.SUPERVISOR]
    assert approvable_by(plan(*[500] * 40), [usual]) == []
    strict = RepaymentRulesDraft(
        dispatcher=Limits(most_instalments=12, most_days=90, most_grace_days=7, most_minor=999)
    )
    assert approvable_by(plan(), [usual, strict]) == [Role.SUPERVISOR]


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


class Books:
    """What the lender and the agency do with the plan of the morning's first visit."""

    def __init__(self, sessions: sessionmaker[Session], morning: Morning) -> None:
        self.sessions, self.morning = sessions, morning
        with acting_for_all(sessions) as session:
            self.case_id = session.get_one(Visit, morning.visit).case_id
            self.maker = make_account(session, morning.world, Role.DISPATCHER).id
            self.checker = make_account(session, morning.world, Role.SUPERVISOR).id

    def by(self, account_id: uuid.UUID | None = None) -> Decider:
        return Decider(account_id=account_id or self.checker, roles=(Role.SUPERVISOR,))

    def propose(self, draft: PlanDraft, *, now: dt.datetime = NOW) -> uuid.UUID:
        with acting_for(self.sessions, self.morning.world.agency) as session:
            return propose_plan(session, self.case_id, draft, by=self.maker, now=now).id

    def approve(self, plan_id: uuid.UUID, *, now: dt.datetime = NOW) -> None:
        with acting_for(self.sessions, self.morning.world.agency) as session:
            approve_plan(session, plan_id, by=self.by(), now=now)

    def pay(self, amount_minor: int, *, on: dt.date, now: dt.datetime) -> None:
        with acting_for(self.sessions, self.morning.world.lender) as session:
            case = session.get_one(Case, self.case_id).external_id
            paid = {"external_id": str(uuid.uuid4()), "case_id": case, "currency": "EUR", "paid_on": on}
            record_payment(session, PaymentDraft(amount_minor=amount_minor, **paid), now=now)

    def time_passes(self, now: dt.datetime) -> None:
        with acting_for(self.sessions, self.morning.world.lender) as session:
            settle_overdue(session, now=now)

    def standing(self, plan_id: uuid.UUID) -> tuple[str, list[str]]:
        with acting_for_all(self.sessions) as session:
            found = session.get_one(RepaymentPlan, plan_id)
            return found.state.value, [each.state.value for each in found.running]

    def rests(self) -> list[bool]:
        """Of each block that a plan filed, whether it still stands."""
        with acting_for_all(self.sessions) as session:
            rows = session.scalars(sa.select(ContactBlock).order_by(ContactBlock.id))
            return [row.lifted_at is None for row in rows]


@pytest.fixture
def books(sessions: sessionmaker[Session], morning: Morning) -> Books:
    return Books(sessions, morning)


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
    with acting_for(books.sessions, books.morning.world.agency) as session:
        withdraw_plan(session, running, reason="The debtor asked.", by=books.by(), now=NOW)
    books.time_passes(late(2))
    assert (books.standing(running), books.rests()) == (("withdrawn", ["open"] * 3), [False])


def test_a_crew_mates_proposal_is_withdrawn_when_the_lead_reports(
    books: Books, morning: Morning, tell: Callable[..., Any], identified: None
) -> None:
    told = report(VisitOutcome.MET_DEBTOR, disclosed=True, plan=plan())
    tell(report_visit, told, by=morning.oona)
    tell(report_visit, report(VisitOutcome.MET_DEBTOR, disclosed=True))
    with acting_for_all(books.sessions) as session:
        found = session.scalars(sa.select(RepaymentPlan)).one()
        assert (found.state, found.report_id) == (RepaymentState.WITHDRAWN, told.event_id)
