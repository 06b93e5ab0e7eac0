"""A report as it is stored, and as the account in words that a crew mate's becomes."""

from fieldvisit.door_records import door_in_words
from fieldvisit.form_versions import as_text
from fieldvisit.models import ContactProposal, FormVersion, Promise, Visit, VisitReport
from fieldvisit.phone.telling import Teller
from fieldvisit.repayments import plan_row, plan_words
from fieldvisit.report_drafts import Met, ReportDraft

SAID = (
    *("outcome", "left_at", "disclosed", "willing", "able", "reason_for_arrears"),
    *("hardship", "vulnerable", "disputed", "next_step", "abort_reason"),
)
"""The fields of a report in the order in which a crew mate's account tells them."""


def report_row(visit: Visit, draft: ReportDraft, by: Teller, *, form: FormVersion | None) -> VisitReport:
    whose = {"org_id": visit.org_id, "lender_id": visit.lender_id}
    return VisitReport(
        id=draft.event_id,
        visit_id=visit.id,
        visitor_id=by.visitor_id,
        outcome=draft.outcome,
        left_at=draft.left_at,
        disclosed=draft.disclosed,
        willing=draft.willing,
        able=draft.able,
        reason_for_arrears=draft.reason_for_arrears,
        hardship=draft.hardship,
        vulnerable=draft.vulnerable,
        disputed=draft.disputed,
        abort_reason=draft.abort_reason,
        note=draft.note,
        next_step=draft.next_step,
        form_id=form and form.id,
        answers=as_text(draft.form.answers) if draft.form else None,
        door=draft.door.row(visit, draft.event_id) if draft.door else None,
        promises=[
            Promise(
                case_id=visit.case_id,
                amount_minor=promise.amount_minor,
                currency=promise.currency,
                due_on=promise.due_on,
                method=promise.method,
                **whose,
            )
            for promise in draft.promises
        ],
        plan=draft.plan and plan_row(draft.plan, {"case_id": visit.case_id, **whose}, proposed_at=draft.left_at),
        contact_changes=proposals(visit, draft, by),
        **whose,
    )


def proposals(visit: Visit, draft: ReportDraft, by: Teller) -> list[ContactProposal]:
    """What they heard of new numbers and addresses, still of no report."""
    whose = {"org_id": visit.org_id, "lender_id": visit.lender_id, "case_id": visit.case_id}
    return [
        ContactProposal(visitor_id=by.visitor_id, kind=change.kind, value=change.value, **whose)
        for change in draft.contact_changes or ()
    ]


def in_words(draft: ReportDraft | VisitReport, *, met: Met | None) -> str:
    """A crew mate's whole report as the text of an addition: each thing said, by its code, and the note last. `met`:
    whom they say they met. New numbers and addresses are proposals, and not in it: not everybody may read those."""
    said = [f"{name}: {value}" for name in SAID if (value := getattr(draft, name)) is not None]
    said += [f"met: {met}"] if met is not None else []
    promised = [f"promise: {p.amount_minor} {p.currency} {p.due_on} {p.method}" for p in draft.promises]
    planned, answered = plan_words(draft.plan), _form_words(draft)
    return "\n".join(
        [*said, *promised, *planned, *answered, *door_in_words(draft.door), *([draft.note] if draft.note else [])]
    )


def _form_words(draft: ReportDraft | VisitReport) -> list[str]:
    """What a crew mate answered to the form, for the account that their report became."""
    if isinstance(draft, VisitReport):
        return [f"form: {draft.answers}"] if draft.answers else []
    return [f"form: {as_text(draft.form.answers)}"] if draft.form else []
