"""What a plan changes for people: visits that move, come at another time, join or fall out, who rides them, and which
debtors were told otherwise."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from sqlalchemy.orm import Session

from fieldvisit.models import DayPlan, Route, Stop, Visit
from fieldvisit.notices.standing import Announced, announcements
from fieldvisit.planning.plans import BEGAN
from fieldvisit.vocabulary import VisitState


class Effect(StrEnum):
    ADDED = "added"
    LEFT_OUT = "left_out"
    MOVED = "moved"
    RETIMED = "retimed"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a visit stands in a plan. `partner`: the other crew, where two make it; `people`: those of both."""

    crew: str
    partner: str | None
    people: frozenset[uuid.UUID]
    arrive_at: dt.datetime
    begin_at: dt.datetime
    end_at: dt.datetime


@dataclass(frozen=True, kw_only=True)
class VisitEffect:
    """`crew_before`, `begin_before` None: it was not planned; `crew_after`, `begin_after` None: it is no longer. Where
    two crews make it, `partner_...` is the one that comes second by its code."""

    visit_id: uuid.UUID
    reference: str
    effect: Effect
    crew_before: str | None
    crew_after: str | None
    partner_before: str | None
    partner_after: str | None
    begin_before: dt.datetime | None
    begin_after: dt.datetime | None
    notice: Announced | None
    """What its debtor was told, and which notice it was."""
    breaks_notice: bool
    """Those are hours in which it no longer begins."""


@dataclass(frozen=True, kw_only=True)
class Effects:
    """`people`: visitors whose route changes in any way."""

    visits: tuple[VisitEffect, ...]
    people: tuple[uuid.UUID, ...]


def effects_of(session: Session, before: DayPlan | None, after: DayPlan) -> Effects:
    """What `after` changes against `before`, both read with `get_plan`; against nothing where there is no plan before.

    What has begun, or is cancelled, changes for nobody.
    """
    old, new = places_of(before), places_of(after)
    visits = _visits(before) | _visits(after)
    told = announcements(session, visits.keys())
    found = []
    for visit_id in sorted(old.keys() | new.keys(), key=lambda each: visits[each].reference):
        effect = _effect(old.get(visit_id), new.get(visit_id))
        if effect is not None:
            found.append(_visit_effect(visits[visit_id], effect, old.get(visit_id), new.get(visit_id), told=told))
    concerned = {one.visit_id for one in found}
    people = {
        person for places in (old, new) for visit_id in concerned & places.keys() for person in places[visit_id].people
    }
    return Effects(visits=tuple(found), people=tuple(sorted(people)))


def places_of(plan: DayPlan | None) -> dict[uuid.UUID, Place]:
    """Where the open visits of a plan stand."""
    return places_on(
        plan.routes if plan is not None else (), but=lambda stop: stop.visit.state in (*BEGAN, VisitState.CANCELLED)
    )


def places_on(routes: Iterable[Route], *, but: Callable[[Stop], bool] = lambda stop: False) -> dict[uuid.UUID, Place]:
    """Where visits stand on these routes of one plan, without the stops that are not asked about."""
    found: dict[uuid.UUID, Place] = {}
    for route in sorted(routes, key=lambda each: each.crew_code):
        for stop in route.stops:
            if not but(stop):
                found[stop.visit_id] = _place(route, stop, found.get(stop.visit_id))
    return found


def _place(route: Route, stop: Stop, first: Place | None) -> Place:
    people = frozenset(member.visitor_id for member in route.members)
    if first is not None:
        return replace(first, partner=route.crew_code, people=first.people | people)
    return Place(
        crew=route.crew_code,
        partner=None,
        people=people,
        arrive_at=stop.arrive_at,
        begin_at=stop.begin_at,
        end_at=stop.end_at,
    )


def _visits(plan: DayPlan | None) -> dict[uuid.UUID, Visit]:
    routes = plan.routes if plan is not None else ()
    return {stop.visit_id: stop.visit for route in routes for stop in route.stops}


def _effect(old: Place | None, new: Place | None) -> Effect | None:
    if old == new:
        return None
    if old is None:
        return Effect.ADDED
    if new is None:
        return Effect.LEFT_OUT
    return Effect.MOVED if old.people != new.people else Effect.RETIMED


def _visit_effect(
    visit: Visit,
    effect: Effect,
    old: Place | None,
    new: Place | None,
    *,
    told: Mapping[uuid.UUID, Announced],
) -> VisitEffect:
    notice = told.get(visit.id)
    kept = notice is None or (new is not None and notice.from_at <= new.begin_at < notice.until_at)
    return VisitEffect(
        visit_id=visit.id,
        reference=visit.reference,
        effect=effect,
        crew_before=None if old is None else old.crew,
        crew_after=None if new is None else new.crew,
        partner_before=None if old is None else old.partner,
        partner_after=None if new is None else new.partner,
        begin_before=None if old is None else old.begin_at,
        begin_after=None if new is None else new.begin_at,
        notice=notice,
        breaks_notice=not kept,
    )
