"""When a lender looked at an agency that visits for it."""

from dataclasses import dataclass
from datetime import date

from fieldvisit.vocabulary import AgencyReviewKind


@dataclass(frozen=True, kw_only=True)
class AgencyReviewFact:
    """One review of the agency that goes, by the lender it goes for. `next_due_on`: the lender wants the next one by
    then, before the contract ends, say, even where a policy would give longer."""

    id: str
    kind: AgencyReviewKind
    reviewed_on: date
    next_due_on: date | None = None
