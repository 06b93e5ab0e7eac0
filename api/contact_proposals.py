"""Contact data that debtors gave at their doors: the office takes them over, or does not."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.contact_proposals import ProposalRefusalIn, ProposalsQueryIn
from api.schemas.reports import ContactProposalOut
from api.showing import Shows
from fieldvisit import contact_proposals
from fieldvisit.models import ContactProposal

bp = Blueprint("contact-proposals", __name__, description=__doc__)


@bp.get("/contact-proposals")
@endpoint(
    may=Permission.READ_REPORTS,
    query=ProposalsQueryIn(),
    returns=ContactProposalOut(),
    order=Keyset(ContactProposal.recorded_at, ContactProposal.id),
    shows=Shows.WORK,
)
def list_contact_proposals(query: dict[str, Any]) -> sa.Select[ContactProposal]:
    """What visitors heard of new numbers and addresses, the oldest first."""
    return contact_proposals.proposals_where(**query)


@bp.post("/contact-proposals/<uuid:proposal_id>/approval")
@endpoint(may=Permission.CLOSE_VISITS, returns=ContactProposalOut(), shows=Shows.WORK)
def approve_contact_proposal(proposal_id: uuid.UUID) -> ContactProposal:
    """Make it a contact point of the debtor."""
    return contact_proposals.approve(session(), proposal_id, by=actor().account_id, now=now())


@bp.post("/contact-proposals/<uuid:proposal_id>/refusal")
@endpoint(may=Permission.CLOSE_VISITS, body=ProposalRefusalIn(), returns=ContactProposalOut(), shows=Shows.WORK)
def refuse_contact_proposal(proposal_id: uuid.UUID, body: dict[str, str]) -> ContactProposal:
    """Leave it, and say why. It stays readable."""
    return contact_proposals.refuse(session(), proposal_id, reason=body["reason"], by=actor().account_id, now=now())
