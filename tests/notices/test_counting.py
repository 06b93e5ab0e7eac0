"""A notice that was sent is a contact: it counts under the caps that span its channel, and waits where they have no
room."""

import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.caps import reserve_slots
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import AtTheDoor, Judged, judge_all
from fieldvisit.models import Visit
from fieldvisit.notices.filing import NoticeDraft, file_notice
from fieldvisit.notices.receipts import retry
from fieldvisit.vocabulary import CheckMoment, NoticeState, VisitState
from tests.conftest import NOW
from tests.notices.mail import MailServer, mail_server
from tests.notices.worlds import give_address, give_phone, make_template, notices, sender_of, switch_on
from tests.planning.worlds import make_ready_visit
from tests.worlds import World, make_visitor

CAP = """
[[caps]]
id = "contract/caps/1"
max = 1
period = "{period}"
channels = [{channels}]
counts = "attempt"
scope = "debtor"
notices = {counts}
source = "a contract"
confidence = "house"
"""
DAY = dt.timedelta(days=1)
CLAUSE = "contract@pohjola-field/caps/1"


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def visit_id(sessions: sessionmaker[Session], world: World, mail: MailServer) -> uuid.UUID:
    mail.letters.clear()
    give_phone(sessions, world)
    make_template(sessions, world.agency, NoticeAbout.START, contents=())
    with acting_for_all(sessions) as session:
        visit = make_ready_visit(session, world)
        give_address(session, visit.case)
        return visit.id


def write(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer, at: dt.datetime
) -> None:
    """One more mail to the debtor, filed and sent."""
    with acting_for(sessions, world.agency) as session:
        draft = NoticeDraft(about=NoticeAbout.START, case_id=session.get_one(Visit, visit_id).case_id)
        file_notice(session, draft, made_by_id=None, now=at)
    sender_of(sessions, mail.provider(), now=at).turn()


def judge(session: Session, visit_id: uuid.UUID, visitor_id: uuid.UUID) -> Judged:
    span = Interval(NOW + DAY, NOW + DAY + dt.timedelta(minutes=20))
    asked = AtTheDoor(visit=session.get_one(Visit, visit_id), span=span, visitor_ids=[visitor_id])
    (judged,) = judge_all(session, [asked], moment=CheckMoment.PLANNING, now=NOW)
    return judged


@pytest.mark.parametrize(("counts", "full"), [("true", True), ("false", False)])
def test_a_mail_takes_the_slot_that_it_shares_with_a_visit_unless_the_cap_leaves_notices_out(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer, counts: str, full: bool
) -> None:
    shared = CAP.format(
        period='rolling_days"\ndays = 7\nweek_starts = "mon', channels='"email", "visit"', counts=counts
    )
    switch_on(sessions, world.agency, shared)
    with acting_for_all(sessions) as session:
        visitor_id = make_visitor(session, world).id
    with acting_for(sessions, world.agency) as session:
        before = judge(session, visit_id, visitor_id)
        assert CLAUSE not in {clause.clause_id for clause in before.decision.deciding if clause.fact_ids}
    write(sessions, world, visit_id, mail, NOW)
    (sent,) = notices(sessions)
    assert (sent.state, len(mail.letters)) == (NoticeState.SENT, 1)
    with acting_for(sessions, world.agency) as session:
        after = judge(session, visit_id, visitor_id)
        (clause,) = [clause for clause in after.decision.clauses if clause.clause_id == CLAUSE]
        assert clause.fact_ids == ((str(sent.id),) if full else ())
        # The database says the same to a planner who asked before it was sent.
        session.get_one(Visit, visit_id).state = VisitState.PLANNED
        session.get_one(Visit, visit_id).planned_on = (NOW + DAY).date()
        refused = reserve_slots(session, before)
        assert (refused is not None and refused.clause_id == CLAUSE) is full


def test_a_message_for_which_the_day_has_no_room_is_held_back_and_goes_out_when_there_is(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    switch_on(sessions, world.agency, CAP.format(period="calendar_day", channels='"email", "sms"', counts="true"))
    write(sessions, world, visit_id, mail, NOW)
    write(sessions, world, visit_id, mail, NOW + dt.timedelta(hours=2))
    first, second = notices(sessions)
    assert [(each.state, each.reason) for each in (first, second)] == [
        (NoticeState.SENT, None),
        (NoticeState.HELD_BACK, CLAUSE),
    ]
    with acting_for(sessions, world.agency) as session:
        retry(session, second.id, now=NOW + DAY)
    # The database's clock has to have come that far too.
    with acting_for_all(sessions) as session:
        session.execute(sa.text("update notices set next_try_at = fieldvisit_now() where next_try_at is not null"))
    sender_of(sessions, mail.provider(), now=NOW + DAY).turn()
    assert [each.state for each in notices(sessions)] == [NoticeState.SENT, NoticeState.SENT]
    assert len(mail.letters) == 2
