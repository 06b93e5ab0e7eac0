"""Many events in one sending: as one after another would have left it, in a fixed number of statements."""

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.db import db
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import DayPlan, PhoneEventKey, SafetySession, VisitEvent
from fieldvisit.safety.events import find_break, history
from fieldvisit.vocabulary import DayPlanState, Role
from tests.api.conftest import ClientFor
from tests.api.test_phone_events import HERE, LEFT_AT, MINUTE, a_visit, event, outcomes, send
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.worlds import World, make_world

VISITS = 5


@pytest.fixture
def world(sessions: sessionmaker[Session]) -> World:
    return make_world(sessions)


def a_morning(sessions: sessionmaker[Session], world: World, client_for: ClientFor) -> tuple[Morning, FlaskClient]:
    """In the place of the one before: a day has one published plan."""
    with acting_for_all(sessions) as session:
        session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
    morning = make_morning(sessions, world=world, visits=VISITS)
    return morning, client_for(Role.VISITOR, org=world.agency, visitor_id=morning.ilta)


def of_visits(morning: Morning, count: int) -> list[dict[str, Any]]:
    return [each | {"visit_id": str(visit_id)} for visit_id in morning.visits[:count] for each in a_visit(morning)]


def test_the_statements_do_not_grow_with_the_events(
    app: Flask, client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    counted: list[int] = []
    with app.app_context():
        engine = db.engine
    for visits in (2, VISITS):
        morning, phone = a_morning(sessions, world, client_for)
        statements: list[str] = []
        sa.event.listen(engine, "before_cursor_execute", lambda *said, kept=statements: kept.append(said[2]))
        assert set(outcomes(send(phone, of_visits(morning, visits)))) == {"taken"}
        counted.append(len(statements))
    assert counted[1] <= counted[0]


def wrong_ones(morning: Morning) -> list[dict[str, Any]]:
    """A day in which several things come to nothing, each for a reason of its own."""
    events = of_visits(morning, 2)
    other, unknown = str(morning.visits[2]), str(uuid.uuid4())
    return [
        *events,
        {**events[1], "position": {**HERE, "accuracy_m": 99}},
        event("addition", morning, LEFT_AT, visit_id=other, text="Nobody has reported yet."),
        event("set_out", morning, LEFT_AT, visit_id=unknown),
        *events[3:5],
    ]


@pytest.mark.parametrize("kept", [1, 2, 3])
def test_what_comes_to_nothing_spoils_nothing_and_is_told_as_one_by_one(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World, kept: int
) -> None:
    def run(together: bool) -> tuple[list[Any], list[Any]]:
        morning, phone = a_morning(sessions, world, client_for)
        events = wrong_ones(morning)
        del events[10 + kept : 13]
        pieces = [events] if together else [[each] for each in events]
        results = [result for piece in pieces for result in send(phone, piece)["results"]]
        with acting_for(sessions, world.agency) as session:
            mine = VisitEvent.visit_id.in_(morning.visits)
            kinds = sa.select(VisitEvent.kind).where(mine).order_by(VisitEvent.visit_id, VisitEvent.kind)
            keys = sa.select(sa.func.count()).where(PhoneEventKey.visit_id.in_(morning.visits))
            stored = [*session.scalars(kinds), session.scalar(keys)]
        return [(each["outcome"], (each["problem"] or {}).get("code")) for each in results], stored

    assert run(together=True) == run(together=False)


def test_check_ins_and_beats_in_one_go_leave_the_session_as_one_by_one(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    def run(together: bool) -> dict[str, Any]:
        morning, phone = a_morning(sessions, world, client_for)
        session_id = str(uuid.uuid4())
        send(phone, [event("safety_start", morning, NOW, event_id=session_id, planned_s=3600, visit_id=None)])
        told = [
            event(kind, morning, NOW - 9 * MINUTE + place * MINUTE, session_id=session_id, age_s=300 - 60 * place)
            for place, kind in enumerate(["check_in", "beat", "check_in", "beat", "check_in"])
        ]
        told.append(told[0])
        for piece in [told] if together else [[each] for each in told]:
            assert set(outcomes(send(phone, piece))) == {"taken"}
        with acting_for(sessions, world.agency) as session:
            row = session.get_one(SafetySession, uuid.UUID(session_id))
            assert find_break(row, history(session, row)) is None
            waits = None if row.due_at is None else row.due_at - row.last_heard_at
            return {
                "events": [(each.kind, each.detail.get("generation")) for each in history(session, row)],
                "counts": (row.generation, row.version),
                "waits_minutes": waits and round(waits / MINUTE),
            }

    assert run(together=True) == run(together=False)
