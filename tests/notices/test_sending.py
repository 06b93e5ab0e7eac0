"""Notices are sent until they are accepted, and never where they should not be; what is kept is what happened."""

import datetime as dt
import json
import os
import signal
from contextlib import closing

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.clock import shift_clock_to
from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.models import Case, Notice
from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.notices.filing import NoticeDraft, file_notice
from fieldvisit.notices.receipts import HandOver, NotHandedOver, Receipt, Source, hand_over, retry, take_receipt
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, NoticeState
from tests.conftest import NOW
from tests.notices.mail import OUT_OF_ORDER, MailServer
from tests.notices.worlds import give_address, give_phone, make_template, notices, sender_of
from tests.processes import running, wait_until
from tests.safety.providers import Providers
from tests.worlds import World, make_case


@pytest.fixture
def case(sessions: sessionmaker[Session], world: World) -> Case:
    """A debtor with a number and a mail address, and words for the start of collecting by every channel."""
    give_phone(sessions, world)
    for channel in (Channel.EMAIL, Channel.SMS, Channel.LETTER):
        make_template(
            sessions, world.agency, NoticeAbout.START, contents=(), channel=channel, code=f"start-{channel.value}"
        )
    with acting_for_all(sessions) as session:
        made = make_case(session, world)
        give_address(session, made)
        return made


def put_out(
    sessions: sessionmaker[Session], world: World, case: Case, channel: Channel = Channel.EMAIL, now: dt.datetime = NOW
) -> Notice:
    with acting_for(sessions, world.agency) as session:
        draft = NoticeDraft(about=NoticeAbout.START, case_id=case.id, channel=channel)
        return file_notice(session, draft, made_by_id=None, now=now)


def gateway(found: Providers, name: str, *, secret: str | None = None) -> NoticeProvider:
    found.behave(name, mode="ok")
    return NoticeProvider(name=name, channel=Channel.SMS, url=f"{found.base}/{name}", secret=secret)


def test_a_notice_goes_out_by_mail_in_its_very_words_under_its_id(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    filed = put_out(sessions, world, case)
    assert sender_of(sessions, mail.provider()).turn() == 1
    (kept,) = notices(sessions)
    (letter,) = mail.letters
    assert (letter["To"], letter["X-Notice-Id"]) == ("meri@example.org", str(filed.id))
    assert letter["Subject"] == kept.subject
    assert mail.texts == [kept.body]
    assert "Dear Meri Example" in str(kept.body)
    assert (kept.state, kept.attempts, kept.provider, kept.tries[0].error) == (NoticeState.SENT, 1, "mail", None)
    assert sender_of(sessions, mail.provider()).turn() == 0


def test_a_provider_that_is_down_is_tried_again_and_given_up_in_sight(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    put_out(sessions, world, case)
    mail.answers += [OUT_OF_ORDER] * 3
    assert sender_of(sessions, mail.provider()).turn() == 3
    (dead,) = notices(sessions)
    assert (dead.state, dead.reason, dead.sent_at) == (NoticeState.DEAD, "gave_up", None)
    assert [(each.number, each.error) for each in dead.tries] == [(n, "not accepted") for n in (1, 2, 3)]
    with acting_for(sessions, world.agency) as session:
        retry(session, dead.id, now=NOW)
    sender_of(sessions, mail.provider()).turn()
    (sent,) = notices(sessions)
    assert (sent.state, sent.attempts, len(mail.letters)) == (NoticeState.SENT, 4, 1)


def test_the_next_try_waits_its_time(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    put_out(sessions, world, case)
    mail.answers += [OUT_OF_ORDER]
    assert sender_of(sessions, mail.provider(), first_s=60.0).turn() == 1
    (waiting,) = notices(sessions)
    assert (waiting.state, waiting.lease) == (NoticeState.QUEUED, None)
    assert waiting.next_try_at is not None
    assert dt.timedelta(seconds=55) < waiting.next_try_at - waiting.tries[0].begun_at < dt.timedelta(seconds=90)


def test_the_next_provider_is_asked_at_once(
    sessions: sessionmaker[Session], world: World, case: Case, gateways: Providers
) -> None:
    put_out(sessions, world, case, Channel.SMS)
    one, two = gateway(gateways, "next-a"), gateway(gateways, "next-b")
    gateways.behave("next-a", mode="fail")
    with closing(sender_of(sessions, one, two, first_s=600.0)) as sender:
        assert sender.turn() == 2
    (sent,) = notices(sessions)
    assert [each.provider for each in sent.tries] == ["next-a", "next-b"]
    (heard,) = gateways.heard_by("next-b")
    assert (heard["key"], heard["channel"], heard["text"]) == (str(sent.id), "sms", sent.body)


def test_without_a_provider_a_notice_waits_and_uses_up_no_try(
    sessions: sessionmaker[Session], world: World, case: Case
) -> None:
    put_out(sessions, world, case)
    assert sender_of(sessions).turn() == 0
    assert [(each.state, each.attempts) for each in notices(sessions)] == [(NoticeState.QUEUED, 0)]


def test_a_text_message_does_not_ring_at_night(sessions: sessionmaker[Session], world: World, case: Case) -> None:
    put_out(sessions, world, case, Channel.SMS, now=NOW + dt.timedelta(hours=12))
    (waiting,) = notices(sessions)
    assert waiting.next_try_at == dt.datetime(2026, 3, 4, 6, 0, tzinfo=dt.UTC)


def test_a_block_that_came_meanwhile_holds_a_notice_back(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    put_out(sessions, world, case)
    with acting_for_all(sessions) as session:
        block = BlockDraft(debtor_id=case.debtor_id, trigger=BlockTrigger.REPRESENTED, scope=BlockScope.ALL)
        file_block(session, block, filed_by_id=None, now=NOW)
    sender_of(sessions, mail.provider(), now=NOW + dt.timedelta(minutes=1)).turn()
    (held,) = notices(sessions)
    assert (held.state, held.reason, mail.letters) == (NoticeState.HELD_BACK, "represented", [])


def test_receipts_move_a_notice_on_and_never_back_and_one_word_is_kept_once(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    filed, later = put_out(sessions, world, case), NOW + dt.timedelta(minutes=5)

    def hear(kind: NoticeState, source: Source) -> None:
        with acting_for_all(sessions) as session:
            take_receipt(session, Receipt(notice_id=filed.id, kind=kind, provider_id="42"), source, now=later)

    hear(NoticeState.DELIVERED, Source("mail", "secret"))
    assert [(each.state, each.receipts) for each in notices(sessions)] == [(NoticeState.QUEUED, [])], (
        "never handed over"
    )
    sender_of(sessions, mail.provider()).turn()
    # Neither a provider that never had it, nor another organisation's own of the same name.
    hear(NoticeState.DELIVERED, Source("other", "secret"))
    hear(NoticeState.DELIVERED, Source("mail", "secret", world.stranger))
    assert [(each.state, each.receipts) for each in notices(sessions)] == [(NoticeState.SENT, [])]
    for kind in (NoticeState.DELIVERED, NoticeState.UNDELIVERABLE, NoticeState.DELIVERED):
        hear(kind, Source("mail", "secret"))
    (kept,) = notices(sessions)
    assert (kept.state, kept.delivered_at) == (NoticeState.DELIVERED, later)
    assert [each.kind.value for each in kept.receipts] == ["delivered", "undeliverable"]


def test_a_letter_waits_for_whoever_hands_it_over(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    letter, other = put_out(sessions, world, case, Channel.LETTER), put_out(sessions, world, case)
    assert sender_of(sessions, mail.provider()).turn() == 1
    later = NOW + dt.timedelta(hours=2)
    with acting_for(sessions, world.agency) as session:
        given = hand_over(session, letter.id, HandOver(at=later, evidence="RR 1"), by=None, now=later)
        assert (given.state, given.sent_at, given.provider) == (NoticeState.SENT, later, "by_hand")
        with pytest.raises(NotHandedOver):
            hand_over(session, other.id, HandOver(at=later), by=None, now=later)


def test_a_worker_killed_between_sending_and_recording_sends_again_under_the_same_id(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer, settings: Settings, urls: Urls
) -> None:
    filed = put_out(sessions, world, case)
    providers = json.dumps([mail.as_json()])
    with running(settings, "worker", NOTICE_PROVIDERS=providers) as worker:
        # The server has the letter and has not said so when its sender dies.
        mail.heard = lambda: os.kill(worker.pid, signal.SIGKILL)
        wait_until(lambda: not worker.is_running() or worker.status() == "zombie")
    mail.heard = lambda: None
    (unsure,) = notices(sessions)
    assert (unsure.state, [each.ended_at for each in unsure.tries]) == (NoticeState.QUEUED, [None])
    assert sender_of(sessions, mail.provider()).turn() == 0
    _pass_time(urls, NOW + dt.timedelta(minutes=5))
    assert sender_of(sessions, mail.provider()).turn() == 1
    (sent,) = notices(sessions)
    assert [letter["X-Notice-Id"] for letter in mail.letters] == [str(filed.id)] * 2
    assert (sent.state, [each.ended_at is None for each in sent.tries]) == (NoticeState.SENT, [True, False])


def _pass_time(urls: Urls, to: dt.datetime) -> None:
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    shift_clock_to(engine, to)
    engine.dispose()
