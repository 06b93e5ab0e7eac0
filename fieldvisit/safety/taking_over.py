"""Of several open alerts of one session the strongest climbs; the others are its children, and are closed with it."""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.calling import silence
from fieldvisit.safety.climbing import ALERTS
from fieldvisit.safety.events import Entry, SafetyEventKind, append
from fieldvisit.safety.timers import RED, strength
from fieldvisit.vocabulary import AlertKind, AlertState


def take_over(session: Session, row: SafetySession, alert_id: uuid.UUID, kind: AlertKind, *, at: dt.datetime) -> bool:
    """Join this new alert with those that are open; whether it is the one that climbs.

    An alert that silence raised finds no other: a session in alarm has no deadlines.
    """
    return kind not in RED or join_open(session, row, alert_id, kind, at=at)


def join_open(session: Session, row: SafetySession, alert_id: uuid.UUID, kind: AlertKind, *, at: dt.datetime) -> bool:
    """The same for an alert of any kind beside which others may be open, as one that was closed and is opened again."""
    others = session.execute(
        sa.select(ALERTS.c.id, ALERTS.c.kind).where(
            ALERTS.c.session_id == row.id,
            ALERTS.c.state != AlertState.RESOLVED,
            ALERTS.c.parent_id.is_(None),
            ALERTS.c.id != alert_id,
        )
    ).all()
    stronger = next((other_id for other_id, other in others if strength(other) > strength(kind)), None)
    if stronger is not None:
        _subordinate(session, row, alert_id, stronger, at=at)
        return False
    for other_id, _ in others:
        _subordinate(session, row, other_id, alert_id, at=at)
    return True


def void_proposals(session: Session, row: SafetySession) -> None:
    """Whatever was proposed to close an alert of this session was proposed before it was known what is known now."""
    session.execute(
        sa.update(ALERTS)
        .where(ALERTS.c.session_id == row.id, ALERTS.c.state != AlertState.RESOLVED, ALERTS.c.closing.is_not(None))
        .values(closing=sa.null(), version=ALERTS.c.version + 1)
    )


def close_children(session: Session, alert: SafetyAlert) -> None:
    """What a stronger alert took over ends with it, by the same proof."""
    session.execute(
        sa.update(ALERTS)
        .where(ALERTS.c.parent_id == alert.id, ALERTS.c.state != AlertState.RESOLVED)
        .values(
            state=AlertState.RESOLVED,
            outcome=alert.outcome,
            proof=alert.proof,
            resolved_at=alert.resolved_at,
            version=ALERTS.c.version + 1,
        )
    )


def has_taken_over(session: Session, alert_id: uuid.UUID) -> bool:
    """Whether other alerts wait for this one."""
    return bool(session.scalar(sa.select(_children(alert_id).exists())))


def let_go(session: Session, alert_id: uuid.UUID, *, at: dt.datetime) -> uuid.UUID | None:
    """Nothing came of this alert: of those that it took over the strongest climbs again at once, for the others too.
    Which one that is; None where there is none."""
    children = session.execute(_children(alert_id)).all()
    if not children:
        return None
    strongest: uuid.UUID = max(children, key=lambda child: strength(child.kind)).id
    is_it = ALERTS.c.id == strongest
    session.execute(
        sa.update(ALERTS)
        .where(ALERTS.c.id.in_([child.id for child in children]))
        .values(
            parent_id=sa.case((~is_it, strongest)),
            next_action_at=sa.case((is_it, at)),
            # The messages of its step were dropped: in another round they are put out anew.
            round=sa.case((is_it, ALERTS.c.round + 1), else_=ALERTS.c.round),
            version=ALERTS.c.version + 1,
        )
    )
    return strongest


def _children(alert_id: uuid.UUID) -> sa.Select[uuid.UUID, AlertKind]:
    return sa.select(ALERTS.c.id, ALERTS.c.kind).where(
        ALERTS.c.parent_id == alert_id, ALERTS.c.state != AlertState.RESOLVED
    )


def _subordinate(session: Session, row: SafetySession, child: uuid.UUID, parent: uuid.UUID, *, at: dt.datetime) -> None:
    """The child neither climbs nor lapses; its own children go over as well."""
    session.execute(
        sa.update(ALERTS)
        .where(sa.or_(ALERTS.c.id == child, ALERTS.c.parent_id == child), ALERTS.c.state != AlertState.RESOLVED)
        .values(
            parent_id=parent,
            state=AlertState.OPEN,
            next_action_at=None,
            owner_id=None,
            acknowledged_at=None,
            ack_until=None,
            offered_to_id=None,
            version=ALERTS.c.version + 1,
        )
    )
    silence(session, child)
    detail = {"alert_id": str(child), "by_alert_id": str(parent)}
    append(session, row, Entry(kind=SafetyEventKind.TAKEN_OVER, at=at, detail=detail))
