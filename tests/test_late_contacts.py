"""A contact that is told late counts for what was planned before it was told."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.contacts import AttemptDraft, record_attempts
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import CapSlot, Case, Placement, Stop, StoredDecision, Visit
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.phone.steps import arrive, check_identity
from fieldvisit.reports import report_visit
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import AttemptResult, Channel, NextStep, ReachedDetail, VisitOutcome, VisitState
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, identity, make_morning, report, teller
from tests.worlds import TODAY

DAY = dt.timedelta(days=1)
REST = """
id = "rest"
version = 1
title = "A week of rest after a conversation"
jurisdiction = "*"
status = "in_force"
effective_from = 2020-01-01
legal_force = "house"
[visits]
id = "rest/visits/1"
allowed = "yes"
source = "ours"
confidence = "house"
[[cooldowns]]
id = "rest/cooldowns/1"
after = "conversation"
days = 7
day_of_event_is = 1
channels = ["visit"]
heard_by = ["visit"]
scope = "debtor"
source = "ours"
confidence = "house"
"""


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    """Two visits, published for ten and for half past ten of the local day."""
    return make_morning(sessions, visits=2)


def tell(
    sessions: sessionmaker[Session],
    org_id: uuid.UUID,
    visit_id: uuid.UUID,
    *,
    at: dt.datetime,
    channel: Channel = Channel.CALL,
    result: AttemptResult = AttemptResult.REACHED,
    detail: ReachedDetail | None = None,
) -> None:
    with acting_for_all(sessions) as session:
        case_id = session.get_one(Visit, visit_id).case.external_id
    draft = AttemptDraft(
        external_id=str(uuid.uuid4()),
        source="dialer",
        case_id=case_id,
        channel=channel,
        at=at,
        result=result,
        detail=detail,
        contact_point=None,
    )
    with acting_for(sessions, org_id) as session:
        assert record_attempts(session, [draft], NOW).added == 1


def states(sessions: sessionmaker[Session], morning: Morning) -> list[VisitState]:
    with acting_for_all(sessions) as session:
        return [session.get_one(Visit, visit_id).state for visit_id in morning.visits]


def test_a_call_that_reached_the_debtor_takes_back_the_visit_that_was_published_before_it_was_told(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    tell(sessions, morning.world.lender, morning.visit, at=NOW - DAY)
    assert states(sessions, morning) == [VisitState.ELIGIBLE, VisitState.PUBLISHED]
    with acting_for(sessions, morning.world.agency) as session:
        last = history_of(session, morning.visit)[-1]
        assert (last.kind, last.detail["cause"]) == ("eligible", "contact_told")
        decision = session.get_one(StoredDecision, uuid.UUID(last.detail["decision_id"]))
        assert decision.visit_id == morning.visit
        assert session.scalars(sa.select(Stop.visit_id).where(Stop.visit_id == morning.visit)).all() == []
        assert session.scalars(sa.select(CapSlot).where(CapSlot.visit_id == morning.visit)).all() == []


def test_out_of_order_a_call_from_before_the_failures_changes_nothing(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    tell(sessions, morning.world.lender, morning.visit, at=NOW - 20 * DAY)
    tell(sessions, morning.world.lender, morning.visit, at=NOW - DAY, result=AttemptResult.NO_ANSWER)
    assert states(sessions, morning) == [VisitState.PUBLISHED, VisitState.PUBLISHED]


def test_a_visit_that_an_outside_system_tells_of_late_takes_the_slot_of_the_cap(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    knocked = {"channel": Channel.VISIT, "result": AttemptResult.NOBODY_HOME}
    tell(sessions, morning.world.lender, morning.visit, at=NOW - 9 * DAY, **knocked)
    assert states(sessions, morning)[0] is VisitState.PUBLISHED
    tell(sessions, morning.world.lender, morning.visit, at=NOW - 3 * DAY, **knocked)
    assert states(sessions, morning) == [VisitState.ELIGIBLE, VisitState.PUBLISHED]


def test_a_conversation_at_the_door_takes_back_what_else_is_planned_for_the_debtor(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    """The debtor's second case has a visit as well; where they were talked with, they are left alone for a while."""
    with acting_for(sessions, morning.world.agency) as session:
        add_version(
            session,
            morning.world.agency,
            PolicyDraft(text=REST, effective_from=TODAY),
            made_by_id=None,
            now=NOW,
        )
    with acting_for_all(sessions) as session:
        first, other = (session.get_one(Visit, visit_id) for visit_id in morning.visits)
        other.debtor_id = other.case.debtor_id = first.debtor_id
    for step, draft, more in (
        (arrive, arrival(), {"geofence_m": 150}),
        (check_identity, identity(), {}),
        (report_visit, report(VisitOutcome.MET_DEBTOR, willing=True, able=True, next_step=NextStep.CALL), {}),
    ):
        assert states(sessions, morning)[1] is VisitState.PUBLISHED
        with acting_for(sessions, morning.world.agency) as session:
            step(session, morning.visit, draft, by=teller(morning.ilta), now=NOW, **more)
    assert states(sessions, morning) == [VisitState.REPORTED, VisitState.ELIGIBLE]
    with acting_for(sessions, morning.world.agency) as session:
        assert history_of(session, morning.visits[1])[-1].detail["cause"] == "contact_told"


def test_a_crew_on_its_way_is_told_off(sessions: sessionmaker[Session]) -> None:
    morning = make_morning(sessions, state=VisitState.UNDER_WAY)
    tell(sessions, morning.world.lender, morning.visit, at=NOW - dt.timedelta(minutes=5))
    assert states(sessions, morning) == [VisitState.CANCELLED]


@pytest.mark.parametrize("state", [VisitState.ELIGIBLE, VisitState.ARRIVED])
def test_a_visit_that_waits_or_has_arrived_is_left_to_its_own_gate(
    sessions: sessionmaker[Session], state: VisitState
) -> None:
    morning = make_morning(sessions, state=state)
    tell(sessions, morning.world.lender, morning.visit, at=NOW - DAY)
    assert states(sessions, morning) == [state]
    with acting_for(sessions, morning.world.agency) as session:
        assert history_of(session, morning.visit) == []


def test_what_one_agency_hears_counts_for_the_visit_of_another(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    """The debtor's second case is with the other agency, which sees nothing of the visit."""
    world = morning.world
    with acting_for_all(sessions) as session:
        first = session.get_one(Visit, morning.visit).case
        copied = {c.key: getattr(first, c.key) for c in sa.inspect(Case).columns if c.key not in ("id", "external_id")}
        second = Case(**copied, external_id="the second")
        session.add(second)
        session.flush()
        placed = {"case_id": second.id, "debtor_id": second.debtor_id, "agency_id": world.stranger}
        session.add(Placement(org_id=world.lender, from_on=TODAY - DAY, **placed))
    draft = AttemptDraft(
        external_id="1",
        source="dialer",
        case_id="the second",
        channel=Channel.CALL,
        at=NOW - DAY,
        result=AttemptResult.REACHED,
        detail=ReachedDetail.ASKED_TO_STOP,
        contact_point=None,
    )
    with acting_for(sessions, world.stranger) as session:
        assert session.get(Visit, morning.visit) is None
        assert record_attempts(session, [draft], NOW).added == 1
        assert session.get(Visit, morning.visit) is None
    assert states(sessions, morning) == [VisitState.CANCELLED, VisitState.PUBLISHED]


def test_a_thousand_contacts_ask_no_more_questions_of_the_database_than_ten(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    def count(number: int) -> int:
        with acting_for_all(sessions) as session:
            names = [session.get_one(Visit, visit_id).case.external_id for visit_id in morning.visits]
        drafts = [
            AttemptDraft(
                external_id=f"{number}-{each}",
                source="dialer",
                case_id=names[each % 2],
                channel=Channel.CALL,
                at=NOW - DAY,
                result=AttemptResult.NO_ANSWER,
                contact_point=None,
            )
            for each in range(number)
        ]
        asked = 0

        def note(*_: object) -> None:
            nonlocal asked
            asked += 1

        with acting_for(sessions, morning.world.lender) as session:
            engine = session.get_bind()
            sa.event.listen(engine, "before_cursor_execute", note)
            try:
                assert record_attempts(session, drafts, NOW).added == number
            finally:
                sa.event.remove(engine, "before_cursor_execute", note)
        return asked

    assert count(200) == count(10)
