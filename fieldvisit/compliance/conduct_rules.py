"""The rules on what is announced, done, said, recorded and kept."""

from dataclasses import dataclass

from fieldvisit.compliance.conduct_parameters import (
    DoorDuty,
    Dress,
    Entry,
    Introduction,
    MoneyAtDoor,
    RecordField,
    RecordingNeed,
    RecordType,
    RetentionClock,
    RevealEmployer,
    ThirdPartyContact,
)
from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent, NoticeForm, NoticeFrom, NoticeUnit, Waiver
from fieldvisit.compliance.rules import Rule, need
from fieldvisit.vocabulary import BlockTrigger, Channel, IdentityMethod, VisitOutcome

UNASKED = (NoticeAbout.CALLED_OFF, NoticeAbout.DOOR_NOTE)


@dataclass(frozen=True, kw_only=True)
class NoticeRule(Rule):
    """What has to be announced, how long before, how, and what it names; of a result, how long after at most.

    `amount` of ADEQUATE is the house's own number of hours: the text gives none. Business days are counted from the day
    after the one from which the notice counts, by the calendar of the place.
    """

    about: NoticeAbout
    unit: NoticeUnit
    amount: int
    form: NoticeForm = NoticeForm.ANY
    counts_from: NoticeFrom = NoticeFrom.SENT
    contents: frozenset[NoticeContent] = frozenset()
    in_arrears_only: bool = False
    waiver: Waiver | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        need(0 <= self.amount <= 366, "amount", "must lie between 0 and 366")
        need(self.about not in UNASKED, "about", "is nothing that a policy asks for")
        visit = self.about is NoticeAbout.VISIT
        need(visit or self.waiver is None, "waiver", "belongs to about = visit")


@dataclass(frozen=True, kw_only=True)
class EntryRule(Rule):
    entry: Entry


@dataclass(frozen=True, kw_only=True)
class ThirdPartyRule(Rule):
    """What somebody else may be asked. `trigger`: when one may turn to them at all, in words."""

    allowed: ThirdPartyContact
    max_per_person: int | None = None
    reveal_employer: RevealEmployer = RevealEmployer.NEVER
    never_reveal_debt: bool = True
    stop_on_refusal: bool = True
    trigger: str = ""


@dataclass(frozen=True, kw_only=True)
class VerifyRule(Rule):
    """Whether the identity must be established before the debt is spoken of or shown, and by which methods."""

    before_disclosure: bool
    methods: frozenset[IdentityMethod] = frozenset(IdentityMethod)

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.methods), "methods", "must name at least one")


@dataclass(frozen=True, kw_only=True)
class NotesRule(Rule):
    """What may be left at a door."""

    allowed: bool
    sealed: bool = False
    no_debt_words: bool = False
    no_disguise: bool = False
    no_public_posting: bool = False
    identify_sender: bool = False


@dataclass(frozen=True, kw_only=True)
class RecordingRule(Rule):
    """What is recorded of a contact by these channels.

    `whole`: from beginning to end. `tell_party`: the debtor is told. `consent_needed`: and has to agree first.
    """

    channels: frozenset[Channel]
    need: RecordingNeed
    whole: bool = False
    tell_party: bool = False
    consent_needed: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.channels), "channels", "must name at least one")


@dataclass(frozen=True, kw_only=True)
class RetentionRule(Rule):
    """How long records of this type are kept, at least and at most. `products`: of these alone; none means all."""

    record_type: RecordType
    counts_from: RetentionClock
    min: Duration | None = None
    max: Duration | None = None
    hold: bool = True
    products: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.min is not None or self.max is not None, "min", "needs a least or a longest time")
        in_order = self.min is None or self.max is None or self.min.about_days <= self.max.about_days
        need(in_order, "max", "must not be shorter than min")


@dataclass(frozen=True, kw_only=True)
class AccessRule(Rule):
    """Whether whoever looks at a debtor's file from an office has to say why."""

    reason: bool


@dataclass(frozen=True, kw_only=True)
class RecordFieldsRule(Rule):
    """What the record of a visit with one of these outcomes has to hold."""

    fields: frozenset[RecordField]
    outcomes: frozenset[VisitOutcome] = frozenset(VisitOutcome)

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.fields), "fields", "must name at least one")


@dataclass(frozen=True, kw_only=True)
class AtDoorRule(Rule):
    duties: frozenset[DoorDuty]


@dataclass(frozen=True, kw_only=True)
class IntroductionRule(Rule):
    """What is said to the debtor of who comes, for whom and why, once it is known who that is."""

    says: frozenset[Introduction]

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.says), "says", "must name at least one")


@dataclass(frozen=True, kw_only=True)
class DressRule(Rule):
    """How whoever stands at the door is dressed."""

    asks: frozenset[Dress]

    def __post_init__(self) -> None:
        super().__post_init__()
        need(bool(self.asks), "asks", "must name at least one")


@dataclass(frozen=True, kw_only=True)
class VisitLengthRule(Rule):
    """How long a visit may take. `minutes` None: the text gives no number, and it is only told at the door."""

    minutes: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        need(self.minutes is None or 1 <= self.minutes <= 720, "minutes", "must lie between 1 and 720")


@dataclass(frozen=True, kw_only=True)
class DemandRule(Rule):
    """What may not stand in a text that asks for money: that somebody will come, said as a threat."""

    no_visit_threat: bool


@dataclass(frozen=True, kw_only=True)
class MoneyRule(Rule):
    money: MoneyAtDoor


@dataclass(frozen=True, kw_only=True)
class ComplaintRule(Rule):
    """`pauses_case`: while a complaint is open, nobody visits."""

    pauses_case: bool
    ack_due: Duration | None = None
    final_due: Duration | None = None
    outside_body: str = ""
    keep: Duration | None = None

    @property
    def trigger(self) -> BlockTrigger:
        return BlockTrigger.COMPLAINT_OPEN
