"""What is told besides the alarm itself: that it is over, and to the visitor that somebody has it, or that a danger at
this door has become known."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

# To everyone who was told, by the quietest of the ways in which they were; tried for an hour.
ALL_CLEAR = sa.text("""
with told as (
    select distinct o.recipient, o.recipient_id, o.channel, coalesce(c.account_id, o.recipient_id) as person
    from safety_outbox o left join officer_contacts c on c.id = o.recipient_id
    where o.purpose = 'alarm' and o.sent_at is not null
      and o.alert_id in (select id from safety_alerts where id = :alert_id or parent_id = :alert_id)
)
insert into safety_outbox (org_id, key, purpose, session_id, alert_id, round, recipient, recipient_id, channel,
                           next_try_at, give_up_at, created_at)
select a.org_id, concat_ws(':', a.id, 'clear', a.version, t.recipient_id, t.channel), 'all_clear', a.session_id, a.id,
       a.round, t.recipient, t.recipient_id, t.channel, now.at, now.at + interval '1 hour', now.at
from safety_alerts a, told t, (select fieldvisit_now() as at) now
where a.id = :alert_id
  and not (a.covert and (t.recipient = 'visitor' or exists (
      select from devices d join safety_sessions s on s.id = a.session_id and s.visitor_id = d.visitor_id
      where t.recipient = 'device' and d.org_id = a.org_id and d.id = t.recipient_id)))
  and (t.channel <> 'voice' or not exists (
      select from told other where other.person = t.person and other.channel <> 'voice'))
on conflict (key) do nothing
""")

TAKEN = sa.text("""
insert into safety_outbox (org_id, key, purpose, session_id, alert_id, round, recipient, recipient_id, channel,
                           urgency, next_try_at, give_up_at, created_at)
select a.org_id, concat_ws(':', a.id, 'taken', a.version, way.recipient_id), 'taken', a.session_id, a.id, a.round,
       way.recipient, way.recipient_id, way.channel, 0, now.at, now.at + interval '10 minutes', now.at
from safety_alerts a join safety_sessions s on s.id = a.session_id, (select fieldvisit_now() as at) now, lateral (
    select 'visitor', v.id, 'sms' from visitors v where v.id = s.visitor_id and v.phone is not null
    union all
    select 'device', d.id, 'push' from devices d where d.visitor_id = s.visitor_id and d.push_digest is not null
) way(recipient, recipient_id, channel)
where a.id = :alert_id and not a.covert
on conflict (key) do nothing
""")


# Rung and written to. Not where somebody may hold the phone who is not to know what is known.
CLOSER = sa.text("""
insert into safety_outbox (org_id, key, purpose, session_id, recipient, recipient_id, channel, urgency, next_try_at,
                           give_up_at, created_at)
select s.org_id, concat_ws(':', s.id, 'closer', s.version, way.recipient_id, way.channel), 'reminder', s.id,
       way.recipient, way.recipient_id, way.channel, 1, now.at, now.at + interval '5 minutes', now.at
from safety_sessions s, (select fieldvisit_now() as at) now, lateral (
    select 'visitor', v.id, ringing.channel from visitors v, (values ('voice'), ('sms')) ringing(channel)
    where v.id = s.visitor_id and v.phone is not null
    union all
    select 'device', d.id, 'push' from devices d where d.visitor_id = s.visitor_id and d.push_digest is not null
) way(recipient, recipient_id, channel)
where s.id = :session_id and not s.duress
on conflict (key) do nothing
""")


def tell_closer(session: Session, session_id: uuid.UUID) -> None:
    """Ring the visitor whose session got shorter timers while they were at the door."""
    session.execute(CLOSER, {"session_id": session_id})


def tell_all_clear(session: Session, alert_id: uuid.UUID) -> None:
    """Put out the all-clear for everyone who was told of this alert."""
    session.execute(ALL_CLEAR, {"alert_id": alert_id})


def tell_taken(session: Session, alert_id: uuid.UUID) -> None:
    """Tell the visitor that somebody has the alarm; never where it is covert."""
    session.execute(TAKEN, {"alert_id": alert_id})
