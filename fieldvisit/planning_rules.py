"""How a house wants its days shared out: what unequal work over the weeks may cost."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.errors import InvalidValue
from fieldvisit.models import PlanningRules

DEAREST_FAIRNESS = 10


@dataclass(frozen=True, kw_only=True)
class PlanningRulesDraft:
    """`fair_share_price`: how many seconds of travel may be driven to bring the crew that worked most in four weeks and
    the one that worked least a second nearer to each other; 0: nobody counts."""

    fair_share_price: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.fair_share_price <= DEAREST_FAIRNESS:
            raise InvalidValue(path="fair_share_price", reason=f"must be from 0 to {DEAREST_FAIRNESS}")


def planning_rules(session: Session) -> PlanningRulesDraft:
    """What the acting organisation has said, or what is usual."""
    row = session.get(PlanningRules, session.info["org"])
    return PlanningRulesDraft() if row is None else PlanningRulesDraft(fair_share_price=row.fair_share_price)


def set_planning_rules(session: Session, draft: PlanningRulesDraft, *, now: dt.datetime) -> PlanningRulesDraft:
    """Say how days are shared out from now on; plans that are made already stay as they are."""
    values = {"fair_share_price": draft.fair_share_price, "updated_at": now}
    said = insert(PlanningRules).values(org_id=session.info["org"], **values)
    session.execute(said.on_conflict_do_update(index_elements=["org_id"], set_=values))
    session.expire_all()
    return planning_rules(session)
