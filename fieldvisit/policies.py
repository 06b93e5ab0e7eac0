"""Which policies apply to a visit: those of the organisation that goes, and those of the lender it goes for."""

from collections.abc import Iterable
from functools import cache

from fieldvisit.compliance.loading import load_preset
from fieldvisit.compliance.policy import Policy
from fieldvisit.models import Organisation


@cache
def _preset(name: str) -> Policy:
    return load_preset(name)


def policies_of(organisations: Iterable[Organisation]) -> tuple[Policy, ...]:
    """Every policy that any of these organisations has switched on, once each. None at all permits nothing."""
    names = sorted({name for organisation in organisations for name in organisation.policies})
    return tuple(_preset(name) for name in names)
