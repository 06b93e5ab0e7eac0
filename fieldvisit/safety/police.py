"""Whether the police is called is decided by a person, and soon: its owner has to put it on record so many seconds
after a call for help (five minutes, by the session's policy). What is not is named to the safety manager, again and
again, until it is, or the alert is closed. An alert that nobody has taken calls everybody by then: nobody is told that
it lacks a decision too.
"""

import datetime as dt
import uuid
from collections.abc import Collection, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, joinedload

from fieldvisit.clock import database_now
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.alerts import demand_owner, lock_alert, record, renew
from fieldvisit.safety.crews import unfit_for_alerts
from fieldvisit.safety.drafts import Officer, check_note
from fieldvisit.safety.events import Entry, SafetyEventKind, append_all
from fieldvisit.safety.handling import OnlyADrill
from fieldvisit.safety.rows import packed
from fieldvisit.safety.standing import by_risk, standing
from fieldvisit.safety.timers import ORDER
from fieldvisit.vocabulary import AlertState, PoliceDecision

LEAST_HELD = dt.timedelta(minutes=1)
"""So long whoever took an alert late has for it."""
# The safety managers of the roster, as it was when the alert opened or is now; where nobody has that rank who can be
# reached and may take it, everybody who answers alarms. By every address.
NAME = sa.text("""
with moment as materialized (select fieldvisit_now() as now),
due as materialized (
    select a.id, a.roster, a.police_due_at, s.id as session_id, s.org_id, s.visitor_id, s.level,
           coalesce((s.policy #>> '{sos,decide_s}')::int, 300) as decide_s
    from moment, safety_alerts a join safety_sessions s on s.id = a.session_id
    where a.id = any(:ids) and a.state = 'acknowledged' and a.parent_id is null and a.police_due_at <= moment.now
      and a.acknowledged_at <= moment.now - :least_held
), managers as (
    select due.id, entry.key::uuid as account_id from due, jsonb_each_text(due.roster) entry
    where entry.value = 'safety_manager'
    union
    select due.id, d.account_id from moment, due join duty_shifts d on d.org_id = due.org_id
    where d.rank = 'safety_manager' and d.starts_at <= moment.now and d.ends_at > moment.now
), unfit as (
    select * from jsonb_to_recordset(cast(:unfit as jsonb)) as unfit(alert_id uuid, account_id uuid)
), able as (
    select due.id, c.id as account_id,
           exists (select from managers m where m.id = due.id and m.account_id = c.id)
           and exists (select from officer_contacts o where o.account_id = c.id and o.active
                       and o.channel <> 'push') as manages
    from due join accounts c on c.org_id = due.org_id
    where c.active and c.visitor_id is distinct from due.visitor_id
      and not exists (select from visitors v where v.id = c.visitor_id and not v.active)
      and c.roles && array['safety_officer', 'supervisor']
      and not exists (select from unfit u where u.alert_id = due.id and u.account_id = c.id)
), told as (
    select able.id, o.id as contact_id, o.channel
    from able join officer_contacts o on o.account_id = able.account_id and o.active
    where able.manages or not exists (select from able a where a.id = able.id and a.manages)
), again as (
    update safety_alerts a set police_due_at = moment.now + due.decide_s * interval '1 second', version = a.version + 1
    from moment, due where a.id = due.id
), put_out as (
    insert into safety_outbox (org_id, key, purpose, session_id, alert_id, recipient, recipient_id, channel, urgency,
                               next_try_at, created_at)
    select due.org_id, concat_ws(':', due.id, 'police', extract(epoch from due.police_due_at), told.contact_id),
           'police_undecided', due.session_id, due.id, 'officer', told.contact_id, told.channel,
           coalesce(array_position(:order, due.level::text), 1 + cardinality(:order)), moment.now, moment.now
    from moment, due join told on told.id = due.id
    on conflict (key) do nothing
    returning alert_id
)
select due.id, moment.now, (select count(*) from put_out p where p.alert_id = due.id) as messages from due, moment
""").bindparams(
    sa.bindparam("order", [level.value for level in ORDER], type_=sa.ARRAY(sa.Text)),
    sa.bindparam("least_held", LEAST_HELD, type_=sa.Interval),
)


def decide_police(
    session: Session, alert_id: uuid.UUID, by: Officer, *, decision: PoliceDecision, note: str
) -> SafetyAlert:
    """Put on record whether the police is called, and why. What was decided may be decided anew. Raises AlertNotYours,
    OnlyADrill."""
    check_note(note)
    alert = lock_alert(session, alert_id, by)
    demand_owner(alert, by)
    if alert.session.drill is not None:
        raise OnlyADrill()
    at = standing(session, alert.session).now_at
    alert.police_decision, alert.police_due_at = decision, None
    renew(alert, at)
    record(session, alert, by, SafetyEventKind.POLICE_DECIDED, at=at, note=note, decision=decision.value)
    return alert


def claim_undecided(session: Session, limit: int, *, but: Collection[uuid.UUID] = ()) -> Sequence[SafetyAlert]:
    """The alerts whose owners should have decided by now, their sessions locked, the most dangerous first."""
    now = sa.select(database_now()).scalar_subquery()
    return session.scalars(
        sa.select(SafetyAlert)
        .join(SafetyAlert.session)
        .options(joinedload(SafetyAlert.session))
        .where(
            SafetyAlert.state == AlertState.ACKNOWLEDGED,
            SafetyAlert.parent_id.is_(None),
            SafetyAlert.police_due_at <= now,
            SafetyAlert.acknowledged_at <= now - LEAST_HELD,
            SafetyAlert.id.not_in(but),
        )
        .order_by(by_risk(SafetySession.level).desc(), SafetyAlert.police_due_at, SafetyAlert.id)
        .limit(limit)
        .with_for_update(of=SafetySession, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()


def name_undecided(session: Session, alerts: Sequence[SafetyAlert]) -> set[uuid.UUID]:
    """Tell the safety managers of these alerts that nothing was decided, and write it down; of which it was."""
    session.flush()
    ids = [alert.id for alert in alerts]
    apart = [
        {"alert_id": alert_id, "account_id": account_id} for alert_id, account_id in unfit_for_alerts(session, ids)
    ]
    told = {row.id: row for row in session.execute(NAME, {"ids": ids, "unfit": packed(apart)})}
    append_all(
        session,
        [
            (
                alert.session,
                Entry(
                    kind=SafetyEventKind.POLICE_UNDECIDED,
                    at=told[alert.id].now,
                    detail={"alert_id": str(alert.id), "messages": told[alert.id].messages},
                ),
            )
            for alert in alerts
            if alert.id in told
        ],
    )
    return set(told)
