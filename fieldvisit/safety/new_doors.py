"""A call for help, in an alarm that is up, that names another door than was told before: whoever acts on the alarm may
be on the way to the wrong one."""

import datetime as dt
import uuid

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.events import Entry, SafetyEventKind, append, or_unwritten
from fieldvisit.safety.named_visits import named_visit_id
from fieldvisit.safety.timers import ORDER
from fieldvisit.vocabulary import AlertState

log = structlog.get_logger(__name__)

# Who has the alert, by every address; while nobody has it, each to whom its ladder has told it, as it was told; and the
# number outside in any case. Whom a message has not left for yet is told the new door by that one: it is held here, so
# that no sender reads it before this is written. One that a sender holds is as good as gone. The alert is taken before
# its messages, in the order that everybody keeps; none of those is waited for. Where another door came between, an
# earlier message about this one may wait still, and tells it; or it was dropped meanwhile, and tells nobody any more.
TELL = sa.text("""
with clock as materialized (select fieldvisit_now() as now),
alert as materialized (
    select a.id, a.org_id, a.state, a.owner_id, a.session_id from safety_alerts a where a.id = :alert_id
    for no key update
), put_out_before as materialized (
    select o.id, o.recipient, o.recipient_id, o.channel, o.sent_at is null and o.lease is null as waits
    from alert join safety_alerts its on its.id = alert.id or its.parent_id = alert.id
    join safety_outbox o on o.alert_id = its.id
    where o.purpose = 'alarm' and o.recipient in ('officer', 'device', 'external') and o.created_at < :at
      and (o.sent_at is not null or o.lease is not null or o.next_try_at is not null)
), waiting as materialized (
    select o.id from safety_outbox o where o.id in (select id from put_out_before where waits)
      and o.sent_at is null and o.lease is null and o.next_try_at is not null
    order by o.id for update skip locked
), tells_it as materialized (
    select o.recipient, o.recipient_id, o.channel from alert join safety_outbox o on o.alert_id = alert.id
    where o.purpose = 'new_door' and o.figures ->> 'visit_id' = :visit_id
      and o.sent_at is null and o.lease is null and o.next_try_at is not null
    order by o.id for update of o skip locked
), addressed as (
    select p.recipient, p.recipient_id, p.channel from put_out_before p, alert
    where (alert.state <> 'acknowledged' or p.recipient = 'external') and p.id not in (select id from waiting)
      and not exists (
        select from devices d join safety_sessions s on s.id = alert.session_id and s.visitor_id = d.visitor_id
        where p.recipient = 'device' and d.org_id = alert.org_id and d.id = p.recipient_id)
    union
    select 'officer', c.id, c.channel from alert join officer_contacts c on c.account_id = alert.owner_id
    where alert.state = 'acknowledged' and c.active
    union
    select 'device', d.id, 'push' from alert join devices d on d.account_id = alert.owner_id
    where alert.state = 'acknowledged' and d.push_digest is not null
), put_out as (
    insert into safety_outbox (org_id, key, purpose, session_id, alert_id, recipient, recipient_id, channel, urgency,
                               next_try_at, created_at, figures)
    select alert.org_id, concat_ws(':', alert.id, 'door', cast(:pressed as text), a.recipient_id, a.channel),
           'new_door', alert.session_id, alert.id, a.recipient, a.recipient_id, a.channel,
           coalesce(array_position(:order, case when s.drill is null then s.level::text else 'drill' end),
                    1 + cardinality(:order)),
           clock.now, clock.now, jsonb_build_object('visit_id', :visit_id)
    from clock, alert join safety_sessions s on s.id = alert.session_id, addressed a
    where not exists (
        select from tells_it t
        where (t.recipient, t.channel) = (a.recipient, a.channel)
          and t.recipient_id is not distinct from a.recipient_id)
    on conflict (key) do nothing
    returning id
)
select count(*) from put_out
""").bindparams(
    sa.bindparam("order", [level.value for level in ORDER], type_=sa.ARRAY(sa.Text)),
    sa.bindparam("visit_id", type_=sa.Text),
)


def tell_new_door(
    session: Session, row: SafetySession, visit_id: uuid.UUID | None, *, pressed: int, at: dt.datetime
) -> None:
    """Tell those who act on the alarm of this locked session that the call with this sequence, of this moment, named
    another visit than the one that is told until then, also where that one was told before: they are on the way to the
    one between. One that began with the call tells it by its
    own ladder, as does one that may still be taken back. What goes wrong here undoes no call."""
    if visit_id is None:
        return
    try:
        with or_unwritten(session, [row]):
            _tell(session, row, visit_id, pressed=pressed, at=at)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        log.exception("new_door_not_told", session_id=str(row.id))


def _tell(session: Session, row: SafetySession, visit_id: uuid.UUID, *, pressed: int, at: dt.datetime) -> None:
    session.flush()
    alert = session.scalar(
        sa.select(SafetyAlert)
        .where(
            SafetyAlert.session_id == row.id,
            SafetyAlert.state.not_in((AlertState.PRE, AlertState.RESOLVED)),
            SafetyAlert.parent_id.is_(None),
            SafetyAlert.opened_at < at,
        )
        .execution_options(populate_existing=True)
    )
    if alert is None:
        return
    before = session.scalar(named_visit_id(alert, row, before=pressed)) or row.visit_id
    if visit_id == before:
        return
    given = {"alert_id": alert.id, "visit_id": str(visit_id), "pressed": pressed, "at": at}
    messages = session.scalars(TELL, given).one()
    if messages:
        detail = {"alert_id": str(alert.id), "visit_id": str(visit_id), "messages": messages}
        append(session, row, Entry(kind=SafetyEventKind.NEW_DOOR_TOLD, at=at, detail=detail))
