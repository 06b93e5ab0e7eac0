"""Contact data that a debtor gave at the door: proposed by the visitor, taken over by the office or not.

A number that is wrong, or somebody else's, would be rung from then on: so nobody's word alone makes it a contact point.
"""

import datetime as dt
import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.debtors import ContactPointDraft, add_contact_point
from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import Account, Case, ContactProposal
from fieldvisit.vocabulary import ProposalState


class ProposalSettled(FieldVisitError):
    code, kind = "proposal_settled", Kind.CONFLICT
    says = "The proposal {proposal_id} is settled already: {state}."


class OwnProposal(FieldVisitError):
    code, kind = "own_proposal", Kind.FORBIDDEN
    says = "You proposed this yourself. Somebody else decides on it."


def proposals_where(*, state: ProposalState | None = None) -> sa.Select[ContactProposal]:
    """The proposals one may see, all or those that stand there; the caller states the order."""
    rows = sa.select(ContactProposal)
    return rows if state is None else rows.where(ContactProposal.state == state)


def approve(session: Session, proposal_id: uuid.UUID, *, by: uuid.UUID, now: dt.datetime) -> ContactProposal:
    """Make it a contact point of the debtor. Raises NotFound, also where the case was called back, OwnProposal,
    ProposalSettled."""
    row = _undecided(session, proposal_id, by)
    case = session.get(Case, row.case_id)
    if case is None:
        raise NotFound(what="case", id=row.case_id)
    add_contact_point(session, case.debtor, ContactPointDraft(kind=row.kind, value=row.value))
    return _decide(session, row, ProposalState.APPROVED, by=by, now=now)


def refuse(
    session: Session, proposal_id: uuid.UUID, *, reason: str, by: uuid.UUID, now: dt.datetime
) -> ContactProposal:
    """Leave it: it stays readable, with the reason. Raises NotFound, OwnProposal, ProposalSettled."""
    check_text("reason", reason)
    row = _undecided(session, proposal_id, by)
    row.reason = reason
    return _decide(session, row, ProposalState.REFUSED, by=by, now=now)


def _undecided(session: Session, proposal_id: uuid.UUID, by: uuid.UUID) -> ContactProposal:
    row = session.get(ContactProposal, proposal_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound(what="contact proposal", id=proposal_id)
    proposer = Account.visitor_id == row.visitor_id
    if session.scalar(sa.select(Account.id).where(Account.id == by, proposer)) is not None:
        raise OwnProposal()
    if row.state is not ProposalState.PROPOSED:
        raise ProposalSettled(proposal_id=proposal_id, state=row.state)
    return row


def _decide(
    session: Session, row: ContactProposal, state: ProposalState, *, by: uuid.UUID, now: dt.datetime
) -> ContactProposal:
    row.state, row.decided_by_id, row.decided_at = state, by, now
    session.flush()
    return row
