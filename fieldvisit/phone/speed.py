"""Could one have been at both doors? Flagged where the way between them would have been faster than any car.

The positions themselves are not kept: a visitor was within so many metres of each place, which is known, so the way
was at least what lies between the places less those metres. An honest visitor with a poor signal is never too fast.
"""

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.distances import metres_between
from fieldvisit.models import Place, Stop, Visit, VisitEvent
from fieldvisit.phone.arrivals import happened
from fieldvisit.phone.notes import ARRIVED
from fieldvisit.together import Entry, Together, together
from fieldvisit.told_stops import ToldStop

type Elsewhere = tuple[Entry, float | None, float | None]

FASTEST_M_PER_S = 50
SHORTEST_S = 30
"""Two clocks that differ by some seconds make nobody fast."""


def speed_flags(
    session: Session, stop: ToldStop, visitor_id: uuid.UUID, *, at: dt.datetime, distance_m: int
) -> dict[str, Any]:
    """The least speed between this arrival and the same visitor's others on this route, where it is impossible."""
    place: Place | None = stop.visit.place
    if place is None or place.lat is None or place.lon is None:
        return {}
    here = (place.lat, place.lon)
    fastest = 0
    for there_at, there, there_m in _others(session, stop, visitor_id):
        way_m = metres_between(here, there) - distance_m - there_m
        took_s = max(abs((at - there_at).total_seconds()), SHORTEST_S)
        fastest = max(fastest, round(way_m / took_s))
    return {"too_fast_m_per_s": fastest} if fastest > FASTEST_M_PER_S else {}


def _others(
    session: Session, stop: ToldStop, visitor_id: uuid.UUID
) -> Iterator[tuple[dt.datetime, tuple[float, float], int]]:
    """When, at which place and within how many metres of it this visitor arrived elsewhere on the route."""
    gathered = together(session)
    rows = _told(session, stop, visitor_id) if gathered is None else _gathered(gathered, stop, visitor_id)
    for entry, lat, lon in rows:
        if lat is not None and lon is not None:
            yield happened(entry), (lat, lon), entry.detail.get("distance_m", 0)


def _gathered(gathered: Together, stop: ToldStop, visitor_id: uuid.UUID) -> Iterator[Elsewhere]:
    for door in gathered.doors[stop.route_id]:
        if door.visit_id != stop.visit_id:
            for entry in gathered.arrivals[door.visit_id]:
                if entry.kind == ARRIVED and entry.visitor_id == visitor_id:
                    yield entry, door.lat, door.lon


def _told(session: Session, stop: ToldStop, visitor_id: uuid.UUID) -> Iterable[Any]:
    return session.execute(
        sa.select(VisitEvent, Place.lat, Place.lon)
        .join(Visit, Visit.id == VisitEvent.visit_id)
        .join(Place, Place.id == Visit.place_id)
        .join(Stop, Stop.visit_id == Visit.id)
        .where(
            Stop.route_id == stop.route_id,
            Stop.visit_id != stop.visit_id,
            VisitEvent.visitor_id == visitor_id,
            VisitEvent.kind == ARRIVED,
        )
    )
