"""Who goes to a door without a session: nobody would notice if they did not come back.

Shown to the officers at every look. Where the organisation says after how long, the engine raises it: by a session of
its own making, which is in alarm from its first moment.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.opening import Beginning, alarm_planned, find_planned, insert_session
from fieldvisit.safety.raising import Cause, open_alert
from fieldvisit.safety.timers import BY_LEVEL
from fieldvisit.vocabulary import AlertKind, AlertState, RiskLevel, VisitState

SINCE_MOST = dt.timedelta(hours=24)
"""A visit that was never reported does not keep its visitor here for ever."""

# By the published plan: who rides to a visit that has begun, or should have, and is watched over by no session; nor was
# by one of this visit that has ended since. One that ended before says nothing of this way, or of this day. Of several
# visits of one visitor the one that says most: at the door, then on the way, then expected.
SINCE = """case v.state when 'arrived' then v.arrived_at when 'under_way' then v.under_way_at else st.arrive_at end"""
GOING = f"""
select distinct on (m.visitor_id) m.visitor_id, v.id as visit_id, v.org_id, v.state,
       {SINCE} as since_at
from visits v join stops st on st.visit_id = v.id join routes r on r.id = st.route_id and r.plan_id = v.plan_id
join crew_members m on m.route_id = r.id, (select fieldvisit_now() as at) now
where v.state in ('arrived', 'under_way', 'published')
  and {SINCE} between now.at - :most and now.at
  and not exists (
    select from safety_sessions s where s.visitor_id = m.visitor_id and s.drill is null
    and (s.state in ('active', 'alarm') or s.visit_id = v.id and s.state = 'ended' and s.ended_at >= {SINCE}))
"""  # noqa: S608  # constants of this file
ORDER = "order by m.visitor_id, array_position(array['arrived', 'under_way', 'published'], v.state::text), since_at"
SHOWN = sa.text(f"""
select going.visitor_id, going.visit_id, going.state, going.since_at from ({GOING} and v.org_id = :org_id {ORDER}) going
order by array_position(array['arrived', 'under_way', 'published'], going.state::text), going.since_at, going.visitor_id
""").bindparams(most=SINCE_MOST)  # noqa: S608  # constants of this file
RAISED = sa.text(f"""
with said as (
    select distinct on (org_id) org_id, unwatched_s from safety_rules order by org_id, set_at desc, id desc
), due as (
    {GOING} and v.state <> 'published' and v.org_id in (select org_id from said where unwatched_s is not null) {ORDER}
)
select due.visitor_id, due.visit_id, due.state, due.since_at,
       due.since_at + said.unwatched_s * interval '1 second' as raised_at
from due join said on said.org_id = due.org_id
where due.since_at + said.unwatched_s * interval '1 second' <= (select fieldvisit_now())
  and not due.visitor_id = any(:but)
order by due.since_at, due.visitor_id limit :limit
""").bindparams(most=SINCE_MOST)  # noqa: S608  # constants of this file


@dataclass(frozen=True)
class Unwatched:
    """`since_at`: of the arrival, the setting out, or (`state` published) when the plan expected them at the door."""

    visitor_id: uuid.UUID
    visit_id: uuid.UUID
    state: VisitState
    since_at: dt.datetime
    raised_at: dt.datetime | None = None
    """When an alarm is due."""

    @property
    def id(self) -> uuid.UUID:
        return self.visitor_id


def unwatched(session: Session, org_id: uuid.UUID) -> list[Unwatched]:
    """The organisation's, who is at a door first."""
    rows = session.execute(SHOWN, {"org_id": org_id})
    return [Unwatched(row.visitor_id, row.visit_id, VisitState(row.state), row.since_at) for row in rows]


def claim_unwatched(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[Unwatched]:
    """Those about whom an alarm is due. They hold no row that could be locked: which engine raises it is decided when
    the session is made, of which a visitor has one."""
    rows = session.execute(RAISED, {"limit": limit, "but": [*but]})
    return [Unwatched(r.visitor_id, r.visit_id, VisitState(r.state), r.since_at, r.raised_at) for r in rows]


def raise_unwatched(session: Session, found: Sequence[Unwatched]) -> set[uuid.UUID]:
    """Open a session in alarm for each; the visitors. Whoever started one meanwhile is left out."""
    return {each.visitor_id for each in found if _raise(session, each)}


def _raise(session: Session, found: Unwatched) -> bool:
    assert found.raised_at is not None
    row = _session_of(session, found)
    if row is None:
        return False
    row.last_heard_at = None
    session.flush()
    at: dt.datetime = session.scalars(sa.select(database_now())).one()
    detail = {"visit_state": found.state.value, "since_at": found.since_at.isoformat()}
    cause = Cause(kind=AlertKind.UNWATCHED, deadline_at=found.raised_at, detail=detail)
    return open_alert(session, row, cause, at=at) is not None


def _session_of(session: Session, found: Unwatched) -> SafetySession | None:
    """The one that was planned for it and never started; else one of the engine's making."""
    planned = find_planned(session, found.visitor_id, found.visit_id)
    if planned is not None:
        return alarm_planned(session, planned.id)
    session_id = session_id_of(found.visitor_id, found.visit_id, found.since_at)
    called = Sos(visitor_id=found.visitor_id, actor_id=None, event_id=session_id, visit_id=found.visit_id)
    beginning = Beginning(BY_LEVEL[RiskLevel.NORMAL], because=["unwatched"])
    return insert_session(session, called, beginning, session_id=session_id)


def session_id_of(visitor_id: uuid.UUID, visit_id: uuid.UUID, since_at: dt.datetime) -> uuid.UUID:
    """Of the session that the engine makes: one for a visitor, a visit and a setting out or an arrival, however often
    it is asked for."""
    return uuid.uuid5(visit_id, f"{visitor_id.hex} {since_at.astimezone(dt.UTC).isoformat()}")


def is_about_no_session(session: Session, row: SafetySession) -> bool:
    """Whether this session is in alarm only because its visitor had none."""
    alert = sa.select(SafetyAlert.id).where(
        SafetyAlert.session_id == row.id,
        SafetyAlert.kind == AlertKind.UNWATCHED,
        SafetyAlert.state != AlertState.RESOLVED,
    )
    return bool(session.scalar(sa.select(alert.exists())))
