"""The gate on the real database: who is visited, on which evidence, and who is not, and why."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import Forbidden
from fieldvisit.errors import NotFound
from fieldvisit.gate import (
    LASTS,
    Opened,
    PlaceUnknown,
    RequestReason,
    VisitOpenAlready,
    eligibility_of,
    open_visits,
    request_visit,
    value_of,
)
from fieldvisit.languages import say
from fieldvisit.models import (
    Case,
    ContactBlock,
    ContactPoint,
    Organisation,
    Place,
    Placement,
    StoredDecision,
    Visit,
)
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import (
    AttemptResult,
    BlockTrigger,
    CaseStage,
    Channel,
    CheckMoment,
    PlaceKind,
    PointSource,
    ReachedDetail,
    Verdict,
    VisitState,
)
from tests.conftest import NOW
from tests.worlds import TODAY, World, make_attempt, make_case, make_failed_attempts, make_world

R = AttemptResult
DAY = dt.timedelta(days=1)
# Local mornings and evenings of three days: enough days and parts of the day for the house policy.
MON_MORNING = NOW - DAY
SUN_EVENING = NOW - 2 * DAY + dt.timedelta(hours=10)
SAT_MORNING = NOW - 3 * DAY
AFTERWARDS = NOW - dt.timedelta(minutes=10)

type History = list[tuple[dt.datetime, AttemptResult, dict[str, Any]]]


def tries(*results: AttemptResult, more: History | None = None) -> History:
    """One call for each result, at the three times and then every hour of the last morning; then what is told more."""
    later = [MON_MORNING + dt.timedelta(hours=hour) for hour in range(1, 10)]
    times = [SAT_MORNING, SUN_EVENING, MON_MORNING, *later]
    return [(at, result, {}) for at, result in zip(times, results, strict=False)] + (more or [])


FAILED = tries(R.NO_ANSWER, R.BUSY, R.VOICEMAIL)
# What happened on the phone → may a visit be opened?
HISTORIES: dict[str, tuple[History, bool]] = {
    "nothing was tried": ([], False),
    "two failures": (tries(R.NO_ANSWER, R.NO_ANSWER), False),
    "three failures on three days, morning and evening": (FAILED, True),
    "three failures, all in one morning": ([(MON_MORNING, R.NO_ANSWER, {})] * 3, False),
    "three failures, always in the morning": (
        [(NOW - back * DAY, R.NO_ANSWER, {}) for back in (1, 2, 3)],
        False,
    ),
    "three failures, but two months ago": ([(at - 60 * DAY, result, more) for at, result, more in FAILED], False),
    "reached in between": ([*FAILED, (AFTERWARDS, R.REACHED, {"detail": ReachedDetail.TALKED})], False),
    "answered and rung off is a wish, no failure": ([*FAILED, (AFTERWARDS, R.REFUSED_CALL, {})], False),
    "asked to stop": ([*FAILED, (AFTERWARDS, R.REACHED, {"detail": ReachedDetail.ASKED_TO_STOP})], False),
    "disputed": ([*FAILED, (AFTERWARDS, R.REACHED, {"detail": ReachedDetail.DISPUTED})], False),
    "reached first, failed since": ([(SAT_MORNING - DAY, R.REACHED, {}), *FAILED], True),
    "a message delivered changes nothing": (
        [*FAILED, (AFTERWARDS, R.DELIVERED, {"channel": Channel.SMS})],
        True,
    ),
    "messages that bounce are no calls": (
        [(at, R.BOUNCED, {"channel": Channel.SMS}) for at, _, _ in FAILED],
        False,
    ),
    "the only number is invalid": ([(MON_MORNING, R.NUMBER_INVALID, {})], True),
    "visited this week already": ([*FAILED, (AFTERWARDS, R.NOBODY_HOME, {"channel": Channel.VISIT})], False),
    "visited long ago": ([*FAILED, (NOW - 20 * DAY, R.NOBODY_HOME, {"channel": Channel.VISIT})], True),
}


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


@pytest.fixture
def make_tried(sessions: sessionmaker[Session], world: World) -> Callable[..., uuid.UUID]:
    """A case with this history of calls to its debtor's number."""

    def make(history: History = FAILED, **given: Any) -> uuid.UUID:
        with acting_for_all(sessions) as session:
            case = make_case(session, world, **given)
            number = session.scalars(sa.select(ContactPoint.id).where(ContactPoint.debtor_id == case.debtor_id)).one()
            for at, result, more in history:
                make_attempt(session, case, at=at, result=result, **{"contact_point_id": number, **more})
            return case.id

    return make


def gate(sessions: sessionmaker[Session], org_id: uuid.UUID, now: dt.datetime = NOW) -> Opened:
    with acting_for(sessions, org_id) as session:
        return open_visits(session, org_id, now)


def visits(sessions: sessionmaker[Session]) -> list[Visit]:
    with acting_for_all(sessions) as session:
        return list(session.scalars(sa.select(Visit).order_by(Visit.reference)))


@pytest.mark.parametrize("named", HISTORIES)
def test_the_gate_opens_a_visit_on_evidence_and_for_nobody_else(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID], named: str
) -> None:
    history, opens = HISTORIES[named]
    case_id = make_tried(history)
    opened = gate(sessions, world.agency)
    assert opened.looked_at == 1
    assert [visit.case_id for visit in visits(sessions)] == ([case_id] if opens else [])


@pytest.mark.parametrize("named", HISTORIES)
def test_eligibility_is_the_gates_answer_with_the_evidence_or_with_what_is_missing(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID], named: str
) -> None:
    history, opens = HISTORIES[named]
    case_id = make_tried(history)
    with acting_for(sessions, world.agency) as session:
        answer = eligibility_of(session, world.agency, case_id, NOW)
    assert (answer.eligible, answer.place_known) == (opens, True)
    assert (answer.evidence != (), answer.in_the_way != ()) == (opens, not opens)
    assert all(say(clause.message, "zh_CN") != say(clause.message, "en") for clause in answer.in_the_way)
    assert visits(sessions) == []


def test_an_opened_visit_carries_its_evidence_its_decision_and_its_price(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        evidence = [attempt.id for attempt in make_failed_attempts(session, case, before=NOW)]
    opened = gate(sessions, world.agency)
    (visit,) = visits(sessions)
    assert opened == Opened(looked_at=1, visits=(visit.reference,), held=())
    assert (visit.org_id, visit.lender_id, visit.state) == (world.agency, world.lender, VisitState.ELIGIBLE)
    assert (visit.requested_reason, visit.last_on) == ("failed_contact", (NOW + LASTS).date())
    assert visit.evidence == evidence[::-1]
    assert visit.value_s == value_of(case) == 3_600 + 600 + 105
    with acting_for_all(sessions) as session:
        decision = session.scalars(sa.select(StoredDecision)).one()
        kinds = [entry.kind for entry in history_of(session, visit.id)]
    assert (decision.moment, decision.verdict, decision.visit_id) == (CheckMoment.ELIGIBLE, Verdict.ALLOWED, visit.id)
    assert sorted(kinds) == ["eligible", "requested"]


def test_running_the_gate_again_opens_nothing_twice(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    make_tried()
    assert len(gate(sessions, world.agency).visits) == 1
    assert gate(sessions, world.agency) == Opened(looked_at=0, visits=(), held=())


def test_two_gates_at_once_leave_one_visit(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    make_tried()
    both = Barrier(2)

    def run() -> int:
        both.wait()
        return len(gate(sessions, world.agency).visits)

    with ThreadPoolExecutor(2) as pool:
        counts = [running.result() for running in [pool.submit(run), pool.submit(run)]]
    assert sorted(counts) == [0, 1]
    assert len(visits(sessions)) == 1


def test_without_a_policy_nobody_is_visited(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    make_tried()
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).values(policies=[]))
    assert gate(sessions, world.agency) == Opened(looked_at=1, visits=(), held=())


def test_the_stricter_policy_of_the_two_organisations_decides(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    make_tried(tries(R.NO_ANSWER, R.NO_ANSWER))
    with acting_for_all(sessions) as session:
        session.get_one(Organisation, world.agency).policies = []
    assert gate(sessions, world.agency).visits == ()
    make_tried()
    assert len(gate(sessions, world.agency).visits) == 1


def test_a_block_keeps_the_gate_closed_until_it_is_lifted(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    case_id = make_tried()
    with acting_for_all(sessions) as session:
        debtor_id = session.get_one(Case, case_id).debtor_id
        block = ContactBlock(
            org_id=world.lender,
            made_by_id=world.lender,
            debtor_id=debtor_id,
            trigger=BlockTrigger.PAID,
            since_at=NOW - DAY,
        )
        session.add(block)
    assert gate(sessions, world.agency).visits == ()
    with acting_for_all(sessions) as session:
        session.get_one(ContactBlock, block.id).lifted_at = NOW - dt.timedelta(hours=1)
    assert len(gate(sessions, world.agency).visits) == 1


@pytest.mark.parametrize("stage", [CaseStage.CLOSED, CaseStage.LEGAL])
def test_cases_that_are_closed_or_with_the_lawyers_are_not_looked_at(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID], stage: CaseStage
) -> None:
    make_tried(stage=stage)
    assert gate(sessions, world.agency).looked_at == 0


def test_whose_case_it_is_to_visit_follows_the_placement(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    placed, kept = make_tried(), make_tried(placed=False)
    assert gate(sessions, world.stranger).looked_at == 0
    assert len(gate(sessions, world.lender).visits) == 1
    assert len(gate(sessions, world.agency).visits) == 1
    assert {visit.case_id: visit.org_id for visit in visits(sessions)} == {placed: world.agency, kept: world.lender}


def test_a_case_that_was_called_back_is_the_lenders_again(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    make_tried()
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Placement).values(until_on=TODAY - DAY))
    assert gate(sessions, world.agency).looked_at == 0
    assert len(gate(sessions, world.lender).visits) == 1


def lose_the_point(session: Session) -> None:
    session.execute(sa.update(Place).values(lat=None, lon=None, found_by=PointSource.NONE))


def test_a_visit_waits_for_the_point_of_its_place_and_a_later_run_makes_it_eligible(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    make_tried()
    with acting_for_all(sessions) as session:
        lose_the_point(session)
    held = gate(sessions, world.agency)
    (waiting,) = visits(sessions)
    assert (held.visits, held.held, waiting.state) == ((), (waiting.reference,), VisitState.REQUESTED)
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Place).values(lat=60.17, lon=24.94, found_by=PointSource.GEOCODED))
    gate(sessions, world.agency)
    assert [visit.state for visit in visits(sessions)] == [VisitState.ELIGIBLE]


def test_of_several_places_the_chosen_one_is_visited_and_one_with_a_point_before_one_without(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    case_id = make_tried()
    with acting_for_all(sessions) as session:
        home = session.scalars(sa.select(Place)).one()
        places = [make_place(session, home, kind) for kind in (PlaceKind.HOSPITAL, PlaceKind.WORK, PlaceKind.CHOSEN)]
        session.get_one(Place, places[2]).lat = session.get_one(Place, places[2]).lon = None
        session.get_one(Place, places[2]).found_by = PointSource.NONE
    with acting_for(sessions, world.agency) as session:
        request_visit(session, world.agency, case_id, reason=RequestReason.DEBTOR_ASKED, now=NOW)
    assert [visit.place_id for visit in visits(sessions)] == [home.id]


def make_place(session: Session, like: Place, kind: PlaceKind) -> uuid.UUID:
    place = Place(
        org_id=like.org_id,
        debtor_id=like.debtor_id,
        kind=kind,
        address=kind.value,
        digest=kind.value.encode(),
        lat=like.lat,
        lon=like.lon,
        found_by=PointSource.GIVEN,
        zone=like.zone,
        country=like.country,
    )
    session.add(place)
    session.flush()
    return place.id


def test_a_visit_by_hand_is_judged_by_the_same_policy(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    tried, untried = make_tried(), make_tried([])
    with acting_for(sessions, world.agency) as session:
        visit = request_visit(session, world.agency, tried, reason=RequestReason.LENDER_ASKED, now=NOW)
        assert (visit.state, visit.requested_reason) == (VisitState.ELIGIBLE, "lender_asked")
        with pytest.raises(VisitOpenAlready):
            request_visit(session, world.agency, tried, reason=RequestReason.OTHER, now=NOW)
        with pytest.raises(Forbidden) as refused:
            request_visit(session, world.agency, untried, reason=RequestReason.OTHER, now=NOW)
    assert refused.value.details["clause_ids"] == ["house/prior_effort/1"]
    assert "Failed contact is not shown yet." in say(refused.value, "en")


def test_a_visit_by_hand_needs_a_place_and_a_case_that_one_may_see(
    sessions: sessionmaker[Session], world: World, make_tried: Callable[..., uuid.UUID]
) -> None:
    case_id = make_tried()
    with acting_for(sessions, world.stranger) as session, pytest.raises(NotFound):
        request_visit(session, world.stranger, case_id, reason=RequestReason.OTHER, now=NOW)
    with acting_for(sessions, world.stranger) as session, pytest.raises(NotFound):
        eligibility_of(session, world.stranger, case_id, NOW)
    with acting_for_all(sessions) as session:
        lose_the_point(session)
    with acting_for(sessions, world.agency) as session, pytest.raises(PlaceUnknown):
        request_visit(session, world.agency, case_id, reason=RequestReason.OTHER, now=NOW)


@pytest.mark.parametrize(
    ("days_past_due", "total_minor", "value_s"),
    [(0, 0, 3_600), (360, 0, 7_200), (1_000, 0, 7_200), (0, 1_800_000, 5_400), (0, 10**12, 5_400)],
)
def test_no_single_large_case_buys_the_whole_day(days_past_due: int, total_minor: int, value_s: int) -> None:
    assert value_of(Case(days_past_due=days_past_due, total_minor=total_minor)) == value_s
