"""An arrival that is refused is evidence: somebody stood at that door, then, and was told no, and why.

The refusal is the answer, and what it rests on stays: an event of the visit, and the decision of the policy.
The telling's id is not used up: a phone may tell the same again, and arrive once it is lawful.
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.decision import plain
from fieldvisit.compliance.intervals import Interval
from fieldvisit.decisions import Forbidden, stored_decision
from fieldvisit.errors import FieldVisitError, Refused
from fieldvisit.geofence import OutsideGeofence
from fieldvisit.models import Visit, VisitEvent
from fieldvisit.phone.order import OutOfOrder
from fieldvisit.phone.routes import CaseTakenBack, NotThisDay
from fieldvisit.phone.telling import EventDraft, Telling
from fieldvisit.safety.incidents import PlaceFrozen
from fieldvisit.visits import VisitCancelled, WrongState, get_visit, note_event
from fieldvisit.vocabulary import CheckMoment

ARRIVAL_REFUSED = "arrival_refused"
KEPT = (CaseTakenBack, Forbidden, NotThisDay, OutOfOrder, OutsideGeofence, PlaceFrozen, VisitCancelled, WrongState)


def at_the_door(visit: Visit, now: dt.datetime) -> Interval:
    """The time that a visit which begins now would take."""
    return Interval(now, now + dt.timedelta(seconds=visit.service_s))


def keep_refusal(
    session: Session, telling: Telling, draft: EventDraft, refusal: FieldVisitError, *, now: dt.datetime
) -> Refused:
    """Write down that this arrival was refused, once for each id of the phone's and each reason."""
    # Under lock: of two tellings at the same moment the second sees what the first wrote down.
    visit = get_visit(session, telling.visit_id, lock=True)
    if _kept_before(session, visit, draft, refusal):
        return Refused(refusal)
    detail = {"event_id": str(draft.event_id), "code": refusal.code, **_facts(session, visit, refusal, now)}
    event = note_event(visit, ARRIVAL_REFUSED, now=now, **detail)
    event.visitor_id, event.actor_id = telling.by.visitor_id, telling.by.account_id
    event.device_at = draft.device_at
    session.add(event)
    session.flush()
    return Refused(refusal)


def _kept_before(session: Session, visit: Visit, draft: EventDraft, refusal: FieldVisitError) -> bool:
    kept = sa.select(VisitEvent.id).where(
        VisitEvent.visit_id == visit.id,
        VisitEvent.kind == ARRIVAL_REFUSED,
        VisitEvent.detail["event_id"].astext == str(draft.event_id),
        VisitEvent.detail["code"].astext == refusal.code,
    )
    return session.scalar(kept.limit(1)) is not None


def _facts(session: Session, visit: Visit, refusal: FieldVisitError, now: dt.datetime) -> dict[str, Any]:
    """Ids, codes and numbers that say why. Of a decision its clauses; the words are with the decision itself."""
    if not isinstance(refusal, Forbidden):
        return {name: plain(value) for name, value in refusal.details.items()}
    row = stored_decision(visit, refusal.decision, moment=CheckMoment.DOOR, span=at_the_door(visit, now), now=now)
    session.add(row)
    session.flush()
    return {"decision_id": str(row.id), "clause_ids": refusal.details["clause_ids"]}
