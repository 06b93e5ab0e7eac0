"""Which of several reports of one visit stands: the lead's before another's, what is said in full before one tap; and
what becomes of the other."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.models import ContactProposal, ReportAddition, Visit, VisitEvent, VisitReport
from fieldvisit.partners import leads
from fieldvisit.phone.telling import Teller
from fieldvisit.report_drafts import OUTCOMES, ReportDraft
from fieldvisit.report_rows import in_words
from fieldvisit.settlement import met_by
from fieldvisit.together import write
from fieldvisit.told_stops import ToldStop
from fieldvisit.vocabulary import AdditionReason, AttemptResult

TOLD = ("reported", "report_added_to")


def about_report(draft: ReportDraft) -> dict[str, object]:
    """What the history says of a report, whether it stands or was added to another."""
    return {"outcome": draft.outcome.value} | ({"one_tap": True} if draft.one_tap else {})


def has_reported(session: Session, visit: Visit, draft: ReportDraft, *, by: Teller) -> bool:
    """Whether they have reported the visit before, whatever became of it: an abort by one tap and a full report are one
    of each."""
    # What other events of the same sending have told is still to be written.
    session.flush()
    mine = VisitEvent.visit_id == visit.id, VisitEvent.visitor_id == by.visitor_id, VisitEvent.kind.in_(TOLD)
    details = session.scalars(sa.select(VisitEvent.detail).where(*mine)).all()
    return any("outcome" in detail and bool(detail.get("one_tap")) == bool(draft.one_tap) for detail in details)


def stands_instead(session: Session, earlier: VisitReport, draft: ReportDraft, *, at: ToldStop, by: Teller) -> bool:
    """Whether it takes the place of the report that stands: the lead's that of another; and one's own full report that
    of one's abort, where it says that the debtor was met. An abort that said so is not turned into a visit that met
    nobody."""
    if earlier.visitor_id == by.visitor_id:
        reached = OUTCOMES[draft.outcome].contact.result is AttemptResult.REACHED
        return reached and not draft.one_tap
    return leads(session, at, by.visitor_id) and not leads(session, at, earlier.visitor_id)


def added_as(report: VisitReport, visitor_id: uuid.UUID) -> AdditionReason:
    """As what an account is added to a report: to one's own there is something further."""
    return AdditionReason.FURTHER if report.visitor_id == visitor_id else AdditionReason.CREW_REPORT


def take_over(session: Session, earlier: VisitReport, row: VisitReport) -> None:
    """Make what was reported before an addition to the report that stands, and let what was added to it, and what was
    heard of new numbers, belong to this one."""
    # By statement: all of them, whichever of them this session has read.
    of_additions, of_heard = ReportAddition.report_id == earlier.id, ContactProposal.report_id == earlier.id
    session.execute(sa.update(ReportAddition).where(of_additions).values(report_id=row.id))
    session.execute(sa.update(ContactProposal).where(of_heard).values(report_id=row.id))
    addition = ReportAddition(
        id=earlier.id,
        org_id=row.org_id,
        lender_id=row.lender_id,
        report_id=row.id,
        visitor_id=earlier.visitor_id,
        reason=added_as(row, earlier.visitor_id),
        text=in_words(earlier, met=met_by(session, earlier)),
    )
    write(session, addition)
