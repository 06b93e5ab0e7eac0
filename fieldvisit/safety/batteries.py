"""A phone that runs out of power falls silent, and nobody knows why: that its battery fell to 20 and to 10 percent is
written into the session's record, each once, and stands on the wall.

Looked for by the engine after its alarms, from what phones tell with everything they send; nobody who checks in waits
for it. Which mark was noted stands on the session beside the reminders.
"""

import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fieldvisit.models import SafetySession
from fieldvisit.safety.events import Entry, SafetyEventKind, append_all
from fieldvisit.vocabulary import SafetyState

NOTED = "battery"
# What the visitor's newest phone told in this session. A lower mark than the one that was noted last, if any: a battery
# that was charged and falls again is noted no more.
LOW = """
devices d, lateral (select case when d.battery_percent <= 10 then 10 else 20 end as percent) mark
where d.visitor_id = s.visitor_id and d.battery_percent <= 20 and d.revoked_at is null
  and d.last_seen_at >= s.started_at and mark.percent < coalesce((s.nudged ->> 'battery')::int, 100)
  and not exists (select from devices n where n.visitor_id = d.visitor_id and n.revoked_at is null
                  and n.last_seen_at > d.last_seen_at)
"""
ROW = aliased(SafetySession, name="s")
NOTE = sa.text(f"""
with low as materialized (
    select distinct on (s.id) s.id, d.battery_percent, mark.percent as mark from safety_sessions s, {LOW}
      and s.id = any(:ids) order by s.id, d.id
)
update safety_sessions s
set nudged = s.nudged || jsonb_build_object('battery', low.mark::text), version = s.version + 1
from low, (select fieldvisit_now() as now) moment where s.id = low.id
returning s.id, low.battery_percent, moment.now
""")  # noqa: S608  # a constant of this file


def claim_low(session: Session, limit: int) -> Sequence[SafetySession]:
    """Lock running sessions of which a falling battery is to be noted; those that somebody holds are left."""
    return session.scalars(
        sa.select(ROW)
        .where(
            ROW.state.in_((SafetyState.ACTIVE, SafetyState.ALARM)),
            ROW.drill.is_(None),
            sa.text(f"exists (select from {LOW})"),  # a constant of this file
        )
        .order_by(ROW.id)
        .limit(limit)
        .with_for_update(of=ROW, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def note_low(session: Session, rows: Sequence[SafetySession]) -> set[uuid.UUID]:
    """Write down how full the phones of these sessions are; of which something was written."""
    session.flush()
    told = session.execute(NOTE, {"ids": [row.id for row in rows]}).all()
    by_id = {row.id: row for row in rows}
    entries = [
        Entry(kind=SafetyEventKind.BATTERY_LOW, at=each.now, detail={"percent": each.battery_percent}) for each in told
    ]
    append_all(session, [(by_id[each.id], entry) for each, entry in zip(told, entries, strict=True)])
    return {each.id for each in told}
