"""Saying to those who answer alarms that a drill is due, from the middle of the month on, once a week, by day."""

import datetime as dt
import uuid
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import Organisation
from fieldvisit.safety.drill_records import owed_now
from fieldvisit.safety.rules import rules_of_all
from fieldvisit.vocabulary import MessagePurpose

FROM_DAY = 15
OFFICE_HOURS = range(9, 16)

# By one way to each of them, never by a call.
OFFICE = sa.text("""
insert into safety_outbox (org_id, key, purpose, recipient, recipient_id, channel, urgency, next_try_at, give_up_at,
                           created_at)
select distinct on (c.id) c.org_id, concat_ws(':', cast(:cause as text), o.id), :purpose, 'officer', o.id, o.channel, 0,
       now.at, coalesce(:until, now.at + interval '1 day'), now.at
from accounts c join officer_contacts o on o.account_id = c.id and o.active, (select fieldvisit_now() as at) now
where c.org_id = :org_id and c.active and c.roles && array['safety_officer', 'supervisor'] and o.channel <> 'voice'
  and not exists (select from visitors v where v.id = c.visitor_id and not v.active)
order by c.id, array_position(:ways, o.channel::text), o.id
on conflict (key) do nothing
returning id
""").bindparams(sa.bindparam("ways", type_=sa.ARRAY(sa.Text)), sa.bindparam("until", type_=sa.DateTime(timezone=True)))
QUIETEST, SOONEST = ("mail", "push", "sms"), ("sms", "push", "mail")


def remind_of_drills(session: Session) -> int:
    """Put out what is due of all organisations; how many messages. The session sees the rows of all. Asked again it
    puts out nothing twice."""
    put_out = 0
    for org_id, rules in rules_of_all(session).items():
        if not rules.drills:
            continue
        here = _local_now(session, org_id)
        if here.day < FROM_DAY or here.hour not in OFFICE_HOURS or not owed_now(session, org_id):
            continue
        year, week, _ = here.isocalendar()
        cause = f"drill:{here:%Y-%m}:{year}-{week}"
        put_out += tell_office(session, org_id, cause, MessagePurpose.DRILL_OWED)
    return put_out


def tell_office(
    session: Session, org_id: uuid.UUID, cause: str, purpose: MessagePurpose, *, until: dt.datetime | None = None
) -> int:
    """One message to everybody who answers alarms there, for one cause once; how many were put out. `until`: it is of
    no use later, and is sent by the way that is read soonest; without one it keeps for a day."""
    given = {"org_id": org_id, "cause": f"{org_id}:{cause}", "purpose": purpose.value, "until": until}
    told = session.execute(OFFICE, given | {"ways": list(SOONEST if until else QUIETEST)})
    return len(told.all())


def _local_now(session: Session, org_id: uuid.UUID) -> dt.datetime:
    zone, now = session.execute(sa.select(Organisation.zone, database_now()).where(Organisation.id == org_id)).one()
    moment: dt.datetime = now
    return moment.astimezone(ZoneInfo(zone))
