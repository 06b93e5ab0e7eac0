"""A visit that a policy wants announced: told in time, made when its debtor was told, told anew when it moves, and told
off when nobody comes."""

import datetime as dt
import uuid
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.apart import LeftUndone
from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import AtTheDoor, decide
from fieldvisit.models import DayPlan, Notice, Stop, Visit, VisitEvent
from fieldvisit.notices.due import DueKind, due
from fieldvisit.notices.filing import AnnouncedTooLate, NoticeDraft, file_notice
from fieldvisit.notices.receipts import Arrival, note_arrival, withdraw
from fieldvisit.notices.wording import offending
from fieldvisit.planning.effects import effects_of
from fieldvisit.planning.plans import get_plan
from fieldvisit.planning.publishing import publish_plan
from fieldvisit.planning.rest import standing_of
from fieldvisit.rejudging import rejudge
from fieldvisit.visits import CancelReason, cancel_visit, get_visit, return_unbegun
from fieldvisit.vocabulary import (
    BlockScope,
    BlockTrigger,
    CheckMoment,
    NoticeState,
    UnservedReason,
    Verdict,
    VisitState,
)
from tests.conftest import NOW
from tests.notices.mail import MailServer, mail_server
from tests.notices.worlds import asks_for, give_address, give_phone, make_template, notices, sender_of, switch_on
from tests.planning.worlds import at, day_of, drafted, make_crew, make_ready_visit
from tests.worlds import World

DAY = dt.date(2026, 3, 11)
"""Wednesday: five whole working days after the notice of Tuesday 3 March."""
LATER = NOW + dt.timedelta(minutes=5)


@pytest.fixture(scope="module")
def mail() -> Iterator[MailServer]:
    with mail_server() as server:
        yield server


@pytest.fixture
def visit_id(sessions: sessionmaker[Session], world: World, mail: MailServer) -> uuid.UUID:
    """One visit that waits, five working days' notice demanded of it, words for it, and crews on two days."""
    mail.letters.clear()
    give_phone(sessions, world)
    switch_on(sessions, world.agency, asks_for())
    make_template(sessions, world.agency)
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A", on=DAY)
        make_crew(session, world, "A", on=DAY - dt.timedelta(days=1))
        visit = make_ready_visit(session, world)
        give_address(session, visit.case)
        return visit.id


def published(sessions: sessionmaker[Session], world: World, *, now: dt.datetime = LATER) -> uuid.UUID:
    plan_id = drafted(sessions, world, on=DAY)
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, plan_id, published_by_id=None, now=now)
    return plan_id


def tell(
    sessions: sessionmaker[Session],
    world: World,
    visit_id: uuid.UUID,
    begins: str = "10:00",
    ends: str = "12:00",
    on: dt.date = DAY,
) -> Notice:
    with acting_for(sessions, world.agency) as session:
        hours = {"announced_from": at(begins, on), "announced_until": at(ends, on)}
        draft = NoticeDraft(about=NoticeAbout.VISIT, visit_id=visit_id, **hours)
        return file_notice(session, draft, made_by_id=None, now=NOW)


def send(sessions: sessionmaker[Session], mail: MailServer, *, now: dt.datetime = LATER) -> int:
    return sender_of(sessions, mail.provider(), now=now).turn()


def at_the_door(sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, when: dt.datetime) -> list[str]:
    """The clauses that stand in the way of arriving then; those on people left out."""
    with acting_for(sessions, world.agency) as session:
        visit = get_visit(session, visit_id)
        span = Interval(when, when + dt.timedelta(minutes=20))
        asked = AtTheDoor(visit=visit, span=span, visitor_ids=[])
        decision = decide(session, asked, moment=CheckMoment.DOOR, now=when)
        in_the_way = [clause for clause in decision.deciding if clause.verdict is not Verdict.ALLOWED]
        return [clause.clause_id for clause in in_the_way if "/notices/" in clause.clause_id]


CLAUSE = ["contract@pohjola-field/notices/1"]


def begin_of(sessions: sessionmaker[Session], plan_id: uuid.UUID) -> dt.datetime:
    with acting_for_all(sessions) as session:
        plan = get_plan(session, plan_id)
        return plan.routes[0].stops[0].begin_at


def test_publishing_announces_the_visit_and_the_door_opens_once_it_was_told(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    begins = begin_of(sessions, published(sessions, world))
    (filed,) = notices(sessions)
    assert filed.announced_from is not None
    assert filed.announced_until is not None
    assert filed.announced_from <= begins < filed.announced_until
    assert at_the_door(sessions, world, visit_id, begins) == CLAUSE
    send(sessions, mail)
    assert "Wednesday, March 11, 2026" in mail.texts[0]
    assert at_the_door(sessions, world, visit_id, begins) == []
    assert at_the_door(sessions, world, visit_id, filed.announced_until) == CLAUSE
    assert at_the_door(sessions, world, visit_id, begins - dt.timedelta(days=1)) == CLAUSE


def test_without_words_for_it_the_visit_waits_for_a_person_in_sight(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.text("update notice_templates set withdrawn_at = fieldvisit_now()"))
    published(sessions, world)
    with acting_for(sessions, world.agency) as session:
        (one,) = due(session, world.agency, now=LATER)
        why = session.scalars(sa.select(VisitEvent.detail).where(VisitEvent.kind == "notice_not_filed")).one()
        assert (one.kind, one.visit_id, why["code"]) == (DueKind.NOT_ANNOUNCED, visit_id, "no_template_fits")


def test_a_visit_that_was_announced_is_planned_in_its_hours_alone(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID
) -> None:
    tell(sessions, world, visit_id)
    with acting_for(sessions, world.agency) as session:
        (on_the_day,) = day_of(session, world, on=DAY).visits
        (left_out,) = day_of(session, world, on=DAY - dt.timedelta(days=1)).left_out
        assert on_the_day.hours == (Interval(at("10:00", DAY), at("12:00", DAY)),)
        assert left_out.reason is UnservedReason.NOT_PERMITTED
        assert [clause["clause_id"] for clause in left_out.detail["clauses"]] == ["product/announced"]
    assert at("10:00", DAY) <= begin_of(sessions, published(sessions, world)) < at("12:00", DAY)
    assert [each.state for each in notices(sessions)] == [NoticeState.QUEUED]


def test_a_repair_of_the_day_keeps_the_hours_and_names_the_notice_that_would_break(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID
) -> None:
    tell(sessions, world, visit_id)
    plan_id = published(sessions, world)
    with acting_for(sessions, world.agency) as session:
        plan = get_plan(session, plan_id)
        assert standing_of(session, plan, LATER).announced == {visit_id: (10 * 3_600, 12 * 3_600)}
        moved = DayPlan(org_id=plan.org_id, area_id=plan.area_id, planned_on=DAY, routes=[], unserved=[])
        with session.no_autoflush:
            (effect,) = effects_of(session, plan, moved).visits
        assert (effect.visit_id, effect.breaks_notice) == (visit_id, True)
        session.expunge_all()


def test_a_visit_that_moves_out_of_its_hours_is_announced_anew(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    tell(sessions, world, visit_id, "09:00", "10:00")
    send(sessions, mail)
    plan_id = drafted(sessions, world, on=DAY)
    with acting_for_all(sessions) as session:
        for stop in session.scalars(sa.select(Stop)):
            stop.arrive_at = stop.begin_at = at("13:00", DAY)
            stop.end_at = at("13:20", DAY)
    with acting_for(sessions, world.agency) as session:
        publish_plan(session, plan_id, published_by_id=None, now=LATER)
    first, second = notices(sessions)
    assert (first.state, first.reason) == (NoticeState.WITHDRAWN, "announced_anew")
    assert second.announced_from == at("12:00", DAY)
    send(sessions, mail)
    assert at_the_door(sessions, world, visit_id, at("09:30", DAY)) == CLAUSE
    assert at_the_door(sessions, world, visit_id, at("13:05", DAY)) == []
    assert len(mail.letters) == 2


def test_a_visit_is_not_announced_too_late(sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID) -> None:
    with pytest.raises(AnnouncedTooLate) as refused:
        tell(sessions, world, visit_id, on=DAY - dt.timedelta(days=1))
    assert refused.value.details["earliest"] == "2026-03-10T22:00+00:00"


def test_whoever_was_told_of_a_visit_is_told_that_nobody_comes(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    tell(sessions, world, visit_id)
    send(sessions, mail)
    with acting_for(sessions, world.agency) as session:
        cancel_visit(session, visit_id, reason=CancelReason.BY_HAND, now=LATER)
    send(sessions, mail)
    first, second = notices(sessions)
    assert (first.state, first.reason, second.about, second.state) == (
        NoticeState.WITHDRAWN,
        "called_off",
        NoticeAbout.CALLED_OFF,
        NoticeState.SENT,
    )
    assert "Nobody will come on Wednesday, March 11, 2026 between 10:00" in mail.texts[1]
    assert send(sessions, mail) == 0


def test_whoever_waited_in_vain_is_told_once_when_that_is_known(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    tell(sessions, world, visit_id)
    published(sessions, world)
    send(sessions, mail)
    evening, morning = at("20:00", DAY), at("08:00", DAY + dt.timedelta(days=1))
    # A phone without signal may have been there: until the day is over nobody knows.
    assert send(sessions, mail, now=evening) == 0
    with acting_for(sessions, world.agency) as session:
        return_unbegun(session, morning, morning.date())
    send(sessions, mail, now=morning)
    first, second = notices(sessions)
    assert (first.state, second.about, second.state) == (NoticeState.SENT, NoticeAbout.CALLED_OFF, NoticeState.SENT)
    assert "Nobody came on Wednesday, March 11, 2026 between 10:00" in mail.texts[1]
    assert not offending(mail.texts[1], is_open=True)
    assert send(sessions, mail, now=morning + dt.timedelta(hours=1)) == 0
    with acting_for(sessions, world.agency) as session:
        # What was announced and missed is no announcement of another day.
        assert day_of(session, world, on=DAY, now=morning).visits == ()


@pytest.mark.parametrize(("came", "days"), [(True, 1), (False, 4)])
def test_whom_somebody_came_to_and_who_waited_long_ago_is_told_nothing(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer, came: bool, days: int
) -> None:
    tell(sessions, world, visit_id)
    send(sessions, mail)
    later = at("09:00", DAY + dt.timedelta(days=days))
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, visit_id)
        visit.arrived_at, visit.state = at("10:30", DAY) if came else None, VisitState.ELIGIBLE
    assert send(sessions, mail, now=later) == 0


def test_what_had_not_gone_out_does_not_have_to_be_taken_back(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    tell(sessions, world, visit_id)
    with acting_for(sessions, world.agency) as session:
        cancel_visit(session, visit_id, reason=CancelReason.BY_HAND, now=LATER)
    assert send(sessions, mail) == 0
    assert [(each.about, each.state) for each in notices(sessions)] == [(NoticeAbout.VISIT, NoticeState.WITHDRAWN)]


@pytest.mark.parametrize(
    ("trigger", "scope", "state"),
    [
        (BlockTrigger.DISPUTE, BlockScope.VISITS, NoticeState.SENT),
        (BlockTrigger.REPRESENTED, BlockScope.ALL, NoticeState.HELD_BACK),
    ],
)
def test_a_block_calls_off_what_was_announced_and_says_so_where_it_may(
    sessions: sessionmaker[Session],
    world: World,
    visit_id: uuid.UUID,
    mail: MailServer,
    trigger: BlockTrigger,
    scope: BlockScope,
    state: NoticeState,
) -> None:
    tell(sessions, world, visit_id)
    send(sessions, mail)
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, visit_id)
        block = BlockDraft(debtor_id=visit.debtor_id, trigger=trigger, scope=scope)
        file_block(session, block, filed_by_id=None, now=LATER)
    send(sessions, mail, now=LATER + dt.timedelta(minutes=1))
    assert [(each.about, each.state) for each in notices(sessions)][1:] == [(NoticeAbout.CALLED_OFF, state)]


def test_a_visit_that_is_judged_unlawful_is_called_off_to_its_debtor(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    tell(sessions, world, visit_id)
    published(sessions, world)
    send(sessions, mail)
    with acting_for_all(sessions) as session:
        session.execute(sa.text("update credentials set revoked_at = fieldvisit_now()"))
    with acting_for(sessions, world.agency) as session:
        assert rejudge(session, [visit_id], now=LATER, code="test").taken_back == (visit_id,)
    send(sessions, mail)
    assert [each.about for each in notices(sessions)] == [NoticeAbout.VISIT, NoticeAbout.CALLED_OFF]


def test_a_notice_that_came_back_takes_the_visit_back(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    filed = tell(sessions, world, visit_id)
    published(sessions, world)
    send(sessions, mail)
    lost = dt.datetime(2026, 3, 5, 9, tzinfo=dt.UTC)
    with acting_for(sessions, world.agency) as session:
        note_arrival(session, filed.id, Arrival(at=lost, kind=NoticeState.UNDELIVERABLE), by=None, now=lost)
        assert get_visit(session, visit_id).state is VisitState.ELIGIBLE


def test_a_notice_that_waits_to_be_sent_takes_nothing_back_while_there_is_time(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID
) -> None:
    published(sessions, world)
    with acting_for(sessions, world.agency) as session:
        assert rejudge(session, [visit_id], now=LATER, code="test").taken_back == ()
        too_late = dt.datetime(2026, 3, 4, 9, tzinfo=dt.UTC)
        assert rejudge(session, [visit_id], now=too_late, code="test").taken_back == (visit_id,)


def test_a_notice_taken_back_by_hand_frees_the_visit_and_tells_the_debtor(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    filed = tell(sessions, world, visit_id)
    send(sessions, mail)
    with acting_for(sessions, world.agency) as session:
        withdraw(session, filed.id, now=LATER)
        (free,) = day_of(session, world, on=DAY, now=LATER).visits
        assert free.hours != (Interval(at("10:00", DAY), at("12:00", DAY)),)
    send(sessions, mail)
    assert len(mail.letters) == 2


def test_a_debtor_that_cannot_be_read_keeps_no_other_from_being_told(
    sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, mail: MailServer
) -> None:
    with acting_for_all(sessions) as session:
        other = make_ready_visit(session, world)
        give_address(session, other.case, "ilta@example.org")
    for each in (visit_id, other.id):
        tell(sessions, world, each)
    send(sessions, mail)
    with acting_for(sessions, world.agency) as session:
        for each in (visit_id, other.id):
            cancel_visit(session, each, reason=CancelReason.BY_HAND, now=LATER)
    with acting_for_all(sessions) as session:
        rubbish = sa.text("update debtors set name = decode('0102', 'hex') where id = :id")
        session.execute(rubbish, {"id": session.get_one(Visit, visit_id).debtor_id})
    sender = sender_of(sessions, mail.provider(), now=LATER)
    with pytest.raises(LeftUndone, match="1 failed: call_off"):
        sender.turn()
    assert "Nobody will come" in mail.texts[2]
    assert (len(mail.letters), mail.recipients[-1]) == (3, "ilta@example.org")
    # It stays to be told, and is tried again, but not in every turn.
    assert sender.turn() == 0
    with pytest.raises(LeftUndone):
        send(sessions, mail)
