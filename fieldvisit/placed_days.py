"""The days on which a case is placed with an agency: dates at the door, where it is asked whether somebody may go.

Row-level security opens the rows wherever that day may be; it never decides whether one may still go there.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import Place, Placement, Visit


@dataclass(frozen=True)
class PlacedDays:
    """By case and agency the first and the last day of each placement, both included; None: until called back."""

    days: Mapping[tuple[uuid.UUID, uuid.UUID], Sequence[tuple[dt.date, dt.date | None]]]

    def cover(self, visit: Visit, on: dt.date) -> bool:
        """Whether whoever makes the visit has its case on this local date at the place; an owner has it."""
        if visit.org_id == visit.lender_id:
            return True
        placed = self.days.get((visit.case_id, visit.org_id), ())
        return any(first <= on and (last is None or on <= last) for first, last in placed)


def placed_days(session: Session, visits: Iterable[Visit]) -> PlacedDays:
    """Of the cases of these visits, in one query; in none where all are made by those who own the case."""
    cases = {visit.case_id for visit in visits if visit.org_id != visit.lender_id}
    asked = sa.select(Placement.case_id, Placement.agency_id, Placement.from_on, Placement.until_on)
    found: dict[tuple[uuid.UUID, uuid.UUID], list[tuple[dt.date, dt.date | None]]] = defaultdict(list)
    for case_id, agency_id, first, last in session.execute(asked.where(Placement.case_id.in_(cases))) if cases else ():
        found[case_id, agency_id].append((first, last))
    return PlacedDays(found)


def today_there(now: dt.datetime) -> sa.ColumnElement[dt.date]:
    """The date at the place of a query that joins one; of UTC where it joins none."""
    zone = sa.func.coalesce(Place.zone, "UTC")
    return sa.cast(sa.func.timezone(zone, sa.bindparam(None, now, sa.DateTime(timezone=True))), sa.Date)
