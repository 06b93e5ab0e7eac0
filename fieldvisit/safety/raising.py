"""Opening an alert: once per cause, in the transaction of the state that caused it."""

import datetime as dt
import uuid
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.orm.attributes import set_committed_value

from fieldvisit.models import SafetySession
from fieldvisit.safety.climbing import ALERTS, Rise, climb
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.taking_over import take_over
from fieldvisit.vocabulary import AlertKind, AlertState

log = structlog.get_logger(__name__)

# Made once: see `fieldvisit.safety.events.WRITE`.
OPEN_ALERT = (
    insert(ALERTS)
    .values(
        org_id=sa.bindparam("this_org_id"),
        session_id=sa.bindparam("this_session_id"),
        kind=sa.bindparam("this_kind"),
        state=sa.bindparam("this_state"),
        opened_at=sa.bindparam("this_at"),
        deadline_at=sa.bindparam("this_deadline_at"),
        next_action_at=sa.bindparam("this_next_at"),
        unverified=sa.bindparam("this_unverified"),
        covert=sa.bindparam("this_covert"),
        roster=sa.text(
            "coalesce((select jsonb_object_agg(d.account_id, d.rank) from duty_shifts d where d.org_id = :this_org_id"
            " and d.starts_at <= :this_at and d.ends_at > :this_at), '{}'::jsonb)"
        ),
    )
    .on_conflict_do_nothing(index_elements=["session_id", "kind"], index_where=sa.text("state <> 'resolved'"))
    .returning(ALERTS.c.id)
)


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


def open_alert(session: Session, row: SafetySession, cause: Cause, *, at: dt.datetime) -> uuid.UUID | None:
    """Open an alert of a locked session; None where one of this kind is open already.

    Its first step begins within the same transaction, so that the decision, its record and the first messages are one.
    """
    given = {
        "this_org_id": row.org_id,
        "this_session_id": row.id,
        "this_kind": cause.kind,
        "this_at": at,
        "this_deadline_at": cause.deadline_at,
        "this_unverified": cause.unverified,
        "this_covert": cause.covert,
        "this_state": AlertState.PRE if cause.press_s else AlertState.OPEN,
        "this_next_at": at + dt.timedelta(seconds=cause.press_s),
    }
    alert_id: uuid.UUID | None = session.scalar(OPEN_ALERT, given)
    if alert_id is None:
        return None
    detail = {"alert_id": str(alert_id), "kind": cause.kind.value, "unverified": cause.unverified} | cause.detail
    entry = Entry(kind=SafetyEventKind.ALERT_OPENED, at=at, actor_id=cause.actor_id, detail=detail)
    append(session, row, entry)
    if take_over(session, row, alert_id, cause.kind, at=at) and not cause.press_s:
        _begin(session, row, Rise(alert_id, cause.kind))
    return alert_id


def _begin(session: Session, row: SafetySession, alert: Rise) -> None:
    """The first step. If it cannot be begun, the alert is open all the same, and due: the engine begins it, or says
    each second that it cannot."""
    sequence, head = row.last_sequence, row.last_hash
    try:
        with session.begin_nested():
            climb(session, row, alert)
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        set_committed_value(row, "last_sequence", sequence)
        set_committed_value(row, "last_hash", head)
        log.exception("step_not_begun", alert_id=str(alert.id))
