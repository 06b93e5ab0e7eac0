"""How long a visitor may be silent, by level of risk, and how an alert climbs while nobody answers it.

The numbers are data: copied into each session at its start, so that a later edit never changes a running session.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.languages import Message
from fieldvisit.models import SafetySession
from fieldvisit.safety.stored import as_stored
from fieldvisit.vocabulary import AlertKind, DutyRank, RiskLevel

MINUTE = 60
EXHAUSTED_EVERY_S = 2 * MINUTE
RED_HOLDS_S, AMBER_HOLDS_S = 3 * MINUTE, 8 * MINUTE
POLICE_S = 5 * MINUTE
DRILL_LONGEST_S = 2 * MINUTE
"""No timer of a drill is longer, the planned length apart: what is longer is not a drill."""


class DrillRefused(FieldVisitError):
    """Timers of seconds are for the demo and for tests."""

    code, kind = "drill_refused", Kind.FORBIDDEN
    says = "Drill timers are not available here: this installation watches over real people."


STEPS = tuple((rank,) for rank in DutyRank)
"""One rank joins on each step, in their order."""


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """How an alert climbs: `waits_s[k]` seconds after step k + 1 the next begins, and `joins[k]` are the ranks who are
    called from that step on; after the last, a call to everyone each `repeat_s`, for ever. An acknowledgement holds for
    `ack_s` unless it is renewed. With `calls_visitor` the first step rings the visitor too. Whether the police is
    called has to be on record `decide_s` after the opening, where that is demanded."""

    waits_s: tuple[int, ...]
    joins: tuple[tuple[str, ...], ...] = STEPS
    repeat_s: int = EXHAUSTED_EVERY_S
    ack_s: int = AMBER_HOLDS_S
    calls_visitor: bool = False
    decide_s: int | None = None

    def __post_init__(self) -> None:
        if not self.waits_s or min(*self.waits_s, self.repeat_s, self.ack_s) < 1:
            raise InvalidValue(path="ladder", reason=Message("every wait is at least one second"))
        if len(self.joins) != len(self.waits_s):
            raise InvalidValue(path="ladder", reason=Message("each step says who joins"))

    def joining(self, step: int) -> tuple[str, ...]:
        """Who is called for the first time on this step, counted from 1; nobody new past the last."""
        return self.joins[step - 1] if step <= len(self.joins) else ()

    def called_before(self, step: int) -> tuple[str, ...]:
        return tuple(rank for ranks in self.joins[: step - 1] for rank in ranks)

    def as_json(self) -> dict[str, Any]:
        joins = [[str(rank) for rank in ranks] for ranks in self.joins]
        return asdict(self) | {"waits_s": list(self.waits_s), "joins": joins}

    @classmethod
    def from_json(cls, stored: Any, usual: "Ladder") -> "Ladder":
        """Of a session, as `Timers.from_json` has it. A rank that is not known here is called all the same: the roster
        says who has it."""
        if not isinstance(stored, Mapping):
            return usual
        known = {name: value for name, value in stored.items() if type(value) in LADDER_KINDS.get(name, ())}
        try:
            known["waits_s"] = tuple(map(int, stored["waits_s"]))
            known["joins"] = tuple([tuple(map(str, ranks)) for ranks in stored["joins"]])
        except (KeyError, TypeError, ValueError):
            known |= {"waits_s": usual.waits_s, "joins": usual.joins}
        return as_stored(cls, {**vars(usual), **known})


SILENT = Ladder(waits_s=(MINUTE, MINUTE, 2 * MINUTE, 2 * MINUTE), calls_visitor=True)
CALLING = Ladder(
    waits_s=(MINUTE, MINUTE),
    joins=((DutyRank.DUTY,), (DutyRank.BACKUP, DutyRank.TEAM_LEAD, DutyRank.SAFETY_MANAGER)),
    ack_s=RED_HOLDS_S,
    decide_s=POLICE_S,
)
DRILL = Ladder(waits_s=(10, 10, 10, 10), repeat_s=20, ack_s=MINUTE)
LADDER_KINDS: Mapping[str, tuple[type, ...]] = {
    "repeat_s": (int,),
    "ack_s": (int,),
    "calls_visitor": (bool,),
    "decide_s": (int, type(None)),
}


RED = (AlertKind.MAN_DOWN, AlertKind.SOS, AlertKind.DURESS)
"""Calls for help, the strongest last. Everything else is silence."""
SILENCE = frozenset(AlertKind) - frozenset(RED)


def strength(kind: AlertKind) -> int:
    """A stronger alert of a session takes the weaker ones over."""
    return RED.index(kind) + 1 if kind in RED else 0


@dataclass(frozen=True, kw_only=True)
class Timers:
    """Seconds, all of them. A check-in is due every `check_in_s`; `remind_s` before that the phone reminds; `grace_s`
    after it the alarm is raised. After `lost_s` without any sign of the phone contact is lost, which raises an alarm
    where `lost_raises`. A visitor may be `arrive_s` later at the door than the plan says, and has `leave_s` for ending
    the session when the visit is over."""

    level: RiskLevel
    check_in_s: int
    remind_s: int
    grace_s: int
    lost_s: int
    lost_raises: bool
    arrive_s: int = 30 * MINUTE
    leave_s: int = 10 * MINUTE
    longest_s: int = 4 * 60 * MINUTE
    """The longest planned length of a session."""
    extend_cap_s: int = 60 * MINUTE
    """By how much the planned end may be moved, all extensions together."""
    pin_at_check_in: bool = False
    """A check-in of a visitor who has a PIN needs it."""
    silent: Ladder = SILENT
    sos: Ladder = CALLING

    def __post_init__(self) -> None:
        if not 0 <= self.remind_s < self.check_in_s:
            raise InvalidValue(path="remind_s", reason=Message("the reminder comes before the check-in is due"))
        (self._refuse_long_drill if self.level is RiskLevel.DRILL else self._refuse_out_of_bounds)()

    def _refuse_long_drill(self) -> None:
        if not 1 <= self.check_in_s <= DRILL_LONGEST_S or not 0 <= self.grace_s <= DRILL_LONGEST_S or self.lost_s < 1:
            raise InvalidValue(path="check_in_s", reason=Message("a drill's timers are seconds"))

    def _refuse_out_of_bounds(self) -> None:
        if not 2 * MINUTE <= self.check_in_s <= 120 * MINUTE:
            raise InvalidValue(path="check_in_s", reason=Message("a check-in is due every 2 to 120 minutes"))
        if not 0 <= self.grace_s <= 10 * MINUTE:
            raise InvalidValue(path="grace_s", reason=Message("the grace is 0 to 10 minutes"))
        if not MINUTE <= self.lost_s <= 60 * MINUTE:
            raise InvalidValue(path="lost_s", reason=Message("contact is lost after 1 to 60 minutes"))
        if not 5 * MINUTE <= self.arrive_s <= 120 * MINUTE:
            raise InvalidValue(path="arrive_s", reason=Message("nobody is waited for longer than 5 to 120 minutes"))
        if not MINUTE <= self.leave_s <= 60 * MINUTE:
            raise InvalidValue(path="leave_s", reason=Message("a session is ended within 1 to 60 minutes"))
        if self.level is RiskLevel.HIGH and self.check_in_s + self.grace_s > 10 * MINUTE:
            raise InvalidValue(
                path="grace_s", reason=Message("at high risk the alarm comes after 10 minutes at the latest")
            )

    def but(self, **others: Any) -> "Timers":
        """The same with others that were judged when they were set."""
        return as_stored(Timers, {**vars(self), **others})

    def alone(self) -> "Timers":
        """For somebody who should have a partner and has none: half the time, and no less than can be demanded."""
        check_in_s = min(self.check_in_s, max(2 * MINUTE, self.check_in_s // 2))
        return self.but(
            check_in_s=check_in_s,
            remind_s=min(self.remind_s, check_in_s // 2),
            grace_s=min(self.grace_s, MINUTE),
            lost_raises=True,
        )

    def ladder(self, kind: AlertKind) -> Ladder:
        """Of a kind that is not known here as of a call for help: the faster one, which does not ring the visitor."""
        return self.silent if kind in SILENCE else self.sos

    def as_json(self) -> dict[str, Any]:
        return (
            asdict(self)
            | {name: ladder.as_json() for name, ladder in self._ladders().items()}
            | {"level": self.level.value}
        )

    def _ladders(self) -> Mapping[str, Ladder]:
        return {"silent": self.silent, "sos": self.sos}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Timers":
        """Those that a session began with, whichever version wrote them: what is not known here says nothing, what is
        not there, or not what it should be, is as usual at that level, or at the most dangerous one where the level is
        not known; and the bounds of today are not asked for."""
        usual = USUAL.get(str(stored.get("level")), BY_LEVEL[RiskLevel.HIGH])
        known = {name: value for name, value in stored.items() if type(value) is KINDS.get(name)}
        known["silent"] = Ladder.from_json(stored.get("silent"), usual.silent)
        known["sos"] = Ladder.from_json(stored.get("sos"), usual.sos)
        return as_stored(cls, {**vars(usual), **known})


BY_LEVEL: Mapping[RiskLevel, Timers] = {
    timers.level: timers
    for timers in (
        Timers(
            level=RiskLevel.LOW,
            check_in_s=30 * MINUTE,
            remind_s=5 * MINUTE,
            grace_s=5 * MINUTE,
            lost_s=15 * MINUTE,
            lost_raises=False,
            arrive_s=45 * MINUTE,
            leave_s=15 * MINUTE,
        ),
        Timers(
            level=RiskLevel.NORMAL,
            check_in_s=15 * MINUTE,
            remind_s=3 * MINUTE,
            grace_s=3 * MINUTE,
            lost_s=10 * MINUTE,
            lost_raises=False,
        ),
        Timers(
            level=RiskLevel.RAISED,
            check_in_s=10 * MINUTE,
            remind_s=2 * MINUTE,
            grace_s=MINUTE,
            lost_s=5 * MINUTE,
            lost_raises=True,
            arrive_s=20 * MINUTE,
            leave_s=5 * MINUTE,
            silent=replace(SILENT, ack_s=RED_HOLDS_S),
        ),
        Timers(
            level=RiskLevel.HIGH,
            check_in_s=5 * MINUTE,
            remind_s=MINUTE,
            grace_s=0,
            lost_s=3 * MINUTE,
            lost_raises=True,
            arrive_s=15 * MINUTE,
            leave_s=3 * MINUTE,
            silent=replace(SILENT, ack_s=RED_HOLDS_S),
        ),
        Timers(
            level=RiskLevel.DRILL,
            check_in_s=20,
            remind_s=10,
            grace_s=5,
            lost_s=DRILL_LONGEST_S,
            lost_raises=True,
            arrive_s=DRILL_LONGEST_S,
            leave_s=MINUTE,
            longest_s=60 * MINUTE,
            extend_cap_s=10 * MINUTE,
            silent=DRILL,
            sos=DRILL,
        ),
    )
}
USUAL: Mapping[str, Timers] = {level.value: timers for level, timers in BY_LEVEL.items()}
KINDS: Mapping[str, type] = {
    name: type(value) for name, value in vars(BY_LEVEL[RiskLevel.NORMAL]).items() if type(value) in (int, bool)
}
"""Of each timer that is a number or a yes or no; a yes is no number."""
ORDER = (RiskLevel.DRILL, RiskLevel.LOW, RiskLevel.NORMAL, RiskLevel.RAISED, RiskLevel.HIGH)
"""From the least to the most dangerous: what is most dangerous is looked at first."""


def danger(level: RiskLevel) -> int:
    """The place of a level in `ORDER`; one that is not known here comes after all of them."""
    return ORDER.index(level) if level in ORDER else len(ORDER)


def decide_by(row: SafetySession, kind: AlertKind, at: dt.datetime) -> dt.datetime | None:
    """Until when it has to be on record whether the police is called about an alert of this session, which is of this
    kind since `at`; never of a drill."""
    if kind not in RED or row.drill is not None:
        return None
    decide_s = Timers.from_json(row.policy).ladder(kind).decide_s
    return None if decide_s is None else at + seconds(decide_s)


def seconds(count: int) -> dt.timedelta:
    return dt.timedelta(seconds=count)
