"""Each organisation tells things by services of its own where it has some, and one that hangs keeps only its own."""

import socket
import threading
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Case, NoticeService, Organisation
from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.notice_services import NoticeServiceDraft, drop_service, put_service
from fieldvisit.notices.carriers import Carriers
from fieldvisit.notices.channels import NOT_PUBLIC
from fieldvisit.notices.filing import NoticeDraft, file_notice
from fieldvisit.notices.outbox import Pace
from fieldvisit.notices.sending import Sender
from fieldvisit.outgoing.reach import is_public
from fieldvisit.vocabulary import Channel, NoticeState
from tests.conftest import NOW
from tests.notices.mail import MailServer, mail_server
from tests.notices.worlds import give_address, make_template, notices, sender_of
from tests.worlds import World, make_case


@pytest.fixture
def case(sessions: sessionmaker[Session], world: World) -> Case:
    """Of which both the lender and its agency may write to the debtor."""
    for org_id in (world.lender, world.agency):
        make_template(sessions, org_id, NoticeAbout.START, contents=())
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).values(debtor_phone="+358 9 555 0100"))
        made = make_case(session, world)
        give_address(session, made)
        return made


def put_out(sessions: sessionmaker[Session], org_id: uuid.UUID, case: Case) -> None:
    with acting_for(sessions, org_id) as session:
        draft = NoticeDraft(about=NoticeAbout.START, case_id=case.id, channel=Channel.EMAIL)
        file_notice(session, draft, made_by_id=None, now=NOW)


def use(sessions: sessionmaker[Session], org_id: uuid.UUID, provider: NoticeProvider) -> NoticeService:
    with acting_for(sessions, org_id) as session:
        draft = NoticeServiceDraft(name=provider.name, channel=provider.channel, url=provider.url)
        return put_service(session, draft, made_by_id=None)[0]


def test_an_organisation_sends_by_its_own_services_and_everybody_else_by_the_installations(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    with mail_server() as own, closing(sender_of(sessions, mail.provider())) as sender:
        service = use(sessions, world.agency, own.provider("ours"))
        for org_id in (world.lender, world.agency):
            put_out(sessions, org_id, case)
        assert sender.turn() == 2
        assert (len(mail.letters), len(own.letters)) == (1, 1)
        assert {(row.sender_id, row.provider) for row in notices(sessions)} == {
            (world.lender, "mail"),
            (world.agency, "ours"),
        }
        with acting_for(sessions, world.agency) as session:
            drop_service(session, service.id)
        put_out(sessions, world.agency, case)
        assert (sender.turn(), len(mail.letters), len(own.letters)) == (1, 2, 1)


def test_a_service_that_nobody_else_has_sends_for_its_own_organisation_alone(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    use(sessions, world.agency, mail.provider("ours"))
    for org_id in (world.lender, world.agency):
        put_out(sessions, org_id, case)
    with closing(sender_of(sessions)) as sender:
        assert sender.turn() == 1
    assert {(row.sender_id, row.state, row.attempts) for row in notices(sessions)} == {
        (world.lender, NoticeState.QUEUED, 0),
        (world.agency, NoticeState.SENT, 1),
    }


def test_in_production_a_customers_service_does_not_lead_into_our_own_network(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    use(sessions, world.agency, mail.provider("ours"))
    put_out(sessions, world.agency, case)
    pace = Pace(tries=1)
    with closing(Sender(sessions, Carriers((), pace.timeout_s, public_only=True), lambda: NOW, pace=pace)) as sender:
        sender.turn()
    (dead,) = notices(sessions)
    assert (dead.state, dead.error, mail.letters) == (NoticeState.DEAD, NOT_PUBLIC, [])


@contextmanager
def never_ending() -> Iterator[str]:
    """Takes whoever comes, and says nothing for as long as it stands."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        taken: list[socket.socket] = []

        def take() -> None:
            while True:
                try:
                    taken.append(listening.accept()[0])
                except OSError:
                    return

        thread = threading.Thread(target=take)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()
            for each in taken:
                each.close()


def test_a_service_that_hangs_keeps_nobody_elses_notices(
    sessions: sessionmaker[Session], world: World, case: Case, mail: MailServer
) -> None:
    before = set(threading.enumerate())
    with never_ending() as address, closing(sender_of(sessions, mail.provider(), patience_s=0.05)) as sender:
        use(sessions, world.agency, NoticeProvider(name="ours", channel=Channel.EMAIL, url=address))
        for _ in range(6):
            put_out(sessions, world.agency, case)
        # Four hang, and no more are begun before one of them comes back.
        assert sender.turn() == 4
        put_out(sessions, world.lender, case)
        assert sender.turn() == 1
    for thread in set(threading.enumerate()) - before:
        thread.join()
    assert len(mail.letters) == 1
    tries = [len(row.tries) for row in notices(sessions) if row.sender_id == world.agency]
    assert sorted(tries) == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("host", "public"),
    [
        ("93.184.216.34", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2606:4700:4700::1111", True),
        ("localhost", False),
    ],
)
def test_what_lies_in_the_public_network(host: str, public: bool) -> None:
    assert is_public(host) is public


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.org/",
        "syslog://localhost/{to}",
        "mailtos://user:pw@example.org?to=nobody@example.org",
        "mailtos://user:pw@example.org?to={to}&pgpkey=/etc/passwd",
        "mailtos://user:pw@example.org?to={to}&smtp=10.0.0.1",
        "mailtos://{to}",
        "https:///nowhere",
        "https://example.org:port/",
    ],
)
def test_an_address_that_is_none_or_asks_for_more_is_refused(url: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        NoticeServiceDraft(name="ours", channel=Channel.EMAIL, url=url)
    assert refused.value.details["path"] == "url"
