"""Reports on the wire, as the phone sends them and as the office reads them."""

from typing import Any

from marshmallow import fields

from api.auth import actor
from api.context import language
from api.db import session
from api.roles import Permission, allowed
from api.schemas.base import Drafted, Out
from api.schemas.derived import Derived
from api.schemas.evidence import CoverageOut
from api.schemas.fields import Choice, Currency, Day, Flag, Id, Instant, Part, Text, Whole
from api.schemas.forms import FilledFormIn, FilledFormOut
from api.schemas.forms_in_words import SHA256
from api.schemas.words import Several, Words
from fieldvisit.cases import LARGEST_MINOR
from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.debtor_files import masked
from fieldvisit.door_records import LONGEST_WORDS, DoorDraft, MoneyTaken, NoteLeft, RecordingMade
from fieldvisit.form_answers import told_form
from fieldvisit.recordings import coverage_of
from fieldvisit.repayment_terms import FEWEST, LONGEST_GRACE_DAYS, MOST, Instalment, PlanDraft
from fieldvisit.report_drafts import LONGEST_NOTE, AdditionDraft, ContactChange, Met, PromiseDraft, ReportDraft
from fieldvisit.vocabulary import (
    AbortReason,
    AdditionReason,
    ContactPointKind,
    NextStep,
    NoteForm,
    PaymentMethod,
    PromiseState,
    ProposalState,
    RecordingGap,
    RepaymentState,
    VisitOutcome,
)

MOST_PROMISES = 24
MOST_CHANGES = 10
MOST_AT_DOOR = 20


class PromiseIn(Drafted):
    """In the currency of the case, due after the day of the visit."""

    makes = PromiseDraft
    amount_minor = Whole(required=True, min=1, max=LARGEST_MINOR)
    currency = Currency(required=True)
    due_on = Day(required=True)
    method = Choice(PaymentMethod, required=True)


class InstalmentIn(Drafted):
    makes = Instalment
    amount_minor = Whole(required=True, min=1, max=LARGEST_MINOR)
    due_on = Day(required=True)


class RepaymentPlanIn(Drafted):
    """Instalments in the order of their days, in the currency of the case. `grace_days`: for so long after its day an
    instalment may still come."""

    makes = PlanDraft
    sample = {
        "instalments": [
            {"amount_minor": 25_000, "due_on": "2026-04-01"},
            {"amount_minor": 25_000, "due_on": "2026-05-01"},
        ],
        "grace_days": ...,
    }
    instalments = Several(Part(InstalmentIn), min=FEWEST, max=MOST, required=True)
    currency = Currency(required=True)
    method = Choice(PaymentMethod, required=True)
    grace_days = Whole(max=LONGEST_GRACE_DAYS, load_default=3)


class NoteLeftIn(Drafted):
    """Something left at the door."""

    makes = NoteLeft
    form = Choice(NoteForm, required=True)
    sealed = Flag(required=True)
    photo_id = Id(allow_none=True)


class MoneyTakenIn(Drafted):
    """Recorded also where it was not allowed: what happened, happened."""

    makes = MoneyTaken
    amount_minor = Whole(required=True, min=1, max=LARGEST_MINOR)
    currency = Currency(required=True)
    receipt_number = Text(max=100, allow_none=True)


class RecordingMadeIn(Drafted):
    """The file itself is kept elsewhere; `sha256` is of its bytes."""

    makes = RecordingMade
    recording_id = Id(required=True)
    kind = Choice(Recorded, required=True)
    from_at = Instant(required=True)
    until_at = Instant(required=True)
    sha256 = Text(required=True, form=SHA256, max=64)


class DoorIn(Drafted):
    """What the record of a visit needs besides the answers. A complaint, and that somebody speaks for the debtor, file
    their contact blocks."""

    makes = DoorDraft
    asked_to_leave_at = Instant(allow_none=True)
    represented = Flag(load_default=False)
    complaint = Text(max=LONGEST_WORDS, allow_none=True)
    wishes = Text(max=LONGEST_WORDS, allow_none=True)
    spoken_to = Text(max=LONGEST_WORDS, allow_none=True)
    notes_left = Several(Part(NoteLeftIn), max=MOST_AT_DOOR, load_default=())
    payment = Part(MoneyTakenIn, allow_none=True)
    recordings = Several(Part(RecordingMadeIn), max=MOST_AT_DOOR, load_default=())
    recording_gap = Choice(RecordingGap, allow_none=True)


class ContactChangeIn(Drafted):
    """Contact data that the debtor gave: proposed, until the office takes it over. Numbers in E.164."""

    makes = ContactChange
    kind = Choice(ContactPointKind, required=True)
    value = Text(required=True)


class ReportIn(Drafted):
    """`id` is the phone's: the same report again gets the same answer.

    `met_debtor` needs `willing` and `next_step`; `refused` needs `next_step`; `moved`, `unsafe` and `not_reached` need
    `note`; `aborted` needs `abort_reason`. `aborted` and `unsafe` may say whom one `met`. `disclosed`, promises and a
    plan need a confirmed identity check.
    """

    makes = ReportDraft
    sample = dict.fromkeys(("device_at", "disclosed", "willing", "able", "next_step", "promises"), ...) | {
        "disclosed": True
    }
    event_id = Id(required=True, data_key="id")
    device_at = Instant(allow_none=True)
    sent_at = Instant(allow_none=True)
    battery_percent = Whole(max=100, allow_none=True)
    outcome = Choice(VisitOutcome, required=True)
    left_at = Instant(required=True)
    disclosed = Flag(load_default=False)
    willing = Flag(allow_none=True)
    able = Flag(allow_none=True)
    reason_for_arrears = Text(max=LONGEST_NOTE, allow_none=True)
    hardship = Flag(load_default=False)
    vulnerable = Flag(load_default=False)
    disputed = Flag(load_default=False)
    note = Text(max=LONGEST_NOTE, allow_none=True)
    next_step = Choice(NextStep, allow_none=True)
    abort_reason = Choice(AbortReason, allow_none=True)
    met = Choice(Met, allow_none=True)
    promises = Several(Part(PromiseIn), max=MOST_PROMISES, load_default=())
    plan = Part(RepaymentPlanIn, allow_none=True)
    contact_changes = Several(Part(ContactChangeIn), max=MOST_CHANGES, allow_none=True)
    door = Part(DoorIn, allow_none=True)
    form = Part(FilledFormIn, allow_none=True)


class InstalmentOut(Out):
    amount_minor = fields.Integer(required=True)
    due_on = fields.String(required=True, metadata={"format": "date"})


class PlanTermsOut(Out):
    """A repayment plan as it was proposed, and where it stands."""

    id = Id(required=True)
    state = Choice(RepaymentState, required=True)
    state_words = Words(required=True, of="state")
    currency = fields.String(required=True)
    method = Choice(PaymentMethod, required=True)
    instalments = fields.List(fields.Nested(InstalmentOut), required=True)
    total_minor = fields.Integer(required=True)
    grace_days = fields.Integer(required=True)


class PromiseOut(Out):
    id = Id(required=True)
    amount_minor = fields.Integer(required=True)
    currency = fields.String(required=True)
    due_on = Day(required=True)
    method = Choice(PaymentMethod, required=True)
    state = Choice(PromiseState, required=True)


class AdditionOut(Out):
    id = Id(required=True)
    visitor_id = Id(required=True, allow_none=True)
    account_id = Id(required=True, allow_none=True)
    reason = Choice(AdditionReason, required=True)
    reason_words = Words(required=True, of="reason")
    text = fields.String(required=True)
    recorded_at = Instant(required=True)


class OfficeAdditionIn(Drafted):
    """`event_id` is the caller's: sent again under it, nothing is added twice."""

    makes = AdditionDraft
    event_id = Id(required=True)
    reason = Choice(AdditionReason, required=True)
    text = Text(max=LONGEST_NOTE, required=True)


class ContactValue(fields.String):
    """As it was given, for those who may see how a debtor is reached; for everybody else its end."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> str | None:
        told: str | None = super()._serialize(value, attr, obj, **more)
        return told if told is None or allowed(Permission.SEE_CONTACT_POINTS, actor().roles) else masked(told)


class ContactProposalOut(Out):
    id = Id(required=True)
    report_id = Id(required=True)
    visitor_id = Id(required=True, metadata={"description": "who heard it"})
    case_id = Id(required=True)
    kind = Choice(ContactPointKind, required=True)
    value = ContactValue(required=True, metadata={"description": "all but its end is hidden from some roles"})
    state = Choice(ProposalState, required=True)
    state_words = Words(required=True, of="state")
    decided_by_id = Id(required=True, allow_none=True)
    decided_at = Instant(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    recorded_at = Instant(required=True)


class NoteLeftOut(Out):
    form = Choice(NoteForm, required=True)
    sealed = Flag(required=True)
    photo_id = Id(required=True, allow_none=True)


class RecordingMadeOut(Out):
    recording_id = Id(required=True)
    kind = Choice(Recorded, required=True)
    from_at = fields.String(required=True)
    until_at = fields.String(required=True)
    sha256 = fields.String(required=True)


class DoorOut(Out):
    asked_to_leave_at = Instant(required=True, allow_none=True)
    represented = Flag(required=True)
    complaint = fields.String(required=True, allow_none=True)
    wishes = fields.String(required=True, allow_none=True)
    spoken_to = fields.String(required=True, allow_none=True)
    notes_left = fields.List(fields.Nested(NoteLeftOut), required=True)
    paid_minor = fields.Integer(required=True, allow_none=True)
    paid_currency = fields.String(required=True, allow_none=True)
    receipt_number = fields.String(required=True, allow_none=True)
    recordings = fields.List(fields.Nested(RecordingMadeOut), required=True)
    recording_gap = Choice(RecordingGap, required=True, allow_none=True)


class ReportOut(Out):
    id = Id(required=True)
    visit_id = Id(required=True)
    visitor_id = Id(required=True)
    outcome = Choice(VisitOutcome, required=True)
    outcome_words = Words(required=True, of="outcome")
    left_at = Instant(required=True)
    disclosed = Flag(required=True)
    willing = Flag(required=True, allow_none=True)
    able = Flag(required=True, allow_none=True)
    reason_for_arrears = fields.String(required=True, allow_none=True)
    hardship = Flag(required=True)
    vulnerable = Flag(required=True)
    disputed = Flag(required=True)
    abort_reason = Choice(AbortReason, required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    next_step = Choice(NextStep, required=True, allow_none=True)
    after_cancellation = Flag(required=True, metadata={"description": "the visit was cancelled before this was told"})
    promises = fields.List(fields.Nested(PromiseOut), required=True)
    plan = fields.Nested(PlanTermsOut, required=True, allow_none=True)
    additions = fields.List(fields.Nested(AdditionOut), required=True)
    contact_changes = fields.List(fields.Nested(ContactProposalOut), required=True)
    door = fields.Nested(DoorOut, required=True, allow_none=True)
    recording = Derived(CoverageOut, of=lambda report: coverage_of(session(), report), allow_none=True)
    form = Derived(FilledFormOut, of=lambda report: told_form(report, language()), allow_none=True)
    recorded_at = Instant(required=True)
