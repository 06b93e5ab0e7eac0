"""Which policies apply to a visit: those of the organisation that goes, and those of the lender it goes for."""

from collections.abc import Iterable
from datetime import date
from functools import cache, lru_cache

from fieldvisit.compliance.loading import load_preset, policy_from_toml, preset_text
from fieldvisit.compliance.policy import Policy
from fieldvisit.models import Organisation, PolicyVersion

HOUSE = "house"
"""The one preset in whose place an organisation may put its own."""


def policies_of(organisations: Iterable[Organisation], *, trial: PolicyVersion | None = None) -> tuple[Policy, ...]:
    """Every policy that any of these organisations has switched on, once each. None at all permits nothing.

    `trial` is a version that counts as if it were switched on, to see what it would change.
    """
    found: dict[tuple[str, int], Policy] = {}
    for organisation in organisations:
        for policy in _of(organisation, trial):
            found[policy.id, policy.version] = policy
    return tuple(found[key] for key in sorted(found))


def read_version(row: PolicyVersion, code: str) -> Policy:
    """The policy of a stored version; its id, and so each clause's, carries the code of whose it is."""
    return _read(row.text, own_id(row.policy_id, code), row.version, since=row.effective_from, until=row.effective_to)


def own_id(policy_id: str, code: str) -> str:
    """What a policy is called that the organisation with this code made: two houses are two policies."""
    return f"{policy_id}@{code}"


def _of(organisation: Organisation, trial: PolicyVersion | None) -> list[Policy]:
    own = [row for row in organisation.own_policies if row.withdrawn_at is None]
    if trial is not None and trial.org_id == organisation.id:
        own.append(trial)
    replaced = any(row.policy_id == HOUSE for row in own)
    presets = [
        _house(own_id(HOUSE, organisation.code)) if replaced and name == HOUSE else _preset(name)
        for name in organisation.policies
    ]
    return [*presets, *(read_version(row, organisation.code) for row in own)]


@cache
def _preset(name: str) -> Policy:
    return load_preset(name)


@lru_cache(maxsize=1024)
def _house(called: str) -> Policy:
    """The preset under the name of an organisation's own house policy: before its first version and after its last, the
    preset is the version that is in force."""
    return policy_from_toml(preset_text(HOUSE), f"{HOUSE}.toml", called=called)


@lru_cache(maxsize=4096)
def _read(text: str, called: str, version: int, *, since: date, until: date | None) -> Policy:
    dates = {"version": version, "effective_from": since} | ({"effective_to": until} if until else {})
    return policy_from_toml(text, called, called=called, instead=dates)
