"""Of which visits the phone still tells the debtor, to whom it shows the amounts, and what was tried before."""

import datetime as dt
import uuid
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.briefing import LastContact, VisitCard
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.identity import LONGEST_AT_DOOR
from fieldvisit.models import Case, FieldRules, IdentityCheck, Visit, WithdrawnAttempt
from fieldvisit.phone.day import my_day, my_visit
from fieldvisit.phone.drafts import UndoDraft
from fieldvisit.phone.steps import arrive, check_identity
from fieldvisit.phone.undoing import NotInThisHouse, TooLateToUndo, undo_arrival
from fieldvisit.report_drafts import AbortDraft
from fieldvisit.reports import abort_visit, report_visit
from fieldvisit.vocabulary import (
    AbortReason,
    AttemptResult,
    Channel,
    DayPlanState,
    IdentityMethod,
    IdentityResult,
    OrderRule,
    ReachedDetail,
    UndoReason,
    VisitState,
)
from tests.conftest import NOW
from tests.phone.conftest import Told
from tests.phone.worlds import Morning, arrival, identity, make_plan, report
from tests.worlds import TODAY, make_attempt

DAY, HOUR, MINUTE = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(minutes=1)
LATER = NOW + 2 * MINUTE


def card(
    sessions: sessionmaker[Session], morning: Morning, *, of: uuid.UUID | None = None, now: dt.datetime = NOW
) -> VisitCard:
    """The card of the first visit as a visitor, Ilta unless told otherwise, finds it in the day of the visit."""
    with acting_for(sessions, morning.world.agency) as session:
        (route,) = my_day(session, of or morning.ilta, TODAY, now=now).routes
    return route.stops[0].visit


def amounts_shown(sessions: sessionmaker[Session], morning: Morning, *, now: dt.datetime = NOW) -> bool:
    briefing = card(sessions, morning, now=now).briefing
    return briefing is not None and briefing.amounts is not None


def confirm(sessions: sessionmaker[Session], morning: Morning, *, by: uuid.UUID, at: dt.datetime) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        check = IdentityCheck(visit_id=visit.id, visitor_id=by, org_id=visit.org_id, lender_id=visit.lender_id, at=at)
        check.method, check.result = IdentityMethod.DOCUMENT_SEEN, IdentityResult.CONFIRMED
        session.add(check)


def test_a_confirmation_at_the_door_by_those_who_serve_the_visit_opens_the_amounts(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival())
    assert told(check_identity, identity(), by=morning.oona).facts["amounts_shown"] is True
    assert amounts_shown(sessions, morning)


@pytest.mark.parametrize("result", [IdentityResult.SOMEONE_ELSE, IdentityResult.NOT_CONFIRMED])
def test_a_later_check_closes_them_again(
    sessions: sessionmaker[Session], morning: Morning, told: Told, result: IdentityResult
) -> None:
    told(arrive, arrival())
    told(check_identity, identity())
    told(check_identity, identity(result), by=morning.oona, now=NOW + dt.timedelta(minutes=5))
    assert not amounts_shown(sessions, morning)


def test_hours_after_an_arrival_a_confirmation_opens_nothing_until_somebody_arrives_anew(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival())
    told(check_identity, identity())
    assert amounts_shown(sessions, morning, now=NOW + LONGEST_AT_DOOR)
    later = NOW + LONGEST_AT_DOOR + dt.timedelta(minutes=1)
    assert not amounts_shown(sessions, morning, now=later)
    told(arrive, arrival(), now=later)
    assert not amounts_shown(sessions, morning, now=later)
    assert told(check_identity, identity(), now=later).facts["amounts_shown"] is True


@pytest.mark.parametrize("minutes", [-24 * 60, -1])
def test_a_confirmation_from_before_the_arrival_opens_nothing(
    sessions: sessionmaker[Session], morning: Morning, told: Told, minutes: int
) -> None:
    confirm(sessions, morning, by=morning.ilta, at=NOW + dt.timedelta(minutes=minutes))
    told(arrive, arrival())
    assert not amounts_shown(sessions, morning)


def test_an_arrival_that_was_undone_after_the_report_opens_nothing_any_more(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    told(arrive, arrival(sent_at=NOW, device_at=NOW))
    told(check_identity, identity())
    told(report_visit, report())
    assert amounts_shown(sessions, morning)
    slip = UndoDraft(event_id=uuid.uuid4(), reason=UndoReason.SLIP, sent_at=LATER, device_at=LATER)
    with pytest.raises(TooLateToUndo):
        told(undo_arrival, slip, now=LATER)
    # Told when it is a fact.
    told(undo_arrival, replace(slip, sent_at=LATER + HOUR), now=LATER + HOUR)
    assert not amounts_shown(sessions, morning, now=LATER + HOUR)
    assert told(check_identity, identity(), now=LATER + HOUR).facts["amounts_shown"] is False


def test_a_house_where_nothing_is_undone_keeps_the_attempt_of_who_broke_off(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    with acting_for_all(sessions) as session:
        rules = {"order_rule": OrderRule.ALLOW, "may_reject": True, "undo_minutes": 0}
        session.merge(FieldRules(org_id=morning.world.agency, **rules))
    told(arrive, arrival())
    told(abort_visit, AbortDraft(event_id=uuid.uuid4(), reason=AbortReason.OTHER))
    with pytest.raises(NotInThisHouse):
        told(undo_arrival, UndoDraft(event_id=uuid.uuid4(), reason=UndoReason.SLIP), now=NOW + MINUTE)
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(WithdrawnAttempt)).all() == []


def test_the_crew_of_a_plan_that_was_replaced_opens_nothing_for_those_who_are_there(
    sessions: sessionmaker[Session], morning: Morning, told: Told
) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        make_plan(session, morning.world, [morning.outsider], [visit], state=DayPlanState.SUPERSEDED)
    told(arrive, arrival())
    assert told(check_identity, identity(), by=morning.outsider).facts["amounts_shown"] is False
    assert not amounts_shown(sessions, morning)


def test_the_amounts_close_with_the_day(sessions: sessionmaker[Session], morning: Morning, told: Told) -> None:
    told(arrive, arrival())
    told(check_identity, identity())
    assert not amounts_shown(sessions, morning, now=NOW + DAY)


@pytest.mark.parametrize(
    ("state", "now", "told_of"),
    [
        (VisitState.ARRIVED, NOW, True),
        (VisitState.ARRIVED, NOW + DAY, False),
        (VisitState.REPORTED, NOW, True),
        (VisitState.REPORTED, NOW + DAY, False),
        (VisitState.CLOSED, NOW, False),
        (VisitState.CLOSED, NOW + DAY, False),
    ],
)
def test_of_a_visit_that_is_over_no_debtor_is_told(
    sessions: sessionmaker[Session], morning: Morning, state: VisitState, now: dt.datetime, told_of: bool
) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Visit, morning.visit).state = state
    found = card(sessions, morning, now=now)
    assert (found.state, found.cancelled, found.briefing is not None) == (state, None, told_of)
    with acting_for(sessions, morning.world.agency) as session:
        again = my_visit(session, morning.ilta, morning.visit, now=now)
    assert (again.briefing is not None) == told_of


@pytest.mark.parametrize("days", [0, 3])
def test_of_a_visit_that_another_crew_makes_now_no_debtor_is_told(
    sessions: sessionmaker[Session], morning: Morning, days: int
) -> None:
    on = TODAY + days * DAY
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        plan = make_plan(session, morning.world, [morning.outsider], [visit], on=on, state=DayPlanState.DRAFT)
        visit.planned_on, visit.plan_id = on, plan.id
    found = card(sessions, morning)
    assert (found.visit_id, found.cancelled, found.briefing) == (morning.visit, None, None)


def test_the_last_contacts_on_the_case_are_told_the_latest_first(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for_all(sessions) as session:
        case = session.get_one(Case, session.get_one(Visit, morning.visit).case_id)
        reached = {"result": AttemptResult.REACHED, "detail": ReachedDetail.PROMISED}
        make_attempt(session, case, at=NOW - DAY, channel=Channel.SMS, result=AttemptResult.DELIVERED)
        make_attempt(session, case, at=dt.datetime(2026, 2, 10, 22, 30, tzinfo=dt.UTC), **reached)
    briefing = card(sessions, morning).briefing
    assert briefing is not None
    calls = [
        LastContact(on=TODAY - days * DAY, channel=Channel.CALL, result=AttemptResult.NO_ANSWER, detail=None)
        for days in (2, 3, 5, 8)
    ]
    assert briefing.last_contacts == (
        LastContact(on=TODAY - DAY, channel=Channel.SMS, result=AttemptResult.DELIVERED, detail=None),
        *calls,
    )


def test_the_contacts_of_one_case_are_not_told_with_another(sessions: sessionmaker[Session], morning: Morning) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        other = Case(debtor_id=visit.debtor_id, org_id=visit.lender_id, external_id="OTHER")
        like = session.get_one(Case, visit.case_id)
        for name in ("product", "currency", "principal_minor", "interest_minor", "fees_minor", "total_minor"):
            setattr(other, name, getattr(like, name))
        other.as_of_on, other.due_on, other.days_past_due, other.stage = TODAY, TODAY, 0, like.stage
        session.add(other)
        session.flush()
        make_attempt(session, other, at=NOW - DAY)
    briefing = card(sessions, morning).briefing
    assert briefing is not None
    assert len(briefing.last_contacts) == 4
