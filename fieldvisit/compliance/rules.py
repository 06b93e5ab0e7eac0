"""The rules a policy is made of, each checked when it is made.

Every rule carries its clause id, its source, its legal force and how far the source is to be trusted.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.compliance.parameters import (
    Breach,
    CapPeriod,
    CapScope,
    Confidence,
    Counts,
    HeldBy,
    HolidayEffect,
    LegalForce,
    PlaceDemand,
    VisitsAllowed,
    ZoneBasis,
)
from fieldvisit.compliance.wallclock import MIDNIGHT, Day, WallClock, zone_named
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.vocabulary import AttemptResult, BlockScope, BlockTrigger, Channel, CredentialKind, PlaceKind, Role


def need(holds: bool, path: str, reason: str | Message) -> None:
    """Refuse the value under `path` unless the condition holds."""
    if not holds:
        raise InvalidValue(path=path, reason=reason)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule says of itself. `override_role` is the role that may override, where `on_breach` allows it."""

    id: str
    source: str
    legal_force: LegalForce
    confidence: Confidence
    on_breach: Breach = Breach.BLOCK
    override_role: Role | None = None
    note: str = ""

    def __post_init__(self) -> None:
        need(self.source != "", "source", "must say where the rule comes from")
        overridable = self.on_breach is Breach.NEEDS_OVERRIDE
        need(overridable == (self.override_role is not None), "override_role", "belongs to on_breach = needs_override")

    @property
    def binds(self) -> bool:
        """Whether a breach stops anything: a rule that only warns narrows nothing."""
        return self.on_breach is not Breach.WARN


@dataclass(frozen=True, kw_only=True)
class VisitsRule(Rule):
    allowed: VisitsAllowed


@dataclass(frozen=True, kw_only=True)
class PriorEffortRule(Rule):
    """How much failed contact must come before a visit; see `fieldvisit.compliance.prior_effort`.

    `results` are those that count as failed. `day_part_starts` divides the day; before the first of them the last part
    of the day goes on. `invalid_at_once`: when every known number is invalid, the rule is met without further tries.
    """

    min_failed: int
    within_days: int
    channels: frozenset[Channel]
    results: frozenset[AttemptResult]
    min_days: int = 1
    min_day_parts: int = 1
    day_part_starts: tuple[WallClock, ...] = (MIDNIGHT,)
    every_number_tried: bool = False
    invalid_at_once: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("min_failed", "within_days", "min_days", "min_day_parts"):
            need(getattr(self, name) >= 1, name, "must be at least 1")
        need(bool(self.channels), "channels", "must name at least one")
        never = {AttemptResult.REACHED, AttemptResult.REFUSED_CALL} & self.results
        need(bool(self.results) and not never, "results", "must name failures; being reached is none")
        starts = self.day_part_starts
        need(bool(starts) and list(starts) == sorted(set(starts)), "day_part_starts", "must rise")
        need(self.min_day_parts <= len(starts), "min_day_parts", "must not exceed the parts of the day")
        need(self.min_days <= self.within_days, "min_days", "must not exceed within_days")
        counts = AttemptResult.NUMBER_INVALID in self.results and Channel.CALL in self.channels
        need(counts or not self.invalid_at_once, "invalid_at_once", "needs number_invalid among results, by call")


@dataclass(frozen=True, kw_only=True)
class WindowRule(Rule):
    """Hours in which visits are allowed, ``[opens, closes)``; a day in no window is closed."""

    days: frozenset[Day]
    opens: WallClock
    closes: WallClock
    channels: frozenset[Channel] = frozenset(Channel)
    places: frozenset[PlaceKind] = frozenset(PlaceKind)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("days", "channels", "places"):
            need(bool(getattr(self, name)), name, "must name at least one")
        # A ban over midnight is stored as the hours it leaves, so that no window ever crosses midnight.
        need(self.opens < self.closes, "closes", "must be later than opens, on the same day")


@dataclass(frozen=True, kw_only=True)
class FitRule(Rule):
    """The whole visit, and this margin after it, must lie inside the hours."""

    fit: Literal["whole_visit_inside"]
    margin_min: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        need(0 <= self.margin_min <= 240, "margin_min", "must lie between 0 and 240")

    @property
    def margin(self) -> timedelta:
        return timedelta(minutes=self.margin_min)


@dataclass(frozen=True, kw_only=True)
class HolidayRule(Rule):
    """`calendar`: an ISO country code, or ``place`` for the country of the place."""

    effect: HolidayEffect
    calendar: str = "place"


@dataclass(frozen=True, kw_only=True)
class ZoneRule(Rule):
    basis: ZoneBasis
    zone: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        need((self.basis is ZoneBasis.FIXED) == (self.zone is not None), "zone", "belongs to basis = fixed")
        if self.zone is not None:
            zone_named(self.zone, "zone")


@dataclass(frozen=True, kw_only=True)
class WidenRule(Rule):
    """A consent in this form (or a stronger one) opens the hours agreed in it, within this policy."""

    by: Literal["consent"]
    form: ConsentForm


@dataclass(frozen=True, kw_only=True)
class DebtorTimesRule(Rule):
    """Whether the times the debtor stated bind. Where a policy has no such rule, they do."""

    binding: bool

    @property
    def narrows(self) -> bool:
        return self.binding and self.binds


@dataclass(frozen=True, kw_only=True)
class CapRule(Rule):
    """At most `max` in the period, and at least `min_gap_days` between the dates of two.

    `days` is the length of a rolling period, in local dates: 7 covers the date itself and the six before it.
    """

    max: int
    period: CapPeriod
    days: int | None = None
    channels: frozenset[Channel]
    counts: Counts
    scope: CapScope
    min_gap_days: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.max >= 1, "max", "must be at least 1")
        need((self.period is CapPeriod.ROLLING_DAYS) == (self.days is not None), "days", "belongs to rolling_days")
        need(self.days is None or self.days >= 1, "days", "must be at least 1")
        need(bool(self.channels), "channels", "must name at least one")
        need(self.min_gap_days >= 0, "min_gap_days", "must not be negative")


@dataclass(frozen=True, kw_only=True)
class PeopleRule(Rule):
    """A number of people at the door: the least, or the most, as the field that holds the rule says."""

    people: int

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.people >= 1, "people", "must be at least 1")


@dataclass(frozen=True, kw_only=True)
class CredentialRule(Rule):
    """One paper of these kinds, held by each of the crew or by one of them, good on the dates of the visit."""

    any_of: frozenset[CredentialKind]
    held_by: HeldBy = HeldBy.EACH
    through_visit: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.any_of), "any_of", "must name at least one")


@dataclass(frozen=True, kw_only=True)
class StopRule(Rule):
    """A block for this reason stops at least this much, whatever scope it was recorded with."""

    trigger: BlockTrigger
    effect: BlockScope


@dataclass(frozen=True, kw_only=True)
class PlaceRule(Rule):
    place: PlaceKind
    demand: PlaceDemand


@dataclass(frozen=True, kw_only=True)
class VerifyRule(Rule):
    """Whether the identity must be established before the debt is spoken of or shown."""

    before_disclosure: bool
