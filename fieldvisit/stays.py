"""How long somebody stayed at a door, held against what the policies allow: flagged, never refused. What happened,
happened.
"""

import datetime as dt

from sqlalchemy.orm import Session

from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.door_notes import terms_at
from fieldvisit.models import Case, Visit
from fieldvisit.phone.arrivals import arrival_of
from fieldvisit.visits import note_event


def longest_stay_s(terms: Terms | None) -> int | None:
    """The shortest time that any policy allows for a visit; None where none gives a number."""
    longest = terms.longest_stay if terms is not None else None
    return None if longest is None else int(longest.total_seconds())


def overstayed(terms: Terms | None, stayed: dt.timedelta) -> tuple[str, ...]:
    """The clauses whose number of minutes such a stay goes beyond, those that only warn too."""
    return tuple(
        rule.id
        for rule in (terms.visit_length if terms is not None else ())
        if rule.minutes is not None and stayed > dt.timedelta(minutes=rule.minutes)
    )


def flag_stay(session: Session, visit: Visit, *, left_at: dt.datetime, now: dt.datetime) -> None:
    """Write into the visit's history that somebody stayed too long, with the clauses. Of a case that was called back
    the place is no longer known here, and nothing is said."""
    known: Case | None = visit.case
    arrived_at = visit.arrived_at or arrival_of(session, visit)
    if arrived_at is None or known is None:
        return
    organisations = organisations_by_id(session, (visit.org_id, visit.lender_id))
    clause_ids = overstayed(
        terms_at(organisations, visit, local_day(arrived_at, visit.place.zone)), left_at - arrived_at
    )
    if clause_ids:
        stayed_s = int((left_at - arrived_at).total_seconds())
        session.add(note_event(visit, "stay_flagged", now=now, stayed_s=stayed_s, clause_ids=list(clause_ids)))
