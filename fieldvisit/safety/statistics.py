"""How alarms were answered, by month: the figures by which a firm that watches itself can be compared with an alarm
centre. Drills are counted apart; nothing of any person is in them."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import Organisation

LATENESS_S = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Upper ends of the classes of lateness; what is later than the last has a class of its own."""

# Lateness is the engine's: from when on the server could know that a deadline passed. A start may be told long after
# it; of an alarm about nobody's session it is not known when the setting out, or the rule, came to be known; what a
# partner's call raises has no deadline of its own. How soon it was told and taken is counted from when it was raised: a
# call that may be taken back is told to nobody before that time is over.
MONTHS = sa.text("""
with counted as (
    select to_char(a.opened_at at time zone o.zone, 'YYYY-MM') as month,
           s.drill is not null or s.level = 'drill' as drill, a.kind, a.outcome, a.unverified,
           a.parent_id is null and a.state <> 'pre' as asks,
           extract(epoch from a.first_acknowledged_at - coalesce(a.raised_at, a.opened_at)) as taken_s,
           case when a.kind not in ('sos', 'man_down', 'duress', 'unwatched', 'partner_calls') and not a.unverified
                then extract(epoch from a.opened_at - greatest(a.deadline_at, s.started_at)) end as late_s,
           (select extract(epoch from min(m.sent_at) - coalesce(a.raised_at, a.opened_at))
            from safety_outbox m where m.alert_id = a.id) as sent_s
    from safety_alerts a join safety_sessions s on s.id = a.session_id join organisations o on o.id = a.org_id
    where a.opened_at >= :since and a.opened_at < :until
)
select month, drill, count(*) as alerts,
       count(*) filter (where asks and outcome is distinct from 'cancelled_by_visitor') as asked,
       count(*) filter (where asks and taken_s <= 10) as within_10_s,
       count(*) filter (where asks and taken_s <= 40) as within_40_s,
       count(*) filter (where asks and taken_s <= 60) as within_60_s,
       count(*) filter (where unverified) as unverified,
       array(select count(*) filter (where width_bucket(c.late_s, cast(:bounds as double precision[])) = n)
             from counted c, generate_series(0, cast(:classes as int)) n
             where c.month = counted.month and c.drill = counted.drill group by n order by n) as lateness,
       percentile_cont(0.99) within group (order by late_s) as late_p99_s, max(late_s) as late_worst_s,
       percentile_cont(0.95) within group (order by sent_s) as sent_p95_s
from counted group by month, drill order by month, drill
""")  # fmt: skip

# What a stronger alert took over was closed with it, by the same word: it is no alarm of its own.
OUTCOMES = sa.text("""
select to_char(a.opened_at at time zone o.zone, 'YYYY-MM') as month,
       s.drill is not null or s.level = 'drill' as drill, a.kind, a.outcome, count(*) as alerts
from safety_alerts a join safety_sessions s on s.id = a.session_id join organisations o on o.id = a.org_id
where a.opened_at >= :since and a.opened_at < :until and a.outcome is not null and a.parent_id is null
group by 1, 2, 3, 4 order by 1, 2, 3, 4
""")


@dataclass(frozen=True, kw_only=True)
class OutcomeCount:
    kind: str
    outcome: str
    alerts: int


@dataclass(frozen=True, kw_only=True)
class MonthOfAlarms:
    """`asked` are the alerts that somebody had to take; the shares are of them. `lateness` counts the alerts by how
    late they were raised, in the classes of LATENESS_S; those of our own outages are counted apart (`unverified`)."""

    month: str
    drill: bool
    alerts: int
    asked: int
    within_10_s: int
    within_40_s: int
    within_60_s: int
    unverified: int
    lateness: list[int]
    late_p99_s: float | None
    late_worst_s: float | None
    sent_p95_s: float | None
    outcomes: Sequence[OutcomeCount]

    def share(self, count: int) -> float | None:
        return round(count / self.asked, 4) if self.asked else None

    @property
    def share_10_s(self) -> float | None:
        return self.share(self.within_10_s)

    @property
    def share_40_s(self) -> float | None:
        return self.share(self.within_40_s)

    @property
    def share_60_s(self) -> float | None:
        return self.share(self.within_60_s)

    @property
    def false_alarms(self) -> int:
        return self.false_alarms_by_kind.total()

    @property
    def false_alarms_by_kind(self) -> Counter[str]:
        false = Counter[str]()
        for each in self.outcomes:
            if each.outcome.startswith("false_"):
                false[each.kind] += each.alerts
        return false

    @property
    def by_outcome(self) -> Counter[str]:
        found = Counter[str]()
        for each in self.outcomes:
            found[each.outcome] += each.alerts
        return found


def period(session: Session, *, since: dt.date, until: dt.date) -> dict[str, dt.datetime]:
    """The moments at which these days begin for the organisation that asks, by the same names. Raises InvalidValue."""
    if until < since:
        raise InvalidValue(path="until", reason=Message("must not be earlier than the first day"))
    zone = ZoneInfo(session.get_one(Organisation, session.info["org"]).zone)
    days = {"since": since, "until": until}
    return {name: dt.datetime.combine(day, dt.time(), zone) for name, day in days.items()}


def alarm_statistics(session: Session, *, since: dt.date, until: dt.date) -> list[MonthOfAlarms]:
    """The months that touch ``[since, until)``, of the organisation that asks, oldest first; drills in rows of their
    own. Days and months are those of its own calendar. Raises InvalidValue."""
    given = period(session, since=since, until=until)
    outcomes: dict[tuple[str, bool], list[OutcomeCount]] = {}
    for month, drill, kind, outcome, alerts in session.execute(OUTCOMES, given):
        counted = OutcomeCount(kind=kind, outcome=outcome, alerts=alerts)
        outcomes.setdefault((month, drill), []).append(counted)
    rows = session.execute(MONTHS, given | {"bounds": list(LATENESS_S), "classes": len(LATENESS_S)}).mappings()
    return [MonthOfAlarms(**row, outcomes=outcomes.get((row["month"], row["drill"]), [])) for row in rows]
