"""Who raises false alarms, with which phone and under which timers: so that a phone that calls by itself is exchanged
and timers that nobody can keep are set anew. Nobody is ever throttled for it.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.safety.live import Person, meet
from fieldvisit.safety.statistics import period
from fieldvisit.vocabulary import RiskLevel

# As the statistics count: no drill, and nothing that a stronger alert took over.
COUNTED = sa.text("""
select s.visitor_id, a.device_id, d.name as device_name, s.level,
       count(*) as alerts, count(*) filter (where a.outcome = 'false_accidental') as accidental,
       count(*) filter (where a.outcome = 'false_forgot') as forgot,
       count(*) filter (where a.outcome = 'false_device') as by_device,
       count(*) filter (where a.outcome = 'false_our_outage') as our_outage
from safety_alerts a join safety_sessions s on s.id = a.session_id join visitors v on v.id = s.visitor_id
left join devices d on d.org_id = a.org_id and d.id = a.device_id
where a.opened_at >= :since and a.opened_at < :until and a.parent_id is null and a.state = 'resolved'
  and s.drill is null and s.level <> 'drill'
group by s.visitor_id, v.staff_number, a.device_id, d.name, s.level
order by count(*) filter (where starts_with(a.outcome, 'false_')) desc, v.staff_number, s.level, d.name, a.device_id
""")


@dataclass(frozen=True, kw_only=True)
class FalseAlarms:
    """Of one visitor, one phone (None: of none that is known) and the timers of one level: how many alerts were closed,
    and how many of them as false, by why."""

    person: Person
    device_id: uuid.UUID | None
    device_name: str | None
    level: RiskLevel
    alerts: int
    accidental: int
    forgot: int
    by_device: int
    our_outage: int

    @property
    def false_alarms(self) -> int:
        return self.accidental + self.forgot + self.by_device + self.our_outage

    @property
    def share(self) -> float:
        return round(self.false_alarms / self.alerts, 4)


def false_alarms(session: Session, *, since: dt.date, until: dt.date) -> list[FalseAlarms]:
    """Of the acting organisation's alerts of ``[since, until)``, days of its own calendar, that are closed; most
    false ones first. Raises InvalidValue."""
    given = period(session, since=since, until=until)
    rows = [dict(row) for row in session.execute(COUNTED, given).mappings()]
    people: dict[uuid.UUID, Person] = {}
    meet(session, people, [row["visitor_id"] for row in rows])
    return [FalseAlarms(person=people[row.pop("visitor_id")], level=RiskLevel(row.pop("level")), **row) for row in rows]
