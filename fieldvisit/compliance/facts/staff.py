"""Who would stand at the door, with which papers."""

from dataclasses import dataclass
from datetime import date

from fieldvisit.compliance.parameters import Disqualifier
from fieldvisit.vocabulary import CredentialKind


@dataclass(frozen=True, kw_only=True)
class CredentialFact:
    """A paper of a visitor; both dates local and inclusive. `for_...` None: not limited to one."""

    id: str
    kind: CredentialKind
    valid_from: date
    valid_until: date
    for_organisation_id: str | None = None
    for_case_id: str | None = None
    issuer: str | None = None
    revoked: bool = False


@dataclass(frozen=True, kw_only=True)
class StaffFact:
    """Somebody who would stand at the door."""

    visitor_id: str
    credentials: tuple[CredentialFact, ...] = ()
    skills: frozenset[str] = frozenset()
    disqualifiers: frozenset[Disqualifier] = frozenset()
    active: bool = True
    """False: has left, or is away for long, and makes no visit, whatever papers still hold."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "credentials", tuple(sorted(self.credentials, key=lambda fact: fact.id)))
