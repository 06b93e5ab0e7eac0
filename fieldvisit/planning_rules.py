"""How a house wants its days shared out: what unequal shares over the weeks may cost, and how many visits a day has."""

import datetime as dt
from dataclasses import asdict, dataclass, fields

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.errors import InvalidValue
from fieldvisit.models import PlanningRules

DEAREST_FAIRNESS = 10
DEAREST_RISK = 3_600
DEAREST_EARNING = 60
MOST_VISITS = 100_000


@dataclass(frozen=True, kw_only=True)
class PlanningRulesDraft:
    """Prices are seconds of travel that may be driven to bring the crew with most in four weeks and the one with least
    nearer to each other: by a second of work (`fair_share_price`), by a point of risk (`fair_risk_price`), by a minute
    of what visits are worth (`fair_earning_price`); 0: nobody counts. `most_visits`: of a day, in all areas together;
    None: as many as fit."""

    fair_share_price: int = 0
    fair_risk_price: int = 0
    fair_earning_price: int = 0
    most_visits: int | None = None

    def __post_init__(self) -> None:
        dearest = {
            "fair_share_price": DEAREST_FAIRNESS,
            "fair_risk_price": DEAREST_RISK,
            "fair_earning_price": DEAREST_EARNING,
        }
        for name, most in dearest.items():
            if not 0 <= getattr(self, name) <= most:
                raise InvalidValue(path=name, reason=f"must be from 0 to {most}")
        if self.most_visits is not None and not 0 <= self.most_visits <= MOST_VISITS:
            raise InvalidValue(path="most_visits", reason=f"must be from 0 to {MOST_VISITS}")

    @property
    def counts_shares(self) -> bool:
        return bool(self.fair_share_price or self.fair_risk_price or self.fair_earning_price)


def planning_rules(session: Session) -> PlanningRulesDraft:
    """What the acting organisation has said, or what is usual."""
    row = session.get(PlanningRules, session.info["org"])
    if row is None:
        return PlanningRulesDraft()
    return PlanningRulesDraft(**{field.name: getattr(row, field.name) for field in fields(PlanningRulesDraft)})


def set_planning_rules(session: Session, draft: PlanningRulesDraft, *, now: dt.datetime) -> PlanningRulesDraft:
    """Say how days are shared out from now on; plans that are made already stay as they are."""
    values = {**asdict(draft), "updated_at": now}
    said = insert(PlanningRules).values(org_id=session.info["org"], **values)
    session.execute(said.on_conflict_do_update(index_elements=["org_id"], set_=values))
    session.expire_all()
    return planning_rules(session)
