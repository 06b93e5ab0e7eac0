"""A policy as a table that a person can hold beside the text it was made from."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from fieldvisit.compliance.parameters import Confidence
from fieldvisit.compliance.policy import AppliesTo, Policy
from fieldvisit.compliance.rules import Rule
from fieldvisit.compliance.saying import in_sentences
from fieldvisit.compliance.wallclock import WEEK, Day
from fieldvisit.languages import Message

SAID_OF_ITSELF = {item.name for item in fields(Rule)}
ALL_WEEK = "mon–sun"


@dataclass(frozen=True)
class Clause:
    """One rule in codes: what it says, where that stands, how far to trust it, what a breach does; `words`: what it
    says, in sentences."""

    id: str
    says: str
    source: str
    legal_force: str
    confidence: str
    on_breach: str
    note: str
    words: Message = field(default=Message(""), compare=False)


@dataclass(frozen=True)
class Difference:
    """What became of a clause from one version to another; None where it is not there."""

    id: str
    before: Clause | None
    after: Clause | None


def clauses_of(policy: Policy) -> list[Clause]:
    """Every rule of the policy, in the order of the format."""
    return [_clause(parameter, rule) for parameter, rule in policy.rules()]


def confidences(policy: Policy) -> dict[Confidence, int]:
    """How many rules of each confidence the policy has; none are left out."""
    counted = Counter(rule.confidence for _, rule in policy.rules())
    return {confidence: counted[confidence] for confidence in Confidence}


def differences(before: Policy, after: Policy) -> list[Difference]:
    """The clauses that are not the same in both, those of the first in its order and then the new ones."""
    old, new = ({_bare(each.id): each for each in clauses_of(policy)} for policy in (before, after))
    names = [*old, *(name for name in new if name not in old)]
    return [
        Difference(name, old.get(name), new.get(name))
        for name in names
        if _content(old.get(name)) != _content(new.get(name))
    ]


def scope_of(policy: Policy) -> str:
    """Whose visits the policy is about, as far as it says so."""
    return ", ".join(_said(policy.applies_to, AppliesTo())) or "all"


def _clause(parameter: str, rule: Rule) -> Clause:
    breach = rule.on_breach.value
    if rule.override_role is not None:
        breach += f" ({rule.override_role.value}{', second person' if rule.second_person else ''})"
    dates = [f"{name} {value}" for name in ("from", "to") if (value := getattr(rule, f"effective_{name}")) is not None]
    return Clause(
        id=rule.id,
        says=", ".join([*_said(rule), *dates]),
        source=rule.source,
        legal_force=rule.legal_force.value,
        confidence=rule.confidence.value,
        on_breach=breach,
        note=rule.note,
        words=in_sentences(parameter, rule),
    )


def _said(rule: object, like: object = None) -> Iterator[str]:
    """Each thing that the rule says, leaving out what it would say by saying nothing."""
    for item in fields(rule):  # type: ignore[arg-type]  # every rule is a dataclass
        value = getattr(rule, item.name)
        if item.name in SAID_OF_ITSELF or value == _default(item, like):
            continue
        if item.name == "closes":
            continue
        if item.name == "opens":
            yield f"{value}–{getattr(rule, 'closes')}"  # noqa: B009 - only rules with both have either
        else:
            yield f"{item.name} {_written(value)}"


def _default(item: Any, like: object) -> Any:
    if like is not None:
        return getattr(like, item.name)
    if item.default_factory is not MISSING:
        return item.default_factory()
    return item.default


def _written(value: object) -> str:
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, frozenset) and value >= set(WEEK):
        return " ".join([ALL_WEEK, *sorted(each.value for each in value - set(WEEK))])
    if isinstance(value, frozenset) and all(isinstance(each, Day) for each in value):
        return " ".join(day.value for day in Day if day in value)
    if isinstance(value, frozenset | tuple):
        return " ".join(sorted(_written(each) for each in value))
    return value.value if isinstance(value, StrEnum) else str(value)


def _bare(clause_id: str) -> str:
    """The clause id without the name of its policy, so that two policies can be held beside each other."""
    return clause_id.partition("/")[2]


def _content(clause: Clause | None) -> Clause | None:
    return replace(clause, id="") if clause else None
