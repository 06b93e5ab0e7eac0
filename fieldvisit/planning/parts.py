"""The parts of a large plan: put down, claimed by whichever worker has time, answered. Each function is one short
transaction's work."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import DayPlan, PlanPart
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.plans import Claimed, lock_plan
from fieldvisit.vocabulary import DayPlanState, PartState

MOST_TRIES = 3
SILENT_S = 300
"""A part that has been in work for so long beyond its time is taken for lost, and solved again."""


@dataclass(frozen=True, kw_only=True)
class ClaimedPart:
    """A part in work: `claimed_at` tells one attempt from the next."""

    part_id: uuid.UUID
    plan_id: uuid.UUID
    claimed_at: dt.datetime
    work: Mapping[str, Any]
    seconds: int
    iterations: int | None
    seed: int


@dataclass(frozen=True, kw_only=True)
class RoundState:
    """How far a round is. `failure`: why a part of it is given up, None where none is."""

    parts: int
    solved: int
    failure: Mapping[str, Any] | None

    @property
    def over(self) -> bool:
        return self.failure is not None or self.solved == self.parts


def put_down(session: Session, claimed: Claimed, number: int, works: Sequence[Mapping[str, Any]]) -> bool:
    """Write the parts of this round; those of an earlier attempt at the plan go. False, and nothing is written, where
    the plan was called off, or this worker taken for dead and another has it now."""
    plan = lock_plan(session, claimed.plan_id)
    if plan.state is not DayPlanState.SOLVING or plan.claimed_at != claimed.claimed_at:
        return False
    mine = PlanPart.plan_id == claimed.plan_id
    session.execute(sa.delete(PlanPart).where(mine, PlanPart.plan_claimed_at < claimed.claimed_at))
    session.add_all(
        PlanPart(
            org_id=claimed.org_id,
            plan_id=claimed.plan_id,
            plan_claimed_at=claimed.claimed_at,
            round=number,
            number=place,
            state=PartState.WAITING,
            work=dict(work),
        )
        for place, work in enumerate(works)
    )
    session.flush()
    return True


def claim_part(session: Session, plan_id: uuid.UUID, now: dt.datetime) -> ClaimedPart | None:
    """Take a part that waits, or one whose worker has gone silent. None where there is none, or nobody wants the plan.

    A part that was tried too often fails, and its plan with it.
    """
    plan = session.scalars(sa.select(DayPlan).where(DayPlan.id == plan_id)).one_or_none()
    if plan is None or plan.state is not DayPlanState.SOLVING:
        return None
    silent = now - dt.timedelta(seconds=plan.seconds + SILENT_S)
    lost = sa.and_(PlanPart.state == PartState.SOLVING, PlanPart.claimed_at < silent)
    part = session.scalars(
        sa.select(PlanPart)
        .where(
            PlanPart.plan_id == plan_id,
            PlanPart.plan_claimed_at == plan.claimed_at,
            sa.or_(PlanPart.state == PartState.WAITING, lost),
        )
        .order_by(PlanPart.round, PlanPart.number)
        .limit(1)
        # Two workers take two parts: neither waits for the other's choice.
        .with_for_update(skip_locked=True)
    ).first()
    if part is None:
        return None
    if part.attempts >= MOST_TRIES:
        part.state = PartState.FAILED
        part.failure = part.failure or {"code": PlanFailure.WORKER_LOST.value, "says": ""}
        session.flush()
        return None
    part.state, part.claimed_at, part.attempts = PartState.SOLVING, now, part.attempts + 1
    session.flush()
    return ClaimedPart(
        part_id=part.id,
        plan_id=plan_id,
        claimed_at=now,
        work=part.work,
        seconds=plan.seconds,
        iterations=plan.iterations,
        seed=plan.seed,
    )


def answer_part(session: Session, claimed: ClaimedPart, answer: Mapping[str, Any]) -> None:
    """Store the answer; a failed one waits to be tried again. Whoever was taken for lost comes too late."""
    part = session.scalars(sa.select(PlanPart).where(PlanPart.id == claimed.part_id).with_for_update()).one_or_none()
    if part is None or part.state is not PartState.SOLVING or part.claimed_at != claimed.claimed_at:
        return
    if answer["failure"] is None:
        part.state, part.answer = PartState.SOLVED, dict(answer)
    else:
        part.failure = {"code": answer["failure"], "says": answer["says"]}
        part.state = PartState.FAILED if part.attempts >= MOST_TRIES else PartState.WAITING
    session.flush()


def still_wanted(session: Session, claimed: ClaimedPart) -> bool:
    """Whether the plan is still in the making, and this part in this worker's hands."""
    found = session.scalar(
        sa.select(PlanPart.id)
        .join(DayPlan, DayPlan.id == PlanPart.plan_id)
        .where(
            PlanPart.id == claimed.part_id,
            PlanPart.claimed_at == claimed.claimed_at,
            DayPlan.state == DayPlanState.SOLVING,
            DayPlan.claimed_at == PlanPart.plan_claimed_at,
        )
    )
    return found is not None


def round_state(session: Session, claimed: Claimed, number: int) -> RoundState:
    rows = session.execute(sa.select(PlanPart.state, PlanPart.failure).where(*_of_round(claimed, number))).all()
    failed = [row.failure for row in rows if row.state is PartState.FAILED]
    solved = sum(row.state is PartState.SOLVED for row in rows)
    return RoundState(parts=len(rows), solved=solved, failure=failed[0] if failed else None)


def answers_of(session: Session, claimed: Claimed, number: int) -> list[dict[str, Any]]:
    """The answers of a round whose parts are all solved, in the order of the parts."""
    rows = session.scalars(sa.select(PlanPart.answer).where(*_of_round(claimed, number)).order_by(PlanPart.number))
    return [answer for answer in rows if answer is not None]


def clear_parts(session: Session, claimed: Claimed) -> None:
    """What was only needed on the way: of this attempt and those before. One that took over needs its own still."""
    mine = PlanPart.plan_id == claimed.plan_id
    session.execute(sa.delete(PlanPart).where(mine, PlanPart.plan_claimed_at <= claimed.claimed_at))


def _of_round(claimed: Claimed, number: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (
        PlanPart.plan_id == claimed.plan_id,
        PlanPart.plan_claimed_at == claimed.claimed_at,
        PlanPart.round == number,
    )
