"""On the way and at the door, told by phones that may be late, wrong or told twice."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.credentials import papers_of
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import Forbidden
from fieldvisit.errors import InvalidValue, NotFound
from fieldvisit.geofence import OutsideGeofence, OutsideReason, Position
from fieldvisit.models import Credential, CredentialCheck, Placement, StoredDecision, Visit, Visitor
from fieldvisit.phone.clocks import LATEST
from fieldvisit.phone.drafts import ShowingDraft
from fieldvisit.phone.routes import CaseTakenBack, NotThisDay
from fieldvisit.phone.steps import arrive, check_identity, set_out, show_credential
from fieldvisit.phone.telling import EventIdReused
from fieldvisit.visits import CancelReason, VisitCancelled, WrongState, cancel_visit, history_of
from fieldvisit.vocabulary import (
    BlockTrigger,
    CheckMoment,
    CredentialKind,
    Datum,
    DayPlanState,
    IdentityResult,
    Verdict,
    VisitState,
)
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, event, identity, make_plan
from tests.worlds import HELSINKI, TODAY, make_credential

A_KILOMETRE_NORTH = (HELSINKI[0] + 0.009, HELSINKI[1])


def stored(sessions: sessionmaker[Session], visit_id: uuid.UUID) -> Visit:
    with acting_for_all(sessions) as session:
        return session.get_one(Visit, visit_id)


def kinds(sessions: sessionmaker[Session], visit_id: uuid.UUID) -> list[str]:
    with acting_for_all(sessions) as session:
        return [entry.kind for entry in history_of(session, visit_id)]


def test_a_crew_sets_out_and_arrives(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    later = NOW + dt.timedelta(minutes=20)
    on_the_way = told(set_out, event())
    there = told(arrive, arrival(), now=later)
    visit = stored(sessions, morning.visit)
    assert (on_the_way.state, there.state) == (VisitState.UNDER_WAY, VisitState.ARRIVED)
    assert (visit.under_way_at, visit.arrived_at) == (NOW, later)
    assert there.facts == {"distance_m": 0, "allowed_m": 170, "accuracy_m": 20, "mock": False, "outside_reason": None}


def test_what_the_phone_says_of_time_is_evidence_and_decides_nothing(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    yesterday = NOW - dt.timedelta(days=1)
    told(set_out, event(device_at=yesterday))
    with acting_for_all(sessions) as session:
        (entry,) = history_of(session, morning.visit)
    assert (entry.at, entry.device_at, entry.visitor_id) == (NOW, yesterday, morning.ilta)
    assert stored(sessions, morning.visit).under_way_at == NOW


def test_arriving_without_setting_out_is_lawful(told: Callable[..., Any]) -> None:
    assert told(arrive, arrival()).state is VisitState.ARRIVED


def test_setting_out_told_after_arriving_is_written_down_and_moves_nothing_back(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    told(arrive, arrival())
    assert told(set_out, event()).state is VisitState.ARRIVED
    assert kinds(sessions, morning.visit) == ["arrived", "set_out"]


def test_the_arrival_of_a_second_member_is_written_down(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    told(arrive, arrival())
    later = NOW + dt.timedelta(minutes=5)
    assert told(arrive, arrival(), by=morning.oona, now=later).state is VisitState.ARRIVED
    assert kinds(sessions, morning.visit) == ["arrived", "arrived"]
    assert stored(sessions, morning.visit).arrived_at == NOW


def test_a_step_told_twice_happens_once_and_gets_the_same_answer(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    draft = arrival()
    first = told(arrive, draft)
    again = told(arrive, draft, now=NOW + dt.timedelta(hours=14))
    assert again == first
    assert kinds(sessions, morning.visit) == ["arrived"]


@pytest.mark.parametrize(("step", "draft"), [(set_out, event(device_at=NOW)), (arrive, arrival(device_at=NOW))])
def test_what_was_taken_on_the_thirtieth_day_is_known_when_it_is_sent_again_after_it(
    told: Callable[..., Any], step: Callable[..., Any], draft: Any
) -> None:
    in_time, past = NOW + LATEST - dt.timedelta(hours=1), NOW + LATEST + dt.timedelta(hours=1)
    first = told(step, dataclasses.replace(draft, sent_at=in_time), now=in_time)
    assert told(step, dataclasses.replace(draft, sent_at=past), now=past) == first
    # Told for the first time then, it has the wrong clock.
    with pytest.raises(InvalidValue, match="thirty days"):
        told(step, dataclasses.replace(draft, event_id=uuid.uuid4(), sent_at=past), now=past)


def test_the_same_id_with_something_else_in_it_is_refused(told: Callable[..., Any]) -> None:
    draft = arrival()
    told(arrive, draft)
    with pytest.raises(EventIdReused):
        told(arrive, arrival(event_id=draft.event_id, at=(HELSINKI[0], HELSINKI[1] + 0.0001)))
    with pytest.raises(EventIdReused):
        told(set_out, event(event_id=draft.event_id))


def test_the_same_id_from_another_visitor_is_refused(morning: Morning, told: Callable[..., Any]) -> None:
    draft = event()
    told(set_out, draft)
    with pytest.raises(EventIdReused):
        told(set_out, draft, by=morning.oona)


def test_a_refused_step_may_be_told_again_under_its_id(told: Callable[..., Any]) -> None:
    draft = arrival()
    with pytest.raises(Forbidden):
        told(arrive, draft, now=NOW + dt.timedelta(hours=14))
    assert told(arrive, draft).state is VisitState.ARRIVED


def test_arriving_far_away_is_refused_with_the_distance(told: Callable[..., Any]) -> None:
    with pytest.raises(OutsideGeofence) as refused:
        told(arrive, arrival(at=A_KILOMETRE_NORTH))
    assert refused.value.details == {"distance_m": 1003, "allowed_m": 170}


def test_arriving_far_away_for_a_reason_is_taken_and_flagged(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    told(arrive, arrival(at=A_KILOMETRE_NORTH, outside_reason=OutsideReason.POINT_WRONG))
    with acting_for_all(sessions) as session:
        (entry,) = history_of(session, morning.visit)
    assert entry.detail == {
        "present": [str(morning.ilta), str(morning.oona)],
        "distance_m": 1003,
        "allowed_m": 170,
        "accuracy_m": 20,
        "mock": False,
        "outside_reason": "point_wrong",
    }


def test_a_mock_position_is_flagged_and_never_refused(told: Callable[..., Any]) -> None:
    mock = Position(lat=HELSINKI[0], lon=HELSINKI[1], accuracy_m=5, datum=Datum.WGS84, mock=True)
    assert told(arrive, arrival(position=mock)).facts["mock"] is True


def test_a_datum_that_is_used_nowhere_near_is_flagged_and_the_visitor_is_let_in(told: Callable[..., Any]) -> None:
    here = Position(lat=HELSINKI[0], lon=HELSINKI[1], accuracy_m=5, datum=Datum.GCJ02)
    there = told(arrive, arrival(position=here)).facts
    assert (there["datum_unfit"], there["distance_m"]) == (True, 0)


def test_nobody_arrives_outside_the_permitted_hours(told: Callable[..., Any]) -> None:
    with pytest.raises(Forbidden) as refused:
        told(arrive, arrival(), now=dt.datetime(2026, 3, 3, 17, 50, tzinfo=dt.UTC))
    assert refused.value.details["verdict"] is Verdict.BLOCKED
    assert "house/windows/1" in refused.value.details["clause_ids"]
    assert refused.value.details["next_lawful_at"] == "2026-03-04T06:00:00+00:00"


def test_nobody_arrives_without_papers_that_hold(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(
            sa.update(Credential)
            .where(Credential.visitor_id == morning.oona, Credential.kind == CredentialKind.ID_CARD)
            .values(revoked_at=NOW)
        )
    with pytest.raises(Forbidden) as refused:
        told(arrive, arrival())
    assert refused.value.details["clause_ids"] == ["house/credentials/1"]
    assert told(arrive, arrival(present=(morning.ilta,))).state is VisitState.ARRIVED


def test_only_the_crew_can_be_at_the_door(morning: Morning, told: Callable[..., Any]) -> None:
    with pytest.raises(InvalidValue, match="present"):
        told(arrive, arrival(present=(morning.outsider,)))


def test_the_decision_at_the_door_is_kept_with_the_visit(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    told(arrive, arrival())
    with acting_for_all(sessions) as session:
        (decision,) = session.scalars(sa.select(StoredDecision).where(StoredDecision.visit_id == morning.visit))
    ends = NOW + dt.timedelta(seconds=1_200)
    assert (decision.moment, decision.verdict, decision.begins_at, decision.ends_at) == (
        CheckMoment.DOOR,
        Verdict.ALLOWED,
        NOW,
        ends,
    )


def test_after_a_dispute_nobody_sets_out_or_arrives_and_the_phone_is_told_why(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    told(set_out, event())
    with acting_for(sessions, morning.world.lender) as session:
        draft = BlockDraft(debtor_id=session.get_one(Visit, morning.visit).debtor_id, trigger=BlockTrigger.DISPUTE)
        file_block(session, draft, filed_by_id=None, now=NOW)
    for step, telling in ((set_out, event()), (arrive, arrival())):
        with pytest.raises(VisitCancelled, match="cancelled") as refused:
            told(step, telling)
        assert refused.value.details["reason"] is BlockTrigger.DISPUTE


def test_a_visit_of_another_day_is_not_set_out_for(told: Callable[..., Any]) -> None:
    for step, telling in ((set_out, event()), (arrive, arrival())):
        with pytest.raises(NotThisDay):
            told(step, telling, now=NOW + dt.timedelta(days=1))


def test_a_case_that_was_taken_back_is_not_gone_to(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(until_on=TODAY - dt.timedelta(days=1)))
    for step, telling in ((set_out, event()), (arrive, arrival())):
        with pytest.raises(CaseTakenBack):
            told(step, telling)


@pytest.mark.parametrize("state", [DayPlanState.DRAFT, DayPlanState.SUPERSEDED, DayPlanState.DROPPED])
def test_only_visits_of_a_published_plan_are_on_the_phone(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any], state: DayPlanState
) -> None:
    with acting_for_all(sessions) as session:
        make_plan(session, morning.world, [morning.outsider], [session.get_one(Visit, morning.visit)], state=state)
    with pytest.raises(NotFound):
        told(set_out, event(), by=morning.outsider)


def test_a_route_of_yesterday_gives_no_right_to_the_visit_of_today(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    with acting_for_all(sessions) as session:
        make_plan(session, morning.world, [morning.outsider], [session.get_one(Visit, morning.visit)], on=yesterday)
    with pytest.raises(NotFound):
        told(set_out, event(), by=morning.outsider)


def test_a_visit_that_was_given_back_is_no_longer_set_out_for(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Visit, morning.visit).state = VisitState.ELIGIBLE
    with pytest.raises(WrongState):
        told(set_out, event())


def test_papers_shown_at_the_door_are_checked_and_kept(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    told(arrive, arrival())
    with acting_for_all(sessions) as session:
        papers = session.scalars(sa.select(Credential.id).where(Credential.visitor_id == morning.ilta)).all()
    shown = told(show_credential, ShowingDraft(event_id=uuid.uuid4(), credential_ids=tuple(papers)))
    with acting_for_all(sessions) as session:
        (check,) = session.scalars(sa.select(CredentialCheck))
    assert (shown.facts["passed"], shown.facts["faults"]) == (True, {})
    assert (check.moment, check.visitor_id, check.visit_id) == (CheckMoment.DOOR, morning.ilta, morning.visit)
    assert set(check.credential_ids) == set(papers)


def test_papers_that_do_not_hold_are_named_and_the_showing_is_kept(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    yesterday = TODAY - dt.timedelta(days=1)
    with acting_for_all(sessions) as session:
        ilta = session.get_one(Visitor, morning.ilta)
        expired = make_credential(session, ilta, kind=CredentialKind.ID_CARD, valid_until=yesterday).id
    shown = told(show_credential, ShowingDraft(event_id=uuid.uuid4(), credential_ids=(expired,)))
    assert shown.facts["passed"] is False
    assert shown.facts["faults"] == {str(expired): "expired", "missing": [["id_card"], ["authorisation_letter"]]}


def test_a_paper_of_somebody_else_is_not_shown(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    with acting_for_all(sessions) as session:
        foreign = papers_of(session, morning.oona)[0].id
    with pytest.raises(NotFound, match="credential"):
        told(show_credential, ShowingDraft(event_id=uuid.uuid4(), credential_ids=(foreign,)))


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        (IdentityResult.CONFIRMED, True),
        (IdentityResult.SOMEONE_ELSE, False),
        (IdentityResult.NOT_CONFIRMED, False),
    ],
)
def test_only_a_confirmed_identity_unlocks_the_amounts(
    told: Callable[..., Any], result: IdentityResult, shown: bool
) -> None:
    told(arrive, arrival())
    assert told(check_identity, identity(result)).facts == {"result": result.value, "amounts_shown": shown}


def test_an_identity_confirmed_before_anybody_arrived_is_kept_and_unlocks_nothing(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    assert told(check_identity, identity()).facts == {"result": "confirmed", "amounts_shown": False}
    assert kinds(sessions, morning.visit) == ["identity_checked"]


def test_of_a_visit_cancelled_before_anybody_arrived_no_identity_is_checked(
    sessions: sessionmaker[Session], morning: Morning, told: Callable[..., Any]
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        cancel_visit(session, morning.visit, reason=CancelReason.LENDER_ASKED, now=NOW)
    with pytest.raises(VisitCancelled):
        told(check_identity, identity())


def test_an_outsider_sees_no_visit(morning: Morning, told: Callable[..., Any]) -> None:
    for step, telling in ((set_out, event()), (arrive, arrival()), (check_identity, identity())):
        with pytest.raises(NotFound):
            told(step, telling, by=morning.outsider)
