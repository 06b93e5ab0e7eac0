"""What a report changes beyond the visit itself: the one contact attempt that it was, and the blocks that follow."""

import datetime as dt

from sqlalchemy.orm import Session

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.contacts import OUR_SOURCE, ensure_months
from fieldvisit.models import Case, ContactAttempt, ContactAttemptKey, Visit
from fieldvisit.phone.telling import Teller
from fieldvisit.report_drafts import ReportDraft
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel


def settle(session: Session, visit: Visit, draft: ReportDraft, *, now: dt.datetime) -> str | None:
    """Write the contact attempt; its id. None where the lender has taken the case back meanwhile: its books are closed
    to us, and it reads the report itself."""
    case = session.get(Case, visit.case_id)
    if case is None:
        return None
    at = min(draft.left_at, now)
    ensure_months(session, [at])
    attempt = ContactAttempt(
        org_id=case.org_id,
        at=at,
        case_id=case.id,
        debtor_id=case.debtor_id,
        made_by_id=visit.org_id,
        channel=Channel.VISIT,
        result=draft.contact.result,
        detail=draft.contact.detail,
    )
    session.add(attempt)
    session.flush()
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
    session.add(key)
    session.flush()
    return str(attempt.id)


def stop(session: Session, visit: Visit, draft: ReportDraft, *, by: Teller, now: dt.datetime) -> list[str]:
    """File the contact blocks that follow from what was heard; their ids. None where the case was taken back."""
    if session.get(Case, visit.case_id) is None:
        return []
    filed = []
    for trigger, scope in draft.stops.items():
        block = BlockDraft(
            debtor_id=visit.debtor_id,
            trigger=trigger,
            scope=scope,
            case_id=visit.case_id if trigger is BlockTrigger.DISPUTE else None,
            place_id=visit.place_id if scope is BlockScope.PLACE else None,
            external_id=f"visit {visit.id} {trigger.value}",
        )
        filed.append(str(file_block(session, block, filed_by_id=by.account_id, now=now)[0].id))
    return filed
