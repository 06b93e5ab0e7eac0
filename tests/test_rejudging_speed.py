"""Ten thousand visits ahead after a policy changed."""

import itertools
import os
import time
import uuid
from typing import Any

import psutil
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.models import ContactAttempt, ContactPoint, DayPlan, Organisation, Placement, Visit
from fieldvisit.own_policies import add_version
from fieldvisit.rejudgings import ask_rejudging, get_rejudging, run_rejudging
from fieldvisit.vocabulary import RejudgingState, VisitState
from tests.conftest import NOW
from tests.phone.worlds import make_plan
from tests.test_rejudging import house
from tests.worlds import World, make_case, make_failed_attempts, make_visit, make_visitor, make_world

VISITS = int(os.environ.get("VISITS", "10000"))
ROUTES = VISITS // 50
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


def make_many(session: Session, world: World, number: int) -> list[Visit]:
    """So many visits on evidence, each to a debtor of its own as `make_case` makes them; a few statements for all."""
    first = make_case(session, world)
    make_failed_attempts(session, first, before=NOW)
    visit = make_visit(session, world, first, state=VisitState.PUBLISHED)
    point = session.scalars(sa.select(ContactPoint).where(ContactPoint.debtor_id == first.debtor_id)).one()
    attempts = session.scalars(sa.select(ContactAttempt).where(ContactAttempt.case_id == first.id)).all()
    placement = session.scalars(sa.select(Placement).where(Placement.case_id == first.id)).one()
    own = [{name: uuid.uuid4() for name in ("debtor", "case", "place", "point", "visit")} for _ in range(number)]
    of = [{"debtor_id": each["debtor"], "case_id": each["case"]} for each in own]
    named = [{"external_id": str(each["debtor"])} for each in own]
    to = [{"debtor_id": each["debtor"]} for each in own]
    copies(session, visit.debtor, [{"id": each["debtor"]} | name for each, name in zip(own, named, strict=True)])
    copies(session, point, [{"id": each["point"]} | debtor for each, debtor in zip(own, to, strict=True)])
    copies(session, visit.place, [{"id": each["place"]} | debtor for each, debtor in zip(own, to, strict=True)])
    cases = [{"id": each["case"]} | name | debtor for each, name, debtor in zip(own, named, to, strict=True)]
    copies(session, first, cases)
    copies(session, placement, [{"id": uuid.uuid4()} | each for each in of])
    for attempt in attempts:
        tried = [{"id": uuid.uuid4(), "contact_point_id": each["point"]} for each in own]
        copies(session, attempt, [one | each for one, each in zip(tried, of, strict=True)])
    visits = [
        {"id": each["visit"], "place_id": each["place"], "reference": str(each["debtor"])} | rest
        for each, rest in zip(own, of, strict=True)
    ]
    copies(session, visit, visits)
    session.delete(visit)
    session.flush()
    return list(session.scalars(sa.select(Visit).where(Visit.id.in_([each["visit"] for each in own]))))


def copies(session: Session, row: Any, instead: list[dict[str, Any]]) -> None:
    """The row once more for each of these, with these values in place of its own."""
    kept = {column.key: getattr(row, column.key) for column in sa.inspect(type(row)).columns}
    session.execute(sa.insert(type(row)), [kept | each for each in instead])


@pytest.mark.long
def test_ten_thousand_visits_ahead_are_judged_anew_whatever_their_number(
    sessions: sessionmaker[Session], urls: Urls
) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        visits = make_many(session, world, VISITS)
        for batch in itertools.batched(visits, VISITS // ROUTES):
            plan = make_plan(session, world, [make_visitor(session, world).id], batch)
            # One published plan an area and day: of the others, that they were is enough.
            session.execute(sa.update(DayPlan).where(DayPlan.id == plan.id).values(state="superseded"))
    with acting_for(sessions, world.agency) as session:
        add_version(session, world.agency, house("10:30"), made_by_id=None, now=NOW)
        asked = ask_rejudging(session, world.agency, reason="policy_changed").id
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).where(Organisation.id == world.lender).values(policies=["house"]))
    # As in a database that has run for a while: it knows how large its tables are.
    with sa.create_engine(urls.owner, poolclass=sa.NullPool, isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(sa.text("vacuum analyze"))
    began, used = time.monotonic(), processor_s(sessions)
    run_rejudging(sessions, lambda: NOW, world.agency, asked)
    took, used = time.monotonic() - began, processor_s(sessions) - used
    with acting_for(sessions, world.agency) as session:
        row = get_rejudging(session, asked)
        assert (row.state, row.total, row.done) == (RejudgingState.DONE, VISITS, VISITS)
        assert row.taken_back >= ROUTES
        print(f"{VISITS} visits in {took:.1f} s, {used:.1f} s of processors, {row.taken_back} taken back")
    assert used <= BAR_S
