"""What a phone without signal did at a visit that was taken back meanwhile: somebody was told to go there, and went."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from api.schemas.phone_events import READERS
from fieldvisit.contacts import AttemptDraft, record_attempts
from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.errors import NotFound
from fieldvisit.evidence import EvidenceDraft, Room, announce
from fieldvisit.models import ContactAttempt, DayPlan, Placement, Stop, StoredDecision, Visit, VisitEvent, Visitor
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.people import VisitorDraft, upsert_visitor
from fieldvisit.phone.day import my_visit
from fieldvisit.phone.drafts import ShowingDraft, UndoDraft
from fieldvisit.phone.events import Desk, EventResult, Sent, take_events
from fieldvisit.phone.kinds import EventKind, StepEvent, Terms
from fieldvisit.phone.routes import CaseTakenBack
from fieldvisit.phone.steps import arrive, set_out, show_credential
from fieldvisit.phone.undoing import undo_arrival
from fieldvisit.repayment_standing import lock_plans
from fieldvisit.reports import report_visit
from fieldvisit.vocabulary import (
    AttemptResult,
    Channel,
    DayPlanState,
    EvidenceKind,
    UndoReason,
    VisitState,
)
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.phone.conftest import GEOFENCE_M, Told
from tests.phone.worlds import Morning, arrival, event, make_morning, make_plan, make_visit_on_evidence, report, teller
from tests.reports.books import Books, plan
from tests.test_late_contacts import REST
from tests.test_placement_days import DAY, EAST, make_far_morning
from tests.worlds import HELSINKI, TODAY, make_world

MINUTE = dt.timedelta(minutes=1)
NIGHT = NOW + dt.timedelta(hours=13)
HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}


def state_of(sessions: sessionmaker[Session], visit_id: uuid.UUID) -> VisitState:
    with acting_for_all(sessions) as session:
        return session.get_one(Visit, visit_id).state


# What is told late is a fact.


def test_an_arrival_undone_in_the_morning_and_told_at_night_calls_nothing_off(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival(device_at=NOW - 60 * MINUTE, sent_at=NOW), now=NIGHT)
    slip = UndoDraft(event_id=uuid.uuid4(), reason=UndoReason.WRONG_DOOR, device_at=NOW - 55 * MINUTE, sent_at=NOW)
    assert told(undo_arrival, slip, now=NIGHT).state is VisitState.UNDER_WAY
    again = arrival(device_at=NOW - 50 * MINUTE, sent_at=NOW)
    assert told(arrive, again, now=NIGHT).state is VisitState.ARRIVED


def test_papers_shown_before_the_case_was_called_back_are_written_down(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    morning, now = make_far_morning(sessions, urls, EAST, dt.time(10, 30), until_on=TODAY - DAY)
    showing = ShowingDraft(event_id=uuid.uuid4(), credential_ids=())
    with acting_for(sessions, morning.world.agency) as session:
        with pytest.raises(CaseTakenBack):
            show_credential(session, morning.visit, showing, by=teller(morning.ilta), now=now)
        late = replace(showing, event_id=uuid.uuid4(), device_at=now - 60 * MINUTE, sent_at=now)
        taken = show_credential(session, morning.visit, late, by=teller(morning.ilta), now=now)
    assert taken.state is VisitState.PUBLISHED


# A visit that was on the published route, and was taken off it while the phone had no signal.


def by_a_call(sessions: sessionmaker[Session], morning: Morning) -> None:
    """The dialer tells of a conversation that was before the visit."""
    with acting_for_all(sessions) as session:
        case_id = session.get_one(Visit, morning.visit).case.external_id
    draft = AttemptDraft(
        external_id=str(uuid.uuid4()),
        source="dialer",
        case_id=case_id,
        channel=Channel.CALL,
        at=NOW - DAY,
        result=AttemptResult.REACHED,
        detail=None,
        contact_point=None,
    )
    with acting_for(sessions, morning.world.lender) as session:
        record_attempts(session, [draft], NOW)


def by_who_leaves(sessions: sessionmaker[Session], morning: Morning) -> None:
    """The crew mate is no longer with the house."""
    with acting_for(sessions, morning.world.agency) as session:
        oona = session.get_one(Visitor, morning.oona)
        told = {"external_id": oona.external_id, "name": oona.name, "staff_number": oona.staff_number}
        upsert_visitor(session, VisitorDraft(**told, active=False))


def read(sent: Sent) -> StepEvent:
    kind, visit_id = EventKind(sent.body["kind"]), uuid.UUID(sent.body["visit_id"])
    said = READERS[kind].load({name: value for name, value in sent.body.items() if name not in ("kind", "visit_id")})
    terms = Terms(now=NIGHT, geofence_m=GEOFENCE_M)
    return StepEvent(kind=kind, visit_id=visit_id, draft=replace(said, sent_at=sent.sent_at), terms=terms)


def wire(kind: str, visit_id: uuid.UUID, at: dt.datetime, **facts: Any) -> Sent:
    named = {"event_id": str(uuid.uuid4()), "kind": kind, "visit_id": str(visit_id), "device_at": at.isoformat()}
    return Sent(body={**named, **facts}, sent_at=NIGHT)


def a_visit(visit_id: uuid.UUID, at: dt.datetime, **report: Any) -> list[Sent]:
    left_at = at + 30 * MINUTE
    return [
        wire("set_out", visit_id, at - 10 * MINUTE),
        wire("arrival", visit_id, at, position=HERE),
        wire("report", visit_id, left_at, left_at=left_at.isoformat(), **({"outcome": "nobody"} | report)),
    ]


MET = {"outcome": "met_debtor", "willing": True, "next_step": "call"}


def send(sessions: sessionmaker[Session], morning: Morning, events: list[Sent]) -> list[EventResult]:
    desk = Desk(by=teller(morning.ilta), now=NIGHT, read=read, translate=lambda _: None)
    with acting_for(sessions, morning.world.agency) as session:
        return take_events(session, events, desk)


@pytest.mark.parametrize("take_back", [by_a_call, by_who_leaves])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_done_at_a_visit_that_was_taken_back_is_taken(
    sessions: sessionmaker[Session],
    morning: Morning,
    take_back: Callable[[sessionmaker[Session], Morning], None],
    at_once: bool,
) -> None:
    take_back(sessions, morning)
    assert state_of(sessions, morning.visit) is VisitState.ELIGIBLE
    events = a_visit(morning.visit, NOW)
    for piece in [events] if at_once else [[each] for each in events]:
        results = send(sessions, morning, piece)
        assert {one.outcome.value for one in results} == {"taken"}, results
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        assert (visit.state, visit.arrived_at) == (VisitState.REPORTED, NOW)
        attempts = sa.select(ContactAttempt.result).where(ContactAttempt.channel == Channel.VISIT)
        assert session.scalars(attempts).all() == [AttemptResult.NOBODY_HOME]
        arrived = sa.select(VisitEvent.detail).where(VisitEvent.kind == "arrived")
        present = {str(morning.ilta), str(morning.oona)}
        assert set(session.scalars(arrived).one()["present"]) == present


def test_a_file_of_it_is_taken_and_nobody_who_was_not_told_to_go_tells_anything(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    by_a_call(sessions, morning)
    late = {"device_at": NOW, "sent_at": NIGHT}
    with pytest.raises(NotFound):
        told(report_visit, report(left_at=NOW), by=morning.outsider, now=NIGHT)
    with pytest.raises(NotFound):
        told(set_out, event(), now=NOW)
    with acting_for(sessions, morning.world.agency) as session:
        with pytest.raises(NotFound):
            my_visit(session, morning.ilta, morning.visit, now=NIGHT)
        assert session.scalars(sa.select(Stop)).all() == []
        file = {"captured_at": NOW, "size_bytes": 10, "sha256": "0" * 64}
        draft = EvidenceDraft(id=uuid.uuid4(), visit_id=morning.visit, kind=EvidenceKind.AUDIO, **file)
        announce(session, draft, visitor_id=morning.ilta, room=Room(files=100, most_bytes=2**30))
    assert told(arrive, arrival(**late), by=morning.oona, now=NIGHT).state is VisitState.ELIGIBLE


def test_of_what_was_told_to_go_the_last_counts(sessions: sessionmaker[Session], morning: Morning, told: Told) -> None:
    """Ilta and Oona had it first, then Ilta and another; then nobody."""
    with acting_for_all(sessions) as session:
        session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
        visit = session.get_one(Visit, morning.visit)
        make_plan(session, morning.world, [morning.ilta, morning.outsider], [visit])
    by_a_call(sessions, morning)
    there = arrival(device_at=NOW, sent_at=NIGHT, present=(morning.outsider,))
    assert told(arrive, there, now=NIGHT).kind == "arrived"


# The debtor's other visit.


@pytest.fixture
def two(sessions: sessionmaker[Session]) -> Morning:
    """Two visits of today to one debtor, whom the house leaves alone for a week after a conversation."""
    morning = make_morning(sessions, visits=2)
    with acting_for(sessions, morning.world.agency) as session:
        rest = PolicyDraft(text=REST, effective_from=TODAY)
        add_version(session, morning.world.agency, rest, made_by_id=None, now=NOW)
    with acting_for_all(sessions) as session:
        first, other = (session.get_one(Visit, visit_id) for visit_id in morning.visits)
        give_to_debtor_of(session, other, first)
    return morning


def give_to_debtor_of(session: Session, visit: Visit, first: Visit) -> None:
    """Let the case, and the visit to it, be of the debtor of the first, at the same place."""
    debtor_id = visit.debtor_id = visit.case.debtor_id = first.debtor_id
    visit.place_id = first.place_id
    session.execute(sa.update(Placement).where(Placement.case_id == visit.case_id).values(debtor_id=debtor_id))


def test_a_day_without_signal_at_both_doors_of_one_debtor_is_taken_whole(
    sessions: sessionmaker[Session], two: Morning
) -> None:
    first, other = two.visits
    events = [*a_visit(first, NOW, **MET), *a_visit(other, NOW + 60 * MINUTE)]
    events.insert(2, wire("identity_check", first, NOW + MINUTE, method="two_facts", result="confirmed"))
    results = send(sessions, two, events)
    assert {one.outcome.value for one in results} == {"taken"}, results
    assert [state_of(sessions, visit_id) for visit_id in two.visits] == [VisitState.REPORTED] * 2


def test_told_apart_it_is_taken_as_well(sessions: sessionmaker[Session], two: Morning) -> None:
    first, other = two.visits
    send(sessions, two, a_visit(first, NOW, **MET))
    assert state_of(sessions, other) is VisitState.ELIGIBLE
    results = send(sessions, two, a_visit(other, NOW + 60 * MINUTE))
    assert {one.outcome.value for one in results} == {"taken"}, results
    assert state_of(sessions, other) is VisitState.REPORTED


def test_what_a_sending_tells_is_judged_once_at_its_end(sessions: sessionmaker[Session], two: Morning) -> None:
    first, other = two.visits
    send(sessions, two, [*a_visit(first, NOW, **MET), wire("set_out", other, NOW)])
    assert state_of(sessions, other) is VisitState.CANCELLED
    with acting_for_all(sessions) as session:
        judged = sa.select(sa.func.count()).select_from(StoredDecision).where(StoredDecision.visit_id == other)
        assert session.scalar(judged) == 1


def test_what_is_told_of_a_case_that_was_called_back_counts_for_the_other_one(
    sessions: sessionmaker[Session], two: Morning
) -> None:
    first, other = two.visits
    with acting_for_all(sessions) as session:
        called_back = session.get_one(Visit, first).case_id
        session.execute(sa.delete(Placement).where(Placement.case_id == called_back))
    results = send(sessions, two, a_visit(first, NOW, **MET))
    assert {one.outcome.value for one in results} == {"taken"}, results
    assert state_of(sessions, other) is VisitState.ELIGIBLE


def test_a_debtors_other_visits_make_a_sending_no_longer(sessions: sessionmaker[Session]) -> None:
    """Each debtor of the day has a visit next week as well."""
    world, counted = make_world(sessions), []
    engine = sessions.kw["bind"]
    for visits in (2, 6):
        with acting_for_all(sessions) as session:
            session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
        morning = make_morning(sessions, world=world, visits=visits)
        with acting_for_all(sessions) as session:
            for visit_id in morning.visits:
                next_week = {"state": VisitState.PLANNED, "planned_on": TODAY + 7 * DAY}
                other = make_visit_on_evidence(session, world, **next_week)
                give_to_debtor_of(session, other, session.get_one(Visit, visit_id))
        statements: list[str] = []
        sa.event.listen(engine, "before_cursor_execute", lambda *said, kept=statements: kept.append(said[2]))
        day = [
            each for place, visit_id in enumerate(morning.visits) for each in a_visit(visit_id, NOW + place * MINUTE)
        ]
        assert {one.outcome.value for one in send(sessions, morning, day)} == {"taken"}
        counted.append(len(statements))
    # The listener of the first counts on; what it heard is not asked for.
    assert counted[1] <= counted[0], counted


# Plans that an agency does not see.


@pytest.mark.parametrize("at_once", [True, False])
def test_a_promise_is_told_while_somebody_decides_on_the_lenders_plan_and_neither_waits_for_the_other(
    sessions: sessionmaker[Session], morning: Morning, at_once: bool
) -> None:
    """Who decides holds the plan, and wants the visits; the report wants both."""
    books = Books(sessions, morning)
    books.propose(plan(), house=morning.world.lender)
    books.pay(100, on=TODAY, now=NOW)
    promised = {"amount_minor": 500, "currency": "EUR", "due_on": (TODAY + 7 * DAY).isoformat(), "method": "transfer"}
    arrived, reported = a_visit(morning.visit, NOW, **MET, disclosed=True, promises=[promised])[1:]
    checked = wire("identity_check", morning.visit, NOW + MINUTE, method="two_facts", result="confirmed")
    pieces = [[arrived, checked, reported]] if at_once else [[arrived], [checked], [reported]]
    for piece in pieces[:-1]:
        send(sessions, morning, piece)
    with ThreadPoolExecutor(1) as pool:
        with acting_for(sessions, morning.world.lender) as session:
            lock_plans(session, {books.case_id})
            answer = pool.submit(send, sessions, morning, pieces[-1])
            until_somebody_waits(sessions)
            visit = sa.select(Visit.id).where(Visit.id == morning.visit)
            session.execute(visit.with_for_update(nowait=True, key_share=True))
        assert {one.outcome.value for one in answer.result()} == {"taken"}
