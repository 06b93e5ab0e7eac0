"""What a report changes beyond the visit itself: the one contact attempt that it was, and the blocks that follow.

Both belong into the lender's books, also when the lender has called the case back before the report came: what was
heard at the door counts, and stops what it stops, whoever works on the case now.
"""

import datetime as dt
from contextlib import AbstractContextManager, nullcontext

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.blocks import BlockDraft, file_heard
from fieldvisit.compliance.wallclock import local_day, whole_day
from fieldvisit.contacts import OUR_SOURCE, ensure_months
from fieldvisit.database import on_behalf_of
from fieldvisit.identity import checks_of
from fieldvisit.ids import new_id
from fieldvisit.models import Case, ContactAttempt, ContactAttemptKey, Visit, VisitEvent, VisitReport, WithdrawnAttempt
from fieldvisit.phone.telling import Teller
from fieldvisit.report_drafts import LEFT_EARLY, NOBODY_MET, Contact, Met, ReportDraft, left_early
from fieldvisit.together import together, write
from fieldvisit.visits import NotYourVisit
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, IdentityResult, VisitOutcome, WithdrawalReason


def books_of(session: Session, visit: Visit) -> AbstractContextManager[None]:
    """The books in which the report of a visit of one's own is settled, open for as long as the block lasts.

    They are the lender's. While the case is placed here they are open anyway; after it was called back this is the one
    way into them, for `settle`, `stop` and the locks these need.
    """
    if session.get(Case, visit.case_id) is not None:
        return nullcontext()
    if visit.org_id != session.info["org"]:
        raise NotYourVisit(reference=visit.reference)
    return on_behalf_of(session, visit.lender_id)


def settle(session: Session, visit: Visit, draft: ReportDraft, *, now: dt.datetime) -> str | None:
    """Write the contact attempt; its id, or None where nobody came to the door. The books are open."""
    contact = draft.contact(seen=_seen(session, visit))
    return _write(session, visit, contact, at=min(draft.left_at, now)) if contact else None


def settle_instead(session: Session, visit: Visit, draft: ReportDraft, *, own: bool, now: dt.datetime) -> str | None:
    """The same for the report that takes another's place: the lead's, or one's `own` in full after an abort. The visit
    counts as it says. The books are open."""
    contact = draft.contact(seen=_seen(session, visit))
    why = WithdrawalReason.TOLD_LATE if own else WithdrawalReason.LEAD_REPORTED
    return settle_as(session, visit, contact, at=min(draft.left_at, now), why=why, now=now)


def settle_again(session: Session, visit: Visit, *, why: WithdrawalReason, now: dt.datetime) -> None:
    """Something was told after the report that says whom it met, or that nobody came to the door: an arrival, its
    undoing, a check. What ended early counts as what it was by all that is known."""
    report = _report_of(session, visit)
    if report is None or report.outcome not in (*LEFT_EARLY, VisitOutcome.NOT_REACHED):
        return
    with books_of(session, visit):
        contact = _contact_by_now(session, visit, report)
        settle_as(session, visit, contact, at=report.left_at, why=why, now=now)


def settle_as(
    session: Session, visit: Visit, contact: Contact | None, *, at: dt.datetime, why: WithdrawalReason, now: dt.datetime
) -> str | None:
    """Let the visit count as this contact, and as no other that it counted as before; the attempt's id. The books are
    open."""
    key = session.scalars(
        sa.select(ContactAttemptKey).where(
            ContactAttemptKey.org_id == visit.lender_id,
            ContactAttemptKey.made_by_id == visit.org_id,
            ContactAttemptKey.source == OUR_SOURCE,
            ContactAttemptKey.external_id == str(visit.id),
        )
    ).one_or_none()
    if key is not None:
        attempt = session.get_one(ContactAttempt, (key.attempt_id, key.attempt_at))
        if contact == Contact(attempt.result, attempt.detail) and attempt.at == at:
            return str(attempt.id)
        whose = {"org_id": key.org_id, "case_id": key.case_id, "visit_id": visit.id}
        session.add(WithdrawnAttempt(attempt_id=key.attempt_id, why=why, at=now, **whose))
        session.delete(key)
        session.flush()
    return _write(session, visit, contact, at=at) if contact is not None else None


def _contact_by_now(session: Session, visit: Visit, report: VisitReport) -> Contact | None:
    seen = _seen(session, visit)
    if report.outcome is VisitOutcome.NOT_REACHED:
        return NOBODY_MET if seen else None
    return left_early(report.abort_reason, met=met_by(session, report), seen=seen)


def met_by(session: Session, report: VisitReport) -> Met | None:
    """Whom the report says they met who left early; None where it does not say."""
    told = VisitEvent.visit_id == report.visit_id, VisitEvent.kind == "reported"
    details = session.scalars(sa.select(VisitEvent.detail).where(*told)).all()
    mine = (detail for detail in details if detail["report_id"] == str(report.id))
    return next((Met(detail["met"]) for detail in mine if "met" in detail), None)


def _write(session: Session, visit: Visit, contact: Contact, *, at: dt.datetime) -> str:
    case = session.get_one(Case, visit.case_id)
    _ensure_month(session, at)
    attempt = ContactAttempt(
        id=new_id(),
        org_id=case.org_id,
        at=at,
        case_id=case.id,
        debtor_id=case.debtor_id,
        made_by_id=visit.org_id,
        channel=Channel.VISIT,
        result=contact.result,
        detail=contact.detail,
    )
    write(session, attempt)
    key = ContactAttemptKey(
        org_id=case.org_id,
        made_by_id=visit.org_id,
        source=OUR_SOURCE,
        # By the id of the visit, so that one visit is never two attempts.
        external_id=str(visit.id),
        case_id=case.id,
        attempt_id=attempt.id,
        attempt_at=at,
    )
    write(session, key)
    return str(attempt.id)


def _ensure_month(session: Session, at: dt.datetime) -> None:
    gathered, month = together(session), at.astimezone(dt.UTC).date().replace(day=1)
    if gathered is None or month not in gathered.months:
        ensure_months(session, [at])
    if gathered is not None:
        gathered.months.add(month)


def _report_of(session: Session, visit: Visit) -> VisitReport | None:
    gathered = together(session)
    if gathered is not None:
        return gathered.reports.get(visit.id)
    standing = sa.select(VisitReport).where(VisitReport.visit_id == visit.id, VisitReport.replaced_by_id.is_(None))
    return session.scalars(standing).one_or_none()


def _seen(session: Session, visit: Visit) -> Met | None:
    """Whom the phone told of before the report. A door that was reached and left in a hurry counts, unless it is said
    otherwise, as a person met: so no cap is stretched by what is not known."""
    results = {check.result for check in checks_of(session, visit)}
    if IdentityResult.CONFIRMED in results:
        return Met.DEBTOR
    return Met.OTHER if results or visit.arrived_at is not None else None


def _until(visit: Visit, draft: ReportDraft, trigger: BlockTrigger) -> dt.datetime | None:
    """When what was heard is over by itself: that a child was alone, with the local day. None: when it is lifted."""
    if trigger is not BlockTrigger.MINOR:
        return None
    zone = visit.place.zone
    return whole_day(local_day(draft.left_at, zone), zone)[-1].ends_at


def stop(session: Session, visit: Visit, draft: ReportDraft, *, by: Teller, now: dt.datetime) -> list[str]:
    """File the contact blocks that follow from what was heard; their ids. The books are open."""
    filed = []
    for trigger, scope in draft.stops.items():
        until_at = _until(visit, draft, trigger)
        if until_at is not None and until_at <= now:
            continue
        block = BlockDraft(
            debtor_id=visit.debtor_id,
            trigger=trigger,
            scope=scope,
            case_id=visit.case_id if trigger is BlockTrigger.DISPUTE else None,
            place_id=visit.place_id if scope is BlockScope.PLACE else None,
            until_at=until_at,
            evidence=f"report {draft.event_id}",
            external_id=f"visit {visit.id} {trigger.value}",
        )
        stored = file_heard(session, block, filed_by_id=by.account_id, made_by_id=visit.org_id, now=now)
        filed.append(str(stored.id))
    return filed
