"""Whoever goes alone names a buddy where the house says so, and the buddy is called."""

import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import OutboxMessage, SafetySession, Visitor
from fieldvisit.safety.cover import override_cover
from fieldvisit.safety.pairs import BuddyNeeded
from fieldvisit.safety.rules import RulesDraft, set_rules
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import MessagePurpose, MessageRecipient, RiskLevel
from tests.phone.worlds import make_plan, make_visit_on_evidence
from tests.safety.worlds import MINUTE, Door, another_door

NUMBER = "+358401112233"


@pytest.fixture
def buddy(door: Door) -> Door:
    other = another_door(door)
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, other.visitor_id).phone = NUMBER
    return other


def demand(door: Door) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        draft = RulesDraft(
            positions_days=30, sessions_days=730, buddy_from=RiskLevel.RAISED, reason="Nobody goes unknown."
        )
        set_rules(session, draft, door.officer.account_id)


def to_buddy(session: Session) -> list[tuple[str, str]]:
    rows = session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.recipient == MessageRecipient.BUDDY).order_by(OutboxMessage.id)
    )
    return sorted((row.purpose.value, row.channel.value) for row in rows)


def test_nobody_goes_alone_at_that_level_who_has_named_nobody(door: Door, buddy: Door) -> None:
    demand(door)
    with pytest.raises(BuddyNeeded):
        door.start(RiskLevel.RAISED, covered=True)
    door.end(door.start(covered=True))
    door.end(door.start(RiskLevel.RAISED, covered=True, buddy_id=buddy.visitor_id))
    with acting_for(door.sessions, door.world.agency) as session:
        override_cover(session, door.visitor_id, door.officer, "Short of people today.")
    overridden = door.start(RiskLevel.RAISED, covered=True)
    assert "cover_overridden" in door.told_events(overridden)


def test_a_partner_by_the_plan_is_as_good_as_a_buddy(door: Door, buddy: Door) -> None:
    demand(door)
    with acting_for_all(door.sessions) as session:
        visit = make_visit_on_evidence(session, door.world)
        make_plan(session, door.world, [door.visitor_id, buddy.visitor_id], [visit])
    door.start(RiskLevel.RAISED, covered=True, visit_id=visit.id)


def test_the_buddy_is_written_to_when_a_check_in_is_due_and_rung_with_the_alarm(door: Door, buddy: Door) -> None:
    session_id = door.start(buddy_id=buddy.visitor_id)
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, door.visitor_id).phone = "+358409998877"
    door.pass_under_watch_s(15 * MINUTE + 1)
    door.watch()
    with acting_for_all(door.sessions) as session:
        assert to_buddy(session) == [("overdue", "sms")]
    door.pass_under_watch_s(3 * MINUTE)
    assert door.watch().raised == 1
    with acting_for_all(door.sessions) as session:
        assert to_buddy(session) == [("alarm", "sms"), ("alarm", "voice"), ("overdue", "sms")]
        said = told(session, MessagePurpose.ALARM)
        row = session.get_one(SafetySession, session_id)
        assert {letter.to for letter in said} == {NUMBER}
        assert all("named you as buddy" in letter.text and "Press 1" not in letter.text for letter in said)
        assert all(row.visitor.name in letter.text for letter in said)
    door.acknowledge()
    door.resolve(resume=False)


def told(session: Session, purpose: MessagePurpose) -> list[object]:
    rows = session.scalars(
        sa.select(OutboxMessage).where(
            OutboxMessage.recipient == MessageRecipient.BUDDY, OutboxMessage.purpose == purpose
        )
    ).all()
    return [*write(session, [row.id for row in rows]).values()]


def test_no_buddy_learns_of_what_nobody_may_see(door: Door, buddy: Door) -> None:
    door.start(buddy_id=buddy.visitor_id, event_id=uuid.uuid4())
    door.call_for_help(covert=True)
    with acting_for_all(door.sessions) as session:
        assert to_buddy(session) == []
