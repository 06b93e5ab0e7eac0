"""How dangerous a visit is: the level of a session, from what is known of its place, person, hour and visit.

A phone may ask for a higher level than follows from that, never for a lower one.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.drafts import acting_organisation
from fieldvisit.models import Marker, Place, SafetyIncident, Visit
from fieldvisit.safety.markers import Id, counts, expired_lately
from fieldvisit.safety.timers import ORDER
from fieldvisit.vocabulary import IncidentKind, RiskLevel

EVENING = (8, 18)
"""Earlier and later than these hours of the place a visit is one in the evening."""
LATELY = dt.timedelta(days=90)
INCIDENTS_WITHIN = dt.timedelta(days=365)
GRAVE = (IncidentKind.THREAT, IncidentKind.VIOLENCE, IncidentKind.WEAPON)


class Reason(StrEnum):
    """Why a session is more dangerous than an ordinary one."""

    ASKED = "asked"
    ASSESSED = "assessed"
    MARKER = "marker"
    MARKER_EXPIRED = "marker_expired"
    INCIDENT = "incident"
    FIRST_VISIT = "first_visit"
    EVENING = "evening"


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What is known of a visit. `assessed`: what the answers before it make it; `marked`: the levels of the markers
    that count; `hour`: of the place's own clock."""

    asked: RiskLevel
    assessed: RiskLevel | None = None
    marked: tuple[RiskLevel, ...] = ()
    marker_expired: bool = False
    incident: bool = False
    first_visit: bool = False
    hour: int = 12


@dataclass(frozen=True)
class Risk:
    """The level that follows, and everything that speaks for it."""

    level: RiskLevel
    reasons: tuple[Reason, ...] = ()


def judge(known: Circumstances) -> Risk:
    """The highest level that anything speaks for. A drill stays one."""
    if known.asked is RiskLevel.DRILL:
        return Risk(known.asked)
    found = list(_reasons(known))
    highest = max((level for _, level in found), key=ORDER.index)
    return Risk(highest, tuple(dict.fromkeys(reason for reason, level in found if level is highest)))


def _reasons(known: Circumstances) -> Iterator[tuple[Reason, RiskLevel]]:
    yield Reason.ASKED, known.asked
    if known.assessed is not None:
        yield Reason.ASSESSED, known.assessed
    yield from ((Reason.MARKER, level) for level in known.marked)
    if known.incident:
        yield Reason.INCIDENT, RiskLevel.HIGH
    if known.marker_expired:
        yield Reason.MARKER_EXPIRED, RiskLevel.RAISED
    if known.first_visit:
        yield Reason.FIRST_VISIT, RiskLevel.RAISED
    if not EVENING[0] <= known.hour < EVENING[1]:
        yield Reason.EVENING, RiskLevel.RAISED


def circumstances_of(
    session: Session, visit: Visit, asked: RiskLevel, assessed: RiskLevel | None = None
) -> Circumstances:
    """Read what is known of a visit now, beside what was asked for and answered."""
    # What was called back is not there any more; who is at that door is watched over all the same.
    place = session.get(Place, visit.place_id)
    zone = place.zone if place else acting_organisation(session).zone
    where = (visit.place_id, visit.debtor_id)
    now_at, expired, incident, been_there = session.execute(
        sa.select(
            database_now(),
            sa.select(Marker.id).where(expired_lately(*where, LATELY)).exists(),
            sa.select(SafetyIncident.id).where(grave(*where)).exists(),
            sa.select(Visit.id)
            .where(Visit.place_id == visit.place_id, Visit.id != visit.id, Visit.arrived_at.is_not(None))
            .exists(),
        )
    ).one()
    return Circumstances(
        asked=asked,
        assessed=assessed,
        marked=tuple(session.scalars(sa.select(Marker.level).where(counts(*where)).order_by(Marker.id))),
        marker_expired=expired,
        incident=incident,
        first_visit=not been_there,
        hour=now_at.astimezone(ZoneInfo(zone)).hour,
    )


def grave(place_id: Id, debtor_id: Id) -> sa.ColumnElement[bool]:
    """Whether an incident lately was a threat or worse, at this place or with this debtor."""
    return sa.and_(
        sa.or_(SafetyIncident.place_id == place_id, SafetyIncident.debtor_id == debtor_id),
        SafetyIncident.kind.in_(GRAVE),
        SafetyIncident.happened_at > database_now() - INCIDENTS_WITHIN,
    )
