"""The rules on who stands at the door, with which papers and training, and how safely."""

from dataclasses import dataclass

from fieldvisit.compliance.parameters import Disqualifier, HeldBy, Show
from fieldvisit.compliance.rules import Rule, need
from fieldvisit.compliance.wallclock import END_OF_DAY, MIDNIGHT, WallClock
from fieldvisit.vocabulary import AgencyReviewKind, CredentialKind, PlaceKind, RiskLevel


@dataclass(frozen=True, kw_only=True)
class PeopleRule(Rule):
    """A number of people at the door: the least, or the most, as the field that holds the rule says."""

    people: int

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.people >= 1, "people", "must be at least 1")


@dataclass(frozen=True, kw_only=True)
class StaffMixRule(Rule):
    """At least so many of the crew have this skill. No law found asks for a mix; a house may."""

    skill: str
    at_least: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.skill != "", "skill", "must name one")
        need(self.at_least >= 1, "at_least", "must be at least 1")


@dataclass(frozen=True, kw_only=True)
class CredentialRule(Rule):
    """One paper of these kinds, held by each of the crew or by one of them, good on the dates of the visit.

    `through_visit`: it lasts through the visit. `show`: how it is shown. `issuer`: who must have issued it, where the
    text says so.
    """

    any_of: frozenset[CredentialKind]
    held_by: HeldBy = HeldBy.EACH
    through_visit: bool = True
    show: Show = Show.ON_REQUEST
    issuer: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.any_of), "any_of", "must name at least one")


@dataclass(frozen=True, kw_only=True)
class TrainingRule(Rule):
    """A certificate that each of the crew holds, not older than `repeat_months` on the day of the visit.

    `hours`: of the course behind it. `disqualifiers`: what keeps somebody from going out at all.
    """

    certificate: CredentialKind
    hours: int | None = None
    repeat_months: int | None = None
    disqualifiers: frozenset[Disqualifier] = frozenset()

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("hours", "repeat_months"):
            value = getattr(self, name)
            need(value is None or value >= 1, name, "must be at least 1")


@dataclass(frozen=True, kw_only=True)
class AgencyReviewRule(Rule):
    """How often a lender looks at each agency that visits for it. One that visits for itself is none."""

    kind: AgencyReviewKind
    every_months: int

    def __post_init__(self) -> None:
        super().__post_init__()
        need(1 <= self.every_months <= 120, "every_months", "must lie between 1 and 120")


@dataclass(frozen=True, kw_only=True)
class SafetyRule(Rule):
    """The house's care for its own people: how dangerous such a place is at such an hour, and whether one may go alone.

    `confirm_return`: the return to base is confirmed. The timers are those of the safety settings.
    """

    level: RiskLevel
    lone_allowed: bool
    places: frozenset[PlaceKind] = frozenset(PlaceKind)
    opens: WallClock = MIDNIGHT
    closes: WallClock = END_OF_DAY
    confirm_return: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.places), "places", "must name at least one")
        need(self.opens < self.closes, "closes", "must be later than opens, on the same day")
