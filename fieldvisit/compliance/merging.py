"""Several policies as one set of terms: every rule of each holds, so that the strictest outcome wins.

`MERGES` is the one table of how each parameter merges. Consent widens nothing here: a widening rule belongs to the
hours of its own policy and leaves those of the others alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from fieldvisit.compliance.facts import PlaceFacts, Purpose
from fieldvisit.compliance.parameters import CapPeriod, PlaceDemand, PolicyStatus
from fieldvisit.compliance.policy import ANYWHERE, Policy
from fieldvisit.compliance.rules import (
    CapRule,
    CredentialRule,
    DebtorTimesRule,
    FitRule,
    PeopleRule,
    PlaceRule,
    PriorEffortRule,
    Rule,
    StopRule,
    VerifyRule,
    VisitsRule,
)
from fieldvisit.vocabulary import Channel, PlaceKind


class Merge(Enum):
    UNITE = "every rule of every policy holds"
    INTERSECT = "resolved policy by policy, on each one's own clock; lawful is what all allow"
    LARGEST = "the largest number that binds"
    SMALLEST = "the smallest number that binds"
    ANY = "one policy that demands it is enough"


MERGES = {
    "visits": Merge.UNITE,
    "prior_effort": Merge.UNITE,
    "windows": Merge.INTERSECT,
    "holidays": Merge.INTERSECT,
    "zone": Merge.INTERSECT,
    "widen_by": Merge.INTERSECT,
    "fit": Merge.LARGEST,
    "debtor_times": Merge.ANY,
    "caps": Merge.UNITE,
    "staff_min": Merge.LARGEST,
    "staff_max": Merge.SMALLEST,
    "credentials": Merge.UNITE,
    "stops": Merge.UNITE,
    "places": Merge.UNITE,
    "verify": Merge.ANY,
}

PICKS: dict[Merge, Callable[[Iterable[int]], int]] = {Merge.LARGEST: max, Merge.SMALLEST: min, Merge.ANY: max}

STRICTNESS = tuple(PlaceDemand)


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What holds when all these policies apply. Numbers count only the rules that bind; a warning narrows nothing.

    `hours` are the policies that state hours for visits. `staff_max` None: nobody names one.
    """

    policies: tuple[Policy, ...]
    visits: tuple[VisitsRule, ...]
    prior_effort: tuple[PriorEffortRule, ...]
    hours: tuple[Policy, ...]
    fits: tuple[FitRule, ...]
    margin: timedelta
    debtor_times: tuple[DebtorTimesRule, ...]
    wishes_bind: bool
    caps: tuple[CapRule, ...]
    staff_min_rules: tuple[PeopleRule, ...]
    staff_max_rules: tuple[PeopleRule, ...]
    staff_min: int
    staff_max: int | None
    credentials: tuple[CredentialRule, ...]
    stops: tuple[StopRule, ...]
    places: tuple[PlaceRule, ...]
    verify_before_disclosure: bool

    def place_demand(self, kind: PlaceKind) -> PlaceDemand:
        """The strictest demand for a place of this kind; OK where no policy speaks of it."""
        demands = [rule.demand for rule in self.places if rule.place is kind and rule.binds]
        return max(demands, key=STRICTNESS.index, default=PlaceDemand.OK)

    @property
    def looks_back_days(self) -> int:
        """How far back, in days, the attempts must be given for every count to be right."""
        spans = [rule.within_days for rule in self.prior_effort]
        for cap in self.caps:
            spans += [cap.days or _LONGEST[cap.period], cap.min_gap_days]
        return max(spans, default=0) + 1


def applicable(policies: Sequence[Policy], place: PlaceFacts, day: date, purpose: Purpose) -> tuple[Policy, ...]:
    """The policies in force at the place on the date of the visit; of several versions of one, the latest."""
    found: dict[str, Policy] = {}
    for policy in sorted(policies, key=lambda policy: (policy.id, policy.version)):
        if _applies(policy, place, day, purpose):
            found[policy.id] = policy
    return tuple(found.values())


def merge(policies: Sequence[Policy]) -> Terms:
    """The terms of policies that all apply."""
    margin = _number("fit", [rule.margin_min for rule in _rules(policies, FitRule, "fit") if rule.binds], 0)
    fewest = [rule.people for rule in _rules(policies, PeopleRule, "staff_min") if rule.binds]
    most = [rule.people for rule in _rules(policies, PeopleRule, "staff_max") if rule.binds]
    wishes = [policy.debtor_times is None or policy.debtor_times.narrows for policy in policies]
    verify = [rule.before_disclosure for rule in _rules(policies, VerifyRule, "verify")]
    return Terms(
        policies=tuple(policies),
        visits=_rules(policies, VisitsRule, "visits"),
        prior_effort=_rules(policies, PriorEffortRule, "prior_effort"),
        hours=tuple(p for p in policies if any(Channel.VISIT in window.channels for window in p.windows)),
        fits=_rules(policies, FitRule, "fit"),
        margin=timedelta(minutes=margin),
        debtor_times=_rules(policies, DebtorTimesRule, "debtor_times"),
        wishes_bind=bool(_number("debtor_times", wishes, True)),
        caps=_rules(policies, CapRule, "caps"),
        staff_min_rules=_rules(policies, PeopleRule, "staff_min"),
        staff_max_rules=_rules(policies, PeopleRule, "staff_max"),
        staff_min=_number("staff_min", fewest, 1),
        staff_max=_number("staff_max", most, 0) or None,
        credentials=_rules(policies, CredentialRule, "credentials"),
        stops=_rules(policies, StopRule, "stops"),
        places=_rules(policies, PlaceRule, "places"),
        verify_before_disclosure=bool(_number("verify", verify, False)),
    )


def terms_for(
    policies: Sequence[Policy], place: PlaceFacts, day: date, *, purpose: Purpose = Purpose.COLLECTION
) -> Terms | None:
    """The terms of a visit at the place on the date; None where no policy applies, and so nothing is permitted."""
    chosen = applicable(policies, place, day, purpose)
    return merge(chosen) if chosen else None


def _applies(policy: Policy, place: PlaceFacts, day: date, purpose: Purpose) -> bool:
    return (
        policy.status is PolicyStatus.IN_FORCE
        and policy.jurisdiction in (ANYWHERE, place.country, place.region)
        and purpose in policy.purposes
        and policy.effective_from <= day
        and (policy.effective_to is None or day <= policy.effective_to)
    )


def _rules[R: Rule](policies: Sequence[Policy], kind: type[R], name: str) -> tuple[R, ...]:
    values = [getattr(policy, name) for policy in policies]
    found = (rule for value in values for rule in (value if isinstance(value, tuple) else (value,)))
    return tuple(rule for rule in found if isinstance(rule, kind))


def _number(name: str, values: Sequence[int], default: int) -> int:
    return PICKS[MERGES[name]](values) if values else default


_LONGEST = {CapPeriod.CALENDAR_DAY: 1, CapPeriod.CALENDAR_WEEK: 7, CapPeriod.CALENDAR_MONTH: 31}
