"""Whose clock a policy means."""

from functools import lru_cache

from fieldvisit.compliance.facts import Facts, PlaceFacts
from fieldvisit.compliance.parameters import ZoneBasis
from fieldvisit.compliance.policy import Policy


def clocks_of(policy: Policy, facts: Facts) -> tuple[str, ...]:
    """The zones on each of whose clocks the policy has to allow; the first is the one in whose days it counts."""
    rule, home = policy.zone, facts.scope.home
    if rule is None or rule.basis is ZoneBasis.VISIT_PLACE:
        return clocks_at(facts.place)
    if rule.zone is not None:
        return (rule.zone,)
    lives_at = home if home is not None and home.zone is not None else facts.place
    if rule.basis is ZoneBasis.DEBTOR_HOME:
        return clocks_at(lives_at)
    return tuple(dict.fromkeys((*clocks_at(facts.place), *clocks_at(lives_at), *facts.candidate_zones)))


def clock_of(policy: Policy, facts: Facts) -> str:
    """The zone in whose days the policy counts."""
    return clocks_of(policy, facts)[0]


@lru_cache(maxsize=4096)
def clocks_at(place: PlaceFacts) -> tuple[str, ...]:
    """Every zone in which the place may lie."""
    return tuple(dict.fromkeys((place.zone or "UTC", *place.other_zones)))
