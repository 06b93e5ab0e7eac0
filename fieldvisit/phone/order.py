"""Is this the next stop? By the rules of the house another one is taken, asks for a reason, or is refused."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.field_rules import field_rules
from fieldvisit.models import Stop, Visit
from fieldvisit.vocabulary import OrderReason, OrderRule, VisitState

WAITING = (VisitState.PUBLISHED, VisitState.UNDER_WAY)


class OutOfOrder(FieldVisitError):
    code, kind = "out_of_order", Kind.CONFLICT
    says = "Before visit {reference} these come in the plan: {before}."


def order_flags(session: Session, stop: Stop, reason: OrderReason | None) -> dict[str, Any]:
    """What is to be written down of the order of what begins now; nothing where it is kept.

    Raises OutOfOrder where the rules ask for a reason and there is none, or take no other order at all.
    """
    before = _skipped(session, stop)
    if not before:
        return {}
    rule = field_rules(session).order_rule
    if rule is OrderRule.REFUSE or (rule is OrderRule.ASK and reason is None):
        visit = stop.visit
        raise OutOfOrder(reference=visit.reference, before=", ".join(before), reason_would_do=rule is OrderRule.ASK)
    return {"out_of_order": True} | ({"order_reason": reason.value} if reason else {})


def _skipped(session: Session, stop: Stop) -> Sequence[str]:
    """The references of the visits that stand earlier on this route and still wait."""
    waiting = (
        sa.select(Visit.reference)
        .join(Stop, Stop.visit_id == Visit.id)
        .where(Stop.route_id == stop.route_id, Stop.position < stop.position, Visit.state.in_(WAITING))
    )
    return session.scalars(waiting.order_by(Stop.position)).all()
