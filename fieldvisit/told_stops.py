"""Stops that somebody was told of on a published plan, and those of them that were taken off its routes afterwards.

A phone that had no signal then has gone there: what it tells is a fact, as of a visit that a later version gives to
others. Who was told to go is known by the crews from whose routes the visit was taken.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload, selectinload

from fieldvisit.models import CrewMember, DayPlan, Route, UnservedVisit, Visit
from fieldvisit.vocabulary import DayPlanState

PUBLIC = (DayPlanState.PUBLISHED, DayPlanState.SUPERSEDED)
"""States of a plan whose routes the phones have, or had."""


class ToldStop(Protocol):
    """A visit on a route that was published, whether it is there still; `with_crew` as a stop has it."""

    @property
    def route(self) -> Route: ...
    @property
    def route_id(self) -> uuid.UUID: ...
    @property
    def visit(self) -> Visit: ...
    @property
    def visit_id(self) -> uuid.UUID: ...
    @property
    def with_crew(self) -> str | None: ...


@dataclass(frozen=True)
class WithdrawnStop:
    """One that was taken off its route when the plan was published already."""

    route: Route
    visit: Visit
    with_crew: str | None

    @property
    def route_id(self) -> uuid.UUID:
        return self.route.id

    @property
    def visit_id(self) -> uuid.UUID:
        return self.visit.id


def withdrawn_stops(session: Session, visitor_id: uuid.UUID, visit_ids: Collection[uuid.UUID]) -> list[WithdrawnStop]:
    """Those of these visits that were taken off a published route which the visitor rides, in no stated order."""
    rows = session.execute(
        sa.select(Route, Visit, UnservedVisit.withdrawn_from)
        .join(DayPlan, DayPlan.id == UnservedVisit.plan_id)
        .join(Visit, Visit.id == UnservedVisit.visit_id)
        .join(
            Route,
            sa.and_(Route.plan_id == UnservedVisit.plan_id, Route.crew_code == sa.any_(UnservedVisit.withdrawn_from)),
        )
        .join(CrewMember, CrewMember.route_id == Route.id)
        .where(UnservedVisit.visit_id.in_(visit_ids), CrewMember.visitor_id == visitor_id, DayPlan.state.in_(PUBLIC))
        .options(joinedload(Route.plan), selectinload(Route.members))
    )
    return [
        WithdrawnStop(route, visit, next((code for code in crews or () if code != route.crew_code), None))
        for route, visit, crews in rows
    ]


def with_withdrawn(
    session: Session, visitor_id: uuid.UUID, stops: Mapping[uuid.UUID, Sequence[ToldStop]]
) -> dict[uuid.UUID, list[ToldStop]]:
    """These stops of the visitor by visit, with those that were withdrawn, the newest first. One query; none where all
    the visits stand as they were told."""
    gone = {visit_id for visit_id, of_one in stops.items() if not any(stands(one) for one in of_one)}
    found: dict[uuid.UUID, list[ToldStop]] = {visit_id: [*of_one] for visit_id, of_one in stops.items()}
    for one in withdrawn_stops(session, visitor_id, gone) if gone else ():
        found[one.visit_id].append(one)
    for visit_id in gone:
        found[visit_id].sort(key=_version, reverse=True)
    return found


def stands(stop: ToldStop) -> bool:
    """Whether the visit is made as this stop says."""
    plan, visit = stop.route.plan, stop.visit
    published = plan.state is DayPlanState.PUBLISHED
    return published and plan.planned_on == visit.planned_on and plan.id == visit.plan_id


def _version(stop: ToldStop) -> tuple[dt.date, int]:
    plan = stop.route.plan
    return plan.planned_on, plan.version or 0
