"""Opening evidence is a look at a debtor's data: who, when, and why it was asked for.

A link is asked for by somebody with an account, and with the reason where a policy wants one; it is opened without a
login, by whoever holds it. Each opening is written under the account and the reason of the asking.
"""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.files import LINK_S
from fieldvisit.models import DebtorAccess, Evidence, Visit

ASKED, OPENED = "link_evidence", "open_evidence"
"""The two lines in the log of accesses."""


def note_opening(
    session: Session, file_id: uuid.UUID, account_id: uuid.UUID, *, request_id: str | None, now: dt.datetime
) -> None:
    """Write down that the account opened this file, for each debtor of whom it asked a link to it; nothing where the
    file is no evidence. The session sees all organisations, as that of every opening does."""
    debtors = (
        sa.select(Visit.debtor_id).join(Evidence, Evidence.visit_id == Visit.id).where(Evidence.file_id == file_id)
    )
    asked = sa.select(DebtorAccess).where(
        DebtorAccess.account_id == account_id,
        DebtorAccess.action == ASKED,
        DebtorAccess.at >= now - dt.timedelta(seconds=LINK_S),
        DebtorAccess.debtor_id.in_(debtors),
    )
    # The last asking for each debtor gives the reason.
    latest = {row.debtor_id: row for row in session.scalars(asked.order_by(DebtorAccess.at, DebtorAccess.id))}
    for row in latest.values():
        session.add(
            DebtorAccess(
                org_id=row.org_id,
                lender_id=row.lender_id,
                debtor_id=row.debtor_id,
                account_id=account_id,
                action=OPENED,
                reason=row.reason,
                request_id=request_id,
                at=now,
            )
        )
    session.flush()
