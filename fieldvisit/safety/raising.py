"""Opening alerts: once per cause, in the transaction of the state that caused it."""

import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.climbing import Rise, climb
from fieldvisit.safety.events import Entry, SafetyEventKind, append_all, or_unwritten
from fieldvisit.safety.outage_notes import Unverified, covering
from fieldvisit.safety.rows import packed
from fieldvisit.safety.taking_over import take_over, void_proposals
from fieldvisit.safety.timers import decide_by
from fieldvisit.vocabulary import AlertKind, AlertState

log = structlog.get_logger(__name__)

OPEN_ALERTS = sa.text("""
with given as materialized (
    select * from jsonb_to_recordset(cast(:given as jsonb)) as given(
        org_id uuid, session_id uuid, kind text, state text, opened_at timestamptz, deadline_at timestamptz,
        next_action_at timestamptz, unverified boolean, covert boolean, police_due_at timestamptz, outage_id uuid)
)
insert into safety_alerts (org_id, session_id, kind, state, opened_at, deadline_at, next_action_at, unverified, covert,
                           police_due_at, outage_id, device_id, roster)
select given.*, (
    select d.id from safety_sessions s join devices d on d.visitor_id = s.visitor_id and d.org_id = s.org_id
    where s.id = given.session_id and d.revoked_at is null order by d.last_seen_at desc limit 1),
  coalesce((
    select jsonb_object_agg(d.account_id, d.rank) from duty_shifts d
    where d.org_id = given.org_id and d.starts_at <= given.opened_at and d.ends_at > given.opened_at), '{}'::jsonb)
from given
on conflict (session_id, kind) where state <> 'resolved' do nothing
returning session_id, id
""")


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Why an alert is opened. `deadline_at` is the moment that passed, or that of the call for help."""

    kind: AlertKind
    deadline_at: dt.datetime
    unverified: bool = False
    covert: bool = False
    press_s: int = 0
    """So long the visitor may still take it back; nobody is called before."""
    actor_id: uuid.UUID | None = None
    detail: dict[str, Any] = field(default_factory=dict)


type Opening = tuple[SafetySession, Cause, dt.datetime]
"""A locked session, why an alert of it is opened, and the moment of the decision."""


def open_alert(session: Session, row: SafetySession, cause: Cause, *, at: dt.datetime) -> uuid.UUID | None:
    """Open an alert of a locked session; None where one of this kind is open already, which the cause joins."""
    void_proposals(session, row)
    return open_alerts(session, [(row, cause, at)]).get(row.id)


def open_alerts(session: Session, openings: Sequence[Opening]) -> dict[uuid.UUID, uuid.UUID]:
    """Open one alert of each of these sessions; the alerts by session, without those that were open already.

    Their first steps begin within the same transaction, so that decision, record and first messages are one.
    """
    if not openings:
        return {}
    session.flush()
    unverified = [Unverified(row.org_id, row.id, cause.deadline_at) for row, cause, _ in openings if cause.unverified]
    outages = covering(session, unverified)
    given = packed(_as_row(opening) | {"outage_id": outages.get(opening[0].id)} for opening in openings)
    opened = {alert.session_id: alert.id for alert in session.execute(OPEN_ALERTS, {"given": given})}
    new = [(opened[row.id], row, cause, at) for row, cause, at in openings if row.id in opened]
    joining = [opening for opening in openings if opening[0].id not in opened]
    append_all(session, [(row, _opened(alert_id, cause, at)) for alert_id, row, cause, at in new])
    climbing = [
        (row, Rise(alert_id, cause.kind, outage_id=outages.get(row.id)))
        for alert_id, row, cause, at in new
        if take_over(session, row, alert_id, cause.kind, at=at) and not cause.press_s
    ]
    _begin(session, climbing + [each for opening in joining for each in _joined(session, *opening)])
    return opened


def _joined(
    session: Session, row: SafetySession, cause: Cause, at: dt.datetime
) -> Iterator[tuple[SafetySession, Rise]]:
    """The open alert of this kind takes on what is more in the cause: it is no longer held back where this one is not,
    and nothing of it shows any more where nothing of this one does."""
    if cause.press_s:
        return
    its_kind = SafetyAlert.session_id == row.id, SafetyAlert.kind == cause.kind
    alert = session.scalars(
        sa.select(SafetyAlert)
        .where(*its_kind, SafetyAlert.state != AlertState.RESOLVED)
        .execution_options(populate_existing=True)
    ).one()
    if alert.covert < cause.covert:
        alert.turn_covert(at)
        alert.version += 1
    if alert.state is AlertState.PRE:
        alert.state, alert.next_action_at, alert.version = AlertState.OPEN, at, alert.version + 1
        alert.raised_at = at
        if alert.parent_id is None:
            yield row, Rise.of(alert)


def _as_row(opening: Opening) -> dict[str, object]:
    row, cause, at = opening
    return {
        "org_id": row.org_id,
        "session_id": row.id,
        "kind": cause.kind,
        "state": AlertState.PRE if cause.press_s else AlertState.OPEN,
        "opened_at": at,
        "deadline_at": cause.deadline_at,
        "next_action_at": at + dt.timedelta(seconds=cause.press_s),
        "unverified": cause.unverified,
        "covert": cause.covert,
        "police_due_at": decide_by(row, cause.kind, at),
    }


def _opened(alert_id: uuid.UUID, cause: Cause, at: dt.datetime) -> Entry:
    detail = {"alert_id": str(alert_id), "kind": cause.kind.value, "unverified": cause.unverified} | cause.detail
    return Entry(kind=SafetyEventKind.ALERT_OPENED, at=at, actor_id=cause.actor_id, detail=detail)


def _begin(session: Session, alerts: Sequence[tuple[SafetySession, Rise]]) -> None:
    """Their first steps. Where they cannot be begun, the alerts are open all the same, and due: the engine begins them,
    or says each second that it cannot."""
    if not alerts:
        return
    try:
        with or_unwritten(session, [row for row, _ in alerts]):
            climb(session, alerts)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        log.exception("step_not_begun", alert_ids=[str(alert.id) for _, alert in alerts])
