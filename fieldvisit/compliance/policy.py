"""A policy: one version of the rules of one jurisdiction, or of the house.

A policy is read from TOML (`fieldvisit.compliance.loading`), key by key as the fields are named here and in
`fieldvisit.compliance.rules`. Silence is not permission: a policy says whether visits are allowed at all, and somewhere
among the policies of a place the hours must be stated.
"""

from dataclasses import dataclass, fields
from datetime import date

from fieldvisit.compliance.facts import Purpose
from fieldvisit.compliance.parameters import PolicyStatus, VisitsAllowed
from fieldvisit.compliance.rules import (
    CapRule,
    CredentialRule,
    DebtorTimesRule,
    FitRule,
    HolidayRule,
    PeopleRule,
    PlaceRule,
    PriorEffortRule,
    Rule,
    StopRule,
    VerifyRule,
    VisitsRule,
    WidenRule,
    WindowRule,
    ZoneRule,
    need,
)
from fieldvisit.languages import Message

ANYWHERE = "*"
"""The jurisdiction of a policy that applies wherever the organisation works: a house policy."""


@dataclass(frozen=True, kw_only=True)
class Policy:
    """One version. In force on the dates from `effective_from` to `effective_to`, both included (None: open)."""

    id: str
    version: int
    title: str
    jurisdiction: str
    status: PolicyStatus
    effective_from: date
    effective_to: date | None = None
    purposes: frozenset[Purpose] = frozenset({Purpose.COLLECTION})

    visits: VisitsRule
    prior_effort: PriorEffortRule | None = None
    windows: tuple[WindowRule, ...] = ()
    holidays: HolidayRule | None = None
    zone: ZoneRule | None = None
    widen_by: tuple[WidenRule, ...] = ()
    fit: FitRule | None = None
    debtor_times: DebtorTimesRule | None = None
    caps: tuple[CapRule, ...] = ()
    staff_min: PeopleRule | None = None
    staff_max: PeopleRule | None = None
    credentials: tuple[CredentialRule, ...] = ()
    stops: tuple[StopRule, ...] = ()
    places: tuple[PlaceRule, ...] = ()
    verify: VerifyRule | None = None

    def __post_init__(self) -> None:
        need(self.version >= 1, "version", "must be at least 1")
        ends_in_order = self.effective_to is None or self.effective_from <= self.effective_to
        need(ends_in_order, "effective_to", "must not be earlier than effective_from")
        last_resort = self.visits.allowed is VisitsAllowed.LAST_RESORT
        need(not last_resort or self.prior_effort is not None, "prior_effort", "is what visits as a last resort need")
        need(not self.widen_by or bool(self.windows), "widen_by", "widens hours, and the policy states none")
        need("/" not in self.id and self.id != "product", "id", "must not hold a slash, nor be product")
        breaches = {(rule.on_breach, rule.override_role) for rule in self.windows}
        need(len(breaches) <= 1, "windows", "must all have the same on_breach: they are one list of hours")
        seen: set[str] = set()
        for parameter, rule in self.rules():
            start = f"{self.id}/{parameter}/"
            need(rule.id.startswith(start), rule.id, Message("must start with {start}", {"start": start}))
            need(rule.id not in seen, rule.id, "stands twice; a clause id names one rule")
            seen.add(rule.id)

    def rules(self) -> list[tuple[str, Rule]]:
        """Every rule with the name of its parameter, in the order of the fields."""
        found: list[tuple[str, Rule]] = []
        for item in fields(self):
            value = getattr(self, item.name)
            rules = value if isinstance(value, tuple) else (value,)
            found += [(item.name, rule) for rule in rules if isinstance(rule, Rule)]
        return found
