"""The rules of the house for a day in the field: another order than planned, sending a visit back, undoing an arrival.

They bind what is happening. What a phone tells afterwards is a fact, and is flagged.
"""

import datetime as dt
from dataclasses import dataclass, fields

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import FieldRules
from fieldvisit.vocabulary import OrderRule

LONGEST_UNDO = 120
LONGEST_GIVE_BACK = 72
SMALLEST_BLOCK, LARGEST_BLOCK = 5, 200


@dataclass(frozen=True, kw_only=True)
class FieldRulesDraft:
    """`undo_minutes`: for so long after it an arrival may be undone; 0 means never. `may_take_money`: at doors, where
    no policy forbids it; `receipt_block`: how many receipt numbers a phone gets at a time; `most_cash_minor`: with how
    much in hand a visitor is flagged, None with no sum; `give_back_hours`: so long after the end of its day a visit
    that was set out for and never arrived at waits to be planned again."""

    order_rule: OrderRule = OrderRule.ALLOW
    may_reject: bool = True
    undo_minutes: int = 15
    may_take_money: bool = False
    receipt_block: int = 20
    most_cash_minor: int | None = None
    give_back_hours: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.undo_minutes <= LONGEST_UNDO:
            raise InvalidValue(path="undo_minutes", reason=Message("0 to {max} minutes", {"max": LONGEST_UNDO}))
        if not SMALLEST_BLOCK <= self.receipt_block <= LARGEST_BLOCK:
            bounds = {"min": SMALLEST_BLOCK, "max": LARGEST_BLOCK}
            raise InvalidValue(path="receipt_block", reason=Message("must lie between {min} and {max}", bounds))
        if not 0 <= self.give_back_hours <= LONGEST_GIVE_BACK:
            bounds = {"min": 0, "max": LONGEST_GIVE_BACK}
            raise InvalidValue(path="give_back_hours", reason=Message("must lie between {min} and {max}", bounds))


RULES = tuple(each.name for each in fields(FieldRulesDraft))


def field_rules(session: Session) -> FieldRulesDraft:
    """What the acting organisation has said, or what is usual."""
    row = session.get(FieldRules, session.info["org"])
    if row is None:
        return FieldRulesDraft()
    return FieldRulesDraft(**{name: getattr(row, name) for name in RULES})


def set_field_rules(session: Session, draft: FieldRulesDraft, *, now: dt.datetime) -> FieldRulesDraft:
    """Say how it is done from now on."""
    values = {name: getattr(draft, name) for name in RULES} | {"updated_at": now}
    said = insert(FieldRules).values(org_id=session.info["org"], **values)
    session.execute(said.on_conflict_do_update(index_elements=["org_id"], set_=values))
    session.expire_all()
    return field_rules(session)
