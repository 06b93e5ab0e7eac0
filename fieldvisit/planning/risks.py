"""How dangerous visits are taken for when a day is planned, in points: what shares of risk are counted in."""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fieldvisit.models import Marker, SafetyIncident, Visit
from fieldvisit.safety.markers import counts
from fieldvisit.safety.risk import grave
from fieldvisit.vocabulary import RiskLevel

POINTS = {RiskLevel.NORMAL: 0, RiskLevel.RAISED: 1, RiskLevel.HIGH: 3}
"""By what the level of the session at the door would be, but for the hour, which no plan knows yet."""

TOGETHER = 2
"""So many go in where the danger is high: nobody starts a session there alone."""


def people_for(points: int) -> int:
    """How many people go to a visit of so many points at least."""
    return TOGETHER if points >= POINTS[RiskLevel.HIGH] else 1


def risk_points(session: Session, visits: Sequence[Visit]) -> dict[uuid.UUID, int]:
    """Visit → its points: what is marked or happened at its place or with its debtor, and places nobody has been to."""
    ids = [visit.id for visit in visits]
    where = (Visit.place_id, Visit.debtor_id)
    marked = session.execute(sa.select(Visit.id, Marker.level).join(Marker, counts(*where)).where(Visit.id.in_(ids)))
    levels: dict[uuid.UUID, list[RiskLevel]] = {}
    for visit_id, level in marked:
        levels.setdefault(visit_id, []).append(level)
    happened = set(
        session.scalars(sa.select(Visit.id).join(SafetyIncident, grave(*where)).where(Visit.id.in_(ids)).distinct())
    )
    before = aliased(Visit)
    been_there = set(
        session.scalars(
            sa.select(Visit.id).where(
                Visit.id.in_(ids),
                sa.exists().where(
                    before.place_id == Visit.place_id, before.id != Visit.id, before.arrived_at.is_not(None)
                ),
            )
        )
    )
    for visit_id in ids:
        spoken = levels.setdefault(visit_id, [RiskLevel.NORMAL])
        spoken += [RiskLevel.HIGH] if visit_id in happened else []
        spoken += [RiskLevel.RAISED] if visit_id not in been_there else []
    return {visit_id: max(POINTS.get(level, 0) for level in levels[visit_id]) for visit_id in ids}
