"""A published morning: Ilta leads, Oona rides along, and there are visits to make in Aleksanterinkatu."""

import datetime as dt
import itertools
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.geofence import Position
from fieldvisit.models import CrewMember, DayPlan, Route, Stop, Visit
from fieldvisit.phone.drafts import ArrivalDraft, IdentityDraft, SetOutDraft
from fieldvisit.phone.telling import Teller
from fieldvisit.report_drafts import ReportDraft
from fieldvisit.vocabulary import (
    Datum,
    DayPlanState,
    IdentityMethod,
    IdentityResult,
    NextStep,
    VisitOutcome,
    VisitState,
)
from tests.conftest import NOW
from tests.worlds import HELSINKI, TODAY, World, make_case, make_failed_attempts, make_visit, make_visitor, make_world

NORTH_POLE = (90.0, 0.0)
_versions = itertools.count(1)


@dataclass(frozen=True)
class Morning:
    """Ids of a published day; `visits` are the stops in order."""

    world: World
    ilta: uuid.UUID
    oona: uuid.UUID
    outsider: uuid.UUID
    """A visitor of the agency who rides no route."""
    visits: tuple[uuid.UUID, ...]

    @property
    def visit(self) -> uuid.UUID:
        return self.visits[0]


def make_morning(
    sessions: sessionmaker[Session], *, world: World | None = None, visits: int = 1, **given: Any
) -> Morning:
    """Each visit on evidence of its own, published for today unless told otherwise; in a new world unless given one."""
    world = world or make_world(sessions)
    with acting_for_all(sessions) as session:
        people = [make_visitor(session, world) for _ in range(3)]
        rows = [make_visit_on_evidence(session, world, **given) for _ in range(visits)]
        make_plan(session, world, [people[0].id, people[1].id], rows)
        ilta, oona, outsider = (visitor.id for visitor in people)
        return Morning(world, ilta, oona, outsider, tuple(row.id for row in rows))


def make_visit_on_evidence(session: Session, world: World, **given: Any) -> Visit:
    case = make_case(session, world)
    make_failed_attempts(session, case, before=NOW)
    return make_visit(session, world, case, **{"state": VisitState.PUBLISHED, **given})


def make_plan(
    session: Session,
    world: World,
    crew: Sequence[uuid.UUID],
    visits: Sequence[Visit],
    *,
    state: DayPlanState = DayPlanState.PUBLISHED,
    on: dt.date = TODAY,
) -> DayPlan:
    """A plan with one route, half an hour for each stop from 08:00 UTC on. The first of the crew leads."""
    begin = dt.datetime.combine(on, dt.time(8), dt.UTC)
    public = state in (DayPlanState.PUBLISHED, DayPlanState.SUPERSEDED)
    plan = DayPlan(
        org_id=world.agency,
        area_id=world.area,
        planned_on=on,
        state=state,
        version=next(_versions) if public else None,
        seconds=1,
    )
    session.add(plan)
    session.flush()
    route = Route(
        org_id=world.agency,
        plan_id=plan.id,
        crew_code="A",
        start_lat=HELSINKI[0],
        start_lon=HELSINKI[1],
        from_office=True,
        depart_at=begin,
        return_at=begin + dt.timedelta(hours=8),
        travel_s=600,
        wait_s=0,
        path=[],
    )
    session.add(route)
    session.flush()
    for place, visitor_id in enumerate(crew):
        session.add(CrewMember(org_id=world.agency, route_id=route.id, visitor_id=visitor_id, lead=place == 0))
    for position, visit in enumerate(visits):
        at = begin + dt.timedelta(minutes=30 * position)
        times = {"arrive_at": at, "begin_at": at, "end_at": at + dt.timedelta(minutes=20), "travel_s": 300}
        session.add(Stop(org_id=world.agency, route_id=route.id, visit_id=visit.id, position=position, **times))
        if state is DayPlanState.PUBLISHED and visit.planned_on == on:
            visit.plan_id = plan.id
    session.flush()
    return plan


def teller(visitor_id: uuid.UUID) -> Teller:
    return Teller(visitor_id=visitor_id)


def event(**given: Any) -> SetOutDraft:
    return SetOutDraft(**{"event_id": uuid.uuid4(), **given})


def arrival(*, at: tuple[float, float] = HELSINKI, **given: Any) -> ArrivalDraft:
    position = Position(lat=at[0], lon=at[1], accuracy_m=20, datum=Datum.WGS84)
    return ArrivalDraft(**{"event_id": uuid.uuid4(), "position": position, **given})


def identity(result: IdentityResult = IdentityResult.CONFIRMED) -> IdentityDraft:
    return IdentityDraft(event_id=uuid.uuid4(), method=IdentityMethod.DOCUMENT_SEEN, result=result)


def report(outcome: VisitOutcome = VisitOutcome.NOBODY, **given: Any) -> ReportDraft:
    """A report that the outcome can do with; what it needs more is told."""
    needed: dict[VisitOutcome, dict[str, Any]] = {
        VisitOutcome.MET_DEBTOR: {"willing": True, "next_step": NextStep.CALL},
        VisitOutcome.REFUSED: {"next_step": NextStep.CALL},
        VisitOutcome.MOVED: {"note": "Other names on the door."},
        VisitOutcome.UNSAFE: {"note": "A dog ran loose."},
        VisitOutcome.NOT_REACHED: {"note": "The road was closed."},
    }
    values = {"event_id": uuid.uuid4(), "left_at": NOW, **needed.get(outcome, {}), **given}
    return ReportDraft(outcome=outcome, **values)
