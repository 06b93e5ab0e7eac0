"""A refused arrival is told no, and stays: in the visit's history and, where the policy spoke, with its decision."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import Forbidden
from fieldvisit.errors import FieldVisitError, InvalidValue, NotFound, Refused
from fieldvisit.geofence import OutsideGeofence
from fieldvisit.models import Placement, StoredDecision, Visit, VisitEvent, Visitor
from fieldvisit.phone.drafts import ArrivalDraft
from fieldvisit.phone.routes import CaseTakenBack, NotThisDay
from fieldvisit.phone.steps import arrive
from fieldvisit.phone.telling import EventIdReused, Receipt
from fieldvisit.visits import CancelReason, VisitCancelled, WrongState, cancel_visit, history_of
from fieldvisit.vocabulary import CheckMoment, Verdict, VisitState
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, teller
from tests.worlds import HELSINKI, TODAY

EVENING = dt.datetime(2026, 3, 3, 17, 50, tzinfo=dt.UTC)
"""19:50 in Helsinki: the visit would last beyond the permitted hours."""
FAR = (HELSINKI[0] + 0.009, HELSINKI[1])


def come(
    sessions: sessionmaker[Session], morning: Morning, draft: ArrivalDraft, *, now: dt.datetime = NOW, **given: Any
) -> Receipt | Refused:
    """One arrival in a transaction that is kept whatever the answer is."""
    with acting_for(sessions, morning.world.agency) as session:
        return arrive(session, morning.visit, draft, by=teller(given.get("by", morning.ilta)), now=now, geofence_m=150)


def refused(answer: Receipt | Refused) -> FieldVisitError:
    assert isinstance(answer, Refused)
    return answer.error


def history(sessions: sessionmaker[Session], visit_id: uuid.UUID) -> list[VisitEvent]:
    with acting_for_all(sessions) as session:
        return history_of(session, visit_id)


def decisions(sessions: sessionmaker[Session]) -> list[StoredDecision]:
    with acting_for_all(sessions) as session:
        return list(session.scalars(sa.select(StoredDecision)))


def test_what_the_policy_refused_at_the_door_is_kept_with_its_decision(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    draft = arrival(device_at=EVENING - dt.timedelta(minutes=1))
    error = refused(come(sessions, morning, draft, now=EVENING))
    (decision,), (event,) = decisions(sessions), history(sessions, morning.visit)
    ends = EVENING + dt.timedelta(seconds=1_200)
    assert isinstance(error, Forbidden)
    assert (decision.visit_id, decision.moment, decision.verdict) == (morning.visit, CheckMoment.DOOR, Verdict.BLOCKED)
    assert (decision.begins_at, decision.ends_at, decision.decided_at) == (EVENING, ends, EVENING)
    assert (decision.inputs_hash, len(decision.clauses)) == (error.decision.inputs_hash, len(error.decision.clauses))
    assert (event.kind, event.at, event.visitor_id) == ("arrival_refused", EVENING, morning.ilta)
    assert event.device_at == draft.device_at
    assert event.detail == {
        "event_id": str(draft.event_id),
        "code": "forbidden_by_policy",
        "decision_id": str(decision.id),
        "clause_ids": error.details["clause_ids"],
    }
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
    assert (visit.state, visit.arrived_at) == (VisitState.PUBLISHED, None)


def cancel(session: Session, morning: Morning) -> None:
    cancel_visit(session, morning.visit, reason=CancelReason.LENDER_ASKED, now=NOW)


def take_back(session: Session, morning: Morning) -> None:
    session.execute(sa.update(Placement).values(until_on=TODAY - dt.timedelta(days=1)))


def give_back(session: Session, morning: Morning) -> None:
    session.get_one(Visit, morning.visit).state = VisitState.ELIGIBLE


def nothing(session: Session, morning: Morning) -> None:
    """All is as it was planned."""


TOMORROW = NOW + dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "at", "now", "error", "facts"),
    [
        (cancel, HELSINKI, NOW, VisitCancelled, {"reason": "lender_asked"}),
        (nothing, FAR, NOW, OutsideGeofence, {"distance_m": 1003, "allowed_m": 170}),
        (nothing, HELSINKI, TOMORROW, NotThisDay, {"planned_on": "2026-03-03", "today": "2026-03-04"}),
        (take_back, HELSINKI, NOW, CaseTakenBack, {}),
        (give_back, HELSINKI, NOW, WrongState, {"state": "eligible", "wanted": "arrived"}),
    ],
)
def test_every_other_refusal_is_kept_with_its_reason(
    sessions: sessionmaker[Session],
    morning: Morning,
    before: Any,
    at: tuple[float, float],
    now: dt.datetime,
    error: type[FieldVisitError],
    facts: dict[str, Any],
) -> None:
    with acting_for_all(sessions) as session:
        before(session, morning)
    draft = arrival(at=at)
    met = refused(come(sessions, morning, draft, now=now))
    event = history(sessions, morning.visit)[-1]
    assert (type(met), event.kind, decisions(sessions)) == (error, "arrival_refused", [])
    named = {name: value for name, value in event.detail.items() if name != "reference"}
    assert named == {"event_id": str(draft.event_id), "code": error.code, **facts}


def test_told_again_it_is_refused_again_and_kept_once(sessions: sessionmaker[Session], morning: Morning) -> None:
    draft = arrival()
    first, again = (refused(come(sessions, morning, draft, now=EVENING)) for _ in range(2))
    assert first.details == again.details
    assert (len(history(sessions, morning.visit)), len(decisions(sessions))) == (1, 1)
    come(sessions, morning, arrival(), now=EVENING)
    assert (len(history(sessions, morning.visit)), len(decisions(sessions))) == (2, 2)


def test_another_reason_for_the_same_telling_is_kept_beside_the_first(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    draft = arrival(at=FAR)
    come(sessions, morning, draft)
    with acting_for_all(sessions) as session:
        cancel(session, morning)
    come(sessions, morning, draft)
    codes = [event.detail["code"] for event in history(sessions, morning.visit) if event.kind == "arrival_refused"]
    assert sorted(codes) == ["outside_geofence", "visit_cancelled"]


def test_once_it_is_lawful_the_same_telling_arrives(sessions: sessionmaker[Session], morning: Morning) -> None:
    draft = arrival()
    come(sessions, morning, draft, now=EVENING)
    receipt = come(sessions, morning, draft)
    assert isinstance(receipt, Receipt)
    assert receipt.state is VisitState.ARRIVED
    assert sorted(event.kind for event in history(sessions, morning.visit)) == ["arrival_refused", "arrived"]


def test_what_is_no_arrival_at_all_leaves_nothing(sessions: sessionmaker[Session], morning: Morning) -> None:
    draft = arrival()
    come(sessions, morning, draft)
    before = len(history(sessions, morning.visit))
    tries: list[tuple[type[FieldVisitError], ArrivalDraft, uuid.UUID]] = [
        (NotFound, arrival(), morning.outsider),
        (EventIdReused, arrival(event_id=draft.event_id, at=FAR), morning.ilta),
    ]
    for error, telling, by in tries:
        with pytest.raises(error):
            come(sessions, morning, telling, by=by)
    assert len(history(sessions, morning.visit)) == before


def test_a_crew_that_names_a_stranger_is_refused_without_a_trace(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with pytest.raises(InvalidValue):
        come(sessions, morning, arrival(present=(morning.outsider,)))
    assert history(sessions, morning.visit) == []


def test_who_has_left_is_no_second_person_at_the_door(sessions: sessionmaker[Session], morning: Morning) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Visitor, morning.oona).active = False
    error = refused(come(sessions, morning, arrival(), now=NOW))
    assert error.details["clause_ids"] == ["product/staff"]
    answer = come(sessions, morning, arrival(present=()), now=NOW)
    assert isinstance(answer, Receipt)
    assert answer.state is VisitState.ARRIVED
