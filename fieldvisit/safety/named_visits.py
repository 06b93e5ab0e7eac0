"""Which visit a call for help named: it may be another than the one that the visitor's session is about."""

import uuid
from collections.abc import Collection

import sqlalchemy as sa
from sqlalchemy.orm import Session, aliased

from fieldvisit.models import SafetyAlert, SafetyEvent, SafetySession
from fieldvisit.safety.events import SafetyEventKind

_TAKEN_OVER = aliased(SafetyAlert)


def named_visit_id(
    alert: type[SafetyAlert] | SafetyAlert,
    row: type[SafetySession] | SafetySession,
    *,
    before: int | None = None,
) -> sa.Select[tuple[uuid.UUID]]:
    """`visit_id` of the newest call that named one since this alert of this session, or one that it took over, was
    opened; of rows, or of the columns of a question around it; `before`: of the calls before the event with
    this sequence. No row where none did."""
    taken_over = (
        sa.select(sa.func.min(_TAKEN_OVER.opened_at))
        .where(_TAKEN_OVER.session_id == row.id, _TAKEN_OVER.parent_id == alert.id)
        .correlate_except(_TAKEN_OVER)
        .scalar_subquery()
    )
    visit_id = SafetyEvent.detail["visit_id"].astext
    return (
        sa.select(sa.cast(visit_id, sa.Uuid).label("visit_id"))
        .where(
            SafetyEvent.session_id == row.id,
            # Leaves out the partitions of the months before.
            SafetyEvent.at >= sa.func.coalesce(row.planned_at, row.started_at),
            SafetyEvent.at >= sa.func.least(alert.opened_at, taken_over),
            SafetyEvent.kind == SafetyEventKind.SOS_PRESSED,
            visit_id.is_not(None),
            sa.true() if before is None else SafetyEvent.sequence < before,
        )
        .order_by(SafetyEvent.sequence.desc())
        .limit(1)
    )


def other_visit_ids(session: Session, alert_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """By alert, of those of which the newest call named another visit than the session's: which."""
    if not alert_ids:
        return {}
    named = named_visit_id(SafetyAlert, SafetySession).lateral("named")
    found = session.execute(
        sa.select(SafetyAlert.id, named.c.visit_id)
        .join(SafetySession, SafetySession.id == SafetyAlert.session_id)
        .join(named, named.c.visit_id.is_distinct_from(SafetySession.visit_id))
        .where(SafetyAlert.id.in_(alert_ids))
    )
    return {row[0]: row[1] for row in found}
