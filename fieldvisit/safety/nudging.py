"""Reminding visitors before a deadline passes, on their own phones: a check-in that is due soon or due now, the planned
end, the arrival that is waited for, and a session to be ended.

Level-triggered like the alarms, and always after them. Which deadlines a visitor was reminded of stands on the session
beside the deadlines themselves, so that one that moves is reminded of anew, and none of them twice.
"""

import datetime as dt
import uuid
from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from fieldvisit.models import Device, SafetySession, Visitor
from fieldvisit.safety.events import Entry, SafetyEventKind, append_all
from fieldvisit.safety.rows import packed
from fieldvisit.safety.timers import BY_LEVEL, USUAL
from fieldvisit.vocabulary import MessagePurpose, RiskLevel, SafetyState

type Deadline = InstrumentedAttribute[dt.datetime | None]
ABOUT: dict[MessagePurpose, Deadline] = {
    MessagePurpose.CHECK_IN_SOON: SafetySession.due_at,
    MessagePurpose.OVERDUE: SafetySession.grace_until,
    MessagePurpose.END_SOON: SafetySession.end_at,
    MessagePurpose.ARRIVAL_SOON: SafetySession.arrive_by,
    MessagePurpose.LEAVING_SOON: SafetySession.leave_by,
}
"""Of what each kind of message reminds. It is worth sending as long as that deadline stands and is ahead."""

# As `Timers.from_json` reads it: one row that says something else ends the reminders of no other.
AHEAD_S = f"""
case when jsonb_typeof(s.policy -> 'remind_s') = 'number' and s.policy ->> 'remind_s' ~ '^[0-9]{{1,6}}$'
     then (s.policy ->> 'remind_s')::int
     else case s.level {" ".join(f"when '{level}' then {timers.remind_s}" for level, timers in USUAL.items())}
          else {BY_LEVEL[RiskLevel.HIGH].remind_s} end end
"""
# From when on, and of which deadline. Whoever has no grace has no time to be overdue in: the alarm itself rings them.
# Under duress nothing is sent to the phone, whatever it shows.
WAITING = f"""
lateral (select ({AHEAD_S}) * interval '1 second' as by) ahead,
lateral (values
    ('check_in_soon', s.remind_at, s.due_at), ('overdue', s.due_at, s.grace_until),
    ('end_soon', s.end_at - ahead.by, s.end_at), ('arrival_soon', s.arrive_by - ahead.by, s.arrive_by),
    ('leaving_soon', s.leave_by - ahead.by, s.leave_by)) nudge(purpose, from_at, about_at)
where s.state = 'active' and not s.duress and nudge.from_at <= moment.now and moment.now < nudge.about_at
  and s.nudged ->> nudge.purpose is distinct from extract(epoch from nudge.about_at)::text
"""  # noqa: S608  # a constant of this file
ROW = aliased(SafetySession, name="s")
# The clock is read once for all of them.
UNREMINDED = sa.text(f"exists (select from (select (select fieldvisit_now()) as now) moment, {WAITING})")
CALLABLE = sa.or_(
    sa.select(Visitor.id).where(Visitor.id == ROW.visitor_id, Visitor.phone.is_not(None)).exists(),
    sa.select(Device.id).where(Device.visitor_id == ROW.visitor_id, Device.push_digest.is_not(None)).exists(),
)

PUT_OUT = sa.text(f"""
with moment as materialized (select fieldvisit_now() as now),
due as materialized (
    select s.id, s.org_id, s.visitor_id, s.buddy_id, nudge.purpose, nudge.about_at
    from moment, jsonb_to_recordset(cast(:given as jsonb)) as given(id uuid, generation int)
    join safety_sessions s on s.id = given.id and s.generation = given.generation, {WAITING}
), marked as (
    update safety_sessions s set nudged = s.nudged || told.marks
    from (select id, jsonb_object_agg(purpose, extract(epoch from about_at)::text) as marks from due group by id) told
    where s.id = told.id
), put_out as (
    insert into safety_outbox (org_id, key, purpose, session_id, recipient, recipient_id, channel, urgency, next_try_at,
                               give_up_at, created_at)
    select due.org_id,
           concat_ws(':', due.id, due.purpose, extract(epoch from due.about_at), way.recipient_id, way.channel),
           due.purpose, due.id, way.recipient, way.recipient_id, way.channel, 0, moment.now, due.about_at, moment.now
    from moment, due, lateral (
        select 'visitor', v.id, called.channel from visitors v, (values ('sms'), ('voice')) called(channel)
        where v.id = due.visitor_id and v.phone is not null and (called.channel = 'sms' or due.purpose = 'overdue')
        union all
        select 'buddy', v.id, 'sms' from visitors v
        where v.id = due.buddy_id and v.phone is not null and due.purpose = 'overdue'
        union all
        select 'device', d.id, 'push' from devices d where d.visitor_id = due.visitor_id and d.push_digest is not null
    ) way(recipient, recipient_id, channel)
    on conflict (key) do nothing
)
select due.id, due.purpose, due.about_at, moment.now from due, moment order by due.id, due.about_at, due.purpose
""")  # noqa: S608  # a constant of this file


def claim_unreminded(session: Session, limit: int) -> Sequence[SafetySession]:
    """Lock sessions whose visitors are to be reminded of something and can be; those that somebody holds are left."""
    return session.scalars(
        sa.select(ROW)
        .where(ROW.state == SafetyState.ACTIVE, UNREMINDED, CALLABLE)
        .order_by(ROW.grace_until, ROW.id)
        .limit(limit)
        .with_for_update(of=ROW, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def remind(session: Session, rows: Sequence[SafetySession]) -> set[uuid.UUID]:
    """Put out the messages that are due of these sessions, and write down of what their visitors were reminded; those
    are left out to which something had happened since they were read."""
    session.flush()
    given = packed({"id": row.id, "generation": row.generation} for row in rows)
    told = session.execute(PUT_OUT, {"given": given}).all()
    by_id = {row.id: row for row in rows}
    append_all(session, [(by_id[each.id], _reminded(each.purpose, each.about_at, each.now)) for each in told])
    return {each.id for each in told}


def _reminded(purpose: str, about_at: dt.datetime, at: dt.datetime) -> Entry:
    detail = {"purpose": purpose, "deadline_at": about_at.isoformat()}
    return Entry(kind=SafetyEventKind.REMINDED, at=at, detail=detail)
