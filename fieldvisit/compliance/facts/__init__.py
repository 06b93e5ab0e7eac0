"""What is known when a question is asked: values that the callers fill from their rows.

Ids are strings. Instants are aware and kept in UTC; dates and wall-clock times are local to the place. The order in
which facts are given never matters: each list is sorted by id, so that the same facts always give the same hash.
"""

from fieldvisit.compliance.facts.blocks import BlockFact
from fieldvisit.compliance.facts.consents import ConsentAbout, ConsentFact, ConsentForm
from fieldvisit.compliance.facts.contacts import AttemptFact, NoticeFact, PlannedVisitFact
from fieldvisit.compliance.facts.known import ANY, Facts, OverrideFact, Scope
from fieldvisit.compliance.facts.places import KnownPlaceFact, PlaceFacts
from fieldvisit.compliance.facts.questions import LONGEST_VISIT, Purpose, Question
from fieldvisit.compliance.facts.reviews import AgencyReviewFact
from fieldvisit.compliance.facts.staff import CredentialFact, StaffFact
from fieldvisit.compliance.facts.times import DebtorTime, LocalTimes, WishKind

__all__ = [
    "ANY",
    "LONGEST_VISIT",
    "AgencyReviewFact",
    "AttemptFact",
    "BlockFact",
    "ConsentAbout",
    "ConsentFact",
    "ConsentForm",
    "CredentialFact",
    "DebtorTime",
    "Facts",
    "KnownPlaceFact",
    "LocalTimes",
    "NoticeFact",
    "OverrideFact",
    "PlaceFacts",
    "PlannedVisitFact",
    "Purpose",
    "Question",
    "Scope",
    "StaffFact",
    "WishKind",
]
