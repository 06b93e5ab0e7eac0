"""The wall: everybody who is out now as a tile, the most urgent first, and whether somebody answers for them.

Read in a few questions of plain columns, whatever the number of tiles: it is asked once a second for as long as anybody
looks.
"""

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import Device, SafetyAlert, SafetySession, Visitor
from fieldvisit.safety.batteries import NOTED
from fieldvisit.safety.drill_records import owed_now
from fieldvisit.safety.named_visits import other_visit_ids
from fieldvisit.safety.outages import OpenOutage, open_outages
from fieldvisit.safety.roster import cover_now
from fieldvisit.safety.standing import LISTED, SafetyDisplay
from fieldvisit.safety.timers import danger
from fieldvisit.safety.unwatched import unwatched
from fieldvisit.vocabulary import AlertKind, AlertState, DrillKind, RiskLevel, SafetyState, SessionCover, VisitState

STATED = (
    "id",
    "visitor_id",
    "visit_id",
    "level",
    "state",
    "version",
    "started_at",
    "planned_at",
    "planned_s",
    "remind_at",
    "due_at",
    "grace_until",
    "end_at",
    "arrive_by",
    "leave_by",
    "cover",
    "lost_contact",
    "unverified",
    "duress",
    "buddy_id",
    "drill",
    "last_heard_at",
    "last_lat",
    "last_lon",
    "last_located_at",
    "last_accuracy_m",
)


@dataclass(frozen=True)
class Person:
    """Whom to call."""

    id: uuid.UUID
    name: str
    staff_number: str
    phone: str | None


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One session as the wall shows it; `alert_*` is of the alert that climbs, empty where none is open. Time to the
    deadline and the age of the position (`last_located_at`) are counted by whoever shows them, from `server_at`."""

    id: uuid.UUID
    visitor_id: uuid.UUID
    visit_id: uuid.UUID | None
    level: RiskLevel
    state: SafetyState
    version: int
    started_at: dt.datetime
    planned_at: dt.datetime | None
    planned_s: int | None
    remind_at: dt.datetime | None
    due_at: dt.datetime | None
    grace_until: dt.datetime | None
    end_at: dt.datetime | None
    arrive_by: dt.datetime | None
    leave_by: dt.datetime | None
    cover: SessionCover
    lost_contact: bool
    unverified: bool
    duress: bool
    buddy_id: uuid.UUID | None
    drill: DrillKind | None
    last_heard_at: dt.datetime | None
    last_lat: float | None
    last_lon: float | None
    last_located_at: dt.datetime | None
    last_accuracy_m: int | None
    battery_percent: int | None
    battery_noted: int | None
    alert_id: uuid.UUID | None
    alert_kind: AlertKind | None
    alert_state: AlertState | None
    alert_owner_id: uuid.UUID | None
    alert_version: int | None
    other_visit_id: uuid.UUID | None
    """Another visit that a call for help named: the visitor may be at either."""
    shown: SafetyDisplay
    person: Person

    @property
    def deadline_at(self) -> dt.datetime | None:
        """When an alarm is raised unless something is heard; none where one is up."""
        if self.state is not SafetyState.ACTIVE:
            return None
        deadlines = (self.grace_until, self.end_at, self.arrive_by, self.leave_by)
        return min(moment for moment in deadlines if moment is not None)


@dataclass(frozen=True)
class Wall:
    """`cover`: how many officers an alarm would reach now, whoever it is about."""

    server_at: dt.datetime
    cover: int
    tiles: tuple[Tile, ...]
    unwatched: tuple["Going", ...] = ()
    outages: tuple[OpenOutage, ...] = ()
    """Of our own watch, as long as an alert of one is open."""
    drills_owed: tuple[DrillKind, ...] = ()
    """Of which kinds a drill has to be held before the month is over."""


@dataclass(frozen=True)
class Going:
    """Somebody on the way to a door, or at it, without a session."""

    visitor_id: uuid.UUID
    visit_id: uuid.UUID
    state: VisitState
    since_at: dt.datetime
    person: Person


def read_wall(session: Session, people: dict[uuid.UUID, Person] | None = None) -> Wall:
    """The acting organisation's wall: alarms first, then by risk, then by the deadline that comes first, then
    drills, and last what is only planned.

    `people` is what the caller remembers of visitors from one look to the next; it is filled up here.
    """
    people = {} if people is None else people
    rows = session.execute(_tiles()).mappings().all()
    others = other_visit_ids(session, [row["alert_id"] for row in rows if row["alert_id"] is not None])
    now_at: dt.datetime = session.scalars(sa.select(database_now())).one()
    org_id = session.info["org"]
    going = unwatched(session, org_id)
    meet(session, people, [*(row["visitor_id"] for row in rows), *(each.visitor_id for each in going)])
    tiles = [
        Tile(
            **row,
            other_visit_id=others.get(row["alert_id"]),
            shown=_shown(row, now_at),
            person=people[row["visitor_id"]],
        )
        for row in rows
        if row["visitor_id"] in people
    ]
    alone = tuple(
        Going(each.visitor_id, each.visit_id, each.state, each.since_at, people[each.visitor_id])
        for each in going
        if each.visitor_id in people
    )
    return Wall(
        now_at,
        cover_now(session, org_id),
        tuple(sorted(tiles, key=_urgency)),
        alone,
        tuple(open_outages(session, org_id)),
        tuple(owed_now(session, org_id)),
    )


def _tiles() -> sa.Select[tuple[object, ...]]:
    battery = (
        sa.select(Device.visitor_id, Device.battery_percent)
        .ext(distinct_on(Device.visitor_id))
        .where(Device.visitor_id.is_not(None), Device.revoked_at.is_(None))
        .order_by(Device.visitor_id, Device.last_seen_at.desc())
        .subquery()
    )
    return (
        sa.select(
            *(getattr(SafetySession, name) for name in STATED),
            battery.c.battery_percent,
            SafetySession.nudged[NOTED].astext.cast(sa.Integer).label("battery_noted"),
            SafetyAlert.id.label("alert_id"),
            SafetyAlert.kind.label("alert_kind"),
            SafetyAlert.state.label("alert_state"),
            SafetyAlert.owner_id.label("alert_owner_id"),
            SafetyAlert.version.label("alert_version"),
        )
        .outerjoin(battery, battery.c.visitor_id == SafetySession.visitor_id)
        .outerjoin(
            SafetyAlert,
            sa.and_(
                SafetyAlert.session_id == SafetySession.id,
                SafetyAlert.state != AlertState.RESOLVED,
                SafetyAlert.parent_id.is_(None),
            ),
        )
        .where(SafetySession.state.in_(LISTED))
    )


def meet(session: Session, people: dict[uuid.UUID, Person], visitor_ids: Sequence[uuid.UUID]) -> None:
    """Fill up who these visitors are."""
    unknown = set(visitor_ids) - set(people)
    if unknown:
        columns = (Visitor.id, Visitor.name, Visitor.staff_number, Visitor.phone)
        found = session.execute(sa.select(*columns).where(Visitor.id.in_(unknown)))
        people.update({row.id: Person(*row) for row in found})


def _shown(row: sa.RowMapping, now_at: dt.datetime) -> SafetyDisplay:
    """As `fieldvisit.safety.standing.Standing` shows it."""
    if row["state"] is not SafetyState.ACTIVE:
        return SafetyDisplay(str(row["state"]))
    due = [moment for moment in (row["due_at"], row["end_at"]) if isinstance(moment, dt.datetime)]
    remind_at = row["remind_at"]
    if now_at >= min(due):
        return SafetyDisplay.OVERDUE
    reminding = isinstance(remind_at, dt.datetime) and now_at >= remind_at
    return SafetyDisplay.REMINDING if reminding else SafetyDisplay.OK


def _urgency(tile: Tile) -> tuple[bool, bool, bool, int, float, str]:
    soonest = tile.deadline_at.timestamp() if tile.deadline_at else 0.0
    planned, drill = tile.state is SafetyState.PLANNED, tile.drill is not None
    return planned, drill, tile.state is not SafetyState.ALARM, -danger(tile.level), soonest, str(tile.id)
