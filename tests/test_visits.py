"""The life of a visit: every move there is, and every one there is not."""

import datetime as dt
import itertools
import uuid
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.languages import say
from fieldvisit.models import Visit
from fieldvisit.visits import (
    LIVE,
    MOVES,
    CancelReason,
    ChangedMeanwhile,
    NotYourVisit,
    PlannedAlready,
    VisitCancelled,
    VisitChange,
    WrongState,
    cancel_visit,
    change_visit,
    close_visit,
    expire_visits,
    get_visit,
    history_of,
    move,
    return_unarrived,
    return_unbegun,
    visits_where,
)
from fieldvisit.vocabulary import BlockTrigger, NextStep, NotDone, VisitState
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_case, make_visit, make_world

S = VisitState
# The life of a visit as people tell it, written down once more: who changes one has to change both.
ALLOWED = {
    (S.REQUESTED, S.ELIGIBLE): "its place was found",
    (S.ELIGIBLE, S.PLANNED): "in a draft",
    (S.PLANNED, S.PUBLISHED): "on the phones",
    (S.PUBLISHED, S.UNDER_WAY): "set out",
    (S.PUBLISHED, S.ARRIVED): "arrived, without having told of setting out",
    (S.UNDER_WAY, S.ARRIVED): "arrived",
    (S.PLANNED, S.ELIGIBLE): "the draft was dropped",
    (S.PUBLISHED, S.ELIGIBLE): "not begun by the end of its day",
    (S.PUBLISHED, S.REPORTED): "reported by a phone that had no signal",
    (S.UNDER_WAY, S.REPORTED): "turned back",
    (S.UNDER_WAY, S.ELIGIBLE): "never arrived, and its day is long over",
    (S.ARRIVED, S.REPORTED): "as it should be",
    (S.ARRIVED, S.UNDER_WAY): "the arrival was none",
    (S.ELIGIBLE, S.REPORTED): "given back before the phone had a signal",
    (S.PLANNED, S.REPORTED): "planned anew before the phone had a signal",
    (S.EXPIRED, S.REPORTED): "expired before the phone had a signal",
    (S.CANCELLED, S.REPORTED): "cancelled while somebody was at the door",
    (S.REPORTED, S.CLOSED): "accepted",
    (S.REQUESTED, S.EXPIRED): "waited too long",
    (S.ELIGIBLE, S.EXPIRED): "waited too long",
} | {(state, S.CANCELLED): "any state before reported" for state in LIVE}


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


def visit_in(session: Session, world: World, state: VisitState, **given: object) -> Visit:
    reason = {"code": "by_hand"} if state is S.CANCELLED else {}
    values = {"cancelled_reason": reason, "planned_on": TODAY, **given}
    return make_visit(session, world, make_case(session, world), state=state, **values)


def test_the_moves_are_those_that_people_tell() -> None:
    assert {(before, after) for before, afters in MOVES.items() for after in afters} == set(ALLOWED)


def test_every_move_is_made_or_refused_as_the_life_says(sessions: sessionmaker[Session], world: World) -> None:
    made = set()
    with acting_for_all(sessions) as session:
        for before, after in itertools.product(VisitState, VisitState):
            visit = visit_in(session, world, before)
            try:
                move(session, visit, after, now=NOW)
            except (WrongState, VisitCancelled):
                assert (visit.state, visit.version) == (before, 1)
                assert history_of(session, visit.id) == []
            else:
                made.add((before, after))
                assert (visit.state, visit.version, visit.updated_at) == (after, 2, NOW)
                assert [entry.kind for entry in history_of(session, visit.id)] == [after.value]
    assert made == set(ALLOWED)


def test_going_back_to_eligible_frees_the_day_and_cancelling_keeps_it(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        back = move(session, visit_in(session, world, S.PUBLISHED), S.ELIGIBLE, now=NOW)
        gone = cancel_visit(
            session, visit_in(session, world, S.PUBLISHED).id, reason=CancelReason.LENDER_ASKED, now=NOW
        )
    assert (back.planned_on, back.plan_id) == (None, None)
    assert gone.planned_on == TODAY


def test_a_visit_is_cancelled_once_and_keeps_its_first_reason(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        visit_id = visit_in(session, world, S.PLANNED).id
        cancel_visit(session, visit_id, reason=CancelReason.LENDER_ASKED, now=NOW)
        with pytest.raises(VisitCancelled) as refused:
            cancel_visit(session, visit_id, reason=CancelReason.BY_HAND, now=NOW)
        assert session.get_one(Visit, visit_id).cancelled_reason == {"code": "lender_asked"}
    assert refused.value.details["reason"] is CancelReason.LENDER_ASKED


def test_a_cancelled_visit_says_why_in_both_languages() -> None:
    by_block = VisitCancelled(reference="V-1", reason=BlockTrigger.DISPUTE)
    by_hand = VisitCancelled(reference="V-1", reason=CancelReason.LENDER_ASKED)
    assert say(by_block, "en").startswith("Visit V-1 was cancelled: ")
    assert say(by_block, "zh_CN") == "外访 V-1 已取消：债务争议。"
    assert say(by_hand, "zh_CN") == "外访 V-1 已取消：委托方要求。"


def test_a_change_needs_the_version_that_was_looked_at(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        visit_id = visit_in(session, world, S.ELIGIBLE).id
    with acting_for(sessions, world.agency) as session:
        change = VisitChange(version=1, requires=("dog", "car", "dog"), service_s=600)
        changed = change_visit(session, visit_id, change, now=NOW)
        assert (changed.requires, changed.service_s, changed.value_s, changed.version) == (
            ["car", "dog"],
            600,
            3_600,
            2,
        )
        (entry,) = history_of(session, visit_id)
        assert (entry.kind, entry.detail) == ("changed", {"fields": ["requires", "service_s"]})
    with acting_for(sessions, world.agency) as session, pytest.raises(ChangedMeanwhile) as refused:
        change_visit(session, visit_id, VisitChange(version=1, value_s=0), now=NOW)
    assert refused.value.details["version"] == 2


@pytest.mark.parametrize("state", sorted(set(VisitState) - {S.REQUESTED, S.ELIGIBLE}))
def test_what_is_planned_or_past_is_not_changed(
    sessions: sessionmaker[Session], world: World, state: VisitState
) -> None:
    with acting_for_all(sessions) as session:
        visit_id = visit_in(session, world, state).id
    with acting_for(sessions, world.agency) as session, pytest.raises(PlannedAlready):
        change_visit(session, visit_id, VisitChange(version=1, value_s=0), now=NOW)


@pytest.mark.parametrize("given", [{"service_s": 59}, {"service_s": 14_401}, {"value_s": -1}, {"value_s": 86_401}])
def test_sizes_without_sense_are_refused(given: dict[str, int]) -> None:
    with pytest.raises(InvalidValue):
        VisitChange(version=1, **given)


def test_the_lender_may_cancel_a_visit_but_the_rest_is_for_those_who_go(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        visit_id = visit_in(session, world, S.ELIGIBLE).id
    with acting_for(sessions, world.lender) as session:
        with pytest.raises(NotYourVisit):
            change_visit(session, visit_id, VisitChange(version=1, value_s=0), now=NOW)
        with pytest.raises(NotYourVisit):
            close_visit(session, visit_id, next_step=NextStep.STOP, now=NOW)
        assert cancel_visit(session, visit_id, reason=CancelReason.LENDER_ASKED, now=NOW).state is S.CANCELLED


def test_to_everybody_else_there_is_no_such_visit(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        visit_id = visit_in(session, world, S.ELIGIBLE).id
    with acting_for(sessions, world.stranger) as session:
        with pytest.raises(NotFound):
            get_visit(session, visit_id)
        with pytest.raises(NotFound):
            cancel_visit(session, visit_id, reason=CancelReason.BY_HAND, now=NOW)
        assert session.scalars(visits_where()).all() == []


def test_visits_are_found_by_state_day_and_case(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        waiting = visit_in(session, world, S.ELIGIBLE, planned_on=None)
        planned = visit_in(session, world, S.PLANNED)
        later = visit_in(session, world, S.PLANNED, planned_on=TODAY + dt.timedelta(days=1))

        def found(**asked: object) -> set[object]:
            return {visit.id for visit in session.scalars(visits_where(**asked))}  # type: ignore[arg-type]

        assert found() == {waiting.id, planned.id, later.id}
        assert found(state=S.PLANNED) == {planned.id, later.id}
        assert found(state=S.PLANNED, planned_on=TODAY) == {planned.id}
        assert found(case_id=waiting.case_id) == {waiting.id}


def over(session: Session, org_id: uuid.UUID, end_of_day: Callable[[Session, dt.datetime, dt.date], int]) -> int:
    session.info["org"] = org_id
    return end_of_day(session, NOW, TODAY)


def test_what_waited_past_its_last_date_expires_and_nothing_else(sessions: sessionmaker[Session], world: World) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    with acting_for_all(sessions) as session:
        due = [visit_in(session, world, state, last_on=yesterday).id for state in VisitState]
        fresh = visit_in(session, world, S.ELIGIBLE, last_on=TODAY).id
        # The lender's day may be over before the agency's: it leaves what the agency planned alone.
        assert over(session, world.lender, expire_visits) == 0
        assert over(session, world.agency, expire_visits) == 2
        states = {visit.id: visit.state for visit in session.scalars(sa.select(Visit))}
    expected = {S.REQUESTED: S.EXPIRED, S.ELIGIBLE: S.EXPIRED}
    assert [states[visit_id] for visit_id in due] == [expected.get(state, state) for state in VisitState]
    assert states[fresh] is S.ELIGIBLE


def test_what_was_not_begun_by_the_end_of_its_day_is_given_back(sessions: sessionmaker[Session], world: World) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    with acting_for_all(sessions) as session:
        past = [visit_in(session, world, state, planned_on=yesterday).id for state in VisitState]
        todays = visit_in(session, world, S.PUBLISHED).id
        assert over(session, world.lender, return_unbegun) == 0
        assert over(session, world.agency, return_unbegun) == 2
        states = {visit.id: visit.state for visit in session.scalars(sa.select(Visit))}
        kinds = [entry.detail for entry in history_of(session, past[list(VisitState).index(S.PUBLISHED)])]
    expected = {S.PLANNED: S.ELIGIBLE, S.PUBLISHED: S.ELIGIBLE}
    assert [states[visit_id] for visit_id in past] == [expected.get(state, state) for state in VisitState]
    assert states[todays] is S.PUBLISHED
    assert kinds == [{"code": "day_over"}]


def test_what_was_set_out_for_and_never_arrived_at_is_given_back_with_its_reason(
    sessions: sessionmaker[Session], world: World
) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    with acting_for_all(sessions) as session:
        past = {state: visit_in(session, world, state, planned_on=yesterday).id for state in VisitState}
        visit_in(session, world, S.UNDER_WAY)
        assert over(session, world.lender, return_unarrived) == 0
        assert over(session, world.agency, return_unarrived) == 1
        lost = get_visit(session, past[S.UNDER_WAY])
        assert (lost.state, lost.planned_on, lost.under_way_at) == (S.ELIGIBLE, None, None)
        assert (lost.not_done, lost.not_done_on) == (NotDone.NOT_ARRIVED, yesterday)
        assert [entry.detail for entry in history_of(session, lost.id)] == [{"code": "not_arrived"}]
        assert session.scalars(visits_where(not_done=NotDone.NOT_ARRIVED)).all() == [lost]
        lost.planned_on = TODAY
        assert move(session, lost, S.PLANNED, now=NOW).not_done is NotDone.NOT_ARRIVED
        assert move(session, lost, S.PUBLISHED, now=NOW).not_done is None
