"""The rules a policy is made of, each checked when it is made.

Every rule carries its clause id, its source, its legal force and how far the source is to be trusted.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.compliance.parameters import (
    Breach,
    CapPeriod,
    CapScope,
    Confidence,
    ConsentContent,
    CooldownAfter,
    Counts,
    Fit,
    HolidayEffect,
    LegalForce,
    PlaceCondition,
    PlaceDemand,
    RedirectTo,
    VisitsAllowed,
    WidenBy,
    ZoneBasis,
)
from fieldvisit.compliance.wallclock import END_OF_DAY, MIDNIGHT, WEEK, Day, WallClock, zone_named
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.vocabulary import AttemptResult, BlockScope, BlockTrigger, Channel, PlaceKind, Role


def need(holds: bool, path: str, reason: str | Message) -> None:
    """Refuse the value under `path` unless the condition holds."""
    if not holds:
        raise InvalidValue(path=path, reason=reason)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What every rule says of itself.

    `override_role` is the role that may override, where `on_breach` allows it, and `second_person` whether somebody
    else has to agree. The dates narrow those of the policy: a text that came into force later, or ran out.
    """

    id: str
    source: str
    legal_force: LegalForce
    confidence: Confidence
    on_breach: Breach = Breach.BLOCK
    override_role: Role | None = None
    second_person: bool = False
    effective_from: date | None = None
    effective_to: date | None = None
    note: str = ""

    def __post_init__(self) -> None:
        need(self.source != "", "source", "must say where the rule comes from")
        overridable = self.on_breach is Breach.NEEDS_OVERRIDE
        need(overridable == (self.override_role is not None), "override_role", "belongs to on_breach = needs_override")
        need(overridable or not self.second_person, "second_person", "belongs to on_breach = needs_override")
        sure = self.confidence is not Confidence.UNCONFIRMED or self.on_breach is Breach.WARN
        need(sure, "confidence", "what is unconfirmed may only warn")
        ends_in_order = not (self.effective_from and self.effective_to and self.effective_to < self.effective_from)
        need(ends_in_order, "effective_to", "must not be earlier than effective_from")

    @property
    def binds(self) -> bool:
        """Whether a breach stops anything: a rule that only warns narrows nothing."""
        return self.on_breach is not Breach.WARN

    def in_force(self, day: date) -> bool:
        begun = self.effective_from is None or self.effective_from <= day
        return begun and (self.effective_to is None or day <= self.effective_to)


@dataclass(frozen=True, kw_only=True)
class VisitsRule(Rule):
    """`in_arrears`: what holds instead while the account is overdue."""

    allowed: VisitsAllowed
    in_arrears: VisitsAllowed | None = None


@dataclass(frozen=True, kw_only=True)
class ConsentVisitRule(Rule):
    """Where the debtor must agree to each visit: what the consent has to name, and in which form. One that only warns
    says that the debtor is asked first, where a visit does not hang on it."""

    contents: frozenset[ConsentContent] = frozenset()
    form: ConsentForm = ConsentForm.ANY


@dataclass(frozen=True, kw_only=True)
class PriorEffortRule(Rule):
    """How much failed contact must come before a visit; see `fieldvisit.compliance.prior_effort`.

    `results` are those that count as failed. `day_part_starts` divides the day; before the first of them the last part
    of the day goes on. `invalid_at_once`: when every known number is invalid, the rule is met without further tries.
    """

    min_failed: int
    within_days: int
    channels: frozenset[Channel]
    results: frozenset[AttemptResult]
    min_days: int = 1
    min_day_parts: int = 1
    day_part_starts: tuple[WallClock, ...] = (MIDNIGHT,)
    every_number_tried: bool = False
    invalid_at_once: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("min_failed", "within_days", "min_days", "min_day_parts"):
            need(getattr(self, name) >= 1, name, "must be at least 1")
        need(bool(self.channels), "channels", "must name at least one")
        never = {AttemptResult.REACHED, AttemptResult.REFUSED_CALL} & self.results
        need(bool(self.results) and not never, "results", "must name failures; being reached is none")
        starts = self.day_part_starts
        need(bool(starts) and list(starts) == sorted(set(starts)), "day_part_starts", "must rise")
        need(self.min_day_parts <= len(starts), "min_day_parts", "must not exceed the parts of the day")
        need(self.min_days <= self.within_days, "min_days", "must not exceed within_days")
        counts = AttemptResult.NUMBER_INVALID in self.results and Channel.CALL in self.channels
        need(counts or not self.invalid_at_once, "invalid_at_once", "needs number_invalid among results, by call")


@dataclass(frozen=True, kw_only=True)
class WindowRule(Rule):
    """Hours in which visits are allowed, ``[opens, closes)``; a day in no window is closed."""

    days: frozenset[Day]
    opens: WallClock
    closes: WallClock
    channels: frozenset[Channel] = frozenset(Channel)
    places: frozenset[PlaceKind] = frozenset(PlaceKind)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("days", "channels", "places"):
            need(bool(getattr(self, name)), name, "must name at least one")
        # A ban over midnight is stored as the hours it leaves, so that no window ever crosses midnight.
        need(self.opens < self.closes, "closes", "must be later than opens, on the same day")


@dataclass(frozen=True, kw_only=True)
class FitRule(Rule):
    """Whether the whole visit, and this margin after it, must lie inside the hours, or its beginning alone."""

    fit: Fit
    margin_min: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        need(0 <= self.margin_min <= 240, "margin_min", "must lie between 0 and 240")
        whole = self.fit is Fit.WHOLE_VISIT_INSIDE
        need(whole or not self.margin_min, "margin_min", "belongs to fit = whole_visit_inside")

    @property
    def margin(self) -> timedelta:
        return timedelta(minutes=self.margin_min)


@dataclass(frozen=True, kw_only=True)
class HolidayRule(Rule):
    """`calendar`: an ISO country code, or ``place`` for the country and region of the place. `observed`: a holiday that
    falls on a free day also counts on the day to which it is moved."""

    effect: HolidayEffect
    calendar: str = "place"
    observed: bool = True


@dataclass(frozen=True, kw_only=True)
class ZoneRule(Rule):
    basis: ZoneBasis
    zone: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        need((self.basis is ZoneBasis.FIXED) == (self.zone is not None), "zone", "belongs to basis = fixed")
        if self.zone is not None:
            zone_named(self.zone, "zone")


@dataclass(frozen=True, kw_only=True)
class WidenRule(Rule):
    """What opens hours beyond the windows, within this policy alone.

    CONSENT in this form (or a stronger one) opens the hours agreed in it; OVERDUE_DAYS opens the new window once the
    account is more than `min_overdue_days` days past due on the date of the visit; ONLY_WORKABLE opens the times of
    which the debtor said that no others do. Never more than the new window; `revocable`: a withdrawal ends it.
    """

    by: WidenBy
    form: ConsentForm = ConsentForm.ANY
    min_overdue_days: int | None = None
    days: frozenset[Day] = frozenset(WEEK)
    opens: WallClock = MIDNIGHT
    closes: WallClock = END_OF_DAY
    revocable: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        overdue = self.by is WidenBy.OVERDUE_DAYS
        need(overdue == (self.min_overdue_days is not None), "min_overdue_days", "belongs to by = overdue_days")
        consent = self.by is WidenBy.CONSENT
        need(consent or self.form is ConsentForm.ANY, "form", "belongs to by = consent")
        need(bool(self.days) and Day.HOLIDAY not in self.days, "days", "must name days of the week")
        need(self.opens < self.closes, "closes", "must be later than opens, on the same day")


@dataclass(frozen=True, kw_only=True)
class DebtorTimesRule(Rule):
    """Whether the times the debtor stated bind. Where a policy has no such rule, they do.

    `may_widen`: times that the debtor asks for count even outside the windows. `max_hours_per_week`: how much of a week
    the debtor may close, the wishes stated first counting first; `blocked_places`: how many places.
    """

    binding: bool
    may_widen: bool = False
    max_hours_per_week: int | None = None
    blocked_places: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("max_hours_per_week", "blocked_places"):
            value = getattr(self, name)
            need(value is None or value >= 1, name, "must be at least 1")

    @property
    def narrows(self) -> bool:
        return self.binding and self.binds


@dataclass(frozen=True, kw_only=True)
class BlackoutRule(Rule):
    """A time of rest after an occasion: `lasts` from its beginning, and as long again for each renewal."""

    occasion: BlockTrigger
    lasts: Duration
    renewals: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.renewals >= 0, "renewals", "must not be negative")


@dataclass(frozen=True, kw_only=True)
class CapRule(Rule):
    """At most `max` in the period, and at least `min_gap_days` between the dates of two.

    `days` is the length of a rolling period, in local dates: 7 covers the date itself and the six before it. `excludes`
    are results that are not counted, whatever `counts` says. `notices`: whether a notice that was sent counts as a
    contact by its channel. `lifted_by`: a consent in this form (or a stronger one) to this visit lets it go beyond the
    cap.
    """

    max: int
    period: CapPeriod
    days: int | None = None
    channels: frozenset[Channel]
    counts: Counts
    scope: CapScope
    excludes: frozenset[AttemptResult] = frozenset()
    notices: bool = True
    min_gap_days: int = 0
    week_starts: Day = Day.MON
    lifted_by: ConsentForm | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.max >= 1, "max", "must be at least 1")
        need((self.period is CapPeriod.ROLLING_DAYS) == (self.days is not None), "days", "belongs to rolling_days")
        need(self.days is None or 1 <= self.days <= 366, "days", "must lie between 1 and 366")
        need(bool(self.channels), "channels", "must name at least one")
        need(0 <= self.min_gap_days <= 366, "min_gap_days", "must lie between 0 and 366")
        need(self.week_starts is not Day.HOLIDAY, "week_starts", "must name a day of the week")


@dataclass(frozen=True, kw_only=True)
class CooldownRule(Rule):
    """Days of rest after a contact, before the next one by these channels. `day_of_event_is`: whether the day of the
    event is the first of the days (1) or stands before them (0)."""

    after: CooldownAfter
    days: int
    day_of_event_is: int
    channels: frozenset[Channel]
    heard_by: frozenset[Channel] = frozenset(Channel)
    scope: CapScope = CapScope.CASE

    def __post_init__(self) -> None:
        super().__post_init__()
        need(1 <= self.days <= 366, "days", "must lie between 1 and 366")
        need(self.day_of_event_is in (0, 1), "day_of_event_is", "must be 0 or 1")
        for name in ("channels", "heard_by"):
            need(bool(getattr(self, name)), name, "must name at least one")


@dataclass(frozen=True, kw_only=True)
class PeopleRule(Rule):
    """A number of people at the door: the least, or the most, as the field that holds the rule says."""

    people: int

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.people >= 1, "people", "must be at least 1")


@dataclass(frozen=True, kw_only=True)
class StopRule(Rule):
    """A block for this reason stops at least this much, whatever scope it was recorded with.

    `form_needed`: only one given in this form (or a stronger one) does. `lasts`: how long it stops by this rule, where
    the block itself names no end; `until_event`: what ends it, in words. `redirect_to`: whom one turns to instead.
    """

    trigger: BlockTrigger
    effect: BlockScope
    form_needed: ConsentForm = ConsentForm.ANY
    lasts: Duration | None = None
    until_event: str = ""
    redirect_to: RedirectTo | None = None


@dataclass(frozen=True, kw_only=True)
class PlaceRule(Rule):
    """What this kind of place demands. `condition` lifts the demand: that the debtor lives there, or that they missed
    `no_shows` meetings one after the other at the place they chose."""

    place: PlaceKind
    demand: PlaceDemand
    condition: PlaceCondition | None = None
    no_shows: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        missed = self.condition is PlaceCondition.NO_SHOWS
        need(missed == (self.no_shows is not None), "no_shows", "belongs to condition = no_shows")
        need(self.no_shows is None or self.no_shows >= 1, "no_shows", "must be at least 1")
