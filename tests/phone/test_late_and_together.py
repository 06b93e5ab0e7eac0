"""Arrivals told after the visit was cancelled, by one member after the other, or while a plan is published."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import Forbidden
from fieldvisit.errors import FieldVisitError, NotFound
from fieldvisit.models import Credential, DayPlan, StoredDecision, Visit
from fieldvisit.phone.day import my_visit
from fieldvisit.phone.drafts import ArrivalDraft, IdentityDraft, UndoDraft
from fieldvisit.phone.routes import NotThisDay
from fieldvisit.phone.steps import arrive, check_identity, set_out
from fieldvisit.phone.undoing import undo_arrival
from fieldvisit.reports import report_visit
from fieldvisit.visits import VisitCancelled, get_visit, history_of
from fieldvisit.vocabulary import (
    BlockTrigger,
    CredentialKind,
    DayPlanState,
    IdentityMethod,
    IdentityResult,
    UndoReason,
    VisitOutcome,
    VisitState,
)
from tests.conftest import NOW
from tests.phone.conftest import Told
from tests.phone.worlds import Morning, arrival, event, identity, make_plan, report
from tests.reports.worlds import promise

MINUTE = dt.timedelta(minutes=1)
AT_THE_DOOR = NOW - 20 * MINUTE
LATER = NOW + 180 * MINUTE


def block(sessions: sessionmaker[Session], morning: Morning) -> None:
    """The lender files it NOW, and the visit is cancelled."""
    with acting_for(sessions, morning.world.lender) as session:
        debtor_id = session.get_one(Visit, morning.visit).debtor_id
        file_block(session, BlockDraft(debtor_id=debtor_id, trigger=BlockTrigger.DISPUTE), filed_by_id=None, now=NOW)


def history(sessions: sessionmaker[Session], morning: Morning) -> list[tuple[str, uuid.UUID | None]]:
    with acting_for_all(sessions) as session:
        return [(entry.kind, entry.visitor_id) for entry in history_of(session, morning.visit)]


def state_of(sessions: sessionmaker[Session], morning: Morning) -> VisitState:
    with acting_for_all(sessions) as session:
        return session.get_one(Visit, morning.visit).state


def test_what_a_phone_without_signal_saw_before_the_cancelling_is_written_down_and_opens_nothing(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    block(sessions, morning)
    way = told(set_out, event(device_at=AT_THE_DOOR - MINUTE), now=LATER)
    there = told(arrive, arrival(device_at=AT_THE_DOOR), now=LATER)
    who = IdentityDraft(
        event_id=uuid.uuid4(),
        device_at=AT_THE_DOOR + MINUTE,
        method=IdentityMethod.DOCUMENT_SEEN,
        result=IdentityResult.CONFIRMED,
    )
    known = told(check_identity, who, now=LATER)
    assert [way.state, there.state, known.state] == [VisitState.CANCELLED] * 3
    assert known.facts["amounts_shown"] is False
    assert history(sessions, morning)[-3:] == [
        ("set_out", morning.ilta),
        ("arrived", morning.ilta),
        ("identity_checked", morning.ilta),
    ]
    with acting_for(sessions, morning.world.agency) as session:
        assert my_visit(session, morning.ilta, morning.visit, now=LATER).briefing is None


def test_the_promise_heard_then_is_reported_and_kept(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    block(sessions, morning)
    told(arrive, arrival(device_at=AT_THE_DOOR), now=LATER)
    told(check_identity, identity(), now=LATER)
    draft = report(VisitOutcome.MET_DEBTOR, left_at=NOW, disclosed=True, promises=(promise(),))
    assert told(report_visit, draft, now=LATER).state is VisitState.REPORTED


@pytest.mark.parametrize(
    "device_at", [None, NOW + MINUTE, NOW - dt.timedelta(days=1), dt.datetime(1970, 1, 1, tzinfo=dt.UTC)]
)
def test_who_comes_to_a_cancelled_visit_now_is_refused(
    sessions: sessionmaker[Session], morning: Morning, told: Told, device_at: dt.datetime | None
) -> None:
    block(sessions, morning)
    with pytest.raises(VisitCancelled):
        told(arrive, arrival(device_at=device_at), now=LATER)
    with pytest.raises(VisitCancelled):
        told(set_out, event(device_at=device_at), now=LATER)


def revoke(sessions: sessionmaker[Session], visitor_id: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        cards = sa.update(Credential).where(
            Credential.visitor_id == visitor_id, Credential.kind == CredentialKind.ID_CARD
        )
        session.execute(cards.values(revoked_at=NOW))


def test_a_second_member_whose_papers_do_not_hold_is_refused_and_the_visit_goes_on(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival(present=(morning.ilta,)))
    revoke(sessions, morning.oona)
    with pytest.raises(Forbidden) as refused:
        told(arrive, arrival(present=(morning.oona,)), by=morning.oona, now=NOW + 5 * MINUTE)
    assert refused.value.details["clause_ids"] == ["house/credentials/1"]
    assert state_of(sessions, morning) is VisitState.ARRIVED
    assert history(sessions, morning) == [("arrived", morning.ilta), ("arrival_refused", morning.oona)]


def test_a_second_member_is_judged_together_with_those_who_are_there(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival(present=(morning.ilta,)))
    revoke(sessions, morning.ilta)
    with pytest.raises(Forbidden):
        told(arrive, arrival(present=(morning.oona,)), by=morning.oona)


def test_a_second_member_with_good_papers_joins(sessions: sessionmaker[Session], morning: Morning, told: Told) -> None:
    told(arrive, arrival(present=(morning.ilta,)))
    told(arrive, arrival(present=(morning.oona,)), by=morning.oona)
    with acting_for_all(sessions) as session:
        verdicts = session.scalars(sa.select(StoredDecision.verdict)).all()
    assert (len(verdicts), len(set(verdicts))) == (2, 1)


def test_who_was_judged_with_the_first_is_not_judged_again(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival())
    revoke(sessions, morning.oona)
    assert told(arrive, arrival(), by=morning.oona).state is VisitState.ARRIVED


def test_what_the_debtor_said_while_somebody_stood_at_the_door_stops_who_was_not_there_after_all(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival())
    with acting_for(sessions, morning.world.lender) as session:
        visit = session.get_one(Visit, morning.visit)
        draft = BlockDraft(debtor_id=visit.debtor_id, trigger=BlockTrigger.DISPUTE)
        file_block(session, draft, filed_by_id=None, now=NOW)
        assert visit.state is VisitState.ARRIVED
    told(undo_arrival, UndoDraft(event_id=uuid.uuid4(), reason=UndoReason.SLIP))
    with acting_for(sessions, morning.world.agency) as session:
        visit = session.get_one(Visit, morning.visit)
        assert visit.state is VisitState.CANCELLED
        assert visit.cancelled_reason["code"] == BlockTrigger.DISPUTE.value


@pytest.mark.parametrize("state", [VisitState.PUBLISHED, VisitState.ARRIVED])
def test_whose_visit_has_gone_to_another_crew_undoes_nothing_of_theirs(
    sessions: sessionmaker[Session], morning: Morning, told: Told, state: VisitState
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
        make_plan(session, morning.world, [morning.outsider], [session.get_one(Visit, morning.visit)])
    if state is VisitState.ARRIVED:
        told(arrive, arrival(), by=morning.outsider)
    slip = {"event_id": uuid.uuid4(), "reason": UndoReason.SLIP}
    with pytest.raises(NotFound):
        told(undo_arrival, UndoDraft(**slip))
    told(undo_arrival, UndoDraft(**slip, device_at=AT_THE_DOOR, sent_at=NOW))
    assert state_of(sessions, morning) is state


NIGHT = NOW + dt.timedelta(hours=13)


def told_as_a_fact() -> ArrivalDraft:
    return arrival(device_at=NIGHT - 20 * MINUTE, sent_at=NIGHT)


@pytest.mark.parametrize("first", [lambda: (told_as_a_fact(), NIGHT), lambda: (arrival(), NOW)])
def test_neither_a_fact_nor_an_arrival_of_the_morning_lets_anybody_arrive_at_night(
    sessions: sessionmaker[Session], morning: Morning, told: Told, first: Callable[[], tuple[ArrivalDraft, dt.datetime]]
) -> None:
    draft, now = first()
    assert told(arrive, draft, now=now).state is VisitState.ARRIVED
    with pytest.raises(Forbidden) as refused:
        told(arrive, arrival(), now=NIGHT)
    assert refused.value.details["clause_ids"] == ["house/windows/1"]
    assert history(sessions, morning) == [("arrived", morning.ilta), ("arrival_refused", morning.ilta)]


def test_a_fact_of_yesterday_lets_nobody_arrive_today(morning: Morning, told: Told) -> None:
    today = NOW + dt.timedelta(days=1)
    told(arrive, arrival(device_at=NOW, sent_at=today), now=today)
    with pytest.raises(NotThisDay):
        told(arrive, arrival(), now=today)


def test_an_arrival_after_the_report_opens_no_amounts(morning: Morning, told: Told) -> None:
    told(report_visit, report(VisitOutcome.NOBODY, left_at=NIGHT), now=NIGHT)
    told(arrive, arrival(), now=NIGHT)
    assert told(check_identity, identity(), now=NIGHT).facts["amounts_shown"] is False


@pytest.mark.parametrize("step", [set_out, arrive])
def test_a_crew_that_loses_the_visit_while_its_phone_speaks_is_told_so(
    sessions: sessionmaker[Session], morning: Morning, told: Told, step: object
) -> None:
    """The plan is published anew between the phone's question and its turn."""

    def speak() -> FieldVisitError | None:
        try:
            told(step, arrival() if step is arrive else event())
        except FieldVisitError as refusal:
            return refusal
        return None

    with ThreadPoolExecutor(1) as pool:
        with acting_for_all(sessions) as session:
            visit = get_visit(session, morning.visit, lock=True)
            session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
            make_plan(session, morning.world, [morning.outsider], [visit])
            answer = pool.submit(speak)
            wait_until_somebody_waits(sessions)
        assert isinstance(answer.result(), NotFound)
    assert state_of(sessions, morning) is VisitState.PUBLISHED


def wait_until_somebody_waits(sessions: sessionmaker[Session]) -> None:
    waiting = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    with sessions() as session:
        while not session.scalar(sa.text(waiting)):
            session.rollback()
