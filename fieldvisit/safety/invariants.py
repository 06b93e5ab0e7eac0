"""What must hold at every moment, as plain SQL: no line of it is shared with the engine that it judges.

Each statement returns what contradicts it: the organisation, the thing, and how bad it is in seconds where that has a
meaning. `MARGIN_S` after a moment the engine has had time enough.
"""

from dataclasses import dataclass

MARGIN_S = 10
CLOCK_S = 1.0
BEAT_S = 15
CANARY_S = 360
EPOCH_S = 300
AGAIN_S = 60
"""A message that is due for so long is taken again and again, and nothing of it is ever written down."""


@dataclass(frozen=True)
class Invariant:
    """`number` is that of the list in docs/safety.md."""

    number: int
    name: str
    sql: str


NOW = "(select fieldvisit_now()) "
UNANSWERED = "('pre', 'open', 'notifying', 'exhausted')"
WATCHED = "('active', 'alarm')"
# Two questions, so that each is answered from an index of its own.
WATCHED_SESSIONS = f"""
select id, org_id, coalesce(planned_at, started_at) as begun_at, last_sequence, last_hash from safety_sessions
where state in {WATCHED}
union
select id, org_id, coalesce(planned_at, started_at) as begun_at, last_sequence, last_hash from safety_sessions
where state not in {WATCHED} and ended_at > {NOW} - interval '1 hour'
"""

# Who set out by the published plan, at the latest so long ago as their house says, and a little more.
UNWATCHED = f"""
with said as (
    select distinct on (org_id) org_id, unwatched_s from safety_rules order by org_id, set_at desc, id desc
), out as (
    select v.org_id, v.id, m.visitor_id, case v.state when 'arrived' then v.arrived_at else v.under_way_at end as since
    from visits v join stops t on t.visit_id = v.id join routes r on r.id = t.route_id and r.plan_id = v.plan_id
    join crew_members m on m.route_id = r.id
    where v.state in ('arrived', 'under_way')
)
select o.org_id, o.visitor_id, extract(epoch from {NOW} - o.since) - d.unwatched_s
from out o join said d on d.org_id = o.org_id and d.unwatched_s is not null
where o.since > {NOW} - interval '23 hours'
  and o.since < {NOW} - (d.unwatched_s + {MARGIN_S}) * interval '1 second'
  and not exists (select from safety_sessions s where s.visitor_id = o.visitor_id and s.drill is null
                  and (s.visit_id = o.id and s.state = 'ended' and s.ended_at >= o.since
                       or s.state in {WATCHED}))
  and not exists (select from visits b join stops t on t.visit_id = b.id
                  join routes r on r.id = t.route_id and r.plan_id = b.plan_id
                  join crew_members m on m.route_id = r.id and m.visitor_id = o.visitor_id
                  where b.state = 'arrived' and b.id <> o.id)
"""

INVARIANTS = (
    Invariant(
        1,
        "a deadline passed and no alert is open",
        f"""
        select s.org_id, s.id, extract(epoch from {NOW} - least(s.grace_until, s.end_at, s.arrive_by, s.leave_by,
               case when s.unverified or s.policy -> 'lost_raises' is distinct from 'false' then s.lost_at end))
        from safety_sessions s
        where s.state = 'active'
          and least(s.grace_until, s.end_at, s.arrive_by, s.leave_by,
                    case when s.unverified or s.policy -> 'lost_raises' is distinct from 'false' then s.lost_at end)
              < {NOW} - interval '{MARGIN_S} seconds'
          and not exists (select from safety_alerts a where a.session_id = s.id and a.state <> 'resolved')
        """,
    ),
    Invariant(
        2,
        "a session that nothing will ever raise",
        """
        select s.org_id, s.id, null from safety_sessions s
        where s.state = 'active' and (s.grace_until is null or s.end_at is null or s.lost_at is null)
           or s.state = 'alarm'
              and not exists (select from safety_alerts a where a.session_id = s.id and a.state <> 'resolved')
        """,
    ),
    Invariant(
        3,
        "an unanswered alert stands still",
        f"""
        select a.org_id, a.id, extract(epoch from {NOW} - a.next_action_at) from safety_alerts a
        where a.state in {UNANSWERED}
          and (a.next_action_at < {NOW} - interval '{MARGIN_S} seconds'
               or a.next_action_at is null
                  and not exists (select from safety_alerts p where p.id = a.parent_id and p.state <> 'resolved'))
        """,
    ),
    Invariant(
        4,
        "an acknowledgement outlived its time",
        f"""
        select a.org_id, a.id, extract(epoch from {NOW} - a.ack_until) from safety_alerts a
        where a.state = 'acknowledged' and a.ack_until < {NOW} - interval '{MARGIN_S} seconds'
        """,
    ),
    Invariant(
        5,
        "a message waits that nobody sends",
        f"""
        select o.org_id, o.id, extract(epoch from {NOW} - o.next_try_at) from safety_outbox o
        where o.next_try_at < {NOW} - interval '{MARGIN_S} seconds'
          and (o.lease_until is null or o.lease_until < {NOW} - interval '{MARGIN_S} seconds'
               or o.next_try_at < {NOW} - interval '{AGAIN_S} seconds')
        """,
    ),
    Invariant(
        6,
        "the record of a session is broken",
        f"""
        with watched as materialized ({WATCHED_SESSIONS}),
        joined as (
            select e.session_id, e.sequence, e.hash, e.previous_hash,
                   row_number() over chain as expected, lag(e.hash, 1, ''::bytea) over chain as before
            from watched s cross join lateral (
                select * from safety_events e
                where e.session_id = s.id and e.org_id = s.org_id and e.at >= s.begun_at offset 0) e
            window chain as (partition by e.session_id order by e.sequence)
        ),
        faults as (
            select session_id, sequence from joined where sequence <> expected or previous_hash <> before
            union all
            select s.id, s.last_sequence from watched s
            where not exists (select from joined j where j.session_id = s.id and j.sequence = s.last_sequence
                              and j.hash = s.last_hash)
        )
        select s.org_id, f.session_id, min(f.sequence) from faults f join watched s on s.id = f.session_id
        group by s.org_id, f.session_id
        """,
    ),
    Invariant(
        7,
        "somebody is out, and no officer can be reached who could take an alarm about them",
        f"""
        with on_duty as materialized (
            select distinct d.org_id, c.visitor_id
            from duty_shifts d join accounts c on c.id = d.account_id and c.active
            join officer_contacts o on o.account_id = c.id and o.active and o.channel <> 'push'
            left join visitors v on v.id = c.visitor_id
            where d.starts_at <= {NOW} and d.ends_at > {NOW} and v.active is not false
        ), unattended as materialized (
            -- Where somebody on duty goes to no doors, nobody is asked with whom they go.
            select s.id, s.org_id, s.visitor_id, s.visit_id, s.started_at,
                   s.started_at - interval '18 hours' as since, s.started_at + interval '18 hours' as until
            from safety_sessions s
            where s.state in {WATCHED} and s.drill is null
              and not exists (select from on_duty d where d.org_id = s.org_id and d.visitor_id is null)
        )
        select s.org_id, (array_agg(s.id order by s.started_at, s.id))[1], null from unattended s
        where not exists (
            select from on_duty d
            where d.org_id = s.org_id and d.visitor_id <> s.visitor_id
              and not exists (
                select from safety_sessions own
                where own.visitor_id = d.visitor_id and own.visit_id = s.visit_id
                  and own.state in {WATCHED} and own.drill is null
              )
              and not exists (
                select from shifts theirs
                join shifts own on own.works_on = theirs.works_on and own.crew_code = theirs.crew_code
                where theirs.visitor_id = d.visitor_id and theirs.starts_at between s.since and s.until
                  and own.visitor_id = s.visitor_id
              )
              and not exists (
                select from crew_members one join routes r on r.id = one.route_id
                join routes q on q.plan_id = r.plan_id join crew_members two on two.route_id = q.id
                where one.visitor_id = d.visitor_id and r.depart_at between s.since and s.until
                  and two.visitor_id = s.visitor_id and q.depart_at between s.since and s.until
                  and (q.id = r.id or exists (
                    select from stops x join stops y on y.visit_id = x.visit_id
                    where x.route_id = r.id and y.route_id = q.id))
              )
          )
        group by s.org_id
        """,
    ),
    Invariant(
        8,
        "the canary did not reach an address",
        f"""
        select null, c.channel, null from organisations h join officer_contacts c on c.org_id = h.id and c.active
        where h.canary and c.created_at < {NOW} - interval '{CANARY_S} seconds'
          and not exists (
            select from safety_alerts a join safety_outbox m on m.alert_id = a.id
            where a.org_id = h.id and a.opened_at > {NOW} - 2 * interval '{CANARY_S} seconds'
              and m.recipient_id = c.id and m.purpose = 'alarm'
              and (m.state in ('delivered', 'answered') or m.state = 'sent' and m.next_try_at is null)
              and coalesce(m.delivered_at, m.answered_at, m.sent_at) > {NOW} - interval '{CANARY_S} seconds'
          )
        order by c.channel
        """,
    ),
    Invariant(
        9,
        "the clock of an engine's host is off, or no engine is at its work",
        f"""
        select null, b.name, b.host_ahead_s from engine_beats b
        where abs(b.host_ahead_s) > {CLOCK_S} and b.at > {NOW} - interval '1 minute'
        union all
        select null, 'nobody', null
        where not exists (select from engine_beats b where b.at > {NOW} - interval '{BEAT_S} seconds')
        """,
    ),
    Invariant(
        10,
        "the database was replaced or has gone back",
        f"""
        select null, e.because, extract(epoch from {NOW} - e.began_at) from database_epochs e
        where e.replaces_id is not null and e.began_at > {NOW} - interval '{EPOCH_S} seconds'
        union all
        select null, 'not noticed', null
        from (select identity from database_epochs order by began_at desc, id desc limit 1) newest
        where split_part(newest.identity, ':', 2) <> substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)
           or split_part(newest.identity, ':', 3)
              <> (select oid from pg_database where datname = current_database())::text
        """,
    ),
    Invariant(11, "somebody is out without a session, and nothing was raised", UNWATCHED),
)
