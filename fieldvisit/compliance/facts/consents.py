"""What the debtor agreed to."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fieldvisit.compliance.facts.times import LocalTimes
from fieldvisit.compliance.intervals import utc
from fieldvisit.compliance.parameters import ConsentContent


class ConsentAbout(StrEnum):
    """What a consent is to."""

    VISITS = "visits"
    RECORDING = "recording"


class ConsentForm(StrEnum):
    """How a consent was given; a later one satisfies every demand for an earlier one."""

    ANY = "any"
    WRITTEN = "written"
    SEPARATE_DOCUMENT = "separate_document"


@dataclass(frozen=True, kw_only=True)
class ConsentFact:
    """A consent to visits. None of a bound (place, visit) does not bind; one that was revoked counts for nothing.

    It widens permitted hours only where a policy says so and only to `times` that name both hours: a consent to visits
    as such is no consent to visits at night.
    """

    id: str
    given_at: datetime
    revoked_at: datetime | None = None
    form: ConsentForm = ConsentForm.ANY
    place_id: str | None = None
    visit_id: str | None = None
    times: LocalTimes | None = None
    about: ConsentAbout = ConsentAbout.VISITS
    contents: frozenset[ConsentContent] = frozenset(ConsentContent)
    """What the debtor was told when agreeing."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "given_at", utc(self.given_at, "given_at"))
        if self.revoked_at is not None:
            object.__setattr__(self, "revoked_at", utc(self.revoked_at, "revoked_at"))
