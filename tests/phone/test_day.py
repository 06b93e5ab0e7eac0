"""What the phone is given of the day, and what it is not given yet, or any more."""

import datetime as dt
from dataclasses import asdict
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event as hooks
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.briefing import ToShow, VisitCard
from fieldvisit.credentials import papers_of
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import NotFound
from fieldvisit.guide import CONFIRMED, LISTEN, guide_for
from fieldvisit.models import Case, Credential, DayPlan, Organisation, Place, Placement, Visit
from fieldvisit.phone.day import MyDay, my_day, my_visit
from fieldvisit.phone.steps import arrive, check_identity
from fieldvisit.visits import CalledOff
from fieldvisit.vocabulary import BlockTrigger, CaseStage, CredentialKind, DayPlanState, IdentityResult, VisitState
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, identity, make_morning, make_plan, teller
from tests.worlds import TODAY


def day_of(sessions: sessionmaker[Session], morning: Morning, *, on: dt.date = TODAY) -> MyDay:
    with acting_for(sessions, morning.world.agency) as session:
        return my_day(session, morning.ilta, on, now=NOW)


def card_of(sessions: sessionmaker[Session], morning: Morning) -> VisitCard:
    with acting_for(sessions, morning.world.agency) as session:
        return my_visit(session, morning.ilta, morning.visit, now=NOW)


def at_the_door(sessions: sessionmaker[Session], morning: Morning, result: IdentityResult) -> None:
    by = teller(morning.ilta)
    with acting_for(sessions, morning.world.agency) as session:
        arrive(session, morning.visit, arrival(), by=by, now=NOW, geofence_m=150)
        check_identity(session, morning.visit, identity(result), by=by, now=NOW)


def test_the_day_lists_the_stops_in_order_and_who_rides_along(sessions: sessionmaker[Session]) -> None:
    morning = make_morning(sessions, visits=3)
    (route,) = day_of(sessions, morning).routes
    assert [(stop.position, stop.visit.visit_id) for stop in route.stops] == list(enumerate(morning.visits))
    assert [(mate.visitor_id, mate.lead) for mate in route.crew] == [(morning.ilta, True), (morning.oona, False)]
    first = route.stops[0]
    assert (first.begin_at, first.end_at) == (
        dt.datetime(2026, 3, 3, 8, 0, tzinfo=dt.UTC),
        dt.datetime(2026, 3, 3, 8, 20, tzinfo=dt.UTC),
    )


def test_a_briefing_holds_what_the_door_needs(sessions: sessionmaker[Session], morning: Morning) -> None:
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        visit.requires = ["sign_language"]
        session.get_one(Organisation, morning.world.agency).debtor_phone = "+358501234567"
        name, address = visit.debtor.name, session.get_one(Place, visit.place_id).address
        papers = {paper.kind: paper.id for paper in papers_of(session, morning.ilta)}
    briefing = card_of(sessions, morning).briefing
    assert briefing is not None
    assert (briefing.debtor_name, briefing.address, briefing.stage) == (name, address, CaseStage.PHONE)
    assert (briefing.skills, briefing.languages) == (("sign_language",), ("fi",))
    assert (briefing.emergency_number, briefing.debtor_phone) == ("112", "+358501234567")
    assert briefing.to_show == tuple(
        ToShow(kinds=(kind,), credential_id=papers[kind])
        for kind in (CredentialKind.ID_CARD, CredentialKind.AUTHORISATION_LETTER)
    )
    assert briefing.guide == guide_for(CaseStage.PHONE, reason_known=False, confirmed=False)


def test_a_paper_that_does_not_hold_is_not_offered_for_showing(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Credential).values(valid_until=TODAY - dt.timedelta(days=1)))
    briefing = card_of(sessions, morning).briefing
    assert briefing is not None
    assert [paper.credential_id for paper in briefing.to_show] == [None, None]


@pytest.mark.parametrize("result", [IdentityResult.SOMEONE_ELSE, IdentityResult.NOT_CONFIRMED])
def test_without_a_confirmed_identity_nothing_tells_of_the_debt(
    sessions: sessionmaker[Session], morning: Morning, result: IdentityResult
) -> None:
    at_the_door(sessions, morning, result)
    card = card_of(sessions, morning)
    assert card.briefing is not None
    assert card.briefing.amounts is None
    script = [line.text for line in (*CONFIRMED[CaseStage.PHONE], *LISTEN)]
    for telling in ("105500", "105_500", "instalment_loan", "EUR", *script):
        assert telling not in str(asdict(card))


def test_a_confirmed_identity_opens_the_amounts_of_this_visit_alone(sessions: sessionmaker[Session]) -> None:
    morning = make_morning(sessions, visits=2)
    at_the_door(sessions, morning, IdentityResult.CONFIRMED)
    (route,) = day_of(sessions, morning).routes
    opened, closed = (stop.visit.briefing for stop in route.stops)
    assert opened is not None
    assert closed is not None
    assert opened.amounts is not None
    assert (opened.amounts.total_minor, opened.amounts.currency) == (105_500, "EUR")
    assert closed.amounts is None


def test_a_dispute_leaves_the_visit_listed_as_cancelled_with_the_reason_and_nothing_else(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for(sessions, morning.world.lender) as session:
        draft = BlockDraft(debtor_id=session.get_one(Visit, morning.visit).debtor_id, trigger=BlockTrigger.DISPUTE)
        file_block(session, draft, filed_by_id=None, now=NOW)
    card = day_of(sessions, morning).routes[0].stops[0].visit
    assert (card.state, card.cancelled, card.briefing) == (VisitState.CANCELLED, BlockTrigger.DISPUTE, None)


def test_of_a_case_that_was_taken_back_nothing_is_told_any_more(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(until_on=TODAY - dt.timedelta(days=1)))
    card = card_of(sessions, morning)
    assert (card.cancelled, card.briefing) == (CalledOff.PLACEMENT_ENDED, None)


def test_a_known_reason_for_the_arrears_changes_what_is_asked(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Case).values(reason_for_arrears="illness"))
    at_the_door(sessions, morning, IdentityResult.CONFIRMED)
    briefing = card_of(sessions, morning).briefing
    assert briefing is not None
    assert briefing.guide == guide_for(CaseStage.PHONE, reason_known=True, confirmed=True)


@pytest.mark.parametrize("days", [-1, 1])
@pytest.mark.parametrize("state", [VisitState.PUBLISHED, VisitState.UNDER_WAY, VisitState.ARRIVED])
def test_no_debtor_of_another_day_is_on_the_phone(
    sessions: sessionmaker[Session], days: int, state: VisitState
) -> None:
    morning = make_morning(sessions)
    on = TODAY + dt.timedelta(days=days)
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        visit.state, visit.planned_on = state, on
        session.execute(sa.update(DayPlan).values(planned_on=on))
    (stop,) = day_of(sessions, morning, on=on).routes[0].stops
    assert (stop.visit.state, stop.visit.briefing) == (state, None)
    assert card_of(sessions, morning).briefing is None


def test_only_ones_own_published_routes_of_that_day_are_there(sessions: sessionmaker[Session]) -> None:
    morning = make_morning(sessions)
    tomorrow = TODAY + dt.timedelta(days=1)
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
        make_plan(session, morning.world, [morning.ilta], [visit], on=tomorrow, state=DayPlanState.DRAFT)
    assert day_of(sessions, morning, on=tomorrow).routes == ()
    with acting_for(sessions, morning.world.agency) as session:
        assert my_day(session, morning.outsider, TODAY, now=NOW).routes == ()
        with pytest.raises(NotFound):
            my_visit(session, morning.outsider, morning.visit, now=NOW)


def queries_for_a_day_of(sessions: sessionmaker[Session], visits: int) -> int:
    morning = make_morning(sessions, visits=visits)
    seen = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    with acting_for(sessions, morning.world.agency) as session:
        engine = session.get_bind()
        hooks.listen(engine, "before_cursor_execute", note)
        my_day(session, morning.ilta, TODAY, now=NOW)
        hooks.remove(engine, "before_cursor_execute", note)
    return len(seen)


@pytest.mark.parametrize("visits", [1, 12])
def test_a_long_day_takes_no_more_queries_than_a_short_one(sessions: sessionmaker[Session], visits: int) -> None:
    assert queries_for_a_day_of(sessions, visits) == 11
