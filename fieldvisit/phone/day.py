"""The day as the phone pulls it: the route with its stops in order, the crew, and a card for each visit."""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldvisit.briefing import VisitCard, cards_of
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.drafts import acting_organisation
from fieldvisit.models import CrewMember, Route
from fieldvisit.partners import Partners, beside, partners_of, reporter_of
from fieldvisit.phone.routes import get_own_stop, routes_of_day
from fieldvisit.visits import get_visit


@dataclass(frozen=True, kw_only=True)
class CrewMate:
    """`phone` is there to be called when something goes wrong."""

    visitor_id: uuid.UUID
    name: str
    phone: str | None
    lead: bool


@dataclass(frozen=True, kw_only=True)
class DayStop:
    """`partners`: where two crews meet at the door, those of the other one. `reporter_id`: whose report is that of the
    visit; what another tells of it is added to that."""

    position: int
    arrive_at: dt.datetime
    begin_at: dt.datetime
    end_at: dt.datetime
    travel_s: int
    partners: tuple[CrewMate, ...]
    reporter_id: uuid.UUID
    visit: VisitCard


@dataclass(frozen=True, kw_only=True)
class DayRoute:
    """One route as it was last changed, by the plan `plan_id`, published as `plan_version`. Its id stays with it."""

    route_id: uuid.UUID
    plan_id: uuid.UUID
    plan_version: int | None
    crew_code: str
    depart_at: dt.datetime
    return_at: dt.datetime
    break_at: dt.datetime | None
    break_s: int | None
    crew: tuple[CrewMate, ...]
    stops: tuple[DayStop, ...]


@dataclass(frozen=True, kw_only=True)
class MyDay:
    on: dt.date
    routes: tuple[DayRoute, ...]


def my_day(session: Session, visitor_id: uuid.UUID, day: dt.date | None, *, now: dt.datetime) -> MyDay:
    """The visitor's published routes of the day; none where nothing is published for them. No day means today.

    Cancelled visits stay where they stood, with the reason, so that the phone is told. The number of queries does not
    grow with the day.
    """
    day = day or local_day(now, acting_organisation(session).zone)
    routes = routes_of_day(session, visitor_id, day)
    stops = [stop for route in routes for stop in route.stops]
    cards, partners = cards_of(session, stops, visitor_id, now=now), partners_of(session, stops)
    return MyDay(on=day, routes=tuple(_route(route, cards, partners) for route in routes))


def my_visit(session: Session, visitor_id: uuid.UUID, visit_id: uuid.UUID, *, now: dt.datetime) -> VisitCard:
    """One visit of the visitor's own published route; NotFound for everybody else's."""
    stop = get_own_stop(session, visitor_id, visit_id)
    get_visit(session, visit_id)
    return cards_of(session, [stop], visitor_id, now=now)[visit_id]


def _route(route: Route, cards: dict[uuid.UUID, VisitCard], partners: Partners) -> DayRoute:
    return DayRoute(
        route_id=route.since_id or route.id,
        plan_id=route.since_plan_id or route.plan_id,
        plan_version=route.since_version or route.plan.version,
        crew_code=route.crew_code,
        depart_at=route.depart_at,
        return_at=route.return_at,
        break_at=route.break_at,
        break_s=route.break_s,
        crew=_mates(route.members),
        stops=tuple(
            DayStop(
                position=stop.position,
                arrive_at=stop.arrive_at,
                begin_at=stop.begin_at,
                end_at=stop.end_at,
                travel_s=stop.travel_s,
                partners=_mates(beside(partners, stop)),
                reporter_id=reporter_of(partners, stop),
                visit=cards[stop.visit_id],
            )
            for stop in route.stops
        ),
    )


def _mates(members: Sequence[CrewMember]) -> tuple[CrewMate, ...]:
    return tuple(
        CrewMate(visitor_id=m.visitor_id, name=m.visitor.name, phone=m.visitor.phone, lead=m.lead) for m in members
    )
