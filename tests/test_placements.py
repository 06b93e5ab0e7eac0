"""Who may visit follows the placement, and visits follow who may visit."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Case, Placement, Visit
from fieldvisit.placements import STOPPING, PlacementDraft, call_off_visits, place_case
from fieldvisit.visits import CalledOff, history_of, why_cancelled
from fieldvisit.vocabulary import CaseStage, VisitState
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_case, make_visit, make_world

DAY = dt.timedelta(days=1)
YESTERDAY, TOMORROW = TODAY - DAY, TODAY + DAY
S = VisitState


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


def visited_in(sessions: sessionmaker[Session], world: World, state: VisitState, **given: object) -> Visit:
    with acting_for_all(sessions) as session:
        return make_visit(session, world, make_case(session, world), state=state, **given)


def placed(sessions: sessionmaker[Session], world: World, case_id: uuid.UUID, draft: PlacementDraft) -> None:
    with acting_for(sessions, world.lender) as session:
        place_case(session, session.get_one(Case, case_id), draft, now=NOW)


def why(sessions: sessionmaker[Session], visit: Visit) -> object:
    """Why the visit was cancelled, or the state that it is in otherwise."""
    with acting_for_all(sessions) as session:
        now = session.get_one(Visit, visit.id)
        return why_cancelled(now) if now.state is S.CANCELLED else now.state


def called_back(world: World) -> PlacementDraft:
    return PlacementDraft(agency="pohjola-field", from_on=TODAY - 30 * DAY, until_on=YESTERDAY)


@pytest.mark.parametrize("state", [S.REQUESTED, S.ELIGIBLE, S.PLANNED, S.PUBLISHED, S.UNDER_WAY, S.ARRIVED, S.REPORTED])
def test_a_case_called_back_is_visited_no_more(
    sessions: sessionmaker[Session], world: World, state: VisitState
) -> None:
    visit = visited_in(sessions, world, state)
    placed(sessions, world, visit.case_id, called_back(world))
    # Whoever stands at the door leaves by reporting.
    assert why(sessions, visit) is (CalledOff.PLACEMENT_ENDED if state in STOPPING else state)


def test_a_placement_made_shorter_that_still_holds_cancels_nothing(
    sessions: sessionmaker[Session], world: World
) -> None:
    visit = visited_in(sessions, world, S.PUBLISHED)
    placed(sessions, world, visit.case_id, PlacementDraft(agency="pohjola-field", from_on=TODAY - DAY, until_on=TODAY))
    assert why(sessions, visit) is S.PUBLISHED


def test_a_placement_that_ends_by_itself_ends_the_visits_on_the_next_day(
    sessions: sessionmaker[Session], world: World
) -> None:
    visit = visited_in(sessions, world, S.PUBLISHED)
    until_today = PlacementDraft(agency="pohjola-field", from_on=TODAY - 30 * DAY, until_on=TODAY)
    placed(sessions, world, visit.case_id, until_today)
    with acting_for(sessions, world.agency) as session:
        assert call_off_visits(session, NOW + DAY) == 0, "the agency has no say in it"
    with acting_for(sessions, world.lender) as session:
        assert [call_off_visits(session, NOW), call_off_visits(session, NOW + DAY)] == [0, 1]
        assert call_off_visits(session, NOW + DAY) == 0
    assert why(sessions, visit) is CalledOff.PLACEMENT_ENDED
    with acting_for_all(sessions) as session:
        assert history_of(session, visit.id)[-1].detail == {"code": "placement_ended"}


def test_what_the_lender_visited_itself_goes_with_the_case(sessions: sessionmaker[Session], world: World) -> None:
    with acting_for_all(sessions) as session:
        case = make_case(session, world, placed=False)
        own = make_visit(session, world, case, state=S.PUBLISHED)
        own.org_id = world.lender
    later = PlacementDraft(agency="pohjola-field", from_on=TOMORROW)
    placed(sessions, world, case.id, later)
    assert why(sessions, own) is S.PUBLISHED, "the agency's first day has not come"
    with acting_for(sessions, world.lender) as session:
        assert call_off_visits(session, NOW + DAY) == 1
    assert why(sessions, own) is CalledOff.PLACED_AWAY


@pytest.mark.parametrize(
    ("stage", "reason"), [(CaseStage.CLOSED, CalledOff.CASE_CLOSED), (CaseStage.LEGAL, CalledOff.LEGAL_STEP)]
)
def test_nobody_visits_a_case_that_is_closed_or_with_the_lawyers(
    sessions: sessionmaker[Session], world: World, stage: CaseStage, reason: CalledOff
) -> None:
    visit, other = visited_in(sessions, world, S.PUBLISHED), visited_in(sessions, world, S.PUBLISHED)
    with acting_for(sessions, world.lender) as session:
        session.get_one(Case, visit.case_id).stage = stage
        assert call_off_visits(session, NOW, {visit.case_id}) == 1
    assert [why(sessions, visit), why(sessions, other)] == [reason, S.PUBLISHED]


def test_one_lenders_upkeep_leaves_the_cases_of_others_alone(sessions: sessionmaker[Session], world: World) -> None:
    visit = visited_in(sessions, world, S.PUBLISHED)
    with acting_for_all(sessions) as session:
        session.execute(sa.delete(Placement))
    for org_id in (world.agency, world.stranger):
        with acting_for(sessions, org_id) as session:
            assert call_off_visits(session, NOW) == 0
    assert why(sessions, visit) is S.PUBLISHED


def test_two_agencies_never_have_a_case_on_the_same_day(sessions: sessionmaker[Session], world: World) -> None:
    visit = visited_in(sessions, world, S.PUBLISHED)
    with pytest.raises(InvalidValue, match="agency"):
        placed(sessions, world, visit.case_id, PlacementDraft(agency="lansi-field", from_on=TODAY))
    assert why(sessions, visit) is S.PUBLISHED
