"""Where repayment plans stand, after their instalments were settled; and the rest from visits while one runs."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import on_behalf_of
from fieldvisit.models import Case, ContactBlock, Promise, RepaymentPlan
from fieldvisit.repayment_terms import standing_of_plan
from fieldvisit.vocabulary import BlockScope, BlockTrigger, NextStep, PromiseState, RepaymentState

SETTLING = (RepaymentState.RUNNING, RepaymentState.KEPT, RepaymentState.PARTLY_KEPT, RepaymentState.BROKEN)
"""Somebody has approved it, and nobody has taken it back."""
FOLLOW_UPS: Mapping[RepaymentState, NextStep] = {
    RepaymentState.PROPOSED: NextStep.APPROVE_PLAN,
    RepaymentState.REFUSED: NextStep.CALL,
    RepaymentState.KEPT: NextStep.STOP,
    RepaymentState.PARTLY_KEPT: NextStep.CALL,
    RepaymentState.BROKEN: NextStep.CALL,
}
"""What a person is to decide on next. Nobody is visited for a broken plan alone: a call comes first."""


def follow_up_of_plan(plan: RepaymentPlan) -> NextStep | None:
    return None if plan.replaced_at is not None else FOLLOW_UPS.get(plan.state)


def in_the_books_of(session: Session, lender_id: uuid.UUID) -> AbstractContextManager[None]:
    """The lender's books, open for as long as the block lasts: every plan, promise and payment of its cases is in sight
    there. An agency sees none that another organisation made."""
    return nullcontext() if session.info["org"] == lender_id else on_behalf_of(session, lender_id)


def lock_plans(session: Session, case_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, RepaymentPlan]:
    """Every plan of these cases that one may see, by its id, under lock in the order of their ids: plans come before
    their promises, and before visits. The lender's books show them all."""
    rows = sa.select(RepaymentPlan).where(RepaymentPlan.case_id.in_(set(case_ids))).order_by(RepaymentPlan.id)
    found = session.scalars(rows.with_for_update().execution_options(populate_existing=True))
    return {plan.id: plan for plan in found}


def one_alone(plans: Iterable[RepaymentPlan], *, now: dt.datetime) -> None:
    """Let money count for one plan of each case: for the one that runs, or for the one that was approved last. The
    plans are under lock, all of their cases."""
    by_case: dict[uuid.UUID, list[RepaymentPlan]] = defaultdict(list)
    for plan in plans:
        if plan.state in SETTLING and plan.replaced_at is None:
            by_case[plan.case_id].append(plan)
    for of_case in by_case.values():
        *replaced, _ = sorted(of_case, key=lambda one: (one.state is RepaymentState.RUNNING, one.decided_at, one.id))
        for plan in replaced:
            plan.replaced_at = now


def settle_plans(
    session: Session, plans: Mapping[uuid.UUID, RepaymentPlan], promises: Iterable[Promise], *, now: dt.datetime
) -> None:
    """Bring these plans to where their instalments stand. The plans and the promises are under lock."""
    states: dict[uuid.UUID, list[PromiseState]] = defaultdict(list)
    for promise in promises:
        if promise.plan_id is not None:
            states[promise.plan_id].append(promise.state)
    for plan_id, of_one in states.items():
        plan = plans[plan_id]
        if plan.state in SETTLING and plan.broken_after is not None:
            plan.state = standing_of_plan(of_one, broken_after=plan.broken_after)
            keep_rest(session, plan, now=now)


def keep_rest(session: Session, plan: RepaymentPlan, *, now: dt.datetime) -> None:
    """While a plan runs a contact block says so; it ends with the plan, or when the plan is broken."""
    block = session.get(ContactBlock, plan.block_id) if plan.block_id else None
    if plan.state is not RepaymentState.RUNNING:
        if block is not None and block.lifted_at is None:
            block.lifted_at = now
        return
    if block is None or (block.lifted_at is not None and block.lifted_by_id is None):
        case = session.get_one(Case, plan.case_id)
        draft = BlockDraft(
            debtor_id=case.debtor_id,
            trigger=BlockTrigger.HARDSHIP_PLAN,
            scope=BlockScope.VISITS,
            case_id=case.id,
            evidence=f"plan {plan.id}",
            until_lifted=True,
        )
        plan.block_id = file_block(session, draft, filed_by_id=plan.decided_by_id, now=now)[0].id
