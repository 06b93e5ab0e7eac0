"""Legal holds: an order that nothing of a debtor, or of one case, may be purged until it is released."""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import Case, Debtor, LegalHold


class HoldReleased(FieldVisitError):
    code, kind = "hold_released", Kind.CONFLICT
    says = "This legal hold was released before."


@dataclass(frozen=True, kw_only=True)
class HoldDraft:
    """Of whom nothing may go, and why. `case_id` None: everything of the debtor."""

    debtor_id: uuid.UUID
    reason: str
    case_id: uuid.UUID | None = None

    def __post_init__(self) -> None:
        check_text("reason", self.reason, longest=2_000)


def place_hold(session: Session, draft: HoldDraft, *, placed_by_id: uuid.UUID | None, now: dt.datetime) -> LegalHold:
    """Order that nothing is purged from now on. Raises NotFound."""
    debtor = session.get(Debtor, draft.debtor_id)
    if debtor is None:
        raise NotFound(what="debtor", id=draft.debtor_id)
    if draft.case_id is not None:
        case = session.get(Case, draft.case_id)
        if case is None or case.debtor_id != debtor.id:
            raise NotFound(what="case", id=draft.case_id)
    row = LegalHold(
        org_id=debtor.org_id,
        debtor_id=debtor.id,
        case_id=draft.case_id,
        reason=draft.reason,
        placed_by_id=placed_by_id,
        placed_at=now,
    )
    session.add(row)
    session.flush()
    return row


def release_hold(
    session: Session, hold_id: uuid.UUID, *, released_by_id: uuid.UUID | None, now: dt.datetime
) -> LegalHold:
    """End a hold. Raises NotFound and HoldReleased."""
    row = session.scalars(sa.select(LegalHold).where(LegalHold.id == hold_id).with_for_update()).one_or_none()
    if row is None:
        raise NotFound(what="legal hold", id=hold_id)
    if row.released_at is not None:
        raise HoldReleased()
    row.released_by_id, row.released_at = released_by_id, now
    session.flush()
    return row


def holds_of(debtor_id: uuid.UUID) -> sa.Select[LegalHold]:
    """Every hold on the debtor or one of their cases, released ones too; the caller states the order."""
    return sa.select(LegalHold).where(LegalHold.debtor_id == debtor_id)


def is_held(session: Session, debtor_id: uuid.UUID, case_id: uuid.UUID | None = None) -> bool:
    """Whether something of the debtor must be kept; asked of one case, whether that case must."""
    concerned = holds_of(debtor_id).where(LegalHold.released_at.is_(None))
    if case_id is not None:
        concerned = concerned.where(sa.or_(LegalHold.case_id.is_(None), LegalHold.case_id == case_id))
    return session.scalar(concerned.limit(1)) is not None
