"""A shift goes from one officer to the other with what is open, and at no moment is it nobody's."""

import datetime as dt
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import Account, DutyShift, OfficerContact
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.gaps import Gap, cover_ahead, gaps_between
from fieldvisit.safety.handing_over import (
    NotReachable,
    NotYourShift,
    ShiftOver,
    TakenOver,
    offer_duty,
    take_duty,
    withdraw_offer,
)
from fieldvisit.safety.roster import CoverNeeded, drop_contact, end_duty
from fieldvisit.vocabulary import AlarmChannel, DutyRank, Role
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.safety.worlds import Door, another_door, make_account, put_on_duty

HOUR = dt.timedelta(hours=1)


def shift_of(door: Door, officer: Officer) -> DutyShift:
    with acting_for_all(door.sessions) as session:
        return session.scalars(sa.select(DutyShift).where(DutyShift.account_id == officer.account_id)).one()


def offer(door: Door, to: Officer, *, by: Officer | None = None) -> uuid.UUID:
    shift_id = shift_of(door, door.officer).id
    with acting_for(door.sessions, door.world.agency) as session:
        return offer_duty(session, shift_id, by or door.officer, to.account_id).id


def take(door: Door, shift_id: uuid.UUID, by: Officer) -> TakenOver:
    with acting_for(door.sessions, door.world.agency) as session:
        return take_duty(session, shift_id, by)


@pytest.fixture
def relief(door: Door) -> Officer:
    """Somebody who is not on duty yet."""
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.SAFETY_OFFICER)
        session.add(
            OfficerContact(
                org_id=door.world.agency, account_id=account.id, channel=AlarmChannel.SMS, address="+358401234567"
            )
        )
        return Officer(account_id=account.id)


def test_a_shift_is_taken_with_its_alerts_and_ends_when_the_other_begins(door: Door, relief: Officer) -> None:
    session_id = door.call_for_help()
    door.acknowledge()
    before = shift_of(door, door.officer)
    shift_id = offer(door, relief)
    assert (shift_of(door, door.officer).ends_at, door.alert().owner_id) == (before.ends_at, door.officer.account_id)
    with pytest.raises(NotYourShift):
        take(door, shift_id, door.other_officer)
    taken = take(door, shift_id, relief)
    after = shift_of(door, door.officer)
    assert (after.ends_at, after.offered_to_id) == (taken.shift.starts_at, None)
    assert (taken.shift.ends_at, taken.shift.rank, taken.shift.taken_from_id) == (
        before.ends_at,
        DutyRank.DUTY,
        door.officer.account_id,
    )
    assert (taken.alert_ids, taken.kept_ids, door.alert().owner_id) == ((door.alert().id,), (), relief.account_id)
    handed = door.events(session_id)[-1]
    assert (handed.kind, handed.detail["from_id"], handed.detail["with_duty"]) == (
        "handed_over",
        str(door.officer.account_id),
        True,
    )
    door.note(relief, "I have it now.")
    again = take(door, shift_id, relief)
    assert (again.shift.id, again.alert_ids, again.kept_ids) == (taken.shift.id, taken.alert_ids, ())
    with acting_for(door.sessions, door.world.agency) as session:
        session.execute(sa.delete(DutyShift).where(DutyShift.id == taken.shift.id))
    with pytest.raises(ShiftOver):
        take(door, shift_id, relief)


def test_who_takes_a_shift_that_lies_ahead_takes_no_alert_that_is_held_now(door: Door, relief: Officer) -> None:
    door.call_for_help()
    door.acknowledge()
    today = shift_of(door, door.officer)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(DutyShift).where(DutyShift.id == today.id).values(starts_at=today.ends_at - 2 * HOUR))
    taken = take(door, offer(door, relief), relief)
    assert (taken.alert_ids, taken.kept_ids, taken.shift.starts_at) == ((), (), today.ends_at - 2 * HOUR)
    again = take(door, today.id, relief)
    assert (again.shift.id, again.shift.account_id, again.alert_ids) == (taken.shift.id, relief.account_id, ())
    with pytest.raises(NotYourShift):
        take(door, today.id, door.officer)
    assert door.alert().owner_id == door.officer.account_id
    door.note(text="We are still on the line.")


def test_what_the_other_may_not_handle_stays_where_it_is(door: Door) -> None:
    """The one who takes the shift goes out as well, and it is about them."""
    with acting_for_all(door.sessions) as session:
        own = make_account(session, door.world, Role.SAFETY_OFFICER, Role.VISITOR, visitor_id=door.visitor_id)
        put_on_duty(session, own, DutyRank.BACKUP)
        subject = Officer(account_id=own.id, visitor_id=door.visitor_id)
    door.call_for_help()
    door.acknowledge()
    taken_id = offer(door, subject)
    taken = take(door, taken_id, subject)
    assert (taken.alert_ids, taken.kept_ids) == ((), (door.alert().id,))
    assert take(door, taken_id, subject).kept_ids == taken.kept_ids
    assert door.alert().owner_id == door.officer.account_id


def test_nobody_offers_what_is_not_theirs_nor_to_whom_no_alarm_reaches(door: Door, relief: Officer) -> None:
    with pytest.raises(NotYourShift):
        offer(door, relief, by=door.other_officer)
    with acting_for_all(door.sessions) as session:
        pushed = make_account(session, door.world, Role.SAFETY_OFFICER)
        session.add(
            OfficerContact(org_id=door.world.agency, account_id=pushed.id, channel=AlarmChannel.PUSH, address="up")
        )
    with pytest.raises(NotReachable):
        offer(door, Officer(account_id=pushed.id))
    shift_id = offer(door, relief)
    with acting_for(door.sessions, door.world.agency) as session:
        withdraw_offer(session, shift_id, relief)
    with pytest.raises(NotYourShift):
        take(door, shift_id, relief)


def test_who_declines_a_shift_may_say_so_again(door: Door, relief: Officer) -> None:
    def withdraw(by: Officer) -> None:
        with acting_for(door.sessions, door.world.agency) as session:
            withdraw_offer(session, shift_id, by)

    shift_id = offer(door, relief)
    withdraw(relief)
    withdraw(relief)
    offer(door, door.other_officer)
    withdraw(relief)
    # And it takes nothing from whom it was offered to since.
    assert shift_of(door, door.officer).offered_to_id == door.other_officer.account_id
    take(door, shift_id, door.other_officer)
    withdraw(relief)
    with pytest.raises(ShiftOver):
        withdraw(door.officer)


def test_who_declined_a_shift_and_took_it_later_takes_their_own_offer_back(door: Door, relief: Officer) -> None:
    def withdraw(by: Officer) -> None:
        with acting_for(door.sessions, door.world.agency) as session:
            withdraw_offer(session, ahead.id, by)

    ahead = shift_of(door, door.officer)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(DutyShift).where(DutyShift.id == ahead.id).values(starts_at=ahead.ends_at - HOUR))
    offer(door, relief)
    withdraw(relief)
    take(door, offer(door, relief), relief)
    with acting_for(door.sessions, door.world.agency) as session:
        offer_duty(session, ahead.id, relief, door.other_officer.account_id)
    withdraw(relief)
    with pytest.raises(NotYourShift):
        take(door, ahead.id, door.other_officer)
    assert shift_of(door, relief).declined_by_id is None


def test_the_last_shift_stays_while_somebody_is_out(door: Door) -> None:
    first, second = shift_of(door, door.officer).id, shift_of(door, door.other_officer).id
    session_id = another_door(door).start()

    def end(shift_id: uuid.UUID) -> None:
        with acting_for(door.sessions, door.world.agency) as session:
            end_duty(session, shift_id)

    end(first)
    with pytest.raises(CoverNeeded):
        end(second)
    assert shift_of(door, door.other_officer).id == second
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("update safety_sessions set state = 'ended' where id = :id"), {"id": session_id})
    end(second)


def test_the_last_shift_of_another_stays_while_an_officer_is_out(door: Door) -> None:
    lead = another_door(door)
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.VISITOR, Role.SUPERVISOR, visitor_id=lead.visitor_id)
        put_on_duty(session, account, DutyRank.TEAM_LEAD)
    lead.start()
    another_door(door).start()
    with acting_for(door.sessions, door.world.agency) as session:
        end_duty(session, shift_of(door, door.officer).id)
        assert cover_ahead(session, hours=1).reachable == 1, "of the lead's alarm; two of the other one's"
    with pytest.raises(CoverNeeded), acting_for(door.sessions, door.world.agency) as session:
        end_duty(session, shift_of(door, door.other_officer).id)


def test_no_shift_is_taken_by_the_one_who_is_out_where_nobody_else_is_left(door: Door) -> None:
    lead = another_door(door)
    with acting_for_all(door.sessions) as session:
        account = make_account(session, door.world, Role.VISITOR, Role.SUPERVISOR, visitor_id=lead.visitor_id)
        put_on_duty(session, account, DutyRank.TEAM_LEAD)
        leading = Officer(account_id=account.id, visitor_id=lead.visitor_id)
    session_id = lead.start()
    offered = offer(door, leading)
    with acting_for(door.sessions, door.world.agency) as session:
        end_duty(session, shift_of(door, door.other_officer).id)
    with pytest.raises(CoverNeeded):
        take(door, offered, leading)
    assert shift_of(door, door.officer).offered_to_id == leading.account_id
    lead.end(session_id)
    assert take(door, offered, leading).shift.account_id == leading.account_id


def test_the_last_address_stays_while_somebody_is_out(door: Door) -> None:
    session_id = another_door(door).start()
    with acting_for_all(door.sessions) as session:
        *others, last = session.scalars(sa.select(OfficerContact.id)).all()

    def drop(contact_id: uuid.UUID) -> None:
        with acting_for(door.sessions, door.world.agency) as session:
            drop_contact(session, contact_id)

    for each in others:
        drop(each)
    with pytest.raises(CoverNeeded):
        drop(last)
    with acting_for_all(door.sessions) as session:
        assert session.get_one(OfficerContact, last).active
        session.execute(sa.text("update safety_sessions set state = 'ended' where id = :id"), {"id": session_id})
    drop(last)


def test_of_two_who_take_the_last_two_shifts_off_at_once_one_is_refused(door: Door) -> None:
    another_door(door).start()
    first, second = shift_of(door, door.officer).id, shift_of(door, door.other_officer).id

    def end_second() -> None:
        with acting_for(door.sessions, door.world.agency) as session:
            end_duty(session, second)

    with ThreadPoolExecutor(1) as other:
        with acting_for(door.sessions, door.world.agency) as session:
            end_duty(session, first)
            ended = other.submit(end_second)
            until_somebody_waits(door.sessions)
        with pytest.raises(CoverNeeded):
            ended.result()
    assert shift_of(door, door.other_officer).id == second


def test_the_cover_ahead_counts_only_who_would_be_reached(door: Door) -> None:
    with acting_for(door.sessions, door.world.agency) as session:
        ahead = cover_ahead(session, hours=24)
        assert (ahead.reachable, ahead.out, len(ahead.gaps)) == (2, 0, 1)
        assert abs(ahead.gaps[0].from_at - ahead.from_at - 9 * HOUR) < HOUR / 2
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(Account).where(Account.id == door.officer.account_id).values(active=False))
        session.execute(sa.update(OfficerContact).values(channel=AlarmChannel.PUSH))
    with acting_for(door.sessions, door.world.agency) as session:
        ahead = cover_ahead(session, hours=24)
    assert (ahead.reachable, ahead.gaps) == (0, (Gap(ahead.from_at, ahead.until_at),))


def test_gaps_are_what_the_shifts_leave_open() -> None:
    def at(hour: float) -> dt.datetime:
        return NOW + hour * HOUR

    shifts = [(at(-1), at(2)), (at(1), at(3)), (at(5), at(6)), (at(5.5), at(5.75))]
    assert gaps_between(shifts, at(0), at(8)) == [Gap(at(3), at(5)), Gap(at(6), at(8))]
    assert gaps_between([(at(-1), at(9))], at(0), at(8)) == []
    assert gaps_between([], at(0), at(8)) == [Gap(at(0), at(8))]


def test_a_refusal_is_one_of_ours(door: Door) -> None:
    with pytest.raises(FieldVisitError), acting_for(door.sessions, door.world.agency) as session:
        take_duty(session, uuid.uuid4(), door.officer)
