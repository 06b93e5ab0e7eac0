"""The trail of who did what. Ids and codes only: it is read by many and kept for long."""

import uuid
from collections.abc import Mapping
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import AuditEvent
from fieldvisit.obeyed import Obeyed

# Nobody asks for the id of the new line.
LINE = Obeyed(sa.insert(cast("sa.Table", AuditEvent.__table__)).inline())


def record_action(
    session: Session,
    action: str,
    *,
    org_id: uuid.UUID,
    actor_id: uuid.UUID | None,
    subject: str,
    subject_id: uuid.UUID | None = None,
    request_id: str | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add one line to the trail, in the transaction of what it tells of."""
    session.flush()
    LINE.run(
        session,
        {
            "org_id": org_id,
            "actor_id": actor_id,
            "action": action,
            "subject": subject,
            "subject_id": subject_id,
            "request_id": request_id,
            "detail": dict(detail or {}),
        },
    )


def trail(*, action: str | None = None, subject_id: uuid.UUID | None = None) -> sa.Select[AuditEvent]:
    """The lines one may see, all or those of one action or subject."""
    rows = sa.select(AuditEvent)
    if action is not None:
        rows = rows.where(AuditEvent.action == action)
    return rows if subject_id is None else rows.where(AuditEvent.subject_id == subject_id)
