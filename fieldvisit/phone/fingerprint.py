"""Whether anything changed in a visitor's day, in one query: a digest over every row that the day is made of.

PostgreSQL's own `xmin` tells which transaction wrote a row last, so nobody has to remember to count a version up. Rows
that are no longer seen (a placement ended) are missing from the digest, and that changes it too.
"""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.identity import LONGEST_AT_DOOR

ROWS = sa.text("""
with today as materialized (
    select (cast(:now as timestamptz) at time zone o.zone)::date as day from organisations o where o.id = :org
), mine as materialized (
    select s.id as stop_id, s.xmin as stop_x, s.visit_id, s.with_crew, r.id as route_id, r.xmin as route_x,
           p.id as plan_id, p.xmin as plan_x
    from crew_members c
    join routes r on r.id = c.route_id
    join day_plans p on p.id = r.plan_id
    left join stops s on s.route_id = r.id
    where c.visitor_id = :visitor and p.org_id = :org and p.planned_on = (select day from today) and p.state =
    'published'
), visited as materialized (
    select v.id, v.xmin as x, v.case_id, v.debtor_id, v.place_id, v.org_id, v.lender_id
    from visits v where v.id in (select visit_id from mine)
)
select (select day from today) || ' ' || md5(coalesce(string_agg(line, ';' order by line), '')) from (
    select concat_ws(' ', 'stop', stop_id, stop_x, route_id, route_x, plan_id, plan_x) as line from mine
    union all select concat_ws(' ', 'visit', id, x) from visited
    union all select concat_ws(' ', 'case', t.id, t.xmin) from cases t where t.id in (select case_id from visited)
    union all select concat_ws(' ', 'debtor', t.id, t.xmin) from debtors t
        where t.id in (select debtor_id from visited)
    union all select concat_ws(' ', 'place', t.id, t.xmin, (cast(:now as timestamptz) at time zone t.zone)::date)
        from places t where t.id in (select place_id from visited)
    union all select concat_ws(' ', 'organisation', t.id, t.xmin) from organisations t
        where t.id = :org or t.id in (select lender_id from visited)
    union all select concat_ws(' ', 'policy', t.id, t.xmin) from policy_versions t
        where t.org_id = :org or t.org_id in (select lender_id from visited)
    union all select concat_ws(' ', 'member', m.route_id, m.visitor_id, m.xmin, w.xmin)
        from crew_members m join visitors w on w.id = m.visitor_id where m.route_id in (select route_id from mine)
    union all select concat_ws(' ', 'partner', m.route_id, m.visitor_id, m.xmin, w.xmin)
        from (select distinct plan_id, with_crew from mine where with_crew is not null) p
        join routes r on r.plan_id = p.plan_id and r.crew_code = p.with_crew
        join crew_members m on m.route_id = r.id join visitors w on w.id = m.visitor_id
    union all select concat_ws(' ', 'paper', t.id, t.xmin) from credentials t where t.visitor_id = :visitor
    union all select concat_ws(' ', 'notice', t.id, t.xmin) from notices t
        where t.visit_id in (select id from visited) and t.about = 'visit'
    union all select concat_ws(' ', 'check', t.id, t.at >= :at_door_since) from identity_checks t
        where t.visit_id in (select id from visited)
    union all select concat_ws(' ', 'event', t.id, t.at >= :at_door_since) from visit_events t
        where t.visit_id in (select id from visited) and t.kind = 'arrived' and t.at >= cast(:now as timestamptz) -
        interval '2 days'
    union all select concat_ws(' ', 'attempt', t.id) from contact_attempts t
        where t.org_id in (select lender_id from visited) and t.debtor_id in (select debtor_id from visited)
        and t.case_id in (select case_id from visited) and t.at between :earliest and :now
        and not exists (select from withdrawn_attempts w where w.attempt_id = t.id)
    union all select concat_ws(' ', 'rules', t.xmin) from field_rules t where t.org_id = :org
    union all select concat_ws(' ', 'form', max(t.version)) from form_versions t where t.org_id = :org
    union all select concat_ws(' ', 'held', t.event_id, t.xmin) from held_events t
        where t.org_id = :org and t.visitor_id = :visitor and t.state in ('waiting', 'refused')
) rows
""")


def fingerprint(session: Session, visitor_id: uuid.UUID, *, now: dt.datetime, contacts_since: dt.timedelta) -> str:
    """The organisation's local day, and a digest that differs whenever what the visitor is told of it differs. One
    query."""
    whose = {"visitor": visitor_id, "org": session.info["org"]}
    # The amounts that a check has opened close when nobody can be at that door any more, and no row tells of that.
    times = {"now": now, "earliest": now - contacts_since, "at_door_since": now - LONGEST_AT_DOOR}
    return str(session.execute(ROWS, whose | times).scalar_one())
