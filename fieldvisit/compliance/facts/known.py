"""Everything known about one debtor, one case and one place, and whose policies speak of it."""

from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from fieldvisit.compliance.facts.blocks import BlockFact
from fieldvisit.compliance.facts.consents import ConsentFact
from fieldvisit.compliance.facts.contacts import AttemptFact, NoticeFact, PlannedVisitFact
from fieldvisit.compliance.facts.places import KnownPlaceFact, PlaceFacts
from fieldvisit.compliance.facts.reviews import AgencyReviewFact
from fieldvisit.compliance.facts.times import DebtorTime
from fieldvisit.compliance.parameters import CollectorRole, Party


@dataclass(frozen=True, kw_only=True)
class OverrideFact:
    """Somebody with the right to let the visit go beyond this clause on this local date."""

    id: str
    clause_id: str
    on_day: date


@dataclass(frozen=True, kw_only=True)
class Scope:
    """What decides, beside place and date, which policies apply. What is None is not known, and counts as meant.

    `home`: where the debtor lives, where that is another place: its law counts too.
    """

    role: CollectorRole | None = None
    product: str | None = None
    party: Party | None = None
    home: PlaceFacts | None = None


ANY = Scope()


BY_ID = attrgetter("id")
SORTED = (
    *("attempts", "blocks", "consents", "debtor_times", "known_places", "notices", "overrides"),
    "agency_reviews",
)


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything known about one debtor, one case and one place.

    `attempts` reach back as far as the policies look (`Terms.looks_back_days`). `number_ids` are the contact points of
    the debtor that are telephone numbers, tried or not. `creditor_id` is the organisation in whose name one calls.
    `days_past_due` are those on the date `past_due_as_of`, or on the date of the visit where that is None.
    `candidate_zones`: the zones of wherever else the debtor may be.
    """

    place: PlaceFacts
    case_id: str
    creditor_id: str | None = None
    scope: Scope = ANY
    candidate_zones: tuple[str, ...] = ()
    known_places: tuple[KnownPlaceFact, ...] = ()
    notices: tuple[NoticeFact, ...] = ()
    days_past_due: int | None = None
    past_due_as_of: date | None = None
    number_ids: tuple[str, ...] = ()
    attempts: tuple[AttemptFact, ...] = ()
    blocks: tuple[BlockFact, ...] = ()
    consents: tuple[ConsentFact, ...] = ()
    debtor_times: tuple[DebtorTime, ...] = ()
    planned_visits: tuple[PlannedVisitFact, ...] = ()
    overrides: tuple[OverrideFact, ...] = ()
    agency_reviews: tuple[AgencyReviewFact, ...] = ()

    def __post_init__(self) -> None:
        for name in SORTED:
            if len(given := getattr(self, name)) > 1:
                object.__setattr__(self, name, tuple(sorted(given, key=BY_ID)))
        if len(self.number_ids) > 1:
            object.__setattr__(self, "number_ids", tuple(sorted(self.number_ids)))
        if len(self.planned_visits) > 1:
            planned = sorted(self.planned_visits, key=attrgetter("planned_on", "visit_id"))
            object.__setattr__(self, "planned_visits", tuple(planned))

    def overdue_on(self, day: date) -> int | None:
        """How many days past due the account is on the date; None where that is not known."""
        if self.days_past_due is None or self.past_due_as_of is None:
            return self.days_past_due
        return self.days_past_due + (day - self.past_due_as_of).days
