"""Contact data that wait for the office."""

from api.schemas.base import In, PageIn
from api.schemas.fields import Choice, Text
from fieldvisit.vocabulary import ProposalState


class ProposalsQueryIn(PageIn):
    state = Choice(ProposalState)


class ProposalRefusalIn(In):
    reason = Text(required=True)
