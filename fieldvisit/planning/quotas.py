"""How many visits of a day there may still be: for its area, and for the whole organisation.

The limits are those of now, not of when a plan was made: the house may lower them meanwhile, and another area may have
published first. What the phones show already stays lawful: a limit keeps a day from growing, not from being mended.
"""

from collections.abc import Collection, Mapping
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.models import Area, DayPlan, Visit
from fieldvisit.planning_rules import planning_rules
from fieldvisit.vocabulary import VisitState
from routing.problem import Problem, Quota

OF_THE_AREA, OF_ALL = "area", "organisation"
BEGUN = (VisitState.UNDER_WAY, VisitState.ARRIVED, VisitState.REPORTED, VisitState.CLOSED)
SHOWN = (VisitState.PUBLISHED, *BEGUN)
TAKEN = (VisitState.PLANNED, *SHOWN)


class DayIsFull(FieldVisitError):
    """`quota`: the area's own limit, or that of the whole organisation."""

    code, kind = "day_is_full", Kind.CONFLICT
    says = "The plan holds {planned} visits, and there is room for {most} in this day. Take some out."


def quotas_of(session: Session, plan: DayPlan) -> dict[str, int]:
    """Quota → how many visits a new plan of this area and day may hold. What is planned for the same area and has not
    begun is planned anew, and counts for nothing; drafts of other areas count."""
    limits = _limits(session, plan, TAKEN)
    begun = _count(session, plan, BEGUN, here=True) if limits else 0
    return {name: max(0, most - begun) for name, most in limits.items()}


def within_limits(session: Session, plan: DayPlan, problem: Problem) -> Problem:
    """The plan's problem under the limits of now, with what has begun among its tasks.

    A limit is never less than the number of visits that the phones show for the area.
    """
    limits = _limits(session, plan, TAKEN)
    shown = _count(session, plan, SHOWN, here=True) if limits else 0
    quotas = tuple(Quota(id=name, most=max(shown, most)) for name, most in sorted(limits.items()))
    if quotas == problem.quotas:
        return problem
    tasks = tuple(replace(task, quotas=frozenset(limits)) for task in problem.tasks)
    return replace(problem, tasks=tasks, quotas=quotas)


def demand_room(session: Session, plan: DayPlan, planned: Collection[object]) -> None:
    """Raise DayIsFull where these visits of the plan, begun or not, are more than the day may have and than the phones
    show. Drafts of other areas do not count: whoever publishes first has the room."""
    shown = None
    for name, most in _limits(session, plan, SHOWN).items():
        shown = _count(session, plan, SHOWN, here=True) if shown is None else shown
        if len(planned) > max(most, shown):
            raise DayIsFull(quota=name, planned=len(planned), most=max(0, most))


def _limits(session: Session, plan: DayPlan, elsewhere: Collection[VisitState]) -> Mapping[str, int]:
    """Quota → how many visits of the day the area may have in all, beside those of other areas in these states."""
    area_most, most = session.get_one(Area, plan.area_id).most_visits, planning_rules(session).most_visits
    limits = {} if area_most is None else {OF_THE_AREA: area_most}
    if most is not None:
        limits[OF_ALL] = max(0, most - _count(session, plan, elsewhere, here=False))
    return limits


def _count(session: Session, plan: DayPlan, states: Collection[VisitState], *, here: bool) -> int:
    """The visits of the day in these states, of the plan's area or of all others."""
    area = DayPlan.area_id == plan.area_id
    found = session.scalar(
        sa.select(sa.func.count())
        .select_from(Visit)
        .join(DayPlan, DayPlan.id == Visit.plan_id)
        .where(
            Visit.org_id == plan.org_id,
            Visit.planned_on == plan.planned_on,
            Visit.state.in_(states),
            area if here else ~area,
        )
    )
    return found or 0
