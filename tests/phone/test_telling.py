"""One telling, one happening: also when two phones, or one phone twice, speak at the same moment."""

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
from fieldvisit.errors import FieldVisitError, Refused
from fieldvisit.models import ContactAttempt, ReportAddition, StoredDecision, VisitEvent, VisitReport
from fieldvisit.phone.steps import arrive
from fieldvisit.phone.telling import Receipt
from fieldvisit.reports import VisitAlreadyReported, report_visit
from fieldvisit.vocabulary import Channel
from tests.conftest import NOW
from tests.phone.worlds import Morning, arrival, report, teller


def at_once(*tellings: Callable[[], Any]) -> list[Any]:
    """What each of them gives, or the refusal it meets, when all begin together in threads of their own."""
    gate = Barrier(len(tellings))

    def run(telling: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return telling()
        except FieldVisitError as refusal:
            return refusal

    with ThreadPoolExecutor(len(tellings)) as pool:
        return list(pool.map(run, tellings))


def reporting(sessions: sessionmaker[Session], morning: Morning, draft: Any, by: uuid.UUID) -> Callable[[], Receipt]:
    def tell() -> Receipt:
        with acting_for(sessions, morning.world.agency) as session:
            return report_visit(session, morning.visit, draft, by=teller(by), now=NOW)

    return tell


def counted(sessions: sessionmaker[Session]) -> dict[str, int | None]:
    """How many reports that stand, additions and attempts by visit there are."""
    with acting_for_all(sessions) as session:
        return {
            "reports": session.scalar(
                sa.select(sa.func.count()).select_from(VisitReport).where(VisitReport.replaced_by_id.is_(None))
            ),
            "additions": session.scalar(sa.select(sa.func.count()).select_from(ReportAddition)),
            "attempts": session.scalar(
                sa.select(sa.func.count()).select_from(ContactAttempt).where(ContactAttempt.channel == Channel.VISIT)
            ),
        }


ROUNDS = range(5)


@pytest.mark.parametrize("_", ROUNDS)
def test_one_report_sent_by_two_threads_is_one_report_and_one_answer(
    sessions: sessionmaker[Session], morning: Morning, _: int
) -> None:
    draft = report()
    first, second = at_once(*[reporting(sessions, morning, draft, morning.ilta)] * 2)
    assert isinstance(first, Receipt)
    assert first == second
    assert counted(sessions) == {"reports": 1, "additions": 0, "attempts": 1}


@pytest.mark.parametrize("_", ROUNDS)
def test_of_two_reports_of_one_visitor_one_stays_and_the_other_is_refused(
    sessions: sessionmaker[Session], morning: Morning, _: int
) -> None:
    answers = at_once(*[reporting(sessions, morning, report(), morning.ilta) for _ in range(2)])
    assert sorted(type(answer).__name__ for answer in answers) == ["Receipt", VisitAlreadyReported.__name__]
    assert counted(sessions) == {"reports": 1, "additions": 0, "attempts": 1}


@pytest.mark.parametrize("_", ROUNDS)
def test_of_the_reports_of_two_members_one_becomes_an_addition(
    sessions: sessionmaker[Session], morning: Morning, _: int
) -> None:
    answers = at_once(*[reporting(sessions, morning, report(), by) for by in (morning.ilta, morning.oona)])
    assert [type(answer) for answer in answers] == [Receipt, Receipt]
    assert counted(sessions) == {"reports": 1, "additions": 1, "attempts": 1}


def test_one_arrival_sent_by_two_threads_is_written_down_once(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    draft = arrival()

    def tell() -> Receipt | Refused:
        with acting_for(sessions, morning.world.agency) as session:
            return arrive(session, morning.visit, draft, by=teller(morning.ilta), now=NOW, geofence_m=150)

    first, second = at_once(tell, tell)
    assert first == second
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(VisitEvent.kind)).all() == ["arrived"]


def test_one_refused_arrival_sent_by_two_threads_is_written_down_once(
    sessions: sessionmaker[Session], morning: Morning
) -> None:
    draft, late = arrival(), NOW + dt.timedelta(hours=14)

    def tell() -> Receipt | Refused:
        with acting_for(sessions, morning.world.agency) as session:
            return arrive(session, morning.visit, draft, by=teller(morning.ilta), now=late, geofence_m=150)

    assert [type(answer) for answer in at_once(tell, tell)] == [Refused, Refused]
    with acting_for_all(sessions) as session:
        assert session.scalars(sa.select(VisitEvent.kind)).all() == ["arrival_refused"]
        assert len(session.scalars(sa.select(StoredDecision)).all()) == 1
