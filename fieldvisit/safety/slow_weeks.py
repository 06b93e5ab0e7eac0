"""A week in which too few alarms were taken in time is told to the safety manager, once, with its figures."""

import datetime as dt
import uuid
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.models import Organisation

LEAST_SHARE = 0.985
"""Of the alarms that somebody had to take, taken within a minute."""
OFFICE_HOURS = range(9, 16)
WEEK = dt.timedelta(days=7)

# Counted as the statistics count (`fieldvisit.safety.statistics`); no drill, and nothing that the visitor took back.
COUNTED = sa.text("""
select count(*) as asked,
       count(*) filter (
           where a.first_acknowledged_at - coalesce(a.raised_at, a.opened_at) <= interval '60 seconds') as in_time
from safety_alerts a join safety_sessions s on s.id = a.session_id
where a.org_id = :org_id and a.opened_at >= :since and a.opened_at < :until
  and s.drill is null and s.level <> 'drill'
  and a.parent_id is null and a.state <> 'pre' and a.outcome is distinct from 'cancelled_by_visitor'
""")
# Whoever the roster has named safety manager since that week began; where nobody is who can be written to, everybody
# who answers alarms. One message to each of them, never a call.
TELL = sa.text("""
with moment as materialized (select fieldvisit_now() as now),
able as materialized (
    select c.id, exists (
        select from duty_shifts d
        join officer_contacts o on o.account_id = d.account_id and o.active and o.channel <> 'voice'
        where d.account_id = c.id and d.rank = 'safety_manager'
          and d.ends_at > :since and d.starts_at <= moment.now) as manages
    from moment, accounts c
    where c.org_id = :org_id and c.active and c.roles && array['safety_officer', 'supervisor']
      and not exists (select from visitors v where v.id = c.visitor_id and not v.active)
)
insert into safety_outbox (org_id, key, purpose, recipient, recipient_id, channel, urgency, next_try_at, give_up_at,
                           created_at, figures)
select distinct on (able.id) cast(:org_id as uuid), concat_ws(':', cast(:cause as text), o.id), 'slow_week', 'officer',
       o.id, o.channel, 0, moment.now, moment.now + interval '1 day', moment.now, cast(:figures as jsonb)
from moment, able join officer_contacts o on o.account_id = able.id and o.active and o.channel <> 'voice'
where able.manages or not exists (select from able a where a.manages)
order by able.id, array_position(array['mail', 'push', 'sms'], o.channel::text), o.id
on conflict (key) do nothing
returning id
""").bindparams(sa.bindparam("figures", type_=sa.JSON))


@dataclass(frozen=True)
class Week:
    """The last whole one of a house, by its own clock, from Monday on."""

    begins_on: dt.date
    since: dt.datetime
    until: dt.datetime


def tell_of_slow_weeks(session: Session) -> int:
    """Put out what is due of all organisations, by day; how many messages. The session sees the rows of all. Asked
    again it puts out nothing twice."""
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    put_out = 0
    for org_id, zone in session.execute(sa.select(Organisation.id, Organisation.zone)).all():
        here = now.astimezone(ZoneInfo(zone))
        if here.hour in OFFICE_HOURS:
            put_out += _tell(session, org_id, last_week(here))
    return put_out


def last_week(here: dt.datetime) -> Week:
    begins_on = here.date() - dt.timedelta(days=here.weekday()) - WEEK
    since, until = (dt.datetime.combine(day, dt.time(), here.tzinfo) for day in (begins_on, begins_on + WEEK))
    return Week(begins_on, since, until)


def _tell(session: Session, org_id: uuid.UUID, week: Week) -> int:
    about = {"org_id": org_id, "since": week.since, "until": week.until}
    asked, in_time = session.execute(COUNTED, about).one()
    if not asked or in_time / asked >= LEAST_SHARE:
        return 0
    figures = {"week_on": week.begins_on.isoformat(), "asked": asked, "in_time": in_time}
    cause = f"{org_id}:week:{week.begins_on}"
    told = session.execute(TELL, {"org_id": org_id, "since": week.since, "cause": cause, "figures": figures})
    return len(told.all())
