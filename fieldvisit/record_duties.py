"""What a report has to say because the record of the visit has to hold it, by the policies at the place.

What the record needs besides (arrivals, papers, decisions) is told by other means, in any order, and is named in the
record where it is missing. These only the report can say. They are on the card before the door.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_parameters import RecordField
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.door_notes import terms_at
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.forms import ONE_TAP
from fieldvisit.languages import Message
from fieldvisit.models import Case, Visit
from fieldvisit.report_drafts import ReportDraft
from fieldvisit.vocabulary import VisitOutcome

NEVER = frozenset((*ONE_TAP, VisitOutcome.NOT_REACHED))
"""Whoever has to leave leaves, and whoever was at no door has nothing to say of one."""
WORDS: Mapping[RecordField, Message] = {
    RecordField.ASKED_TO_LEAVE_AT: Message("Say when you were asked to leave."),
    RecordField.COMPLAINT: Message("Say whether there was a complaint."),
    RecordField.NOTES_LEFT: Message("Say whether anything was left at the door."),
    RecordField.PAYMENT: Message("Say whether money was taken."),
    RecordField.RECORDING: Message("Say what was recorded, or why nothing was."),
    RecordField.WISHES: Message("Say what the debtor wishes, if anything was said."),
}
SAID_IN: Mapping[RecordField, tuple[str, ...]] = dict.fromkeys(WORDS, ("door",)) | {
    RecordField.ASKED_TO_LEAVE_AT: ("door.asked_to_leave_at",),
    RecordField.RECORDING: ("door.recordings", "door.recording_gap"),
}
"""Where in the report each is said; one of these will do. An empty `door` says that nothing of it happened."""
_SAID: Mapping[str, Callable[[ReportDraft], bool]] = {
    "door": lambda draft: draft.door is not None,
    "door.asked_to_leave_at": lambda draft: draft.door is not None and draft.door.asked_to_leave_at is not None,
    "door.recordings": lambda draft: draft.door is not None and bool(draft.door.recordings),
    "door.recording_gap": lambda draft: draft.door is not None and draft.door.recording_gap is not None,
}


class RecordIncomplete(FieldVisitError):
    """`fields`: what the record needs; `said_in`: where the report can say it; `clause_ids`: who asks for it."""

    code, kind = "record_incomplete", Kind.INVALID
    says = "The record of this visit needs more, by {clause_ids}: {missing}"


@dataclass(frozen=True, kw_only=True)
class RecordDuty:
    """One thing that reports of these outcomes have to say, in words, and the clauses that ask for it."""

    field: RecordField
    outcomes: tuple[VisitOutcome, ...]
    clause_ids: tuple[str, ...]

    @property
    def words(self) -> Message:
        return WORDS[self.field]

    @property
    def said_in(self) -> tuple[str, ...]:
        return SAID_IN[self.field]


def record_duties(terms: Terms | None) -> tuple[RecordDuty, ...]:
    """What the policies want every report here to say, in the order of the fields' names."""
    duties = []
    for field in sorted(WORDS):
        rules = [rule for rule in (terms.record_fields if terms else ()) if rule.binds and field in rule.fields]
        outcomes = {outcome for rule in rules for outcome in rule.outcomes} - NEVER
        if field is RecordField.ASKED_TO_LEAVE_AT:
            outcomes &= {VisitOutcome.ASKED_TO_LEAVE}
        if outcomes:
            clause_ids = tuple(rule.id for rule in rules)
            duties.append(RecordDuty(field=field, outcomes=tuple(sorted(outcomes)), clause_ids=clause_ids))
    return tuple(duties)


def demand_recorded(session: Session, visit: Visit, draft: ReportDraft) -> None:
    """Raise RecordIncomplete where the report leaves out what the policies of the visit's day and place want said. Of a
    case that was called back the place is no longer known here, and nothing is demanded."""
    known: Case | None = visit.case
    if draft.outcome in NEVER or known is None:
        return
    organisations = organisations_by_id(session, (visit.org_id, visit.lender_id))
    terms = terms_at(organisations, visit, local_day(draft.left_at, visit.place.zone))
    lacking = [
        duty
        for duty in record_duties(terms)
        if draft.outcome in duty.outcomes and not any(_SAID[where](draft) for where in duty.said_in)
    ]
    if lacking:
        clauses = dict.fromkeys(clause for duty in lacking for clause in duty.clause_ids)
        raise RecordIncomplete(
            outcome=draft.outcome,
            missing=[duty.words for duty in lacking],
            clause_ids=list(clauses),
            fields=[duty.field for duty in lacking],
            said_in=[list(duty.said_in) for duty in lacking],
        )
