"""A number outside the house, by its rules: called when nobody of the house answers, or nobody is on duty."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import DutyShift, OutboxMessage, Place, SafetyRules, SafetySession, Visit
from fieldvisit.safety.drills import DrillDraft, begin_drill
from fieldvisit.safety.handling import reopen
from fieldvisit.safety.receipts import Receipt, ReceiptKind, take_receipt
from fieldvisit.safety.rules import ExternalLine, RulesDraft, rules_in_force, set_rules
from fieldvisit.vocabulary import AlertState, DrillKind, MessagePurpose, MessageRecipient, RiskLevel
from tests.safety.offices import Office
from tests.safety.worlds import MINUTE, Door
from tests.worlds import make_case, make_visit

GUARD = ExternalLine(name="Pohja Guard", number="+358401234567", sms=True)


def agree(door: Door, line: ExternalLine | None = GUARD) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        draft = RulesDraft(positions_days=30, sessions_days=730, external=line, reason="By contract of 2026.")
        set_rules(session, draft, door.officer.account_id)
        assert rules_in_force(session).rules.external == line


def test_rules_that_a_later_version_has_set_are_read(door: Door) -> None:
    agree(door)
    with acting_for_all(door.sessions) as session:
        row = session.scalars(sa.select(SafetyRules)).one()
        later = {column.key: getattr(row, column.key) for column in sa.inspect(SafetyRules).columns}
        later |= {"id": uuid.uuid4(), "set_at": row.set_at + dt.timedelta(seconds=1)}
        later |= {"external": (row.external or {}) | {"of_a_later_version": 1}}
        session.add(SafetyRules(**later | {"drills": {"of_a_later_version": 3, "sos": 24}}))
    with acting_for(door.sessions, door.world.agency) as session:
        rules = rules_in_force(session).rules
    assert (rules.external, [(each.kind, each.every_months) for each in rules.drills]) == (GUARD, [(DrillKind.SOS, 24)])


def outside(office: Office, purpose: MessagePurpose = MessagePurpose.ALARM) -> list[OutboxMessage]:
    return [
        each for each in office.messages() if each.recipient is MessageRecipient.EXTERNAL and each.purpose is purpose
    ]


def silent_until_exhausted(office: Office) -> None:
    office.door.start(RiskLevel.LOW)
    office.turn(36 * MINUTE)
    for _ in range(4):
        assert outside(office) == []
        office.turn(2 * MINUTE + 1)
    assert office.door.alert().state is AlertState.EXHAUSTED


def test_it_is_called_when_the_house_is_exhausted_again_each_round_until_it_confirms(told_office: Office) -> None:
    office = told_office
    agree(office.door)
    silent_until_exhausted(office)
    assert sorted(each.channel.value for each in outside(office)) == ["sms", "voice"]
    office.turn(2 * MINUTE + 1)
    assert len(outside(office)) == 4
    call = next(each for each in outside(office) if each.channel.value == "voice" and each.round == 2)
    with acting_for_all(office.door.sessions) as session:
        # Told again while the first telling is under way: the message as it was read before that is written down.
        read_before = session.get_one(OutboxMessage, call.id)
        office.receive(ReceiptKind.KEY, call, "1")
        key = Receipt(message_id=read_before.id, kind=ReceiptKind.KEY, key="1")
        take_receipt(session, key, {}, told_by="voice-a")
    office.receive(ReceiptKind.KEY, call, "1")
    assert office.door.alert().state is AlertState.EXHAUSTED, "the alarm stays the house's"
    session_id = office.door.alert().session_id
    assert office.door.told_events(session_id).count("external_confirmed") == 1
    assert [each.detail["external"] for each in office.door.events(session_id) if each.kind == "exhausted"] == [2, 2]
    office.turn(2 * MINUTE + 1)
    assert len(outside(office)) == 4, "who has confirmed is not called again"
    office.door.acknowledge()
    office.door.resolve(resume=False)
    assert [each.channel.value for each in outside(office, MessagePurpose.ALL_CLEAR)] == ["sms"]


def test_what_it_confirmed_before_the_alert_was_opened_again_counts_for_nothing(told_office: Office) -> None:
    office = told_office
    agree(office.door)
    silent_until_exhausted(office)
    office.receive(ReceiptKind.KEY, outside(office)[0], "1")
    office.door.acknowledge()
    office.door.resolve(resume=False)
    with acting_for(office.door.sessions, office.door.world.agency) as session:
        reopen(session, office.door.alert().id, office.door.other_officer, "It was not over.")
    before = len(outside(office))
    for _ in range(4):
        office.turn(2 * MINUTE + 1)
    assert office.door.alert().state is AlertState.EXHAUSTED
    assert len(outside(office)) == before + 2


def test_nobody_on_duty_it_is_called_at_once_and_the_house_is_not_waited_for(office: Office) -> None:
    agree(office.door)
    with acting_for_all(office.door.sessions) as session:
        session.execute(sa.delete(DutyShift))
    office.door.call_for_help()
    assert len(outside(office)) == 2
    office.turn(1)
    office.turn(1)
    assert office.door.alert().state is AlertState.EXHAUSTED


@pytest.mark.parametrize("line", [None, GUARD])
def test_no_drill_reaches_it_and_no_house_without_the_rule(office: Office, line: ExternalLine | None) -> None:
    agree(office.door, line)
    if line is None:
        office.door.call_for_help()
    else:
        draft = DrillDraft(visitor_id=office.door.visitor_id, kind=DrillKind.SOS, note="Agreed with her.")
        with acting_for(office.door.sessions, office.door.world.agency) as session:
            begin_drill(session, draft, office.door.officer)
    for _ in range(4):
        office.turn(2 * MINUTE + 1)
    assert office.door.alert().state is AlertState.EXHAUSTED
    assert outside(office) == []


def test_it_hears_who_where_and_how_dangerous_and_of_the_debtor_nothing_but_the_address(office: Office) -> None:
    door = office.door
    agree(door)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.delete(DutyShift))
        visit = make_visit(session, door.world, make_case(session, door.world))
        place = session.get_one(Place, visit.place_id)
        address, visit_id = place.address, visit.id
    session_id = door.call_for_help(visit_id=visit_id, lat=60.17, lon=24.94)
    with acting_for_all(door.sessions) as session:
        assert session.get_one(SafetySession, session_id).visit_id == visit_id
        debtor = session.get_one(Visit, visit_id).debtor
        names = {debtor.name}
    office.send()
    said = [each["text"] for each in office.heard() if each["to"] == GUARD.number]
    assert len(said) == 2
    for text in said:
        assert address in text
        assert "60.17000,24.94000" in text
        assert "risk" in text
        assert not any(name in text for name in names)
        assert "Do not call the visitor" not in text


@pytest.mark.parametrize("wrong", [{"number": "112"}, {"name": " "}, {"language": "xx"}])
def test_a_line_is_a_number_that_can_be_rung(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidValue):
        ExternalLine(**{"name": "Guard", "number": "+358401234567"} | wrong)
