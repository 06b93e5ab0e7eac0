"""An officer who went out for the house, and has left it by HR's word, answers no alarm: nobody logs in by it."""

import uuid
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import DutyShift, OfficerContact, OutboxMessage, Visitor
from fieldvisit.people import VisitorDraft, let_go, upsert_visitor
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.cover import NoCover
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.gaps import Gap, cover_ahead
from fieldvisit.safety.receipts import Receipt, ReceiptKind, take_receipt
from fieldvisit.safety.roster import NotAnOfficer
from fieldvisit.vocabulary import AlarmChannel, AlertState, DutyRank, Role
from tests.imports.files import Office
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty


@dataclass(frozen=True)
class Lone:
    """The only one on duty: an officer who goes out as well."""

    door: Door
    officer: Officer

    def leaves(self) -> None:
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            visitor = session.get_one(Visitor, self.officer.visitor_id)
            told = {"external_id": visitor.external_id, "name": visitor.name, "staff_number": visitor.staff_number}
            upsert_visitor(session, VisitorDraft(**told, active=False))
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            let_go(session)

    def calls(self) -> list[uuid.UUID]:
        """The messages by telephone that were put out to them, oldest first."""
        theirs = sa.select(OfficerContact.id).where(
            OfficerContact.account_id == self.officer.account_id, OfficerContact.channel == AlarmChannel.VOICE
        )
        put_out = sa.select(OutboxMessage.id).where(OutboxMessage.recipient_id.in_(theirs))
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            return list(session.scalars(put_out.order_by(OutboxMessage.created_at)).all())

    def presses(self, message_id: uuid.UUID) -> None:
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            take_receipt(session, Receipt(message_id=message_id, kind=ReceiptKind.KEY, key="1"), {}, told_by="one")

    def takes(self) -> None:
        """An alarm."""
        self.door.start()
        self.door.pass_under_watch_s(18 * MINUTE + 3)
        self.door.watch()
        (called,) = self.calls()
        self.presses(called)
        assert self.door.alert().owner_id == self.officer.account_id

    def row(self) -> dict[str, str]:
        """Of a file of HR's by which they have left."""
        with acting_for(self.door.sessions, self.door.world.agency) as session:
            visitor = session.get_one(Visitor, self.officer.visitor_id)
            told = {"visitor_id": visitor.external_id, "name": visitor.name, "staff_number": visitor.staff_number}
            return told | {"active": "no"}


@pytest.fixture
def lone(door: Door) -> Lone:
    lead = another_door(door)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.delete(DutyShift))
        account = make_account(session, door.world, Role.VISITOR, Role.SAFETY_OFFICER, visitor_id=lead.visitor_id)
        put_on_duty(session, account, DutyRank.DUTY)
        return Lone(door, Officer(account_id=account.id, visitor_id=lead.visitor_id))


def test_who_has_left_is_no_cover(lone: Lone, urls: Urls) -> None:
    lone.door.end(lone.door.start(covered=True))
    lone.leaves()
    with pytest.raises(NoCover):
        lone.door.start(covered=True)
    with acting_for(lone.door.sessions, lone.door.world.agency) as session:
        ahead = cover_ahead(session, hours=1)
    assert (ahead.reachable, ahead.gaps) == (0, (Gap(ahead.from_at, ahead.until_at),))
    assert 7 not in {each.number for each in audit(plain_url(urls.app))}, "nobody is out"
    lone.door.start()
    assert 7 in {each.number for each in audit(plain_url(urls.app))}


def test_who_has_left_is_called_no_more_and_takes_no_alarm(lone: Lone) -> None:
    lone.door.start()
    lone.door.pass_under_watch_s(18 * MINUTE + 3)
    lone.door.watch()
    (called,) = lone.calls()
    lone.leaves()
    lone.presses(called)
    with pytest.raises(NotAnOfficer):
        lone.door.acknowledge(lone.officer)
    for _ in range(8):
        lone.door.pass_under_watch_s(MINUTE)
        lone.door.watch()
    assert (lone.door.alert().state, lone.calls()) == (AlertState.EXHAUSTED, [called])


def test_what_they_held_climbs_on_at_once(lone: Lone) -> None:
    lone.takes()
    lone.leaves()
    lone.door.watch()
    assert (lone.door.alert().owner_id, lone.door.alert().state) == (None, AlertState.EXHAUSTED), "nobody is left"


@pytest.mark.parametrize("whole", [{"dry_run": True}, {"all_or_nothing": True}, {}])
def test_a_file_by_which_they_leave_holds_no_alert_while_it_is_read_and_a_dry_run_changes_none(
    lone: Lone, urls: Urls, tmp_path: Path, whole: dict[str, bool]
) -> None:
    lone.takes()
    before, free = lone.door.alert(), []

    def others_take_it(done: int, length: int | None) -> None:
        with psycopg.connect(plain_url(urls.app)) as other:
            other.execute("select set_config('app.sees_all', 'on', true)")
            found = other.execute("select from safety_alerts where id = %s for update skip locked", [before.id])
            free.append(found.rowcount == 1)

    files = Office(lone.door.sessions, lone.door.world.agency, tmp_path)
    result = files.load("visitors", lone.row(), on_progress=others_take_it, **whole)
    assert (result.changed, result.faults, set(free)) == (1, (), {True})
    after = lone.door.alert()
    if "dry_run" in whole:
        assert (after.version, after.ack_until) == (before.version, before.ack_until)
    else:
        lone.door.watch()
        assert lone.door.alert().owner_id is None
