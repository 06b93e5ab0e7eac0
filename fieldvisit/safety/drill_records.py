"""Which drills were held, how they went, and which the organisation's own rules demand that were not."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import Organisation, SafetyRules
from fieldvisit.safety.rules import drills_of
from fieldvisit.vocabulary import DrillKind

IN_TIME_S = 60
REMEMBERED = dt.timedelta(days=400)
"""Longer than the longest time that may lie between two drills of a kind: so long each is kept."""

# Who took it first, and the first word of any provider that a message of it was handed over.
DRILLS = sa.text("""
select s.id, a.id as alert_id, s.drill as kind, s.visitor_id, s.started_at as begun_at, begun.actor_id as begun_by_id,
       extract(epoch from a.first_acknowledged_at - a.opened_at)::float8 as taken_s, taken.actor_id as taken_by_id,
       extract(epoch from a.resolved_at - a.opened_at)::float8 as closed_s, a.resolved_at as closed_at,
       a.step, a.round, told.messages, told.sent, told.arrived, told.first_sent_s
from safety_sessions s join safety_alerts a on a.session_id = s.id
left join lateral (select e.actor_id from safety_events e where e.session_id = s.id and e.org_id = s.org_id
    and e.at >= s.started_at and e.kind = 'drill_begun' order by e.sequence limit 1) begun on true
left join lateral (select e.actor_id from safety_events e where e.session_id = s.id and e.org_id = s.org_id
    and e.at >= s.started_at and e.kind = 'acknowledged' order by e.sequence limit 1) taken on true
cross join lateral (
    select count(*) as messages, count(m.sent_at) as sent, count(m.delivered_at) + count(m.answered_at)
               filter (where m.delivered_at is null) as arrived,
           extract(epoch from min(m.sent_at) - a.opened_at)::float8 as first_sent_s
    from safety_outbox m where m.alert_id = a.id and m.purpose = 'alarm') told
where s.org_id = :org_id and s.drill is not null and s.started_at >= :since and s.started_at < :until
order by s.started_at, s.id
""")
HELD = sa.text("""
select s.drill as kind, s.started_at from safety_sessions s
where s.org_id = :org_id and s.drill is not null and s.started_at >= :since
  and exists (select from safety_alerts a where a.session_id = s.id and a.outcome = 'drill')
""")


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One drill. `taken_s`: until somebody took its alert; `closed_s`: until it was closed; both None where that has
    not come. `step` and `round`: how far it climbed. Of its `messages` so many were `sent`, and of so many it was told
    that they `arrived`."""

    id: uuid.UUID
    alert_id: uuid.UUID
    kind: DrillKind
    visitor_id: uuid.UUID
    begun_at: dt.datetime
    begun_by_id: uuid.UUID | None
    taken_s: float | None
    taken_by_id: uuid.UUID | None
    closed_s: float | None
    closed_at: dt.datetime | None
    step: int
    round: int
    messages: int
    sent: int
    arrived: int
    first_sent_s: float | None

    @property
    def taken_by_its_beginner(self) -> bool:
        """Who knew of it took it: that says nothing of how soon others would."""
        return self.taken_by_id is not None and self.taken_by_id == self.begun_by_id

    @property
    def taken_in_time(self) -> bool:
        return self.taken_s is not None and self.taken_s <= IN_TIME_S and not self.taken_by_its_beginner


@dataclass(frozen=True, kw_only=True)
class MonthOfDrills:
    """Of one kind in one month of the organisation's own calendar. `every_months`: what its rules demanded at the end
    of it (now, of this month), None where nothing. `owed`: that was not met, or is still to be held this month."""

    month: str
    kind: DrillKind
    every_months: int | None
    begun: int
    held: int
    taken_within_60_s: int
    slowest_taken_s: float | None
    owed: bool


@dataclass(frozen=True)
class DrillRecord:
    months: Sequence[MonthOfDrills]
    drills: Sequence[Drill]


def drill_record(session: Session, *, since: dt.date, until: dt.date) -> DrillRecord:
    """The acting organisation's drills that began in ``[since, until)``, days of its own calendar, and the months that
    this touches up to the present one."""
    if until < since:
        raise InvalidValue(path="until", reason=Message("must not be earlier than the first day"))
    org_id = session.info["org"]
    calendar = _calendar(session, org_id)
    first, last = _number(since), min(_number(max(since, until - dt.timedelta(days=1))), calendar.present)
    rows = session.execute(
        DRILLS, {"org_id": org_id, "since": calendar.midnight(since), "until": calendar.midnight(until)}
    ).mappings()
    drills = [Drill(**{**row, "kind": DrillKind(row["kind"])}) for row in rows]
    found = [
        month
        for number in range(first, last + 1)
        for kind in DrillKind
        if (month := _month(calendar, number, kind, drills)) is not None
    ]
    return DrillRecord(found, drills)


def owed_now(session: Session, org_id: uuid.UUID) -> list[DrillKind]:
    """Of which kinds a drill has to be held before this month of the organisation's is over."""
    calendar = _calendar(session, org_id)
    return [kind for kind in DrillKind if calendar.is_owed(kind, calendar.present)]


@dataclass(frozen=True)
class _Calendar:
    """Months as whole numbers, each one more than the one before. `demands`: since which month what was demanded, the
    oldest first; `held`: kind → the months in which a drill of it was held."""

    zone: ZoneInfo
    present: int
    demands: Sequence[tuple[int, Mapping[DrillKind, int]]]
    held: Mapping[DrillKind, frozenset[int]]

    def midnight(self, day: dt.date) -> dt.datetime:
        return dt.datetime.combine(day, dt.time(), self.zone)

    def number(self, moment: dt.datetime) -> int:
        return _number(moment.astimezone(self.zone).date())

    def every_months(self, kind: DrillKind, number: int) -> int | None:
        said = [demand for since, demand in self.demands if since <= number]
        return said[-1].get(kind) if said else None

    def is_owed(self, kind: DrillKind, number: int) -> bool:
        """None was held in as many months as may lie between two, and it was demanded in each of them."""
        every = self.every_months(kind, number)
        if every is None:
            return False
        window = range(number - every + 1, number + 1)
        demanded = all(self.every_months(kind, each) is not None for each in window)
        return demanded and self.held.get(kind, frozenset()).isdisjoint(window)


def _calendar(session: Session, org_id: uuid.UUID) -> _Calendar:
    zone_name, now = session.execute(
        sa.select(Organisation.zone, database_now()).where(Organisation.id == org_id)
    ).one()
    zone = ZoneInfo(zone_name)
    settings = session.scalars(
        sa.select(SafetyRules).where(SafetyRules.org_id == org_id).order_by(SafetyRules.set_at, SafetyRules.id)
    ).all()
    demands = [
        (_number(row.set_at.astimezone(zone).date()), {each.kind: each.every_months for each in drills_of(row)})
        for row in settings
    ]
    if not any(demand for _, demand in demands):
        return _Calendar(zone, _number(now.astimezone(zone).date()), (), {})
    rows = session.execute(HELD, {"org_id": org_id, "since": settings[0].set_at - REMEMBERED})
    held: dict[DrillKind, set[int]] = {}
    for kind, started_at in rows:
        held.setdefault(DrillKind(kind), set()).add(_number(started_at.astimezone(zone).date()))
    return _Calendar(
        zone, _number(now.astimezone(zone).date()), demands, {kind: frozenset(each) for kind, each in held.items()}
    )


def _month(calendar: _Calendar, number: int, kind: DrillKind, drills: Sequence[Drill]) -> MonthOfDrills | None:
    """None where there was nothing to be held, and nothing was."""
    mine = [each for each in drills if each.kind is kind and calendar.number(each.begun_at) == number]
    every = calendar.every_months(kind, number)
    if every is None and not mine:
        return None
    taken = [each.taken_s for each in mine if each.taken_s is not None]
    return MonthOfDrills(
        month=f"{(number - 1) // 12:04d}-{(number - 1) % 12 + 1:02d}",
        kind=kind,
        every_months=every,
        begun=len(mine),
        held=sum(each.closed_at is not None for each in mine),
        taken_within_60_s=sum(each.taken_in_time for each in mine),
        slowest_taken_s=max(taken, default=None),
        owed=calendar.is_owed(kind, number),
    )


def _number(day: dt.date) -> int:
    return day.year * 12 + day.month
