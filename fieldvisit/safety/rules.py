"""What each organisation sets for its safety besides the timers: how long it keeps where its visitors were, and whether
it raises an alarm about who set out without a session."""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from fieldvisit.clock import database_now
from fieldvisit.drafts import check_text
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.models import SafetyRules
from fieldvisit.safety.roster import check_language, check_number
from fieldvisit.safety.stored import as_stored
from fieldvisit.safety.timers import danger
from fieldvisit.vocabulary import DrillKind, RiskLevel


@dataclass(frozen=True, kw_only=True)
class DemandedDrill:
    """A drill of this kind every so many months, 1 to 12. Raises InvalidValue for another number."""

    kind: DrillKind
    every_months: int

    def __post_init__(self) -> None:
        if not 1 <= self.every_months <= 12:
            raise InvalidValue(path="every_months", reason=Message("a drill is demanded every 1 to 12 months"))


@dataclass(frozen=True, kw_only=True)
class ExternalLine:
    """A guard company or control room that answers day and night, by agreement: `number` in E.164 is rung, and written
    to with `sms`. Raises InvalidValue."""

    name: str
    number: str
    language: str = "en"
    sms: bool = False

    def __post_init__(self) -> None:
        check_text("name", self.name)
        check_number(self.number, path="number")
        check_language(self.language)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Days after the end of a session: `positions_days` until its last position goes, `sessions_days` until it goes
    itself, with its record, its alerts and their messages. `unwatched_s`: so many seconds after a visitor set out, or
    arrived, without a session an alarm is raised; never where it is None. `drills`: what is demanded, each
    kind once. Raises InvalidValue for what is out of bounds."""

    positions_days: int = 30
    sessions_days: int = 730
    unwatched_s: int | None = None
    drills: tuple[DemandedDrill, ...] = ()
    external: ExternalLine | None = None
    """Who is called when nobody of the house answers."""
    assessed_from: RiskLevel | None = None
    """From this level on nobody starts, or is planned, without the questions before the visit; None: at no level."""
    assessment_valid_s: int = 12 * 3_600
    """So long an answer to them is good."""

    pin_from: RiskLevel | None = None
    """From this level on a check-in needs the visitor's PIN; None: at no level."""

    buddy_from: RiskLevel | None = None
    """From this level on nobody goes alone without having named a buddy; None: at no level."""

    def __post_init__(self) -> None:
        for path in ("assessed_from", "pin_from", "buddy_from"):
            if getattr(self, path) is RiskLevel.DRILL:
                raise InvalidValue(path=path, reason=Message("a drill is no level that anything is asked from"))
        if not 900 <= self.assessment_valid_s <= 604_800:
            raise InvalidValue(
                path="assessment_valid_s", reason=Message("an assessment is good for 15 minutes to 7 days")
            )
        if not 0 <= self.positions_days <= 365:
            raise InvalidValue(path="positions_days", reason=Message("a last position is kept for 0 to 365 days"))
        if not 30 <= self.sessions_days <= 3_650:
            raise InvalidValue(path="sessions_days", reason=Message("a session is kept for 30 to 3650 days"))
        if self.positions_days > self.sessions_days:
            raise InvalidValue(path="positions_days", reason=Message("no longer than the session itself"))
        if self.unwatched_s is not None and not 300 <= self.unwatched_s <= 7_200:
            raise InvalidValue(
                path="unwatched_s", reason=Message("who set out without a session is raised after 5 to 120 minutes")
            )
        if len({each.kind for each in self.drills}) < len(self.drills):
            raise InvalidValue(path="drills", reason=Message("each kind of drill is named once"))


USUAL = Rules()
OWN = (
    *("positions_days", "sessions_days", "unwatched_s", "drills", "external"),
    *("assessed_from", "assessment_valid_s", "pin_from", "buddy_from"),
)


@dataclass(frozen=True, kw_only=True)
class RulesDraft:
    """What is to hold from now on, and why."""

    positions_days: int
    sessions_days: int
    reason: str
    unwatched_s: int | None = None
    drills: tuple[DemandedDrill, ...] = ()
    external: ExternalLine | None = None
    assessed_from: RiskLevel | None = None
    assessment_valid_s: int = USUAL.assessment_valid_s
    pin_from: RiskLevel | None = None
    buddy_from: RiskLevel | None = None

    def __post_init__(self) -> None:
        check_text("reason", self.reason)
        Rules(**{name: getattr(self, name) for name in OWN})


@dataclass(frozen=True)
class RulesInForce:
    """What holds, and the setting that made it so; none where it is the product's own."""

    rules: Rules
    setting: SafetyRules | None


def set_rules(session: Session, draft: RulesDraft, by: uuid.UUID) -> RulesInForce:
    """From now on this holds for the acting organisation."""
    now: dt.datetime = session.scalars(sa.select(database_now())).one()
    external = asdict(draft.external) if draft.external else None
    drills = {each.kind.value: each.every_months for each in draft.drills}
    setting = SafetyRules(
        org_id=session.info["org"], set_by_id=by, set_at=now, **vars(draft) | {"drills": drills, "external": external}
    )
    session.add(setting)
    session.flush()
    return _in_force(setting)


def rules_in_force(session: Session) -> RulesInForce:
    """The acting organisation's."""
    found = _newest(session, SafetyRules.org_id == session.info["org"])
    return found.get(session.info["org"], RulesInForce(USUAL, None))


def rules_of(session: Session, org_id: uuid.UUID) -> Rules:
    """What holds for this organisation."""
    found = _newest(session, SafetyRules.org_id == org_id)
    return found[org_id].rules if org_id in found else USUAL


def demanded(level: RiskLevel, at_least: RiskLevel | None) -> bool:
    """Whether what the house demands from a level on is demanded at this one; of a drill nothing is."""
    return at_least is not None and level is not RiskLevel.DRILL and danger(level) >= danger(at_least)


def rules_of_all(session: Session) -> Mapping[uuid.UUID, Rules]:
    """Of every organisation that has set its own; `USUAL` holds for the others. The session sees the rows of all."""
    return {org_id: found.rules for org_id, found in _newest(session, sa.true()).items()}


def _newest(session: Session, whose: sa.ColumnElement[bool]) -> Mapping[uuid.UUID, RulesInForce]:
    newest = (
        sa.select(SafetyRules)
        .ext(distinct_on(SafetyRules.org_id))
        .where(whose)
        .order_by(SafetyRules.org_id, SafetyRules.set_at.desc(), SafetyRules.id.desc())
    )
    return {row.org_id: _in_force(row) for row in session.scalars(newest)}


def _in_force(setting: SafetyRules) -> RulesInForce:
    stored = {name: getattr(setting, name) for name in OWN} | {
        "drills": drills_of(setting),
        "external": _external(setting.external or {}),
    }
    return RulesInForce(as_stored(Rules, stored), setting)


def _external(stored: Mapping[str, Any]) -> ExternalLine | None:
    return as_stored(ExternalLine, stored) if stored.keys() >= {"name", "number"} else None


def drills_of(setting: SafetyRules) -> tuple[DemandedDrill, ...]:
    """What this setting demands; of a kind that is not known here nothing can be held."""
    known = {kind.value: kind for kind in DrillKind}
    drills = [{"kind": known[kind], "every_months": each} for kind, each in setting.drills.items() if kind in known]
    return tuple(as_stored(DemandedDrill, each) for each in drills)
