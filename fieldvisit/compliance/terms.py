"""What holds when several policies apply at once: the rules of each, and the numbers that their merging gives."""

from dataclasses import dataclass
from datetime import timedelta

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
from fieldvisit.compliance.parameters import CapPeriod, PlaceDemand
from fieldvisit.compliance.people_rules import (
    AgencyReviewRule,
    CredentialRule,
    PeopleRule,
    SafetyRule,
    StaffMixRule,
    TrainingRule,
)
from fieldvisit.compliance.policy import Policy
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
    StopRule,
    VisitsRule,
    WidenRule,
    WindowRule,
    ZoneRule,
)
from fieldvisit.vocabulary import PlaceKind

STRICTNESS = tuple(PlaceDemand)


@dataclass(frozen=True, kw_only=True, eq=False)
class Terms:
    """The rules of each parameter in the order of the policies, under the parameter's own name.

    Numbers count only the rules that bind; a warning narrows nothing. `hours` are the policies that state hours for
    visits. `staff_max` and `longest_stay` None: nobody names one. Two terms are equal only where they are the same.
    """

    policies: tuple[Policy, ...]
    hours: tuple[Policy, ...]
    whole_visit: bool
    margin: timedelta
    wishes_bind: bool
    staff_min: int
    staff_max: int | None
    longest_stay: timedelta | None
    verify_before_disclosure: bool

    stops: tuple[StopRule, ...]
    blackouts: tuple[BlackoutRule, ...]
    complaint: tuple[ComplaintRule, ...]
    visits: tuple[VisitsRule, ...]
    consent_visit: tuple[ConsentVisitRule, ...]
    prior_effort: tuple[PriorEffortRule, ...]
    notices: tuple[NoticeRule, ...]
    places: tuple[PlaceRule, ...]
    debtor_times: tuple[DebtorTimesRule, ...]
    windows: tuple[WindowRule, ...]
    holidays: tuple[HolidayRule, ...]
    zone: tuple[ZoneRule, ...]
    widen_by: tuple[WidenRule, ...]
    fit: tuple[FitRule, ...]
    visit_length: tuple[VisitLengthRule, ...]
    caps: tuple[CapRule, ...]
    cooldowns: tuple[CooldownRule, ...]
    staff_min_rules: tuple[PeopleRule, ...]
    staff_max_rules: tuple[PeopleRule, ...]
    staff_mix: tuple[StaffMixRule, ...]
    credentials: tuple[CredentialRule, ...]
    training: tuple[TrainingRule, ...]
    agency_reviews: tuple[AgencyReviewRule, ...]
    safety: tuple[SafetyRule, ...]
    recording: tuple[RecordingRule, ...]
    entry: tuple[EntryRule, ...]
    third_party: tuple[ThirdPartyRule, ...]
    verify: tuple[VerifyRule, ...]
    notes: tuple[NotesRule, ...]
    demands: tuple[DemandRule, ...]
    dress: tuple[DressRule, ...]
    introduction: tuple[IntroductionRule, ...]
    at_door: tuple[AtDoorRule, ...]
    money: tuple[MoneyRule, ...]
    retention: tuple[RetentionRule, ...]
    record_fields: tuple[RecordFieldsRule, ...]
    access: tuple[AccessRule, ...]

    def place_demand(self, kind: PlaceKind) -> PlaceDemand:
        """The strictest demand for a place of this kind; OK where no policy speaks of it."""
        demands = [rule.demand for rule in self.places if rule.place is kind and rule.binds]
        return max(demands, key=STRICTNESS.index, default=PlaceDemand.OK)

    @property
    def looks_back_days(self) -> int:
        """How far back, in days, the attempts must be given for every count to be right."""
        spans = [rule.within_days for rule in self.prior_effort]
        spans += [rule.days for rule in self.cooldowns]
        for cap in self.caps:
            spans += [cap.days or _LONGEST[cap.period], cap.min_gap_days]
        return max(spans, default=0) + 1


_LONGEST = {CapPeriod.CALENDAR_DAY: 1, CapPeriod.CALENDAR_WEEK: 7, CapPeriod.CALENDAR_MONTH: 31}
