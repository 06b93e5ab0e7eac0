"""A policy: one version of the rules of one jurisdiction, or of the house.

A policy is read from TOML (`fieldvisit.compliance.loading`), key by key as the fields are named here and in
`fieldvisit.compliance.rules`. Silence is not permission: a policy says whether visits are allowed at all, and somewhere
among the policies of a place the hours must be stated.
"""

import copy
from dataclasses import dataclass, fields
from datetime import date
from functools import lru_cache

from fieldvisit.compliance.conduct_rules import (
    AccessRule,
    AtDoorRule,
    ComplaintRule,
    DemandRule,
    DressRule,
    EntryRule,
    IntroductionRule,
    MoneyRule,
    NotesRule,
    NoticeRule,
    RecordFieldsRule,
    RecordingRule,
    RetentionRule,
    ThirdPartyRule,
    VerifyRule,
    VisitLengthRule,
)
from fieldvisit.compliance.facts import Purpose
from fieldvisit.compliance.parameters import CollectorRole, Party, PolicyStatus, VisitsAllowed
from fieldvisit.compliance.people_rules import (
    AgencyReviewRule,
    CredentialRule,
    PeopleRule,
    SafetyRule,
    StaffMixRule,
    TrainingRule,
)
from fieldvisit.compliance.rules import (
    BlackoutRule,
    CapRule,
    ConsentVisitRule,
    CooldownRule,
    DebtorTimesRule,
    FitRule,
    HolidayRule,
    PlaceRule,
    PriorEffortRule,
    Rule,
    StopRule,
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
class AppliesTo:
    """Whose visits a policy is about. A bound left out does not bind; what is not known of a visit counts as meant."""

    roles: frozenset[CollectorRole] = frozenset(CollectorRole)
    products: frozenset[str] = frozenset()
    parties: frozenset[Party] = frozenset(Party)

    def __post_init__(self) -> None:
        for name in ("roles", "parties"):
            need(bool(getattr(self, name)), name, "must name at least one")


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

    applies_to: AppliesTo = AppliesTo()

    stops: tuple[StopRule, ...] = ()
    blackouts: tuple[BlackoutRule, ...] = ()
    complaint: ComplaintRule | None = None
    visits: VisitsRule
    consent_visit: ConsentVisitRule | None = None
    prior_effort: PriorEffortRule | None = None
    notices: tuple[NoticeRule, ...] = ()
    places: tuple[PlaceRule, ...] = ()
    debtor_times: DebtorTimesRule | None = None
    windows: tuple[WindowRule, ...] = ()
    holidays: HolidayRule | None = None
    zone: ZoneRule | None = None
    widen_by: tuple[WidenRule, ...] = ()
    fit: FitRule | None = None
    visit_length: VisitLengthRule | None = None
    caps: tuple[CapRule, ...] = ()
    cooldowns: tuple[CooldownRule, ...] = ()
    staff_min: PeopleRule | None = None
    staff_max: PeopleRule | None = None
    staff_mix: StaffMixRule | None = None
    credentials: tuple[CredentialRule, ...] = ()
    training: tuple[TrainingRule, ...] = ()
    agency_reviews: tuple[AgencyReviewRule, ...] = ()
    safety: tuple[SafetyRule, ...] = ()
    recording: tuple[RecordingRule, ...] = ()
    entry: EntryRule | None = None
    third_party: ThirdPartyRule | None = None
    verify: VerifyRule | None = None
    notes: NotesRule | None = None
    demands: DemandRule | None = None
    dress: DressRule | None = None
    introduction: IntroductionRule | None = None
    at_door: AtDoorRule | None = None
    money: MoneyRule | None = None
    retention: tuple[RetentionRule, ...] = ()
    record_fields: tuple[RecordFieldsRule, ...] = ()
    access: AccessRule | None = None

    def __hash__(self) -> int:
        # Policies are keys of every cache of the engine: two that are equal have the same id and version.
        return hash((self.id, self.version))

    def __post_init__(self) -> None:
        need(self.version >= 1, "version", "must be at least 1")
        ends_in_order = self.effective_to is None or self.effective_from <= self.effective_to
        need(ends_in_order, "effective_to", "must not be earlier than effective_from")
        last_resort = VisitsAllowed.LAST_RESORT in (self.visits.allowed, self.visits.in_arrears)
        need(not last_resort or self.prior_effort is not None, "prior_effort", "is what visits as a last resort need")
        need(not self.widen_by or bool(self.windows), "widen_by", "widens hours, and the policy states none")
        need("/" not in self.id and self.id != "product", "id", "must not hold a slash, nor be product")
        breaches = {(rule.on_breach, rule.override_role) for rule in self.windows}
        need(len(breaches) <= 1, "windows", "must all have the same on_breach: they are one list of hours")
        each_time = VisitsAllowed.CONSENT_EACH_TIME in (self.visits.allowed, self.visits.in_arrears)
        # One that only warns is a duty to ask first, whatever else a visit needs.
        asked = self.consent_visit is None or each_time or not self.consent_visit.binds
        need(asked, "consent_visit", "belongs to allowed = consent_each_time")
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


@lru_cache(maxsize=4096)
def on_date(policy: Policy, day: date) -> Policy:
    """The policy with the rules that are in force on the date; what it says of visits as such stays always."""
    if all(rule.in_force(day) for parameter, rule in policy.rules() if parameter != "visits"):
        return policy
    # Not made anew: what was checked as a whole need not hold of every part of it.
    part = copy.copy(policy)
    for item in fields(policy):
        value = getattr(policy, item.name)
        if isinstance(value, tuple):
            object.__setattr__(part, item.name, tuple(rule for rule in value if rule.in_force(day)))
        elif isinstance(value, Rule) and item.name != "visits" and not value.in_force(day):
            object.__setattr__(part, item.name, None)
    return part
