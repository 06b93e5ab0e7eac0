"""Papers that run out are told to whoever holds them and to the office, each once, in the language of whoever reads it,
until somebody has seen to them."""

import datetime as dt
import uuid
from collections.abc import Iterable
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import CredentialReminder, Visitor
from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.notice_rules import NoticeRulesDraft, set_notice_rules
from fieldvisit.notices.receipts import NoticeNotInState, Receipt, Source, take_receipt
from fieldvisit.notices.reminding import retry_reminder
from fieldvisit.reminders import note_seen, raise_reminders
from fieldvisit.renewals import RenewalDraft, renew_credential
from fieldvisit.vocabulary import Channel, CredentialKind, NoticeState, ReminderRecipient
from tests.conftest import NOW
from tests.notices.mail import OUT_OF_ORDER, MailServer
from tests.notices.worlds import sender_of
from tests.safety.providers import Providers
from tests.worlds import TODAY, World, make_credential, make_visitor

DAY = dt.timedelta(days=1)
DUE = TODAY + 7 * DAY
HOLDER, OFFICE = ReminderRecipient.HOLDER, ReminderRecipient.OFFICE


@pytest.fixture
def badge(sessions: sessionmaker[Session], world: World) -> uuid.UUID:
    """Of a visitor who reads Chinese; it holds for another seven days."""
    say_where(sessions, world, "office@pohjola.example")
    with acting_for(sessions, world.agency) as session:
        visitor = make_visitor(
            session, world, papers=False, phone="+358401234567", languages=["zh", "fi"], staff_number="00042"
        )
        return make_credential(session, visitor, kind=CredentialKind.BADGE, valid_until=DUE).id


def say_where(sessions: sessionmaker[Session], world: World, email: str | None) -> None:
    with acting_for(sessions, world.agency) as session:
        set_notice_rules(session, NoticeRulesDraft(office_email=email), now=NOW)


def remind(sessions: sessionmaker[Session], world: World, days_before: int = 7) -> int:
    with acting_for(sessions, world.agency) as session:
        return raise_reminders(session, NOW, DUE - days_before * DAY)


def send(sessions: sessionmaker[Session], *providers: NoticeProvider, now: dt.datetime = NOW) -> int:
    with closing(sender_of(sessions, *providers, now=now)) as sender:
        return sender.turn()


def kept(sessions: sessionmaker[Session]) -> dict[tuple[int, ReminderRecipient], CredentialReminder]:
    with acting_for_all(sessions) as session:
        return {(row.days_before, row.recipient): row for row in session.scalars(sa.select(CredentialReminder))}


def states(sessions: sessionmaker[Session]) -> Iterable[tuple[NoticeState, str | None]]:
    return {(row.state, row.reason) for row in kept(sessions).values()}


def text_messages(gateways: Providers, name: str) -> NoticeProvider:
    gateways.behave(name, mode="ok")
    return NoticeProvider(name=name, channel=Channel.SMS, url=f"{gateways.base}/{name}", secret="shared")


def test_both_are_told_once_in_their_own_language_and_it_is_known_what_arrived(
    sessions: sessionmaker[Session], world: World, badge: uuid.UUID, mail: MailServer, gateways: Providers
) -> None:
    ways = (mail.provider(), text_messages(gateways, "papers"))
    assert (remind(sessions, world), remind(sessions, world)) == (2, 0)
    assert (send(sessions, *ways), send(sessions, *ways)) == (2, 0)
    (heard,) = gateways.heard_by("papers")
    assert (heard["to"], heard["language"]) == ("+358401234567", "zh_CN")
    assert heard["text"] == "Pohjola-Field：您的工牌（Aurora）有效至2026年3月10日，还剩 7 天，请及时办理续期。"
    assert (mail.recipients, mail.letters[0]["Subject"]) == (
        ["office@pohjola.example"],
        "Badge of staff number 00042: 7 days left",
    )
    assert mail.texts == [
        "The Badge (Aurora) of staff number 00042 holds until March 10, 2026. Days left: 7. "
        "Nothing follows on it yet: without one its holder is not planned any more."
    ]
    told = kept(sessions)[7, HOLDER]
    assert (told.state, told.attempts, told.provider) == (NoticeState.SENT, 1, "papers")
    with acting_for_all(sessions) as session:
        for org_id in (world.stranger, None):
            source = Source("papers", "shared", org_id)
            take_receipt(session, Receipt(notice_id=told.id, kind=NoticeState.DELIVERED), source, now=NOW)
            (state,) = session.scalars(sa.select(CredentialReminder.state).where(CredentialReminder.id == told.id))
            assert (state is NoticeState.DELIVERED) == (org_id is None)


def test_what_was_seen_to_or_is_told_of_a_nearer_day_is_not_sent(
    sessions: sessionmaker[Session], world: World, badge: uuid.UUID, mail: MailServer
) -> None:
    remind(sessions, world, 14)
    remind(sessions, world)
    with acting_for(sessions, world.agency) as session:
        note_seen(session, kept(sessions)[7, OFFICE].id, account_id=uuid.UUID(int=1), now=NOW)
    assert send(sessions, mail.provider()) == 2
    found = kept(sessions)
    assert [(found[step, OFFICE].state, found[step, OFFICE].reason) for step in (14, 7)] == [
        (NoticeState.WITHDRAWN, "overtaken"),
        (NoticeState.WITHDRAWN, "seen"),
    ]
    remind(sessions, world, 1)
    with acting_for(sessions, world.agency) as session:
        renew_credential(session, badge, RenewalDraft(external_id="K-next", valid_until=DUE + 365 * DAY))
    assert send(sessions, mail.provider()) == 1
    assert (kept(sessions)[1, OFFICE].reason, mail.letters) == ("no_longer_holds", [])


def test_without_an_address_a_reminder_stays_in_sight_and_is_sent_when_there_is_one(
    sessions: sessionmaker[Session], world: World, badge: uuid.UUID, mail: MailServer
) -> None:
    say_where(sessions, world, None)
    with acting_for(sessions, world.agency) as session:
        session.execute(sa.update(Visitor).values(phone=None))
    remind(sessions, world)
    assert send(sessions, mail.provider()) == 0
    assert states(sessions) == {(NoticeState.DEAD, "no_address")}
    say_where(sessions, world, "office@pohjola.example")
    office = kept(sessions)[7, OFFICE].id
    with acting_for(sessions, world.agency) as session:
        assert retry_reminder(session, office, now=NOW).state is NoticeState.QUEUED
        with pytest.raises(NoticeNotInState):
            retry_reminder(session, office, now=NOW)
    assert (send(sessions, mail.provider()), mail.recipients) == (1, ["office@pohjola.example"])


def test_one_that_nobody_takes_is_given_up_in_sight(
    sessions: sessionmaker[Session], world: World, badge: uuid.UUID, mail: MailServer
) -> None:
    remind(sessions, world)
    mail.answers += [OUT_OF_ORDER] * 3
    assert send(sessions, mail.provider()) == 3
    dead = kept(sessions)[7, OFFICE]
    assert (dead.state, dead.reason, dead.error, dead.attempts) == (NoticeState.DEAD, "gave_up", "not accepted", 3)
