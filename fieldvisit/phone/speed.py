"""Could one have been at both doors? Flagged where the way between them would have been faster than any car.

The positions themselves are not kept: a visitor was within so many metres of each place, which is known, so the way
was at least what lies between the places less those metres. An honest visitor with a poor signal is never too fast.
"""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from geopy.distance import geodesic
from sqlalchemy.orm import Session

from fieldvisit.models import Place, Stop, Visit, VisitEvent

FASTEST_M_PER_S = 50
SHORTEST_S = 30
"""Two clocks that differ by some seconds make nobody fast."""


def speed_flags(
    session: Session, stop: Stop, visitor_id: uuid.UUID, *, at: dt.datetime, distance_m: int
) -> dict[str, Any]:
    """The least speed between this arrival and the same visitor's others on this route, where it is impossible."""
    place: Place | None = stop.visit.place
    if place is None or place.lat is None:
        return {}
    here = (place.lat, place.lon)
    fastest = 0
    for there_at, there, there_m in _others(session, stop, visitor_id):
        way_m = geodesic(here, there).m - distance_m - there_m
        took_s = max(abs((at - there_at).total_seconds()), SHORTEST_S)
        fastest = max(fastest, round(way_m / took_s))
    return {"too_fast_m_per_s": fastest} if fastest > FASTEST_M_PER_S else {}


def _others(
    session: Session, stop: Stop, visitor_id: uuid.UUID
) -> Iterator[tuple[dt.datetime, tuple[float, float], int]]:
    """When, at which place and within how many metres of it this visitor arrived elsewhere on the route."""
    rows = session.execute(
        sa.select(VisitEvent.at, VisitEvent.detail, Place.lat, Place.lon)
        .join(Visit, Visit.id == VisitEvent.visit_id)
        .join(Place, Place.id == Visit.place_id)
        .join(Stop, Stop.visit_id == Visit.id)
        .where(
            Stop.route_id == stop.route_id,
            Stop.visit_id != stop.visit_id,
            VisitEvent.visitor_id == visitor_id,
            VisitEvent.kind == "arrived",
        )
    )
    for told_at, detail, lat, lon in rows:
        happened = detail.get("happened_at")
        if lat is None or lon is None:
            continue
        yield dt.datetime.fromisoformat(happened) if happened else told_at, (lat, lon), detail.get("distance_m", 0)
