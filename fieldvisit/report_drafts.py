"""What a visitor may say of a visit, and what each outcome means: which facts it needs, and which contact it was."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fieldvisit.debtors import ContactPointDraft
from fieldvisit.door_records import DoorDraft, MoneyTaken
from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.forms import FilledForm
from fieldvisit.phone.telling import EventDraft
from fieldvisit.repayment_terms import PlanDraft
from fieldvisit.vocabulary import (
    AbortReason,
    AdditionReason,
    AttemptResult,
    BlockScope,
    BlockTrigger,
    ContactPointKind,
    NextStep,
    PaymentMethod,
    ReachedDetail,
    VisitOutcome,
)

LONGEST_NOTE = 4_000
# Lines and tabs are layout, not characters that cannot be written down.
LAYOUT = str.maketrans("\n\r\t", "   ")


class ReportIncomplete(FieldVisitError):
    code, kind = "report_incomplete", Kind.INVALID
    says = "The outcome {outcome} needs: {missing}."


class ReportContradicts(FieldVisitError):
    code, kind = "report_contradicts", Kind.INVALID
    says = "The outcome {outcome} cannot go with: {fields}."


class Met(StrEnum):
    """Whom a visitor met who left before anything could be talked about."""

    NOBODY = "nobody"
    OTHER = "other"
    DEBTOR = "debtor"


@dataclass(frozen=True)
class Contact:
    """As which contact attempt a visit counts."""

    result: AttemptResult
    detail: ReachedDetail | None = None


NOBODY_MET = Contact(AttemptResult.NOBODY_HOME)
THIRD_PARTY = Contact(AttemptResult.THIRD_PARTY)
REACHED_OTHER = Contact(AttemptResult.REACHED, ReachedDetail.OTHER)
ASKED_TO_STOP = Contact(AttemptResult.REACHED, ReachedDetail.ASKED_TO_STOP)


@dataclass(frozen=True)
class OutcomeTerms:
    """`needs`: the fields that must be said. `talked`: whether the debtor may have been spoken with."""

    contact: Contact
    needs: tuple[str, ...] = ()
    talked: bool = False


OUTCOMES: Mapping[VisitOutcome, OutcomeTerms] = {
    VisitOutcome.MET_DEBTOR: OutcomeTerms(
        Contact(AttemptResult.REACHED, ReachedDetail.TALKED), needs=("willing", "next_step"), talked=True
    ),
    VisitOutcome.REFUSED: OutcomeTerms(REACHED_OTHER, needs=("next_step",), talked=True),
    VisitOutcome.ASKED_TO_LEAVE: OutcomeTerms(ASKED_TO_STOP, talked=True),
    VisitOutcome.MET_OTHER: OutcomeTerms(THIRD_PARTY),
    VisitOutcome.NOBODY: OutcomeTerms(NOBODY_MET),
    # Somebody else lives there: for the place what a wrong person is for a number.
    VisitOutcome.MOVED: OutcomeTerms(Contact(AttemptResult.WRONG_PERSON), needs=("note",)),
    # These two are told by whom one met: see `ReportDraft.contact`.
    VisitOutcome.ABORTED: OutcomeTerms(NOBODY_MET, needs=("abort_reason",), talked=True),
    VisitOutcome.UNSAFE: OutcomeTerms(NOBODY_MET, needs=("note",)),
    VisitOutcome.NOT_REACHED: OutcomeTerms(NOBODY_MET, needs=("note",)),
}
# Why a visit was broken off, where that says whom it met.
ABORTED_CONTACTS: Mapping[AbortReason, Contact] = {
    AbortReason.ASKED_TO_LEAVE: ASKED_TO_STOP,
    AbortReason.DISTRESS: REACHED_OTHER,
    AbortReason.WRONG_PERSON: Contact(AttemptResult.WRONG_PERSON),
    AbortReason.MINOR_ALONE: THIRD_PARTY,
    AbortReason.DISPUTE: Contact(AttemptResult.REACHED, ReachedDetail.DISPUTED),
    AbortReason.VULNERABLE: REACHED_OTHER,
}
# The other reasons, and an unsafe place, say nothing of it.
MET_CONTACTS: Mapping[Met, Contact] = {
    Met.NOBODY: NOBODY_MET,
    Met.OTHER: THIRD_PARTY,
    Met.DEBTOR: REACHED_OTHER,
}
LEFT_EARLY = (VisitOutcome.ABORTED, VisitOutcome.UNSAFE)
ONLY_TALKED = ("disclosed", "willing", "able", "disputed", "hardship", "reason_for_arrears", "contact_changes")

# What is heard at the door and must stop the pressure at once, whoever reads the report when.
type Stop = tuple[BlockTrigger, BlockScope]
FLAG_STOPS: Mapping[str, Stop] = {
    "hardship": (BlockTrigger.HARDSHIP_PLAN, BlockScope.VISITS),
    "vulnerable": (BlockTrigger.VULNERABILITY, BlockScope.ALL),
    "disputed": (BlockTrigger.DISPUTE, BlockScope.VISITS),
}
DOOR_STOPS: Mapping[str, Stop] = {
    "represented": (BlockTrigger.REPRESENTED, BlockScope.ALL),
    "complaint": (BlockTrigger.COMPLAINT_OPEN, BlockScope.VISITS),
}
OUTCOME_STOPS: Mapping[VisitOutcome, Stop] = {
    VisitOutcome.ASKED_TO_LEAVE: (BlockTrigger.CEASE_REQUEST, BlockScope.VISITS),
    VisitOutcome.MOVED: (BlockTrigger.PLACE_REFUSED, BlockScope.PLACE),
}
ABORT_STOPS: Mapping[AbortReason, Stop] = {
    AbortReason.ASKED_TO_LEAVE: (BlockTrigger.CEASE_REQUEST, BlockScope.VISITS),
    AbortReason.DISTRESS: (BlockTrigger.VULNERABILITY, BlockScope.ALL),
    AbortReason.WRONG_PERSON: (BlockTrigger.PLACE_REFUSED, BlockScope.PLACE),
    AbortReason.DISPUTE: (BlockTrigger.DISPUTE, BlockScope.VISITS),
    AbortReason.VULNERABLE: (BlockTrigger.VULNERABILITY, BlockScope.ALL),
    # A child alone at home: nobody comes again on that day (see `fieldvisit.settlement.stop`).
    AbortReason.MINOR_ALONE: (BlockTrigger.MINOR, BlockScope.PLACE),
}


def left_early(reason: AbortReason | None, *, met: Met | None, seen: Met | None) -> Contact | None:
    """The contact that a visit was which was broken off or left as unsafe; None where it ended before the door.

    `met` is what the report says, `seen` what the phone told before (None: of no arrival either).
    """
    by_reason = ABORTED_CONTACTS.get(reason) if reason else None
    if by_reason is not None:
        # To be asked to leave, or to upset somebody, is to have met them.
        return THIRD_PARTY if met is Met.OTHER and by_reason.result is AttemptResult.REACHED else by_reason
    if seen is None and met in (None, Met.NOBODY):
        return None
    return MET_CONTACTS[met or seen or Met.NOBODY]


@dataclass(frozen=True, kw_only=True)
class PromiseDraft:
    amount_minor: int
    currency: str
    due_on: dt.date
    method: PaymentMethod

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise InvalidValue(path="promises.amount_minor", reason="must be more than nothing")


@dataclass(frozen=True, kw_only=True)
class ContactChange:
    """A number, an e-mail address or an address that the debtor gave.
    Numbers are in E.164."""

    kind: ContactPointKind
    value: str

    def __post_init__(self) -> None:
        ContactPointDraft(kind=self.kind, value=self.value)


@dataclass(frozen=True, kw_only=True)
class ReportDraft(EventDraft):
    """What happened. The event id is the report's. `disclosed`: whether the debt was spoken of. `met`: whom one met who
    left early; where it is not said, what the phone told before is believed. `plan`: a repayment plan that the debtor
    would keep to, for the office to decide on. `door`: what the record needs besides.
    `form`: what was answered to the questions of the house. `one_tap`: it is an abort, which says no more than it
    must."""

    outcome: VisitOutcome
    left_at: dt.datetime
    disclosed: bool = False
    willing: bool | None = None
    able: bool | None = None
    reason_for_arrears: str | None = None
    hardship: bool = False
    vulnerable: bool = False
    disputed: bool = False
    note: str | None = None
    next_step: NextStep | None = None
    abort_reason: AbortReason | None = None
    met: Met | None = None
    promises: tuple[PromiseDraft, ...] = ()
    plan: PlanDraft | None = None
    contact_changes: tuple[ContactChange, ...] | None = None
    door: DoorDraft | None = None
    form: FilledForm | None = None
    one_tap: bool | None = None

    def __post_init__(self) -> None:
        if self.door is not None:
            self.door.demand_before(self.left_at)
        for path, text in (("note", self.note), ("reason_for_arrears", self.reason_for_arrears)):
            if text is not None:
                check_text(path, text.translate(LAYOUT), longest=LONGEST_NOTE)
        missing = [name for name in OUTCOMES[self.outcome].needs if getattr(self, name) is None]
        if missing:
            raise ReportIncomplete(outcome=self.outcome, missing=", ".join(missing))
        contradicting = self._contradicting()
        if contradicting:
            raise ReportContradicts(outcome=self.outcome, fields=", ".join(contradicting))

    def _contradicting(self) -> list[str]:
        said = [name for name in ONLY_TALKED if getattr(self, name)]
        fields = [] if OUTCOMES[self.outcome].talked else said
        agreed = [name for name in ("promises", "plan") if getattr(self, name)]
        fields += [] if self.outcome is VisitOutcome.MET_DEBTOR else agreed
        if self.abort_reason is not None and self.outcome is not VisitOutcome.ABORTED:
            fields.append("abort_reason")
        if self.met is not None and self.outcome not in LEFT_EARLY:
            fields.append("met")
        return fields

    def contact(self, *, seen: Met | None) -> Contact | None:
        """The contact attempt that this visit was; None where nobody came to the door.

        `seen`: whom the phone told of before; None where it told of no arrival either.
        """
        if self.outcome in LEFT_EARLY:
            return left_early(self.abort_reason, met=self.met, seen=seen)
        if self.outcome is VisitOutcome.NOT_REACHED and seen is None:
            return None
        if self.outcome is VisitOutcome.MET_DEBTOR and (self.disputed or self.promises or self.plan):
            detail = ReachedDetail.DISPUTED if self.disputed else ReachedDetail.PROMISED
            return Contact(AttemptResult.REACHED, detail)
        return OUTCOMES[self.outcome].contact

    @property
    def stops(self) -> dict[BlockTrigger, BlockScope]:
        """The contact blocks that follow from what was heard, by trigger."""
        flagged = [stop for flag, stop in FLAG_STOPS.items() if getattr(self, flag)]
        ended = [OUTCOME_STOPS.get(self.outcome), self.abort_reason and ABORT_STOPS.get(self.abort_reason)]
        said = [stop for name, stop in DOOR_STOPS.items() if getattr(self.door, name, None)]
        return dict([*flagged, *said, *(stop for stop in ended if stop)])


@dataclass(frozen=True, kw_only=True)
class AbortDraft(EventDraft):
    """One tap: leave now. The note can come later. `met`: whom one met, where there is time to say."""

    reason: AbortReason
    met: Met | None = None
    note: str | None = None


@dataclass(frozen=True, kw_only=True)
class AdditionDraft(EventDraft):
    """Something more, or a correction. The first words stay. `payment`: money that the report does not tell of."""

    text: str
    reason: AdditionReason | None = None
    payment: MoneyTaken | None = None

    def __post_init__(self) -> None:
        if self.reason is AdditionReason.CREW_REPORT:
            raise InvalidValue(path="reason", reason="is what a crew mate's report becomes; nobody sends it")
        check_text("text", self.text.translate(LAYOUT), longest=LONGEST_NOTE)
