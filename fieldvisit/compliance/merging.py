"""Several policies as one set of terms: every rule of each holds, so that the strictest outcome wins.

`MERGES` is the one table of how each parameter merges; the engine and the property tests read it. Consent widens
nothing here: a widening rule belongs to the hours of its own policy and leaves those of the others alone.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum, StrEnum
from functools import lru_cache
from typing import Any

from fieldvisit.compliance.conduct_parameters import Entry, MoneyAtDoor, RecordingNeed, ThirdPartyContact
from fieldvisit.compliance.facts import ANY, PlaceFacts, Purpose, Scope
from fieldvisit.compliance.parameters import Fit, PlaceDemand, PolicyStatus, VisitsAllowed
from fieldvisit.compliance.policy import ANYWHERE, Policy, on_date
from fieldvisit.compliance.terms import Terms
from fieldvisit.vocabulary import Channel, PlaceKind


class Merge(Enum):
    UNITE = "every rule of every policy holds"
    INTERSECT = "resolved policy by policy, on each one's own clock; lawful is what all allow"
    EACH_BASIS = "every clock of every policy has to allow"
    OWN = "opens something within its own policy alone"
    LARGEST = "the largest number that binds"
    SMALLEST = "the smallest number that binds"
    ANY = "one policy that demands it is enough"
    STRICTER = "the stricter by the order of the list"
    LONGEST_AND_SHORTEST = "the longest minimum and the shortest maximum; a conflict where they cross"


MERGES = {
    "stops": Merge.UNITE,
    "blackouts": Merge.UNITE,
    "complaint": Merge.UNITE,
    "visits": Merge.STRICTER,
    "consent_visit": Merge.UNITE,
    "prior_effort": Merge.UNITE,
    "notices": Merge.UNITE,
    "places": Merge.STRICTER,
    "debtor_times": Merge.ANY,
    "windows": Merge.INTERSECT,
    "holidays": Merge.INTERSECT,
    "zone": Merge.EACH_BASIS,
    "widen_by": Merge.OWN,
    "fit": Merge.STRICTER,
    "visit_length": Merge.SMALLEST,
    "caps": Merge.UNITE,
    "cooldowns": Merge.UNITE,
    "staff_min": Merge.LARGEST,
    "staff_max": Merge.SMALLEST,
    "staff_mix": Merge.UNITE,
    "credentials": Merge.UNITE,
    "training": Merge.UNITE,
    "agency_reviews": Merge.UNITE,
    "safety": Merge.UNITE,
    "recording": Merge.STRICTER,
    "entry": Merge.STRICTER,
    "third_party": Merge.STRICTER,
    "verify": Merge.ANY,
    "notes": Merge.UNITE,
    "demands": Merge.ANY,
    "dress": Merge.UNITE,
    "introduction": Merge.UNITE,
    "at_door": Merge.UNITE,
    "money": Merge.STRICTER,
    "retention": Merge.LONGEST_AND_SHORTEST,
    "record_fields": Merge.UNITE,
    "access": Merge.ANY,
}

ORDERS: dict[str, tuple[StrEnum, ...]] = {
    "visits": tuple(VisitsAllowed),
    "places": tuple(PlaceDemand),
    "fit": tuple(Fit),
    "recording": tuple(RecordingNeed),
    "entry": tuple(Entry),
    "third_party": tuple(ThirdPartyContact),
    "money": tuple(MoneyAtDoor),
}
"""The lists whose members stand in the order of strictness, for every parameter that merges to the stricter."""

PICKS: dict[Merge, Callable[[Iterable[int]], int]] = {
    Merge.LARGEST: max,
    Merge.SMALLEST: min,
    Merge.ANY: max,
    Merge.STRICTER: max,
}


@dataclass(frozen=True)
class _Asked:
    """Everything that decides which policies apply, hashable: the key of the terms."""

    country: str
    region: str | None
    home: tuple[str, str | None] | None
    day: date
    purpose: Purpose
    scope: Scope


def applicable(
    policies: Sequence[Policy], place: PlaceFacts, day: date, *, purpose: Purpose, scope: Scope = ANY
) -> tuple[Policy, ...]:
    """The policies in force at the place on the date of the visit; of several versions of one, the latest."""
    found: dict[str, Policy] = {}
    for policy in sorted(policies, key=lambda policy: (policy.id, policy.version)):
        if policy.status is PolicyStatus.IN_FORCE and applies(policy, place, day, purpose=purpose, scope=scope):
            found[policy.id] = policy
    return tuple(on_date(policy, day) for policy in found.values())


def applies(policy: Policy, place: PlaceFacts, day: date, *, purpose: Purpose, scope: Scope = ANY) -> bool:
    """Whether the policy speaks of such a visit on the date, be it a draft or in force."""
    about = policy.applies_to
    return (
        policy.effective_from <= day
        and (policy.effective_to is None or day <= policy.effective_to)
        and any(_of(policy.jurisdiction, where) for where in (place, scope.home) if where is not None)
        and purpose in policy.purposes
        and (scope.role is None or scope.role in about.roles)
        and (scope.party is None or scope.party in about.parties)
        and (not about.products or scope.product is None or scope.product in about.products)
    )


def merge(policies: Sequence[Policy]) -> Terms:
    """The terms of policies that all apply."""
    rules: dict[str, tuple[Any, ...]] = {name: _rules(policies, name) for name in MERGES}
    fewest, most = rules.pop("staff_min"), rules.pop("staff_max")
    fits = [policy.fit.fit if policy.fit and policy.fit.binds else Fit.WHOLE_VISIT_INSIDE for policy in policies]
    margins = [rule.margin_min for rule in rules["fit"] if rule.binds]
    stays = [rule.minutes for rule in rules["visit_length"] if rule.binds and rule.minutes is not None]
    wishes = [policy.debtor_times is None or policy.debtor_times.narrows for policy in policies]
    return Terms(
        policies=tuple(policies),
        hours=tuple(p for p in policies if any(Channel.VISIT in window.channels for window in p.windows)),
        whole_visit=stricter("fit", fits or [Fit.WHOLE_VISIT_INSIDE]) is Fit.WHOLE_VISIT_INSIDE,
        margin=timedelta(minutes=picked("fit", margins, 0)),
        wishes_bind=bool(picked("debtor_times", wishes, True)),
        staff_min=picked("staff_min", [rule.people for rule in fewest if rule.binds], 1),
        staff_max=picked("staff_max", [rule.people for rule in most if rule.binds], 0) or None,
        longest_stay=timedelta(minutes=picked("visit_length", stays, 0)) or None,
        verify_before_disclosure=bool(picked("verify", [rule.before_disclosure for rule in rules["verify"]], False)),
        staff_min_rules=fewest,
        staff_max_rules=most,
        **rules,
    )


def stricter[M: StrEnum](name: str, members: Iterable[M]) -> M:
    """The strictest of the members by the order of the parameter."""
    return max(members, key=ORDERS[name].index)


def picked(name: str, values: Sequence[int], default: int) -> int:
    """The number that the table of merges takes of these, or the default where there is none."""
    return PICKS[MERGES[name]](values) if values else default


def terms_for(
    policies: Sequence[Policy],
    place: PlaceFacts,
    day: date,
    *,
    purpose: Purpose = Purpose.COLLECTION,
    scope: Scope = ANY,
) -> Terms | None:
    """The terms of a visit at the place on the date; None where no policy applies, and so nothing is permitted."""
    home = (scope.home.country, scope.home.region) if scope.home else None
    asked = _Asked(place.country, place.region, home, day, purpose, _bare(scope))
    return _terms(tuple(policies), asked)


@lru_cache(maxsize=4096)
def _terms(policies: tuple[Policy, ...], asked: _Asked) -> Terms | None:
    place = _stand_in(asked.country, asked.region)
    home = _stand_in(*asked.home) if asked.home else None
    scope = Scope(role=asked.scope.role, product=asked.scope.product, party=asked.scope.party, home=home)
    chosen = applicable(policies, place, asked.day, purpose=asked.purpose, scope=scope)
    return merge(chosen) if chosen else None


@lru_cache(maxsize=1024)
def _bare(scope: Scope) -> Scope:
    return Scope(role=scope.role, product=scope.product, party=scope.party)


@lru_cache(maxsize=1024)
def _stand_in(country: str, region: str | None) -> PlaceFacts:
    return PlaceFacts(id="", kind=PlaceKind.HOME, zone=None, country=country, region=region)


def _of(jurisdiction: str, place: PlaceFacts) -> bool:
    if jurisdiction in (ANYWHERE, place.country, place.region):
        return True
    # Which region it is, is not known: each of them may be the one, so all of their policies count.
    return place.region is None and jurisdiction.startswith(f"{place.country}-")


def _rules(policies: Sequence[Policy], name: str) -> tuple[Any, ...]:
    values = [getattr(policy, name) for policy in policies]
    found = (rule for value in values for rule in (value if isinstance(value, tuple) else (value,)))
    return tuple(rule for rule in found if rule is not None)
