"""Who was met is told what came of the visit, where a policy wants it, once the report is accepted."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Notice, Visit
from fieldvisit.notices.due import DueKind, due
from fieldvisit.notices.results import close_and_tell
from fieldvisit.vocabulary import NextStep, NoticeState, VisitOutcome, VisitState
from tests.conftest import NOW
from tests.notices.worlds import asks_for, give_address, give_phone, make_template, notices, switch_on
from tests.planning.worlds import make_ready_case
from tests.worlds import TODAY, World, make_visit


@pytest.fixture
def visit_id(sessions: sessionmaker[Session], world: World) -> uuid.UUID:
    """A visit at which the debtor was met this morning; a policy wants the result told in two working days."""
    give_phone(sessions, world)
    switch_on(sessions, world.agency, asks_for("result", amount=2, form="any", contents=()))
    with acting_for_all(sessions) as session:
        case = make_ready_case(session, world)
        give_address(session, case)
        visit = make_visit(session, world, case, state=VisitState.REPORTED)
        visit.outcome, visit.ended_at = VisitOutcome.MET_DEBTOR, NOW - dt.timedelta(hours=1)
        return visit.id


def close(sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID) -> list[Notice]:
    with acting_for(sessions, world.agency) as session:
        close_and_tell(session, visit_id, next_step=NextStep.CALL, now=NOW)
    return notices(sessions)


def test_the_result_is_told_by_the_day_that_the_policy_names(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID
) -> None:
    make_template(sessions, world.agency, NoticeAbout.RESULT, contents=())
    (told,) = close(sessions, world, visit_id)
    # The visit was on Tuesday: two working days after it is Thursday.
    assert (told.about, told.state) == (NoticeAbout.RESULT, NoticeState.QUEUED)
    assert told.due_on == TODAY + dt.timedelta(days=2)


def test_a_result_for_which_there_are_no_words_waits_in_sight(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID
) -> None:
    assert close(sessions, world, visit_id) == []
    with acting_for(sessions, world.agency) as session:
        (one,) = due(session, world.agency, now=NOW + dt.timedelta(minutes=1))
    assert (one.kind, one.visit_id, one.reason) == (DueKind.RESULT_NOT_TOLD, visit_id, "no_template_fits")


def test_who_was_not_met_is_not_written_to(sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID) -> None:
    make_template(sessions, world.agency, NoticeAbout.RESULT, contents=())
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Visit).values(outcome=VisitOutcome.NOBODY))
    assert close(sessions, world, visit_id) == []
