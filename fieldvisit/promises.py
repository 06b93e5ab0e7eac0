"""Promises, settled by what was paid: kept, partly kept or broken, whatever order the payments are heard of in.

A payment counts for the promises of its case that had been made by then and were not overdue by more than the grace,
the earliest due first: whoever keeps to a promise has kept it, whatever an older one lacks. What becomes of a promise
is computed anew from all payments each time, so that one which is imported late puts right what had been taken for
broken. Where nothing is owed any more, no promise is broken: more than was owed cannot have been promised. The
instalments of a plan that was approved are promises like any other, but for two things: the grace is the plan's, and
money that comes later than that still counts for them as long as the plan lasts, so that it can be caught up with. It
does after what is in time, of the plan's only the next instalment, and before those that come after that one.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.apart import Apart
from fieldvisit.drafts import acting_organisation
from fieldvisit.models import Case, Payment, Promise, RepaymentPlan, Visit, VisitReport
from fieldvisit.repayment_standing import in_the_books_of, lock_plans, one_alone, settle_plans
from fieldvisit.visits import note_event
from fieldvisit.vocabulary import NextStep, PromiseState, RepaymentState

GRACE = dt.timedelta(days=3)
"""Money that was sent on the day may take so long."""
FOLLOW_UPS: Mapping[PromiseState, NextStep] = {
    PromiseState.PARTLY_KEPT: NextStep.CALL,
    PromiseState.BROKEN: NextStep.CALL,
}
"""What a person is to decide on next. Nobody is visited again for a broken promise alone: a call comes first."""


@dataclass(frozen=True, kw_only=True)
class Owed:
    """One promise, as far as money goes, in minor units. `late_after`: the last day on which it is in time;
    `until_on`: the last on which money counts for it at all; `plan_id`: of which plan it is an instalment."""

    id: uuid.UUID
    amount_minor: int
    currency: str
    made_on: dt.date
    due_on: dt.date
    late_after: dt.date
    until_on: dt.date
    plan_id: uuid.UUID | None = None


@dataclass(frozen=True, kw_only=True)
class Paid:
    id: uuid.UUID
    amount_minor: int
    currency: str
    paid_on: dt.date


def follow_up(promise: Promise) -> NextStep | None:
    return FOLLOW_UPS.get(promise.state)


def received(owed: Iterable[Owed], paid: Iterable[Paid]) -> dict[uuid.UUID, int]:
    """How much of each promise was paid, in minor units. No money counts twice, and its order here does not count."""
    promises = sorted(owed, key=lambda one: (one.due_on, one.id))
    got = {one.id: 0 for one in promises}
    for payment in sorted(paid, key=lambda one: (one.paid_on, one.id)):
        left = payment.amount_minor
        for one in _in_turn(promises, payment):
            share = min(left, one.amount_minor - got[one.id])
            got[one.id] += share
            left -= share
    return got


def _in_turn(promises: Iterable[Owed], payment: Paid) -> list[Owed]:
    """Those of these, in the order of their days, that the money counts for, in the order in which it does. The order
    goes by days alone, not by what was paid before: another payment never makes one of these come to nothing."""
    first: list[Owed] = []
    late: list[Owed] = []
    further: list[Owed] = []
    begun: set[uuid.UUID] = set()
    for one in promises:
        if one.currency != payment.currency or not one.made_on <= payment.paid_on <= one.until_on:
            continue
        if payment.paid_on > one.late_after:
            late.append(one)
        elif one.plan_id in begun:
            further.append(one)
        else:
            first.append(one)
            begun |= {one.plan_id} if one.plan_id else set()
    return [*first, *late, *further]


def standing(one: Owed, got_minor: int, *, today: dt.date, cleared: bool = False) -> PromiseState:
    """Where a promise stands on a day; `cleared`: of the case nothing is owed any more."""
    if got_minor >= one.amount_minor or (cleared and today > one.late_after):
        return PromiseState.KEPT
    if today <= one.late_after:
        return PromiseState.OPEN
    return PromiseState.PARTLY_KEPT if got_minor else PromiseState.BROKEN


def settle_promises(session: Session, case_ids: Collection[uuid.UUID], *, now: dt.datetime) -> int:
    """Bring the promises on these cases to where the payments have brought them; how many changed.

    It is done in the books of each case's lender, and by its calendar: whoever tells of a payment, the same comes of
    it. A case that is not in sight, called back say, is left alone.
    """
    seen = sa.select(Case.id, Case.org_id).where(Case.id.in_(set(case_ids)))
    by_lender: dict[uuid.UUID, set[uuid.UUID]] = defaultdict(set)
    for case_id, lender_id in session.execute(seen):
        by_lender[lender_id].add(case_id)
    changed = 0
    for lender_id, of_lender in sorted(by_lender.items()):
        with in_the_books_of(session, lender_id):
            changed += _settle(session, of_lender, now=now)
    return changed


def lock_plans_heard(session: Session, visit_ids: Collection[uuid.UUID], *, promised: bool) -> None:
    """Lock the plans of the cases of these visits of one's own that are reported, before any visit is: as whoever
    decides on a plan, or settles one, takes them. `promised`: with promises, which are settled then.

    What was or had been promised is settled in the lender's books, among plans that an agency does not see: all of them
    are locked there, at once.
    """
    before = sa.select(Promise.id).join(VisitReport, VisitReport.id == Promise.report_id)
    had_been = before.where(VisitReport.visit_id == Visit.id).exists()
    own = Visit.id.in_(visit_ids), Visit.org_id == session.info["org"]
    rows = session.execute(sa.select(Visit.lender_id, Visit.case_id, had_been.label("promised")).where(*own)).all()
    if not promised and not any(row.promised for row in rows):
        lock_plans(session, {row.case_id for row in rows})
        return
    for lender_id in sorted({row.lender_id for row in rows}):
        with in_the_books_of(session, lender_id):
            lock_plans(session, {row.case_id for row in rows if row.lender_id == lender_id})


def settle_heard(session: Session, promised: Mapping[uuid.UUID, dt.datetime], *, now: dt.datetime) -> None:
    """Settle what was just told to have been promised, by case, at this time or later, where money that may count for
    it came before the report: nobody would look at it again until it is overdue."""
    last_paid = sa.select(Payment.case_id, sa.func.max(Payment.paid_on)).where(Payment.case_id.in_(promised))
    paid = session.execute(last_paid.group_by(Payment.case_id)).all()
    # A lender's calendar may be a day behind.
    counts = {case_id for case_id, paid_on in paid if paid_on >= promised[case_id].date() - dt.timedelta(days=1)}
    if counts:
        settle_promises(session, counts, now=now)


def _settle(session: Session, case_ids: Collection[uuid.UUID], *, now: dt.datetime) -> int:
    """The same on cases of the acting organisation."""
    zone = ZoneInfo(acting_organisation(session).zone)
    plans = lock_plans(session, case_ids)
    one_alone(plans.values(), now=now)
    rows = _locked(session, case_ids)
    if not rows:
        return 0
    paid = _payments(session, {promise.case_id for promise, _ in rows})
    owed = {promise.id: _owed(promise, made_at.astimezone(zone).date(), plans) for promise, made_at in rows}
    by_case: dict[uuid.UUID, list[Owed]] = defaultdict(list)
    for promise, _ in rows:
        by_case[promise.case_id].append(owed[promise.id])
    got = {
        id_: minor for case_id, of_case in by_case.items() for id_, minor in received(of_case, paid[case_id]).items()
    }
    today, cleared = now.astimezone(zone).date(), _cleared(session, by_case)
    stands = {
        promise.id: standing(owed[promise.id], got[promise.id], today=today, cleared=promise.case_id in cleared)
        for promise, _ in rows
    }
    changed = [(promise, stands[promise.id]) for promise, _ in rows if stands[promise.id] is not promise.state]
    for promise, state in changed:
        promise.state = state
        _note(session, promise, got[promise.id], now)
    settle_plans(session, plans, [promise for promise, _ in rows], now=now)
    session.flush()
    return len(changed)


def settle_overdue(session: Session, *, now: dt.datetime, apart: Apart | None = None) -> int:
    """Settle what time alone has settled, on the cases of the acting organisation; how many promises changed.

    Each case by itself: one that cannot be settled is told to `apart`, and stops no other. Without `apart` it is raised
    after all others were settled.
    """
    grace = sa.func.coalesce(RepaymentPlan.grace_days, GRACE.days)
    overdue = (
        sa.select(Promise.case_id)
        .outerjoin(RepaymentPlan, RepaymentPlan.id == Promise.plan_id)
        .where(
            Promise.lender_id == session.info["org"],
            Promise.state == PromiseState.OPEN,
            Promise.due_on + grace <= now.date(),
        )
    )
    cases, each_apart, changed = sorted(set(session.scalars(overdue))), apart or Apart(), 0
    for case_id in cases:
        with each_apart.each("settled", case_id=case_id), session.begin_nested():
            changed += settle_promises(session, {case_id}, now=now)
    if apart is None:
        each_apart.end()
    return changed


def promises_where(*, state: PromiseState | None = None, due_until: dt.date | None = None) -> sa.Select[Promise]:
    """The promises one may see, all or those that fit. Not those of a report in whose place the lead's is, nor those of
    a plan that was withdrawn or replaced."""
    rows = _standing(sa.select(Promise))
    if state is not None:
        rows = rows.where(Promise.state == state)
    return rows if due_until is None else rows.where(Promise.due_on <= due_until)


def _locked(session: Session, case_ids: Collection[uuid.UUID]) -> Sequence[tuple[Promise, dt.datetime]]:
    """Under lock, in the order of their ids: two who settle at once take turns, and the second sees what both know."""
    made_at = sa.func.coalesce(VisitReport.left_at, RepaymentPlan.proposed_at)
    rows = (
        _standing(sa.select(Promise, made_at))
        .where(Promise.case_id.in_(set(case_ids)))
        .order_by(Promise.id)
        .with_for_update(of=Promise)
        .execution_options(populate_existing=True)
    )
    return [(promise, at) for promise, at in session.execute(rows)]


def _standing[*Row](rows: sa.Select[*Row]) -> sa.Select[*Row]:
    """Those of these promises that still mean something."""
    return (
        rows.outerjoin(VisitReport, VisitReport.id == Promise.report_id)
        .outerjoin(RepaymentPlan, RepaymentPlan.id == Promise.plan_id)
        .where(VisitReport.replaced_by_id.is_(None), RepaymentPlan.replaced_at.is_(None))
        .where(sa.func.coalesce(RepaymentPlan.state, "") != RepaymentState.WITHDRAWN.value)
    )


def _payments(session: Session, case_ids: Collection[uuid.UUID]) -> Mapping[uuid.UUID, list[Paid]]:
    found: dict[uuid.UUID, list[Paid]] = defaultdict(list)
    for row in session.scalars(sa.select(Payment).where(Payment.case_id.in_(case_ids)).order_by(Payment.id)):
        paid = Paid(id=row.id, amount_minor=row.amount_minor, currency=row.currency, paid_on=row.paid_on)
        found[row.case_id].append(paid)
    return found


def _cleared(session: Session, case_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of which nothing is owed any more, as far as the lender has told."""
    return set(session.scalars(sa.select(Case.id).where(Case.id.in_(case_ids), Case.total_minor == 0)))


def _owed(promise: Promise, made_on: dt.date, plans: Mapping[uuid.UUID, RepaymentPlan]) -> Owed:
    late_after = until_on = promise.due_on + GRACE
    if promise.plan_id is not None:
        plan = plans[promise.plan_id]
        grace = dt.timedelta(days=plan.grace_days)
        late_after = promise.due_on + grace
        until_on = dt.date.fromisoformat(plan.instalments[-1]["due_on"]) + grace
    return Owed(
        id=promise.id,
        amount_minor=promise.amount_minor,
        currency=promise.currency,
        made_on=made_on,
        due_on=promise.due_on,
        late_after=late_after,
        until_on=until_on,
        plan_id=promise.plan_id,
    )


def _note(session: Session, promise: Promise, got_minor: int, now: dt.datetime) -> None:
    """In the history of the visit at whose door it was made; a plan of the office was made at none."""
    of_plan = sa.select(RepaymentPlan.report_id).where(RepaymentPlan.id == promise.plan_id).scalar_subquery()
    made_in = sa.func.coalesce(promise.report_id, of_plan)
    found = sa.select(Visit).join(VisitReport, VisitReport.visit_id == Visit.id)
    visit = session.scalars(found.where(VisitReport.id == made_in)).one_or_none()
    if visit is None:
        return
    detail = {"promise_id": str(promise.id), "state": promise.state.value, "paid_minor": got_minor}
    session.add(note_event(visit, "promise_settled", now=now, **detail))
