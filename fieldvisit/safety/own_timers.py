"""Each organisation's own timers: within the bounds of `Timers`, never changed in a session that is running."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.drafts import check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import SafetyTimers
from fieldvisit.safety.rules import demanded, rules_of
from fieldvisit.safety.timers import BY_LEVEL, DrillRefused, Timers
from fieldvisit.vocabulary import RiskLevel

OWN = ("check_in_s", "remind_s", "grace_s", "lost_s", "arrive_s", "leave_s")
"""What an organisation sets for itself. Whether lost contact raises an alarm, and how an alarm climbs, it does not."""


@dataclass(frozen=True, kw_only=True)
class TimersDraft:
    """Seconds, and why they are what they are. Raises InvalidValue for what is out of bounds."""

    level: RiskLevel
    check_in_s: int
    remind_s: int
    grace_s: int
    lost_s: int
    arrive_s: int
    leave_s: int
    reason: str

    def __post_init__(self) -> None:
        check_text("reason", self.reason)
        if self.level is RiskLevel.DRILL:
            raise InvalidValue(path="level", reason=Message("a drill's timers are seconds"))
        _replaced(BY_LEVEL[self.level], vars(self))


@dataclass(frozen=True)
class InForce:
    """The timers of a level, and the setting that made them so; none where they are the product's own."""

    timers: Timers
    setting: SafetyTimers | None

    @property
    def reason(self) -> str | None:
        return self.setting.reason if self.setting else None

    @property
    def set_by_id(self) -> uuid.UUID | None:
        return self.setting.set_by_id if self.setting else None

    @property
    def set_at(self) -> dt.datetime | None:
        return self.setting.set_at if self.setting else None


def set_timers(session: Session, draft: TimersDraft, by: uuid.UUID) -> InForce:
    """From now on sessions of this level begin with these timers; those that are running keep theirs."""
    now = session.scalars(sa.select(database_now())).one()
    setting = SafetyTimers(org_id=session.info["org"], set_by_id=by, set_at=now, **vars(draft))
    session.add(setting)
    session.flush()
    return InForce(_replaced(BY_LEVEL[draft.level], vars(draft)), setting)


def timers_of(session: Session, org_id: uuid.UUID, level: RiskLevel, *, allow_drill: bool = True) -> Timers:
    """The timers with which a session of this level begins, and what the house demands of its check-ins. Raises
    DrillRefused where no drill is allowed."""
    if level is RiskLevel.DRILL:
        if not allow_drill:
            raise DrillRefused()
        return BY_LEVEL[level]
    rules = rules_of(session, org_id)
    return _in_force(session, org_id)[level].timers.but(pin_at_check_in=demanded(level, rules.pin_from))


def timers_in_force(session: Session) -> list[InForce]:
    """The acting organisation's, from the least to the most dangerous level."""
    found = _in_force(session, session.info["org"])
    return [found[level] for level in BY_LEVEL if level is not RiskLevel.DRILL]


def _in_force(session: Session, org_id: uuid.UUID) -> Mapping[RiskLevel, InForce]:
    newest = (
        sa.select(SafetyTimers)
        .ext(distinct_on(SafetyTimers.level))
        .where(SafetyTimers.org_id == org_id)
        .order_by(SafetyTimers.level, SafetyTimers.set_at.desc(), SafetyTimers.id.desc())
    )
    own = {row.level: row for row in session.scalars(newest)}
    return {
        level: InForce(timers.but(**_own(vars(own[level]))), own[level]) if level in own else InForce(timers, None)
        for level, timers in BY_LEVEL.items()
    }


def _replaced(timers: Timers, values: Mapping[str, Any]) -> Timers:
    return replace(timers, **_own(values))


def _own(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in OWN}
