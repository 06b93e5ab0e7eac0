"""Telling of an outage of our own once: so many were not watched from then to then. Each of them has an alert of its
own all the same, which climbs, and is taken and closed, by itself.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.safety.firing import Outage

# Of each house those whose deadlines passed meanwhile. An engine that dies before it has raised them all leaves the
# same beginning to the next one, which counts fewer.
NOTE = sa.text("""
insert into watch_outages (org_id, from_at, until_at, expected)
select s.org_id, :from_at, :until_at, count(*)
from safety_sessions s, (select fieldvisit_now() as at) now
where s.state = 'active'
  and least(s.grace_until, s.end_at, s.arrive_by, s.leave_by,
            case when not s.lost_contact and (s.unverified or s.policy -> 'lost_raises' is distinct from 'false'::jsonb)
                 then s.lost_at end) <= now.at
group by s.org_id
on conflict (org_id, from_at) do update set
    until_at = greatest(watch_outages.until_at, excluded.until_at),
    expected = greatest(watch_outages.expected, excluded.expected)
""")
OPEN = sa.text("""
select w.id, w.from_at, w.until_at, count(*) as sessions, count(*) filter (where a.state <> 'resolved') as open,
       count(*) filter (where a.state in ('pre', 'open', 'notifying', 'exhausted')) as unanswered
from watch_outages w join safety_alerts a on a.outage_id = w.id
where w.org_id = :org_id and w.id in (
    select outage_id from safety_alerts where org_id = :org_id and state <> 'resolved' and outage_id is not null)
group by w.id order by w.until_at, w.id
""")


@dataclass(frozen=True, kw_only=True)
class OpenOutage:
    """Nobody watched from `from_at` (None: nobody ever had) until `until_at`; of the `sessions` that were raised for it
    so many are still `open`, and so many `unanswered`."""

    id: uuid.UUID
    from_at: dt.datetime | None
    until_at: dt.datetime
    sessions: int
    open: int
    unanswered: int


def note_outage(session: Session, outage: Outage) -> None:
    """Write down of every house concerned how many there are, before the first of them is raised."""
    session.execute(NOTE, {"from_at": outage.from_at, "until_at": outage.until_at})


def open_outages(session: Session, org_id: uuid.UUID) -> list[OpenOutage]:
    """Those of which something is open still, the oldest first."""
    return [OpenOutage(**row) for row in session.execute(OPEN, {"org_id": org_id}).mappings()]
