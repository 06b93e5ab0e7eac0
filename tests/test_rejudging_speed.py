"""Ten thousand visits ahead after a policy changed."""

import time

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import DayPlan, Organisation, Visit
from fieldvisit.own_policies import add_version
from fieldvisit.rejudgings import ask_rejudging, get_rejudging, run_rejudging
from fieldvisit.vocabulary import RejudgingState, VisitState
from tests.conftest import NOW
from tests.phone.worlds import make_plan
from tests.test_rejudging import house
from tests.worlds import make_case, make_failed_attempts, make_visit, make_visitor, make_world

VISITS, ROUTES = 10_000, 200
BAR_S = 30


def processor_s(sessions: sessionmaker[Session]) -> float:
    """What this process and the database's have used so far: on an idle machine the two take turns, and their sum is
    the time that passes; on a busy one it is what would have passed."""
    with sessions() as session:
        backend = psutil.Process(session.scalar(sa.select(sa.func.pg_backend_pid())))
    server = backend.parent()
    assert server is not None
    theirs = [each.cpu_times() for each in server.children()]
    return time.process_time() + sum(times.user + times.system for times in theirs)


@pytest.mark.long
def test_ten_thousand_visits_ahead_are_judged_anew_whatever_their_number(sessions: sessionmaker[Session]) -> None:
    world = make_world(sessions)
    for _ in range(ROUTES):
        with acting_for_all(sessions) as session:
            crew = [make_visitor(session, world).id]
            visits: list[Visit] = []
            for _ in range(VISITS // ROUTES):
                case = make_case(session, world)
                make_failed_attempts(session, case, before=NOW)
                visits.append(make_visit(session, world, case, state=VisitState.PUBLISHED))
            plan = make_plan(session, world, crew, visits)
            # One published plan an area and day: of the others, that they were is enough.
            session.execute(sa.update(DayPlan).where(DayPlan.id == plan.id).values(state="superseded"))
    with acting_for(sessions, world.agency) as session:
        add_version(session, world.agency, house("10:30"), made_by_id=None, now=NOW)
        asked = ask_rejudging(session, world.agency, reason="policy_changed").id
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).where(Organisation.id == world.lender).values(policies=["house"]))
    began, used = time.monotonic(), processor_s(sessions)
    run_rejudging(sessions, lambda: NOW, world.agency, asked)
    took, used = time.monotonic() - began, processor_s(sessions) - used
    with acting_for(sessions, world.agency) as session:
        row = get_rejudging(session, asked)
        assert (row.state, row.total, row.done) == (RejudgingState.DONE, VISITS, VISITS)
        assert row.taken_back >= ROUTES
        print(f"{VISITS} visits in {took:.1f} s, {used:.1f} s of processors, {row.taken_back} taken back")
    assert used <= BAR_S
