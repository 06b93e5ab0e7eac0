"""Who is called on a rung of the ladder: the messages of a step, put out in the transaction that begins the step."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.safety.crews import unfit_for_alerts
from fieldvisit.safety.outage_notes import of_several
from fieldvisit.safety.rows import packed
from fieldvisit.safety.timers import ORDER, Ladder, danger
from fieldvisit.vocabulary import AlertState, RiskLevel

# One statement, whatever the number of alerts and of people: a thousand alarms may be due in one second. Officers of
# the roster as it was when the alert opened stay on it, and those on duty now are added; who has been called before is
# rung again, who joins on this step is reached on every channel. Nobody is told of an alert about themselves, nor about
# somebody they went out with (`unfit`): they could not take it, and may be under the same threat. Nor is anybody who
# went out for the house, and has left it.
# Those on duty are told once of all alerts of an outage that climb together, whose visitors are each rung all the same.
# The first step rings the buddy whom the visitor named, unless nobody beside a phone may learn of it.
# The number outside is called where everyone is, or nobody on duty could be, until it has confirmed, anew where the
# alert was opened again since; never in a drill.
CALL = sa.text("""
with clock as materialized (select fieldvisit_now() as now),
alert as materialized (
    select a.id, a.roster, s.id as session_id, s.org_id, s.visitor_id,
           case when given.step = 1 and not a.covert and s.drill is null then s.buddy_id end as buddy_id,
           case when s.drill is null then s.level else 'drill' end as level, s.drill, given.step, given.round,
           given.everyone, given.joining, given.before, given.calls_visitor,
           given.outage_id
    from jsonb_to_recordset(cast(:given as jsonb)) as given(
        id uuid, step int, round int, everyone boolean, joining text[], before text[], calls_visitor boolean,
        outage_id uuid)
    join safety_alerts a on a.id = given.id join safety_sessions s on s.id = a.session_id
),
unfit as materialized (
    select * from jsonb_to_recordset(cast(:unfit as jsonb)) as unfit(alert_id uuid, account_id uuid)
    union
    select alert.id, c.id from alert join accounts c on c.visitor_id = alert.visitor_id
),
ranked as materialized (
    select alert.id, d.account_id, d.rank from alert, clock, duty_shifts d
    where d.org_id = alert.org_id and d.starts_at <= clock.now and d.ends_at > clock.now
    union
    select alert.id, entry.key::uuid, entry.value from alert, jsonb_each_text(alert.roster) entry
),
officers as (
    select alert.id, c.id as account_id from alert join accounts c on c.org_id = alert.org_id
    where c.active and not exists (select from visitors v where v.id = c.visitor_id and not v.active)
      and (alert.id, c.id) not in (select alert_id, account_id from unfit)
      and (alert.everyone and c.roles && array['safety_officer', 'supervisor']
           or exists (select from ranked r where r.id = alert.id and r.account_id = c.id
                      and (r.rank = any(alert.joining) or r.rank = any(alert.before))))
),
on_duty as (
    select distinct r.id from ranked r join accounts c on c.id = r.account_id and c.active
    join officer_contacts o on o.account_id = c.id and o.active and o.channel <> 'push'
    where not exists (select from visitors v where v.id = c.visitor_id and not v.active)
      and (r.id, c.id) not in (select alert_id, account_id from unfit)
),
addressed as materialized (
    select alert.id, 'officer' as recipient, c.id as recipient_id, c.channel,
           alert.outage_id is not null as together, true as takes
    from alert join officers o on o.id = alert.id join officer_contacts c on c.account_id = o.account_id
    where c.active and (alert.everyone or c.channel in ('voice', 'sms')
        or exists (select from ranked r where r.id = alert.id and r.account_id = c.account_id
                   and r.rank = any(alert.joining)))
    union all
    select alert.id, 'device', d.id, 'push', alert.outage_id is not null, true
    from alert join officers o on o.id = alert.id join devices d on d.account_id = o.account_id
    where d.push_digest is not null and (alert.everyone
        or exists (select from ranked r where r.id = alert.id and r.account_id = d.account_id
                   and r.rank = any(alert.joining)))
    union all
    select alert.id, 'device', d.id, 'push', false, false from alert join devices d on d.visitor_id = alert.visitor_id
    where d.push_digest is not null and alert.calls_visitor
    union all
    select alert.id, 'visitor', v.id, ringing.channel, false, false
    from alert join visitors v on v.id = alert.visitor_id, (values ('voice'), ('sms')) ringing(channel)
    where v.phone is not null and alert.calls_visitor
    union all
    select alert.id, 'buddy', v.id, ringing.channel, false, false
    from alert join visitors v on v.id = alert.buddy_id, (values ('voice'), ('sms')) ringing(channel)
    where v.phone is not null
    union all
    select alert.id, 'external', alert.org_id, ringing.channel, false, false
    from alert cross join lateral (
        select r.external from safety_rules r where r.org_id = alert.org_id order by r.set_at desc, r.id desc limit 1
    ) said, (values ('voice'), ('sms')) ringing(channel)
    where jsonb_typeof(said.external) = 'object' and alert.drill is null
      and (ringing.channel = 'voice' or said.external -> 'sms' = 'true'::jsonb)
      and (alert.everyone or alert.id not in (select id from on_duty))
      and not exists (select from safety_outbox o where o.alert_id = alert.id and o.recipient = 'external'
                      and o.answered_at is not null
                      and not exists (select from safety_events e where e.session_id = alert.session_id
                                      and e.kind = 'reopened_alert' and e.at > o.created_at
                                      and e.detail ->> 'alert_id' = alert.id::text))
), grouped as materialized (
    -- Of one step, begun within ten seconds: a later one is a message of its own.
    select distinct on (key) concat_ws(':', alert.outage_id, alert.round, alert.step,
                                       floor(extract(epoch from clock.now) / 10), a.recipient_id, a.channel) as key,
           alert.org_id, alert.outage_id, alert.step, alert.round, a.recipient, a.recipient_id, a.channel,
           coalesce(array_position(:order, alert.level::text), 1 + cardinality(:order)) as urgency
    from clock, alert join addressed a on a.id = alert.id and a.together
    order by key, urgency desc
), told_before as materialized (
    select o.id from safety_outbox o join grouped g on g.outage_id = o.outage_id
    where o.recipient_id = g.recipient_id and o.channel = g.channel and o.next_try_at is not null and o.key <> g.key
    order by o.id for update of o
), replaced_before as (
    update safety_outbox o set state = 'dropped', next_try_at = null from told_before t where o.id = t.id
), put_out_together as (
    insert into safety_outbox (org_id, key, purpose, outage_id, step, round, recipient, recipient_id, channel, urgency,
                               next_try_at, created_at)
    select g.org_id, g.key, 'outage', g.outage_id, g.step, g.round, g.recipient, g.recipient_id, g.channel, g.urgency,
           clock.now, clock.now
    from clock, grouped g
    on conflict (key) do nothing
), told as materialized (
    -- Locked in the order that everybody keeps who changes several messages.
    select o.id from safety_outbox o join alert on alert.id = o.alert_id join addressed a on a.id = alert.id
    where o.recipient_id = a.recipient_id and o.channel = a.channel
      and o.next_try_at is not null and (o.step, o.round) <> (alert.step, alert.round)
    order by o.id for update of o
), replaced as (
    -- Whoever is told again is told by the newer message only: it is tried for ever in its turn.
    update safety_outbox o set state = 'dropped', next_try_at = null from told where o.id = told.id
), put_out as (
    insert into safety_outbox (org_id, key, purpose, session_id, alert_id, step, round, recipient, recipient_id,
                               channel, urgency, next_try_at, created_at)
    select alert.org_id, concat_ws(':', alert.id, alert.round, alert.step, a.recipient_id, a.channel), 'alarm',
           alert.session_id, alert.id, alert.step, alert.round, a.recipient, a.recipient_id, a.channel,
           coalesce(array_position(:order, alert.level::text), 1 + cardinality(:order)), clock.now, clock.now
    from clock, alert join addressed a on a.id = alert.id and not a.together
    on conflict (key) do nothing
    returning alert_id, recipient
)
select id, count(*) filter (where recipient <> 'external') as inside,
       count(*) filter (where recipient = 'external') as outside,
       id in (select a.id from addressed a where a.takes) as takeable
from (select alert_id, recipient from put_out union all select a.id, a.recipient from addressed a where a.together)
    as called(id, recipient)
group by id
""").bindparams(sa.bindparam("order", [level.value for level in ORDER], type_=sa.ARRAY(sa.Text)))  # fmt: skip

SILENCE = sa.text("""
with waiting as materialized (
    select id from safety_outbox where alert_id = :alert_id and purpose = 'alarm' and next_try_at is not null
    order by id for update
)
update safety_outbox o
set state = case when o.state in ('queued', 'sent') then 'dropped' else o.state end, next_try_at = null
from waiting where o.id = waiting.id
""")


@dataclass(frozen=True)
class Call:
    """The messages of one step of an alert; `outage_id`: those on duty are told of it together with the others of this
    outage, where there are any."""

    alert_id: uuid.UUID
    ladder: Ladder
    state: AlertState
    step: int
    round: int
    outage_id: uuid.UUID | None = None

    def as_row(self) -> dict[str, object]:
        return {
            "id": self.alert_id,
            "step": self.step,
            "round": self.round,
            "everyone": self.state is AlertState.EXHAUSTED,
            "joining": self.ladder.joining(self.step),
            "before": self.ladder.called_before(self.step),
            "calls_visitor": self.ladder.calls_visitor and self.step == 1,
        }


@dataclass(frozen=True)
class Called:
    """How many messages a step has put out: to people of the house, and to the number outside. `takeable`: whether
    somebody could take the alarm by one, as neither the visitor nor the buddy can."""

    inside: int = 0
    outside: int = 0
    takeable: bool = False


def call_all(session: Session, calls: Sequence[Call]) -> dict[uuid.UUID, Called]:
    """Put out the messages of these steps; how many there are by alert. Asked twice, put out once."""
    if not calls:
        return {}
    unfit = unfit_for_alerts(session, [each.alert_id for each in calls])
    several = of_several(session, {each.outage_id for each in calls if each.outage_id is not None})
    together = {each.alert_id: each.outage_id for each in calls if each.outage_id in several}
    given = {"given": packed(each.as_row() | {"outage_id": together.get(each.alert_id)} for each in calls)}
    given["unfit"] = packed({"alert_id": alert_id, "account_id": account_id} for alert_id, account_id in unfit)
    put_out = session.execute(CALL, given)
    return {alert_id: Called(*called) for alert_id, *called in put_out}


def silence(session: Session, alert_id: uuid.UUID) -> None:
    """Somebody has the alert: what has not gone out yet does not have to."""
    session.execute(SILENCE, {"alert_id": alert_id})


def urgency(level: RiskLevel) -> int:
    return danger(level) + 1
