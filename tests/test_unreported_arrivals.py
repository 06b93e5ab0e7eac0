"""A crew was at the door and nobody has reported: it counts as a talk with the debtor, until a report says otherwise.

The house policy lets a debtor be visited once in seven days; here one of two visits to the same debtor has arrived.
"""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.caps import slots_of
from fieldvisit.compliance.decision import ClauseResult
from fieldvisit.database import Urls, acting_for
from fieldvisit.facts import facts_of, subject_of
from fieldvisit.models import CapSlot
from fieldvisit.phone.drafts import UndoDraft
from fieldvisit.phone.steps import arrive
from fieldvisit.phone.undoing import undo_arrival
from fieldvisit.reports import report_visit
from fieldvisit.visits import CancelReason, cancel_visit, get_visit, move
from fieldvisit.vocabulary import AttemptResult, UndoReason, VisitOutcome, VisitState
from tests.compliance.planning_worlds import NOON, Wanted, in_turn, make_wanted
from tests.conftest import NOW
from tests.phone.worlds import arrival, make_plan, report, teller
from tests.planning.worlds import a_day_later
from tests.worlds import make_world

DAY = dt.timedelta(days=1)


@pytest.fixture
def two(sessions: sessionmaker[Session]) -> Wanted:
    """Two visits to one debtor; the crew of the first is at the door."""
    wanted = make_wanted(sessions, make_world(sessions), visits=2)
    in_turn(sessions, wanted, 0)
    with acting_for(sessions, wanted.world.agency) as session:
        visit = move(session, get_visit(session, wanted.visits[0], lock=True), VisitState.PUBLISHED, now=NOW)
        make_plan(session, wanted.world, [wanted.visitor], [visit])
    tell(sessions, wanted, arrive, arrival(), geofence_m=150)
    return wanted


def tell(sessions: sessionmaker[Session], wanted: Wanted, step: Any, draft: Any, **more: Any) -> Any:
    with acting_for(sessions, wanted.world.agency) as session:
        return step(session, wanted.visits[0], draft, by=teller(wanted.visitor), now=NOON, **more)


def cancel(sessions: sessionmaker[Session], wanted: Wanted) -> None:
    with acting_for(sessions, wanted.world.agency) as session:
        cancel_visit(session, wanted.visits[0], reason=CancelReason.BY_HAND, now=NOON)


def refused(sessions: sessionmaker[Session], wanted: Wanted, at: dt.datetime) -> str | None:
    """The clause in the way of the second visit, planned then."""
    found = in_turn(sessions, wanted, 1, at=at)
    return found.clause_id if isinstance(found, ClauseResult) else None


def demand_no_slot(sessions: sessionmaker[Session], wanted: Wanted, on: dt.date) -> None:
    """The database by itself, whatever a planner believes, has no room for the second visit on that day."""
    slot = {
        "visit_id": wanted.visits[1],
        "clause_id": "house/caps/1",
        "on_day": on,
        "zone": "Europe/Helsinki",
        "channels": ["visit"],
        "results": ["reached", "nobody_home"],
        "period": "rolling_days",
        "days": 7,
        "week_starts": 0,
        "most": 1,
        "min_gap_days": 0,
    }
    with acting_for(sessions, wanted.world.agency) as session:
        visit = get_visit(session, wanted.visits[1])
        whose = {"org_id": visit.org_id, "lender_id": visit.lender_id, "debtor_id": visit.debtor_id}
        with pytest.raises(IntegrityError, match="no room under house/caps/1"), session.begin_nested():
            session.execute(sa.insert(CapSlot).values(slot | whose))


def test_an_arrival_that_nobody_reported_counts_the_next_day_too(
    sessions: sessionmaker[Session], urls: Urls, two: Wanted
) -> None:
    a_day_later(urls)
    assert refused(sessions, two, NOON + DAY) == "house/caps/1"
    demand_no_slot(sessions, two, (NOON + DAY).date())
    demand_no_slot(sessions, two, (NOON + 6 * DAY).date())


def test_a_visit_cancelled_while_its_crew_was_at_the_door_counts(sessions: sessionmaker[Session], two: Wanted) -> None:
    cancel(sessions, two)
    assert refused(sessions, two, NOON + dt.timedelta(hours=2)) == "house/caps/1"
    demand_no_slot(sessions, two, NOON.date())


@pytest.mark.parametrize("off", [False, True])
def test_it_counts_once_as_a_talk_on_the_date_of_its_arrival_but_not_against_itself(
    sessions: sessionmaker[Session], two: Wanted, off: bool
) -> None:
    if off:
        cancel(sessions, two)
    with acting_for(sessions, two.world.agency) as session:
        own, other = (subject_of(get_visit(session, visit_id)) for visit_id in two.visits)
        mine, theirs = facts_of(session, [own, other], NOON)
        found = [fact for fact in theirs.attempts if fact.id == str(two.visits[0])]
    assert [(fact.result, fact.at) for fact in found] == [(AttemptResult.REACHED, NOON)]
    assert str(two.visits[0]) not in {fact.id for fact in mine.attempts}
    assert theirs.planned_visits == mine.planned_visits == ()


@pytest.mark.parametrize("off", [False, True])
def test_its_report_says_what_it_was(sessions: sessionmaker[Session], two: Wanted, off: bool) -> None:
    if off:
        cancel(sessions, two)
    tell(sessions, two, report_visit, report(VisitOutcome.NOBODY, left_at=NOON))
    with acting_for(sessions, two.world.agency) as session:
        (facts,) = facts_of(session, [subject_of(get_visit(session, two.visits[1]))], NOON)
        visits = [fact.result for fact in facts.attempts if fact.channel == "visit"]
    assert visits == [AttemptResult.NOBODY_HOME]


@pytest.mark.parametrize("off", [False, True])
def test_an_arrival_that_was_none_counts_nothing(sessions: sessionmaker[Session], two: Wanted, off: bool) -> None:
    if off:
        cancel(sessions, two)
    tell(sessions, two, undo_arrival, UndoDraft(event_id=uuid.uuid4(), reason=UndoReason.WRONG_DOOR))
    with acting_for(sessions, two.world.agency) as session:
        (facts,) = facts_of(session, [subject_of(get_visit(session, two.visits[1]))], NOON)
        held = session.scalars(slots_of(two.visits[0])).all()
    assert [fact for fact in facts.attempts if fact.channel == "visit"] == []
    # Not cancelled, its crew is on its way again, and it holds its slot.
    assert bool(held) is bool(facts.planned_visits) is not off


def test_a_process_of_the_version_before_is_told_of_no_arrival(sessions: sessionmaker[Session], two: Wanted) -> None:
    """It counts what has arrived among the visits: told as a contact too, the rest of a crew could not arrive."""
    with acting_for(sessions, two.world.agency) as session:
        debtor_id = get_visit(session, two.visits[0]).debtor_id
        told = [
            session.scalars(sa.text(f"select channel from {function}(array[:id], :since)"), params).all()
            for function in ("debtor_contacts", "debtor_contacts_and_arrivals")
            for params in [{"id": debtor_id, "since": NOON - 400 * DAY}]
        ]
    assert [channels.count("visit") for channels in told] == [0, 1]
