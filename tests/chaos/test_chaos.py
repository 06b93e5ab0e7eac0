"""Server, worker and watcher are killed at random moments, again and again, while a day goes on.

Nothing is lost, nothing is doubled, and what was begun is finished by whoever is started next.
"""

import datetime as dt
import random
import threading
import uuid
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.demo.processes import usable_port
from fieldvisit.models import (
    ContactAttempt,
    DayPlan,
    SafetyAlert,
    SafetySession,
    Stop,
    Visit,
    VisitEvent,
    VisitReport,
)
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Channel, DayPlanState, DutyRank, Role, SafetyState, VisitState
from tests.chaos.parts import Parts
from tests.chaos.phones import Phone, new_id
from tests.phone.worlds import Morning, make_morning
from tests.planning.worlds import make_crew, make_ready_visit
from tests.processes import wait_until
from tests.safety.worlds import make_account, put_on_duty
from tests.worlds import TODAY, make_visitor

PASSWORD = "correct horse battery"
RAGE_S = 45
VISITS, WATCHED, SILENT, TO_PLAN = 24, 4, 6, 8
TOMORROW = TODAY + dt.timedelta(days=1)


@dataclass(frozen=True)
class Day:
    """Who takes part, by username."""

    morning: Morning
    url: str
    watched: tuple[str, ...]
    silent: tuple[str, ...]

    def phone(self, username: str) -> Phone:
        return Phone(self.url, username, PASSWORD)


@pytest.fixture
def day(sessions: sessionmaker[Session]) -> Day:
    morning = make_morning(sessions, visits=VISITS)
    watched, silent = [f"watched{n}" for n in range(WATCHED)], [f"silent{n}" for n in range(SILENT)]
    with acting_for_all(sessions) as session:
        make_crew(session, morning.world, "B", on=TOMORROW)
        for _ in range(TO_PLAN):
            make_ready_visit(session, morning.world)
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
        others = {name: make_visitor(session, morning.world).id for name in (*watched, *silent)}
    people: dict[str, tuple[Role, uuid.UUID | None]] = {
        "ilta": (Role.VISITOR, morning.ilta),
        "dispatcher": (Role.DISPATCHER, None),
        **{name: (Role.VISITOR, visitor_id) for name, visitor_id in others.items()},
    }
    with acting_for(sessions, morning.world.agency) as session:
        for name, (role, visitor_id) in people.items():
            draft = AccountDraft(username=name, password=PASSWORD, roles=(role,), visitor_id=visitor_id)
            create_account(session, morning.world.agency, draft, Passwords(environment="test"))
    return Day(morning, f"http://127.0.0.1:{usable_port(0)}", tuple(watched), tuple(silent))


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 2])
def test_whatever_dies_nothing_is_lost_and_nothing_doubled(
    settings: Settings, sessions: sessionmaker[Session], engine: sa.Engine, day: Day, seed: int
) -> None:
    commands = {
        "serve": ("serve", "--port", day.url.rpartition(":")[2]),
        "worker": ("worker", "--silent-s", "3"),
        "watch": ("watch",),
    }
    calm = {"RATE_LIMIT": "100000/minute", "THREADS": "16"}
    with Parts(settings, commands, calm) as parts, ThreadPoolExecutor(16) as pool:
        phones = pool.submit(day.phone, "ilta").result(), *pool.map(day.phone, (*day.watched, *day.silent))
        raging = threading.Thread(target=parts.rage, args=(random.Random(seed),), kwargs={"for_s": RAGE_S})
        raging.start()
        ilta, watched, silent = phones[0], phones[1 : 1 + WATCHED], phones[1 + WATCHED :]
        working = [
            *(pool.submit(_make_visits, ilta, day.morning.visits[n::4], Clock(engine)) for n in range(4)),
            *(pool.submit(_watched_over, phone) for phone in watched),
            *(pool.submit(_fall_silent, phone) for phone in silent),
            pool.submit(_plan_tomorrow, day.phone("dispatcher"), day.morning.world.area),
        ]
        plan_id = [done.result() for done in working][-1]
        raging.join()
        assert set(parts.kills) == set(commands)
        wait_until(lambda: _planned(sessions, plan_id))
        wait_until(lambda: _alerts(sessions).total() >= SILENT)
        again = [(word, phone.repeat(word)) for phone in phones for word in phone.said]
        for phone in phones:
            phone.close()
    assert sum(phone.lost for phone in phones) > 0, "nobody was hindered: this proves nothing"
    for word, repeated in again:
        assert word.status < 300, word
        assert (repeated.status, _lasting(repeated.answer)) == (word.status, _lasting(word.answer))
    _every_visit_is_reported_once(sessions, day)
    _every_silence_is_one_alert(sessions)
    _tomorrow_is_planned_once(sessions, plan_id)


def _make_visits(ilta: Phone, visits: Sequence[uuid.UUID], clock: Clock) -> None:
    for visit_id in visits:
        ilta.make_visit(visit_id, clock())


def _watched_over(phone: Phone) -> None:
    """A visitor who reports back each time, and ends as one should."""
    session_id = new_id()
    phone.tell("/safety/sessions", id=session_id, planned_s=3_600, level="normal")
    for _ in range(12):
        phone.tell(f"/safety/sessions/{session_id}/check-ins", event_id=new_id())
    phone.tell(f"/safety/sessions/{session_id}/end", event_id=new_id())


def _fall_silent(phone: Phone) -> None:
    phone.tell("/safety/sessions", id=new_id(), planned_s=3_600, level="drill")


def _plan_tomorrow(dispatcher: Phone, area_id: uuid.UUID) -> uuid.UUID:
    """Asked for once: a second request, whose first answer was lost, may be refused, and then the first one stands."""
    body = {"area_id": str(area_id), "planned_on": TOMORROW.isoformat(), "seconds": 20}
    dispatcher.tell("/day-plans", **body)
    (plan,) = dispatcher.get(f"/day-plans?planned_on={TOMORROW}")["items"]
    dispatcher.close()
    return uuid.UUID(plan["id"])


def _planned(sessions: sessionmaker[Session], plan_id: uuid.UUID) -> bool:
    with acting_for_all(sessions) as session:
        plan = session.get_one(DayPlan, plan_id)
        assert plan.failure == {}, plan.failure
        return plan.state is DayPlanState.DRAFT


def _alerts(sessions: sessionmaker[Session]) -> Counter[tuple[uuid.UUID, str]]:
    with acting_for_all(sessions) as session:
        return Counter((row.session_id, row.kind) for row in session.scalars(sa.select(SafetyAlert)))


def _lasting(answer: dict[str, object]) -> dict[str, object]:
    """What an answer says of the thing itself, without what moves with time."""
    return {name: answer.get(name) for name in ("id", "visit_id", "outcome", "taken_at") if name in answer}


def _every_visit_is_reported_once(sessions: sessionmaker[Session], day: Day) -> None:
    made = set(day.morning.visits)
    with acting_for_all(sessions) as session:
        states = session.scalars(sa.select(Visit.state).where(Visit.id.in_(made))).all()
        reports = session.scalars(sa.select(VisitReport.visit_id)).all()
        attempts = session.scalars(sa.select(ContactAttempt.case_id).where(ContactAttempt.channel == Channel.VISIT))
        cases = session.scalars(sa.select(Visit.case_id).where(Visit.id.in_(made))).all()
        told = session.scalars(sa.select(VisitEvent).where(VisitEvent.visit_id.in_(made)))
        events = Counter((entry.visit_id, entry.kind) for entry in told)
        assert Counter(attempts.all()) == Counter(cases)
    assert set(states) == {VisitState.REPORTED}
    assert Counter(reports) == Counter(made)
    assert set(events.values()) == {1}, events
    assert {visit_id for visit_id, kind in events if kind == "reported"} == made


def _every_silence_is_one_alert(sessions: sessionmaker[Session]) -> None:
    with acting_for_all(sessions) as session:
        rows = session.execute(sa.select(SafetySession.id, SafetySession.level, SafetySession.state)).all()
    silent = {row.id for row in rows if row.level == "drill"}
    alerts = _alerts(sessions)
    assert (len(rows), len(silent)) == (WATCHED + SILENT, SILENT)
    assert {session_id for session_id, _ in alerts} == silent
    assert set(alerts.values()) == {1}
    assert {row.state for row in rows if row.id not in silent} == {SafetyState.ENDED}


def _tomorrow_is_planned_once(sessions: sessionmaker[Session], plan_id: uuid.UUID) -> None:
    with acting_for_all(sessions) as session:
        stops = session.scalars(sa.select(Stop.visit_id).join(Visit).where(Visit.plan_id == plan_id)).all()
        planned = session.scalars(sa.select(Visit.id).where(Visit.state == VisitState.PLANNED)).all()
    assert (len(planned), Counter(stops)) == (TO_PLAN, Counter(planned))
