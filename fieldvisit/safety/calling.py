"""Who is called on a rung of the ladder: the messages of a step, put out in the transaction that begins the step."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.safety.timers import ORDER, Ladder
from fieldvisit.vocabulary import AlertState, RiskLevel

# One statement, whatever the number of people: a thousand alarms may be due in one second. Officers of the roster as it
# was when the alert opened stay on it, and those on duty now are added; who has been called before is rung again, who
# joins on this step is reached on every channel. Nobody is told of an alert about themselves.
CALL = sa.text("""
with clock as materialized (select fieldvisit_now() as now),
alert as (
    select a.id, a.roster, s.id as session_id, s.org_id, s.visitor_id, s.level
    from safety_alerts a join safety_sessions s on s.id = a.session_id where a.id = :alert_id
),
ranked as (
    select d.account_id, d.rank from duty_shifts d, alert, clock
    where d.org_id = alert.org_id and d.starts_at <= clock.now and d.ends_at > clock.now
    union
    select entry.key::uuid, entry.value from alert, jsonb_each_text(alert.roster) entry
),
officers as (
    select c.id from accounts c, alert
    where c.org_id = alert.org_id and c.active and c.visitor_id is distinct from alert.visitor_id
      and (cast(:everyone as boolean) and c.roles && array['safety_officer', 'supervisor']
           or c.id in (select account_id from ranked where rank = any(:joining) or rank = any(:before)))
),
addressed as (
    select 'officer' as recipient, c.id as recipient_id, c.channel
    from officer_contacts c join officers o on o.id = c.account_id
    where c.active and (cast(:everyone as boolean) or c.channel in ('voice', 'sms')
        or exists (select from ranked r where r.account_id = c.account_id and r.rank = any(:joining)))
    union all
    select 'visitor', v.id, ringing.channel
    from alert join visitors v on v.id = alert.visitor_id, (values ('voice'), ('sms')) ringing(channel)
    where v.phone is not null and cast(:calls_visitor as boolean)
), replaced as (
    -- Whoever is told again is told by the newer message only: it is tried for ever in its turn.
    update safety_outbox o set state = 'dropped', next_try_at = null from alert, addressed a
    where o.alert_id = alert.id and o.recipient_id = a.recipient_id and o.channel = a.channel
      and o.next_try_at is not null and (o.step, o.round) <> (cast(:step as int), cast(:round as int))
)
insert into safety_outbox (org_id, key, purpose, session_id, alert_id, step, round, recipient, recipient_id, channel,
                           urgency, next_try_at, created_at)
select alert.org_id, concat_ws(':', alert.id, cast(:round as int), cast(:step as int), a.recipient_id, a.channel),
       'alarm', alert.session_id,
       alert.id, cast(:step as int), cast(:round as int), a.recipient, a.recipient_id, a.channel,
       array_position(:order, alert.level::text), clock.now, clock.now
from alert, clock, addressed a
on conflict (key) do nothing
""").bindparams(
    sa.bindparam("joining", type_=sa.ARRAY(sa.Text)),
    sa.bindparam("before", type_=sa.ARRAY(sa.Text)),
    sa.bindparam("order", [level.value for level in ORDER], type_=sa.ARRAY(sa.Text)),
)  # fmt: skip

SILENCE = sa.text("""
update safety_outbox set state = case when state in ('queued', 'sent') then 'dropped' else state end, next_try_at = null
where alert_id = :alert_id and purpose = 'alarm' and next_try_at is not null
""")


def call(session: Session, alert_id: uuid.UUID, ladder: Ladder, *, state: AlertState, step: int, round: int) -> int:
    """Put out the messages of this step; how many there are. Asked twice, put out once."""
    everyone = state is AlertState.EXHAUSTED
    put_out = session.execute(
        CALL,
        {
            "alert_id": alert_id,
            "everyone": everyone,
            "joining": [rank.value for rank in ladder.joining(step)],
            "before": [rank.value for rank in ladder.called_before(step)],
            "calls_visitor": ladder.calls_visitor and step == 1,
            "step": step,
            "round": round,
        },
    )
    return int(put_out.rowcount)  # type: ignore[attr-defined]  # an insert has it


def silence(session: Session, alert_id: uuid.UUID) -> None:
    """Somebody has the alert: what has not gone out yet does not have to."""
    session.execute(SILENCE, {"alert_id": alert_id})


def urgency(level: RiskLevel) -> int:
    return ORDER.index(level) + 1
