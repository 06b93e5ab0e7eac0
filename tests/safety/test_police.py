"""Whether the police is called is put on record within five minutes, or the safety manager is told."""

import psycopg
import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import OfficerContact, OutboxMessage
from fieldvisit.safety.alerts import AlertNotYours
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.drills import DrillDraft, begin_drill
from fieldvisit.safety.handling import OnlyADrill, Referral, record_call, refer
from fieldvisit.safety.police import decide_police
from fieldvisit.vocabulary import AlarmChannel, CallResult, DrillKind, DutyRank, MessagePurpose, PoliceDecision, Role
from tests.safety.offices import Office
from tests.safety.test_crews import two_crews
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty


def manager_on_duty(door: Door) -> str:
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SUPERVISOR)
        put_on_duty(session, account, DutyRank.SAFETY_MANAGER)
        return account.username


def told(office: Office) -> list[OutboxMessage]:
    return [each for each in office.messages() if each.purpose is MessagePurpose.POLICE_UNDECIDED]


def decide(door: Door, by: Officer | None = None) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        note = "A dog, she is in her car."
        decide_police(session, door.alert().id, by or door.officer, decision=PoliceDecision.NOT_CALLED, note=note)


def work_on_it(office: Office, minutes: int) -> None:
    """Its owner says something each minute, so that it never lapses."""
    for _ in range(minutes):
        office.door.note()
        office.turn(MINUTE)


def test_what_is_not_decided_is_named_to_the_safety_manager_again_and_again(office: Office) -> None:
    door, manager = office.door, manager_on_duty(office.door)
    session_id = door.call_for_help()
    door.acknowledge()
    work_on_it(office, 4)
    assert told(office) == []
    work_on_it(office, 2)
    assert sorted(each.channel.value for each in told(office)) == ["sms", "voice"]
    said = [each for each in office.heard() if each["text"].startswith("UNDECIDED")]
    assert {each["to"] for each in said} == {f"sms:{manager}", f"voice:{manager}"}
    assert door.alert().owner_id == door.officer.account_id, "it stays its owner's"
    work_on_it(office, 5)
    assert (len(told(office)), door.told_events(session_id).count("police_undecided")) == (4, 2)
    decide(door)
    work_on_it(office, 6)
    assert (len(told(office)), door.alert().police_due_at) == (4, None)
    assert door.told_events(session_id).count("police_decided") == 1


def test_a_manager_who_went_out_with_her_is_told_nothing_and_everybody_else_is(office: Office) -> None:
    door, other = office.door, another_door(office.door)
    visit_id = two_crews(door, other, meet=True)
    with acting_for_all(door.sessions) as session:
        partner = make_account(session, door.world, Role.SUPERVISOR, Role.VISITOR, visitor_id=other.visitor_id)
        put_on_duty(session, partner, DutyRank.SAFETY_MANAGER)
    door.start(visit_id=visit_id, covered=True)
    door.call_for_help(covert=True)
    door.acknowledge()
    work_on_it(office, 6)
    assert [each["text"] for each in office.heard() if partner.username in each["to"]] == []
    assert len(told(office)) == 4, "two officers by two ways"


def test_while_nobody_can_say_who_goes_with_whom_rather_too_many_are_told(office: Office, urls: Urls) -> None:
    door, other = office.door, another_door(office.door)
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SUPERVISOR, Role.VISITOR, visitor_id=other.visitor_id)
        put_on_duty(session, account, DutyRank.SAFETY_MANAGER)
    door.call_for_help()
    door.acknowledge()
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as owner:
        owner.execute("alter table shifts rename to elsewhere")
        try:
            work_on_it(office, 6)
        finally:
            owner.execute("alter table elsewhere rename to shifts")
    assert len(told(office)) == 2


@pytest.mark.parametrize("channels", [(), (AlarmChannel.PUSH,)])
def test_a_manager_whom_nothing_reaches_for_certain_is_none(office: Office, channels: tuple[AlarmChannel, ...]) -> None:
    door = office.door
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SUPERVISOR)
        put_on_duty(session, account, DutyRank.SAFETY_MANAGER, *channels)
        if not channels:
            session.execute(
                sa.update(OfficerContact).where(OfficerContact.account_id == account.id).values(active=False)
            )
    door.call_for_help()
    door.acknowledge()
    work_on_it(office, 6)
    assert {each.channel.value for each in told(office)} >= {"sms", "voice"}


@pytest.mark.parametrize("way", ["decision", "referral", "closed"])
def test_what_was_decided_referred_or_closed_is_named_to_nobody(office: Office, way: str) -> None:
    door = office.door
    door.call_for_help()
    door.acknowledge()
    if way == "decision":
        decide(door)
    elif way == "referral":
        with acting_for(door.sessions, door.world.agency) as session:
            refer(session, door.alert().id, door.officer, Referral(service="Police", reference="112-7"))
    else:
        door.resolve(resume=False)
    for _ in range(3):
        office.turn(3 * MINUTE)
    assert told(office) == []


def test_only_its_owner_decides_and_everybody_is_told_where_nobody_manages(office: Office) -> None:
    door = office.door
    door.call_for_help()
    with pytest.raises(AlertNotYours):
        decide(door, door.other_officer)
    for _ in range(4):
        office.turn(2 * MINUTE)
    assert told(office) == [], "everybody is being called anyway"
    door.acknowledge()
    office.turn(30)
    assert told(office) == [], "it was taken half a minute ago"
    office.turn(31)
    assert len(told(office)) == 4, "two officers by two ways"


def test_silence_is_not_asked_about_until_an_answer_turns_it_into_duress(office: Office) -> None:
    door = office.door
    door.start()
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    door.acknowledge()
    work_on_it(office, 6)
    assert (told(office), door.alert().police_due_at) == ([], None)
    with acting_for(door.sessions, door.world.agency) as session:
        record_call(session, door.alert().id, door.officer, CallResult.DURESS_WORD)
    work_on_it(office, 6)
    assert told(office) != []


def test_nothing_is_decided_of_a_drill(office: Office) -> None:
    door = office.door
    with acting_for(door.sessions, door.world.agency) as session:
        begin_drill(session, DrillDraft(visitor_id=door.visitor_id, kind=DrillKind.SOS, note="Agreed."), door.officer)
    door.acknowledge()
    with pytest.raises(OnlyADrill):
        decide(door)
    for _ in range(3):
        office.turn(3 * MINUTE)
    with acting_for_all(door.sessions) as session:
        undecided = sa.select(OutboxMessage).where(OutboxMessage.purpose == MessagePurpose.POLICE_UNDECIDED)
        assert session.scalars(undecided).all() == []
