"""How many events a second a phone tells fifty at once, against one by one, over HTTP.

make load ONLY=fifty
"""

import datetime as dt
import os
import statistics
import time
import uuid
from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import Credential, DayPlan
from fieldvisit.vocabulary import DayPlanState
from tests.api.test_phone_events import HERE
from tests.conftest import NOW
from tests.load.office import Office, Phone, check_in
from tests.phone.worlds import Morning, make_morning
from tests.worlds import World

ROUNDS = int(os.environ.get("ROUNDS", "3"))
VISITS, AT_A_DOOR = 10, 5
BAR = 6
MINUTE = dt.timedelta(minutes=1)


def a_day(morning: Morning, papers: Sequence[str]) -> list[dict[str, Any]]:
    """Five events at each of ten doors, hours ago: what a phone tells that had no signal."""
    events: list[dict[str, Any]] = []
    for place, visit_id in enumerate(morning.visits):
        begun = NOW - (480 - 44 * place) * MINUTE
        left = begun + 20 * MINUTE
        met = {"outcome": "met_debtor", "disclosed": True, "willing": True, "next_step": "call"}
        for minute, kind, facts in (
            (0, "set_out", {}),
            (10, "arrival", {"position": HERE}),
            (11, "credential_shown", {"credential_ids": [*papers]}),
            (12, "identity_check", {"method": "two_facts", "result": "confirmed"}),
            (20, "report", {**met, "left_at": left.isoformat()}),
        ):
            at = (begun + minute * MINUTE).isoformat()
            told = {"event_id": str(uuid.uuid4()), "kind": kind, "visit_id": str(visit_id), "device_at": at}
            events.append(told | facts)
    return events


def a_morning(sessions: sessionmaker[Session], world: World) -> tuple[Morning, list[str]]:
    """In the place of the one before; and the papers of the one who tells of it."""
    with acting_for_all(sessions) as session:
        session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
    morning = make_morning(sessions, world=world, visits=VISITS)
    with acting_for_all(sessions) as session:
        papers = session.scalars(sa.select(Credential.id).where(Credential.visitor_id == morning.ilta)).all()
    return morning, [str(paper) for paper in papers]


def told_s(office: Office, phone: Phone, pieces: Sequence[Sequence[dict[str, Any]]]) -> float:
    begun = time.perf_counter()
    for piece in pieces:
        office.send(phone, piece)
    return time.perf_counter() - begun


@pytest.mark.long
def test_fifty_events_at_once_are_six_times_as_fast_as_one_by_one(office: Office) -> None:
    took: dict[str, dict[str, list[float]]] = {"steps": {}, "check-ins": {}}
    for round_ in range(ROUNDS + 1):
        for way in ("one by one", "at once"):
            morning, papers = a_morning(office.sessions, office.world)
            phone = office.phone(morning.ilta)
            fifty = [check_in(phone.session_id, office.clock()) for _ in range(VISITS * AT_A_DOOR)]
            for what, events in (("steps", a_day(morning, papers)), ("check-ins", fifty)):
                seconds = told_s(office, phone, [[each] for each in events] if way == "one by one" else [events])
                if round_:  # the first warms up
                    took[what].setdefault(way, []).append(seconds / len(events))
    for what, ways in took.items():
        one, many = (statistics.median(ways[way]) for way in ("one by one", "at once"))
        print(f"\n{what}: one by one {1 / one:.0f}/s, fifty at once {1 / many:.0f}/s: {one / many:.1f} times")
        assert one >= BAR * many
