"""What is known when a question is asked: values that the callers fill from their rows.

Ids are strings. Instants are aware and kept in UTC; dates and wall-clock times are local to the place. The order in
which facts are given never matters: each list is sorted by id, so that the same facts always give the same hash.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from fieldvisit.compliance.intervals import Interval, utc
from fieldvisit.compliance.wallclock import WEEK, Day, zone_named
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import (
    AttemptResult,
    BlockScope,
    BlockTrigger,
    Channel,
    CheckMoment,
    CredentialKind,
    PlaceKind,
    ReachedDetail,
)

LONGEST_VISIT = timedelta(hours=12)


class WishKind(StrEnum):
    """`AVOID`: never then. `ONLY`: at no other time."""

    AVOID = "avoid"
    ONLY = "only"


class ConsentForm(StrEnum):
    """How a consent was given; a later one satisfies every demand for an earlier one."""

    ANY = "any"
    WRITTEN = "written"
    SEPARATE_DOCUMENT = "separate_document"


class Purpose(StrEnum):
    """What the visit is for. Some texts exempt what is not collection."""

    COLLECTION = "collection"
    REPOSSESSION = "repossession"
    PROCESS_SERVING = "process_serving"
    INSPECTION = "inspection"


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    """Where the visit would be. `zone` None: not known, and then nothing is permitted there."""

    id: str
    kind: PlaceKind
    zone: str | None
    country: str
    """ISO 3166-1 alpha-2."""
    region: str | None = None
    """ISO 3166-2, such as ``US-MA``."""

    def __post_init__(self) -> None:
        if self.zone is not None:
            zone_named(self.zone, "zone")


@dataclass(frozen=True, kw_only=True)
class LocalTimes:
    """Recurring local times: these weekdays, from and until by the clock on the wall, on dates from and until.

    `until_time` None is the end of the day; one that is not after `from_time` means the next morning. `until_on` is the
    last date. A bound that is None does not bind.
    """

    weekdays: frozenset[Day] = frozenset(WEEK)
    from_time: time | None = None
    until_time: time | None = None
    from_on: date | None = None
    until_on: date | None = None

    def __post_init__(self) -> None:
        if not self.weekdays or Day.HOLIDAY in self.weekdays:
            raise InvalidValue(path="weekdays", reason="must name at least one day of the week, and no holidays")
        if self.from_on and self.until_on and self.until_on < self.from_on:
            raise InvalidValue(path="until_on", reason="must not be earlier than from_on")

    def in_force(self, day: date) -> bool:
        return (self.from_on is None or self.from_on <= day) and (self.until_on is None or day <= self.until_on)


@dataclass(frozen=True, kw_only=True)
class DebtorTime:
    """A time the debtor stated. `place_id` None: wherever they may be met."""

    id: str
    kind: WishKind
    times: LocalTimes
    place_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class AttemptFact:
    """One contact attempt of the debtor, by whichever organisation, on whichever of their cases."""

    id: str
    at: datetime
    channel: Channel
    result: AttemptResult
    detail: ReachedDetail | None = None
    contact_point_id: str | None = None
    case_id: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at, "at"))
        if self.detail is not None and self.result is not AttemptResult.REACHED:
            raise InvalidValue(path="detail", reason="belongs to the result reached alone")


@dataclass(frozen=True, kw_only=True)
class BlockFact:
    """A contact block. `until` None: open. `case_id` None: every case of the debtor. A lifted one ends when lifted."""

    id: str
    trigger: BlockTrigger
    scope: BlockScope
    since: datetime
    until: datetime | None = None
    channel: Channel | None = None
    place_id: str | None = None
    case_id: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "since", utc(self.since, "since"))
        if self.until is not None:
            object.__setattr__(self, "until", utc(self.until, "until"))
        if (self.scope is BlockScope.CHANNEL) != (self.channel is not None):
            raise InvalidValue(path="channel", reason="is named when, and only when, the scope is one channel")
        if (self.scope is BlockScope.PLACE) != (self.place_id is not None):
            raise InvalidValue(path="place_id", reason="is named when, and only when, the scope is one place")


@dataclass(frozen=True, kw_only=True)
class ConsentFact:
    """A consent to visits. None of a bound (place, visit) does not bind; one that was revoked counts for nothing.

    It widens permitted hours only where a policy says so and only to `times` that name both hours: a consent to visits
    as such is no consent to visits at night.
    """

    id: str
    given_at: datetime
    revoked_at: datetime | None = None
    form: ConsentForm = ConsentForm.ANY
    place_id: str | None = None
    visit_id: str | None = None
    times: LocalTimes | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "given_at", utc(self.given_at, "given_at"))
        if self.revoked_at is not None:
            object.__setattr__(self, "revoked_at", utc(self.revoked_at, "revoked_at"))


@dataclass(frozen=True, kw_only=True)
class PlannedVisitFact:
    """A live reservation of this debtor: a visit in a draft or published plan, not yet reported."""

    visit_id: str
    planned_on: date
    case_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class CredentialFact:
    """A paper of a visitor; both dates local and inclusive. `for_...` None: not limited to one."""

    id: str
    kind: CredentialKind
    valid_from: date
    valid_until: date
    for_organisation_id: str | None = None
    for_case_id: str | None = None
    revoked: bool = False


@dataclass(frozen=True, kw_only=True)
class StaffFact:
    """Somebody who would stand at the door."""

    visitor_id: str
    credentials: tuple[CredentialFact, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "credentials", tuple(sorted(self.credentials, key=lambda fact: fact.id)))


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything known about one debtor, one case and one place.

    `attempts` reach back as far as the policies look (`Terms.looks_back_days`). `number_ids` are the contact points of
    the debtor that are telephone numbers, tried or not. `creditor_id` is the organisation in whose name one calls.
    """

    place: PlaceFacts
    case_id: str
    creditor_id: str | None = None
    days_past_due: int | None = None
    number_ids: tuple[str, ...] = ()
    attempts: tuple[AttemptFact, ...] = ()
    blocks: tuple[BlockFact, ...] = ()
    consents: tuple[ConsentFact, ...] = ()
    debtor_times: tuple[DebtorTime, ...] = ()
    planned_visits: tuple[PlannedVisitFact, ...] = ()

    def __post_init__(self) -> None:
        for name in ("attempts", "blocks", "consents", "debtor_times"):
            object.__setattr__(self, name, tuple(sorted(getattr(self, name), key=lambda fact: fact.id)))
        object.__setattr__(self, "number_ids", tuple(sorted(self.number_ids)))
        planned = sorted(self.planned_visits, key=lambda fact: (fact.planned_on, fact.visit_id))
        object.__setattr__(self, "planned_visits", tuple(planned))


@dataclass(frozen=True, kw_only=True)
class Question:
    """May this visit begin and end then, with these people?

    `moment` ELIGIBLE asks before an hour and a crew are known: then both instants may be None, and hours and staff are
    not judged; dates and caps are judged as of `now`, or of `begins_at` where it is given.
    """

    visit_id: str
    moment: CheckMoment
    begins_at: datetime | None = None
    ends_at: datetime | None = None
    staff: tuple[StaffFact, ...] = ()
    purpose: Purpose = Purpose.COLLECTION

    def __post_init__(self) -> None:
        if (self.begins_at is None) != (self.ends_at is None):
            raise InvalidValue(path="ends_at", reason="is given when, and only when, begins_at is")
        if self.begins_at is None and self.moment is not CheckMoment.ELIGIBLE:
            raise InvalidValue(path="begins_at", reason="is needed at every moment but eligible")
        if self.begins_at is not None and self.ends_at is not None:
            span = Interval(self.begins_at, self.ends_at)
            if span.ends_at - span.begins_at > LONGEST_VISIT:
                raise InvalidValue(path="ends_at", reason="must lie within twelve hours of begins_at")
            object.__setattr__(self, "begins_at", span.begins_at)
            object.__setattr__(self, "ends_at", span.ends_at)
        if len({fact.visitor_id for fact in self.staff}) < len(self.staff):
            raise InvalidValue(path="staff", reason="names somebody twice")
        object.__setattr__(self, "staff", tuple(sorted(self.staff, key=lambda fact: fact.visitor_id)))

    @property
    def span(self) -> Interval | None:
        return Interval(self.begins_at, self.ends_at) if self.begins_at and self.ends_at else None
