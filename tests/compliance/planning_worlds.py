"""Visits of one debtor that several planners want at once, and what is needed to plan them."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.caps import reserve_slots
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.compliance.intervals import Interval
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import AtTheDoor, judge_all
from fieldvisit.models import Case, Placement, Visit
from fieldvisit.visits import lock_visits, move
from fieldvisit.vocabulary import CheckMoment, Verdict, VisitState
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_case, make_failed_attempts, make_visit, make_visitor

NOON = dt.datetime.combine(TODAY, dt.time(10), dt.UTC)


@dataclass(frozen=True)
class Wanted:
    """Visits to one debtor, each for a case of its own, and who would make them."""

    world: World
    visits: tuple[uuid.UUID, ...]
    visitor: uuid.UUID


def make_wanted(sessions: sessionmaker[Session], world: World, *, visits: int) -> Wanted:
    """Cases of one debtor, each with a visit that may be made today."""
    with acting_for_all(sessions) as session:
        first = make_case(session, world)
        make_failed_attempts(session, first, before=NOW)
        cases = [first, *(_another(session, first, world, number) for number in range(1, visits))]
        rows = [make_visit(session, world, case) for case in cases]
        return Wanted(world, tuple(row.id for row in rows), make_visitor(session, world).id)


def plan_visit(
    session: Session, visit_id: uuid.UUID, visitor_id: uuid.UUID, *, at: dt.datetime = NOON
) -> ClauseResult | Visit:
    """What a planner does with one visit: judge it, take its slots, plan it; else the clause in the way."""
    visit = lock_visits(session, [visit_id])[visit_id]
    span = Interval(at, at + dt.timedelta(seconds=visit.service_s))
    asked = AtTheDoor(visit=visit, span=span, visitor_ids=[visitor_id])
    (judged,) = judge_all(session, [asked], moment=CheckMoment.PLANNING, now=NOW)
    if judged.decision.verdict is not Verdict.ALLOWED:
        return judged.decision.deciding[0]
    full = reserve_slots(session, judged)
    if full is not None:
        return full
    visit.planned_on = at.date()
    return move(session, visit, VisitState.PLANNED, now=NOW)


def states(sessions: sessionmaker[Session], visits: Sequence[uuid.UUID]) -> list[VisitState]:
    with acting_for_all(sessions) as session:
        rows = session.execute(sa.select(Visit.id, Visit.state).where(Visit.id.in_(visits)))
        found = {row.id: row.state for row in rows}
    return [found[visit_id] for visit_id in visits]


def in_turn(sessions: sessionmaker[Session], wanted: Wanted, visit: int, **more: dt.datetime) -> ClauseResult | Visit:
    with acting_for(sessions, wanted.world.agency) as session:
        return plan_visit(session, wanted.visits[visit], wanted.visitor, **more)


def _another(session: Session, like: Case, world: World, number: int) -> Case:
    case = Case(
        org_id=like.org_id,
        external_id=f"{like.external_id}-{number}",
        debtor_id=like.debtor_id,
        product=like.product,
        currency=like.currency,
        principal_minor=like.principal_minor,
        interest_minor=like.interest_minor,
        fees_minor=like.fees_minor,
        total_minor=like.total_minor,
        as_of_on=like.as_of_on,
        due_on=like.due_on,
        days_past_due=like.days_past_due,
        stage=like.stage,
    )
    session.add(case)
    session.flush()
    session.add(
        Placement(
            org_id=world.lender,
            case_id=case.id,
            debtor_id=case.debtor_id,
            agency_id=world.agency,
            from_on=TODAY - dt.timedelta(days=30),
        )
    )
    session.flush()
    return case
