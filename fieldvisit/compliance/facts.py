"""What is known when a question is asked: values that the callers fill from their rows.

Ids are strings. Instants are aware and kept in UTC; dates and wall-clock times are local to the place. The order in
which facts are given never matters: each list is sorted by id, so that the same facts always give the same hash.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from operator import attrgetter

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.compliance.intervals import Interval, utc
from fieldvisit.compliance.parameters import (
    CollectorRole,
    ConsentContent,
    Disqualifier,
    NoticeAbout,
    NoticeContent,
    NoticeForm,
    Party,
)
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
BY_ID = attrgetter("id")


class WishKind(StrEnum):
    """`AVOID`: never then. `ONLY`: at no other time."""

    AVOID = "avoid"
    ONLY = "only"


class ConsentAbout(StrEnum):
    """What a consent is to."""

    VISITS = "visits"
    RECORDING = "recording"


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
    """ISO 3166-2, such as ``US-MA``. None: not known, and then the policies of every region of the country apply."""
    other_zones: tuple[str, ...] = ()
    """Further zones in which the place may lie, where it is not known for sure: every clock has to allow."""
    lived_in: bool = False
    """Whether the debtor also lives there, whatever its kind."""

    def __post_init__(self) -> None:
        for name in (self.zone, *self.other_zones):
            if name is not None:
                zone_named(name, "zone")


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
    stated_at: datetime | None = None
    workable: bool = False
    """Of ONLY: they said that no other time works at all, which is more than a preference."""


@dataclass(frozen=True, kw_only=True)
class KnownPlaceFact:
    """A place of the debtor. `tried`: how often somebody went there; `no_shows`: how often in a row nobody came who had
    chosen it."""

    id: str
    kind: PlaceKind
    tried: int = 0
    no_shows: int = 0


@dataclass(frozen=True, kw_only=True)
class AttemptFact:
    """One contact attempt of the debtor, by whichever organisation, on whichever of their cases."""

    id: str
    at: datetime
    channel: Channel
    result: AttemptResult
    detail: ReachedDetail | None = None
    contact_point_id: str | None = None
    """The number or address; for a visit, the place."""
    case_id: str | None = None
    creditor_id: str | None = None
    zone: str | None = None
    """Whose calendar its date is of, where that is not the one of the policy's clock: the place of the event."""
    notice: bool = False
    """A notice that was sent, and no attempt to talk: some caps leave those out."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "at", utc(self.at, "at"))
        if self.detail is not None and self.result is not AttemptResult.REACHED:
            raise InvalidValue(path="detail", reason="belongs to the result reached alone")


@dataclass(frozen=True, kw_only=True)
class BlockFact:
    """A contact block. `until` None: open. `case_id` None: every case of the debtor. A lifted one ends when lifted.

    `form`: how it was stated. `renewals`: how often it was renewed; `lifted`: that it ended because somebody ended it.
    """

    id: str
    trigger: BlockTrigger
    scope: BlockScope
    since: datetime
    until: datetime | None = None
    channel: Channel | None = None
    place_id: str | None = None
    case_id: str | None = None
    form: ConsentForm = ConsentForm.WRITTEN
    renewals: int = 0
    lifted: bool = False

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
    about: ConsentAbout = ConsentAbout.VISITS
    contents: frozenset[ConsentContent] = frozenset(ConsentContent)
    """What the debtor was told when agreeing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "given_at", utc(self.given_at, "given_at"))
        if self.revoked_at is not None:
            object.__setattr__(self, "revoked_at", utc(self.revoked_at, "revoked_at"))


@dataclass(frozen=True, kw_only=True)
class NoticeFact:
    """Something that was announced to the debtor. `sent_at` None: it waits to be sent; `received_at` None: it is not
    known to have arrived. `visit_id` and `announced` of a visit: which, and the hours that were named; a visit that
    moves out of them was not announced."""

    id: str
    about: NoticeAbout
    sent_at: datetime | None
    form: NoticeForm = NoticeForm.WRITTEN
    received_at: datetime | None = None
    visit_id: str | None = None
    announced: Interval | None = None
    contents: frozenset[NoticeContent] = frozenset()

    def __post_init__(self) -> None:
        if self.sent_at is not None:
            object.__setattr__(self, "sent_at", utc(self.sent_at, "sent_at"))
        if self.received_at is not None:
            object.__setattr__(self, "received_at", utc(self.received_at, "received_at"))


@dataclass(frozen=True, kw_only=True)
class PlannedVisitFact:
    """A live reservation of this debtor: a visit in a draft or published plan, not yet reported."""

    visit_id: str
    planned_on: date
    case_id: str | None = None
    creditor_id: str | None = None
    place_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class CredentialFact:
    """A paper of a visitor; both dates local and inclusive. `for_...` None: not limited to one."""

    id: str
    kind: CredentialKind
    valid_from: date
    valid_until: date
    for_organisation_id: str | None = None
    for_case_id: str | None = None
    issuer: str | None = None
    revoked: bool = False


@dataclass(frozen=True, kw_only=True)
class StaffFact:
    """Somebody who would stand at the door."""

    visitor_id: str
    credentials: tuple[CredentialFact, ...] = ()
    skills: frozenset[str] = frozenset()
    disqualifiers: frozenset[Disqualifier] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "credentials", tuple(sorted(self.credentials, key=lambda fact: fact.id)))


@dataclass(frozen=True, kw_only=True)
class OverrideFact:
    """Somebody with the right to let the visit go beyond this clause on this local date."""

    id: str
    clause_id: str
    on_day: date


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What decides, beside place and date, which policies apply. What is None is not known, and counts as meant.

    `home`: where the debtor lives, where that is another place: its law counts too.
    """

    role: CollectorRole | None = None
    product: str | None = None
    party: Party | None = None
    home: PlaceFacts | None = None


ANY = Scope()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything known about one debtor, one case and one place.

    `attempts` reach back as far as the policies look (`Terms.looks_back_days`). `number_ids` are the contact points of
    the debtor that are telephone numbers, tried or not. `creditor_id` is the organisation in whose name one calls.
    `days_past_due` are those on the date `past_due_as_of`, or on the date of the visit where that is None.
    `candidate_zones`: the zones of wherever else the debtor may be.
    """

    place: PlaceFacts
    case_id: str
    creditor_id: str | None = None
    scope: Scope = ANY
    candidate_zones: tuple[str, ...] = ()
    known_places: tuple[KnownPlaceFact, ...] = ()
    notices: tuple[NoticeFact, ...] = ()
    days_past_due: int | None = None
    past_due_as_of: date | None = None
    number_ids: tuple[str, ...] = ()
    attempts: tuple[AttemptFact, ...] = ()
    blocks: tuple[BlockFact, ...] = ()
    consents: tuple[ConsentFact, ...] = ()
    debtor_times: tuple[DebtorTime, ...] = ()
    planned_visits: tuple[PlannedVisitFact, ...] = ()
    overrides: tuple[OverrideFact, ...] = ()

    def __post_init__(self) -> None:
        for name in ("attempts", "blocks", "consents", "debtor_times", "known_places", "notices", "overrides"):
            if len(given := getattr(self, name)) > 1:
                object.__setattr__(self, name, tuple(sorted(given, key=BY_ID)))
        if len(self.number_ids) > 1:
            object.__setattr__(self, "number_ids", tuple(sorted(self.number_ids)))
        if len(self.planned_visits) > 1:
            planned = sorted(self.planned_visits, key=attrgetter("planned_on", "visit_id"))
            object.__setattr__(self, "planned_visits", tuple(planned))

    def overdue_on(self, day: date) -> int | None:
        """How many days past due the account is on the date; None where that is not known."""
        if self.days_past_due is None or self.past_due_as_of is None:
            return self.days_past_due
        return self.days_past_due + (day - self.past_due_as_of).days


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
    recording: frozenset[Recorded] | None = None
    """What is being recorded; None: nobody has said, and it is asked at the door."""

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
