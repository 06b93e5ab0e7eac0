"""The visitor's world as a delta: what changed since the phone last heard, and what is gone.

The whole is made anew and compared with what the phone says it has, so that nothing can be missed, whoever changed it
and however long the phone was away. Whether that is needed at all is asked first, in one query.
"""

import datetime as dt
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from fieldvisit.briefing import CONTACTS_SINCE, VisitCard
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.drafts import acting_organisation
from fieldvisit.form_versions import find_newest
from fieldvisit.models import FormVersion, HeldEvent
from fieldvisit.phone import cursors
from fieldvisit.phone.cursors import ItemKind, Name
from fieldvisit.phone.day import CrewMate, DayRoute, my_day
from fieldvisit.phone.fingerprint import fingerprint
from fieldvisit.phone.holding import newest_held

SHAPE = 6
"""Counted up when what is told of a thing changes its shape: every phone then gets it all again."""

OF_DAY = frozenset({ItemKind.ROUTE, ItemKind.VISIT})
"""What the phone forgets at `forget_at`."""


@dataclass(frozen=True, kw_only=True)
class StopTold:
    """One stop; the visit's card comes beside it."""

    position: int
    visit_id: uuid.UUID
    arrive_at: dt.datetime
    begin_at: dt.datetime
    end_at: dt.datetime
    travel_s: int
    partners: tuple[CrewMate, ...]
    reporter_id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class RouteTold:
    route_id: uuid.UUID
    plan_id: uuid.UUID
    plan_version: int | None
    crew_code: str
    depart_at: dt.datetime
    return_at: dt.datetime
    break_at: dt.datetime | None
    break_s: int | None
    crew: tuple[CrewMate, ...]
    stops: tuple[StopTold, ...]


@dataclass(frozen=True, kw_only=True)
class Gone:
    """A thing that the phone had and is to forget."""

    kind: ItemKind
    id: uuid.UUID


@dataclass(frozen=True, kw_only=True)
class Changes:
    """`reset`: forget everything first, this is all there is. `forget_at`: what is told of debtors here is for the day,
    and is to be wiped from the phone then, with or without signal. `held_count`: of all that is held of the visitor,
    the newest or not."""

    cursor: str
    on: dt.date
    reset: bool
    forget_at: dt.datetime
    routes: tuple[RouteTold, ...]
    visits: tuple[VisitCard, ...]
    held: tuple[HeldEvent, ...]
    held_count: int
    forms: tuple[FormVersion, ...]
    gone: tuple[Gone, ...]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whose day, in which wording, and what the phone has of it."""

    visitor_id: uuid.UUID
    language: str
    since: str | None
    now: dt.datetime

    @property
    def salt(self) -> str:
        return f"{SHAPE} {self.language}"


def tag_of(session: Session, asked: Asked) -> str:
    """A tag that differs whenever the answer would tell a phone something new. One query."""
    rows = fingerprint(session, asked.visitor_id, now=asked.now, contacts_since=CONTACTS_SINCE)
    return hashlib.sha256(f"{asked.salt} {rows}".encode()).hexdigest()[:32]


def changes(session: Session, asked: Asked) -> Changes:
    """What the phone does not have yet, and what it has and should not. The number of queries does not grow with the
    day."""
    zone = acting_organisation(session).zone
    day = local_day(asked.now, zone)
    routes, cards = _told(session, asked, day)
    held = newest_held(session, asked.visitor_id)
    form = find_newest(session)
    world: dict[Name, object] = {
        **({(ItemKind.FORM, form.id): form.version} if form else {}),
        **{(ItemKind.ROUTE, route.route_id): route for route in routes},
        **{(ItemKind.VISIT, card.visit_id): card for card in cards},
        **{(ItemKind.HELD, row.event_id): (row.state, row.waits_for, row.code, row.details) for row in held.told},
    }
    now_known = {name: cursors.digest_of(item, _salt(asked, name, day)) for name, item in world.items()}
    before = cursors.read(asked.since) if asked.since else None
    had: Mapping[Name, bytes] = before or {}
    fresh = {name for name, digest in now_known.items() if had.get(name) != digest}
    return Changes(
        cursor=cursors.written(now_known),
        on=day,
        reset=before is None,
        forget_at=_midnight_after(day, zone),
        routes=tuple(route for route in routes if (ItemKind.ROUTE, route.route_id) in fresh),
        visits=tuple(card for card in cards if (ItemKind.VISIT, card.visit_id) in fresh),
        held=tuple(row for row in held.told if (ItemKind.HELD, row.event_id) in fresh),
        held_count=held.count,
        forms=(form,) if form and (ItemKind.FORM, form.id) in fresh else (),
        gone=tuple(Gone(kind=kind, id=id_) for kind, id_ in sorted(set(had) - set(now_known))),
    )


def _salt(asked: Asked, name: Name, day: dt.date) -> str:
    """What a digest depends on beside the thing itself: what is told of debtors was wiped at the end of its day, and is
    told anew on the next, though nothing of it has changed."""
    return f"{asked.salt} {day}" if name[0] in OF_DAY else asked.salt


def _told(session: Session, asked: Asked, day: dt.date) -> tuple[list[RouteTold], list[VisitCard]]:
    routes = my_day(session, asked.visitor_id, day, now=asked.now).routes
    cards = {stop.visit.visit_id: stop.visit for route in routes for stop in route.stops}
    return [_route(route) for route in routes], list(cards.values())


def _route(route: DayRoute) -> RouteTold:
    return RouteTold(
        route_id=route.route_id,
        plan_id=route.plan_id,
        plan_version=route.plan_version,
        crew_code=route.crew_code,
        depart_at=route.depart_at,
        return_at=route.return_at,
        break_at=route.break_at,
        break_s=route.break_s,
        crew=route.crew,
        stops=tuple(
            StopTold(
                position=stop.position,
                visit_id=stop.visit.visit_id,
                arrive_at=stop.arrive_at,
                begin_at=stop.begin_at,
                end_at=stop.end_at,
                travel_s=stop.travel_s,
                partners=stop.partners,
                reporter_id=stop.reporter_id,
            )
            for stop in route.stops
        ),
    )


def _midnight_after(day: dt.date, zone: str) -> dt.datetime:
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
