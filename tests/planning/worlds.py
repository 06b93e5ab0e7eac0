"""A day to be planned: visits that the gate would have opened, crews with papers, and the search run for them."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for
from fieldvisit.models import Area, Case, Place, Placement, Shift, Visit
from fieldvisit.planning.child import solve_day
from fieldvisit.planning.claiming import claim_plan
from fieldvisit.planning.day import Day, read_day
from fieldvisit.planning.drafting import Found, accept_plan
from fieldvisit.planning.plans import Claimed, PlanRequest, request_plan
from fieldvisit.planning.remedies import lendable
from fieldvisit.planning.work import Answer, Work
from fieldvisit.vocabulary import VisitState
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_case, make_failed_attempts, make_shift, make_visit, make_visitor

HELSINKI_ZONE = dt.timezone(dt.timedelta(hours=2))


def at(clock: str, on: dt.date = TODAY) -> dt.datetime:
    """An instant by the clocks of Helsinki in winter."""
    return dt.datetime.combine(on, dt.time.fromisoformat(clock), HELSINKI_ZONE).astimezone(dt.UTC)


def make_ready_case(session: Session, world: World, *, point: tuple[float, float] | None = None, **given: Any) -> Case:
    """A case that the phone demonstrably failed to reach, some 100 m beside the last one unless told where."""
    case = make_case(session, world, **given)
    make_failed_attempts(session, case, before=NOW)
    place = session.scalars(sa.select(Place).where(Place.debtor_id == case.debtor_id)).one()
    count = session.scalar(sa.select(sa.func.count()).select_from(Place)) or 0
    place.lat, place.lon = point or (60.1650 + count % 7 * 0.001, 24.9300 + count % 5 * 0.002)
    session.flush()
    return case


def make_second_case(session: Session, world: World, first: Case) -> Case:
    """Another case of the same debtor."""
    case = make_case(session, world)
    session.execute(sa.update(Placement).where(Placement.case_id == case.id).values(debtor_id=first.debtor_id))
    case.debtor_id = first.debtor_id
    session.flush()
    return case


def make_ready_visit(session: Session, world: World, case: Case | None = None, **given: Any) -> Visit:
    """A visit that waits for a plan and that nothing forbids."""
    return make_visit(session, world, case or make_ready_case(session, world), **given)


def make_crew(session: Session, world: World, code: str, *, people: int = 1, on: dt.date = TODAY) -> list[Shift]:
    return [
        make_shift(session, make_visitor(session, world), crew=code, lead=number == 0, on=on)
        for number in range(people)
    ]


def day_of(session: Session, world: World, *, on: dt.date = TODAY, now: dt.datetime = NOW) -> Day:
    return read_day(session, session.get_one(Area, world.area), on, now)


def ask_for_plan(session: Session, world: World, *, on: dt.date = TODAY, now: dt.datetime = NOW) -> uuid.UUID:
    request = PlanRequest(area_id=world.area, planned_on=on, seconds=5, iterations=30)
    return request_plan(session, world.agency, request, requested_by_id=None, now=now).id


def claimed_plan(
    sessions: sessionmaker[Session], world: World, *, on: dt.date = TODAY, now: dt.datetime = NOW
) -> Claimed:
    with acting_for(sessions, world.agency) as session:
        plan_id = ask_for_plan(session, world, on=on, now=now)
    with acting_for(sessions, world.agency) as session:
        claimed = claim_plan(session, plan_id, now)
    assert claimed is not None
    return claimed


def work_for(document: Mapping[str, Any], points: Any, **given: Any) -> Work:
    values = {"map_file": None, "graph_folder": "", "seconds": 5, "iterations": 30, "threads": 1, "seed": 1}
    return Work(document=dict(document), points=list(points), **(values | {"memory_mb": 4_096} | given))


def solved(claimed: Claimed) -> Answer:
    """The search's own code, in this process: bounded by iterations, over straight lines."""
    given = {"askable": claimed.draft.askable, "lendable": lendable(claimed.draft.document["tasks"])}
    answer = solve_day(work_for(claimed.draft.document, claimed.draft.points, **given))
    assert answer.failure is None, answer.says
    return answer


def found_in(answer: Answer) -> Found:
    return Found(
        problem=answer.problem or {},
        plan=answer.plan or {},
        travel_source=answer.travel_source or "",
        paths=answer.paths or {},
        put_in=answer.put_in or {},
        set_aside=answer.set_aside or {},
    )


def drafted(sessions: sessionmaker[Session], world: World, *, on: dt.date = TODAY, now: dt.datetime = NOW) -> uuid.UUID:
    """Ask, claim, search, accept: the id of the draft."""
    claimed = claimed_plan(sessions, world, on=on, now=now)
    answer = solved(claimed)
    with acting_for(sessions, world.agency) as session:
        assert accept_plan(session, claimed, found_in(answer), now=now)
    return claimed.plan_id


def states(session: Session) -> dict[str, VisitState]:
    """Reference → state of every visit."""
    return {visit.reference: visit.state for visit in session.scalars(sa.select(Visit))}


def a_day_later(urls: Urls, *, days: int = 1) -> None:
    """The product's clock, so many days after NOW."""
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    shift_clock_to(owner, NOW + dt.timedelta(days=days))
    with owner.begin() as connection:
        connection.execute(sa.text("select maintain_partitions()"))
