"""A place that became free on a day is offered to those who wait: which visits would fit, and what each would cost.

A visit that a contact block cancels, or that may no longer be made, leaves its crew a gap. Nobody fills it unasked: a
dispatcher sees what fits, best first, and keeps the change that they choose like any other change of the day.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.distances import great_circle_m
from fieldvisit.models import Place, Visit
from fieldvisit.planning.choosing import Options
from fieldvisit.planning.editing import open_standing
from fieldvisit.planning.joining import NotToBePlanned, joined_by
from fieldvisit.planning.rest import Standing, rest_of
from fieldvisit.vocabulary import VisitState
from routing.format import plan_from_document
from routing.options import Option, options_for

LOOKED_AT = 20
"""Visits that are tried, the nearest to a place that became free first: each is a small plan of its own."""


@dataclass(frozen=True, kw_only=True)
class Offer:
    """A visit that waits, and where it would fit without pushing anybody out."""

    visit: Visit
    options: Options
    option: Option

    @property
    def more_s(self) -> int:
        return self.option.cost - self.options.rest.plan.cost


@dataclass(frozen=True, kw_only=True)
class Offers:
    """`freed`: the visits whose places became free since the plan was made."""

    freed: tuple[Visit, ...]
    found: tuple[Offer, ...]


def offers_of(session: Session, plan_id: uuid.UUID, *, most: int, now: dt.datetime) -> Offers:
    """What fits where a visit fell out, cheapest first; nothing where no place became free.

    Raises NotFound, PlanOutdated, PlanNotReady and DayIsOver.
    """
    standing = open_standing(session, plan_id, now)
    freed = _freed(standing)
    if not freed:
        return Offers(freed=(), found=())
    found = [offer for visit in _waiting(session, standing, freed) if (offer := _offer(session, standing, visit, now))]
    return Offers(freed=tuple(freed), found=tuple(sorted(found, key=_rank)[:most]))


def _freed(standing: Standing) -> list[Visit]:
    """The visits that the plan served when it was made, and that nobody is to make any more."""
    served = {stop.task for route in plan_from_document(standing.row.plan or {}).routes for stop in route.stops}
    left = [one.visit for one in standing.row.unserved if str(one.visit_id) in served]
    stops = (stop for route in standing.row.routes for stop in route.stops)
    return left + [stop.visit for stop in stops if stop.visit.state is VisitState.CANCELLED]


def _waiting(session: Session, standing: Standing, freed: Sequence[Visit]) -> list[Visit]:
    """The visits that wait and have a point, the nearest to a freed place first; of those that fell out none."""
    day = standing.row.planned_on
    rows = session.scalars(
        sa.select(Visit)
        .join(Visit.place)
        .where(
            Visit.org_id == standing.row.org_id,
            Visit.state == VisitState.ELIGIBLE,
            Visit.last_on >= day,
            Visit.id.not_in([visit.id for visit in freed]),
            Place.lat.is_not(None),
            _near(freed),
        )
        .options(joinedload(Visit.place))
        .order_by(Visit.id)
    ).all()
    points = [point for visit in freed if (point := _point(visit)) is not None]
    return sorted(rows, key=lambda visit: (_distance(visit, points), visit.id))[:LOOKED_AT]


def _near(freed: Sequence[Visit]) -> sa.ColumnElement[bool]:
    """Within about thirty kilometres north or south of one of them: of a country's visits the database tells few."""
    lats = [visit.place.lat for visit in freed if visit.place is not None and visit.place.lat is not None]
    return sa.or_(sa.false(), *(Place.lat.between(lat - 0.27, lat + 0.27) for lat in lats))


def _offer(session: Session, standing: Standing, visit: Visit, now: dt.datetime) -> Offer | None:
    try:
        joined = joined_by(session, standing, visit.id, now)
    except NotToBePlanned:
        # Not on this day, or not in this area: it waits for another.
        return None
    rest = rest_of(joined, joined.problem.crew_by_id)
    if str(visit.id) not in rest.problem.task_by_id:
        return None
    fitting = [one for one in options_for(rest.problem, rest.plan, str(visit.id)) if not one.displaces]
    if not fitting:
        return None
    options = Options(visit_id=visit.id, rest=rest, found=tuple(fitting))
    return Offer(visit=visit, options=options, option=fitting[0])


def _rank(offer: Offer) -> tuple[int, str]:
    return offer.more_s, offer.visit.reference


def _point(visit: Visit) -> tuple[float, float] | None:
    place = visit.place
    return None if place is None or place.lat is None or place.lon is None else (place.lat, place.lon)


def _distance(visit: Visit, points: Sequence[tuple[float, float]]) -> float:
    here = _point(visit)
    return min((great_circle_m(here, point) for point in points), default=0.0) if here else 0.0
