"""Services that answer wrongly, slowly, or break off: nothing is lost, and what was accepted is not sent again."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Case
from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.notices.filing import NoticeDraft, file_notice
from fieldvisit.outgoing.apprised import Apprised
from fieldvisit.outgoing.gateways import Channels, Gateway, Handed, Letter
from fieldvisit.vocabulary import Channel, NoticeState
from tests.conftest import NOW
from tests.dripping import dripping, dripping_mail
from tests.notices.mail import BREAKS_OFF, MailServer
from tests.notices.worlds import give_address, give_phone, make_template, notices, sender_of
from tests.worlds import World, make_case

LETTER = Letter(id=uuid.UUID(int=1), channel=Channel.SMS, to="+358401234567", text="Hello", language="en")


@contextmanager
def answering(body: bytes, *, length: int | None = None) -> Iterator[str]:
    """A gateway that accepts everything and answers this; with a greater `length` it never comes to its end."""
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(202)
            self.send_header("Content-Length", str(len(body) if length is None else length))
            self.end_headers()
            self.wfile.write(body)
            if length is not None:
                self.wfile.flush()
                over.wait()

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        over.set()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_service_that_brings_a_byte_now_and_then_is_not_waited_for() -> None:
    with dripping() as address:
        gateway = Gateway(NoticeProvider(name="odd", channel=Channel.SMS, url=address), timeout_s=0.3)
        with closing(gateway):
            assert gateway.hand_over(LETTER) == Handed(provider="odd", error="ReadTimeout")


MAIL = NoticeProvider(
    name="odd", channel=Channel.EMAIL, url="mailto://127.0.0.1:0?mode=insecure&from=a@b.example&to={to}"
)


@pytest.mark.parametrize(("mail_s", "error"), [(None, "not accepted"), (60.0, None)])
def test_a_mail_server_that_lets_one_wait_is_waited_for_only_where_there_is_time(
    mail_s: float | None, error: str | None
) -> None:
    """Each of its answers comes in time, all of them together do not."""
    letter = replace(LETTER, channel=Channel.EMAIL, to="x@b.example")
    with dripping_mail() as port:
        service = replace(MAIL, url=MAIL.url.replace(":0?", f":{port}?"))
        with closing(Channels.of([service], 1.5, mail_s=mail_s)) as channels:
            assert channels.hand_over(letter, last=None) == Handed(provider="odd", error=error)


def test_a_push_service_that_brings_a_byte_now_and_then_is_not_waited_for() -> None:
    with dripping() as address:
        service = replace(MAIL, url=address.replace("http:", "ntfy:") + "{to}")
        ours = Apprised(service, 0.5).hand_over(replace(LETTER, to="a-phone"))
    assert ours == Handed(provider="odd", error="not accepted")


def hand_over(address: str) -> Handed:
    gateway = Gateway(NoticeProvider(name="odd", channel=Channel.SMS, url=address), timeout_s=1.0)
    with closing(gateway):
        return gateway.hand_over(LETTER)


@pytest.mark.parametrize(
    ("body", "provider_id"),
    [
        (b'{"id": "a\\u0000b\\ud800"}', "ab"),
        (b'{"id": 17}', "17"),
        (b'{"id": "\\u0000"}', None),
        (b"[" * 20_000, None),
        (b'{"id": "x", "more": "' + b"y" * 100_000 + b'"}', None),
        (b"<html>", None),
        (b'["id"]', None),
        (b"\xff\xfe", None),
        (b"", None),
    ],
)
def test_what_was_accepted_is_accepted_whatever_else_is_said(body: bytes, provider_id: str | None) -> None:
    with answering(body) as address:
        assert hand_over(address) == Handed(provider="odd", provider_id=provider_id)


def test_an_answer_that_never_ends_is_not_waited_for() -> None:
    with answering(b'{"id"', length=1_000) as address:
        assert hand_over(address) == Handed(provider="odd")


@pytest.fixture
def case(sessions: sessionmaker[Session], world: World) -> Case:
    give_phone(sessions, world)
    make_template(sessions, world.agency, NoticeAbout.START, contents=())
    with acting_for_all(sessions) as session:
        made = make_case(session, world)
        give_address(session, made)
        return made


@pytest.mark.parametrize("answer", ["550 no such user", "421 going away", "552 too much", BREAKS_OFF])
def test_a_mail_server_that_refuses_or_breaks_off_gets_the_letter_again_once(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer, answer: str
) -> None:
    with acting_for(sessions, world.agency) as session:
        draft = NoticeDraft(about=NoticeAbout.START, case_id=case.id, channel=Channel.EMAIL)
        file_notice(session, draft, made_by_id=None, now=NOW)
    mail.answers += [answer]
    with closing(sender_of(sessions, mail.provider())) as sender:
        assert sender.turn() == 2
    (sent,) = notices(sessions)
    assert (sent.state, sent.attempts, len(mail.letters)) == (NoticeState.SENT, 2, 1)
    assert [each.error is None for each in sent.tries] == [False, True]
