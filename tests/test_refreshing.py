"""The chain of a login: renewed again and again, asked twice where an answer got lost, ended once and for all."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for_all
from fieldvisit.devices import DeviceDraft, register_device
from fieldvisit.models import Account
from fieldvisit.tokens import LOST_ANSWER_S, MOST_LATE, NO_SIGNAL_S, Renewal, begin_family, log_out, renew
from fieldvisit.vocabulary import Role
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.worlds import make_world

HOUR_S = 3_600
MONTH_S = 30 * 24 * HOUR_S
KEY = bytes(range(32))


class Phone:
    """One login; each step is a transaction of its own, `after_s` seconds after the login."""

    def __init__(self, sessions: sessionmaker[Session], account_id: uuid.UUID, *, registered: bool = False) -> None:
        self.sessions = sessions
        draft = DeviceDraft(id=uuid.uuid4(), name="Fairphone 6", app_version="1.4.0") if registered else None
        with acting_for_all(sessions) as session:
            account = session.get_one(Account, account_id)
            device = register_device(session, account, draft, NOW)
            self.first = begin_family(session, account, NOW, lifetime_s=MONTH_S, device_id=device.id).token

    def renewed(self, token: str, after_s: int, *, key: bytes = KEY) -> str | None:
        """The next token, or None where it is refused."""
        with acting_for_all(self.sessions) as session:
            answer = renew(session, token, NOW + dt.timedelta(seconds=after_s), lifetime_s=MONTH_S, key=key)
        return answer.token if isinstance(answer, Renewal) else None

    def granted(self, token: str, after_s: int) -> str:
        token = self.renewed(token, after_s) or ""
        assert token
        return token

    def log_out(self, token: str, after_s: int) -> None:
        with acting_for_all(self.sessions) as session:
            log_out(session, token, NOW + dt.timedelta(seconds=after_s))


@pytest.fixture
def account_id(sessions: sessionmaker[Session]) -> uuid.UUID:
    org_id = make_world(sessions).agency
    draft = AccountDraft(username="aino", password="correct horse battery", roles=(Role.DISPATCHER,))
    with acting_for_all(sessions) as session:
        return create_account(session, org_id, draft, Passwords(environment="test")).id


@pytest.fixture
def phone(sessions: sessionmaker[Session], account_id: uuid.UUID) -> Phone:
    return Phone(sessions, account_id)


@pytest.fixture
def registered(sessions: sessionmaker[Session], account_id: uuid.UUID) -> Phone:
    return Phone(sessions, account_id, registered=True)


def test_whoever_never_got_the_answer_gets_it_again(phone: Phone) -> None:
    """As often as it gets lost, and whoever of two that asked together: there is one successor, and one chain."""
    (second,) = {phone.granted(phone.first, after_s) for after_s in (10, 25, 10 + LOST_ANSWER_S)}
    assert len({phone.granted(second, after_s) for after_s in (900, 905)} | {second}) == 2


def test_asking_again_too_late_ends_the_login(phone: Phone) -> None:
    second = phone.granted(phone.first, 10)
    assert phone.renewed(phone.first, 11 + LOST_ANSWER_S) is None
    assert phone.renewed(second, 12 + LOST_ANSWER_S) is None


def test_a_registered_phone_asks_again_when_it_has_signal_again(registered: Phone) -> None:
    second = registered.granted(registered.first, 10)
    assert registered.granted(registered.first, 10 + NO_SIGNAL_S) == second
    assert registered.renewed(second, 20 + NO_SIGNAL_S) is not None


def test_a_day_without_signal_is_the_longest(registered: Phone) -> None:
    second = registered.granted(registered.first, 10)
    assert registered.renewed(registered.first, 11 + NO_SIGNAL_S) is None
    assert registered.renewed(second, 12 + NO_SIGNAL_S) is None


def test_a_thief_who_renews_behind_a_phone_is_found_the_same_day(registered: Phone) -> None:
    """Each link is shown twice and no successor before its time: all that gives it away is how often that happens."""
    link = registered.first
    for turn in range(MOST_LATE):
        following = registered.granted(link, 900 * turn)
        assert registered.granted(link, 900 * turn + 600) == following
        link = following
    following = registered.granted(link, 900 * MOST_LATE)
    assert registered.renewed(link, 900 * MOST_LATE + 600) is None
    assert registered.renewed(following, 900 * MOST_LATE + 601) is None


def test_answers_may_get_lost_again_the_next_day(registered: Phone) -> None:
    link, next_day_s = registered.first, 25 * HOUR_S
    for turn in range(2 * MOST_LATE):
        at_s = 900 * turn + next_day_s * (turn // MOST_LATE)
        following = registered.granted(link, at_s)
        # As often as it likes: it is one answer that was lost.
        assert {registered.granted(link, at_s + later_s) for later_s in (300, 600)} == {following}
        link = following


def test_what_was_made_under_another_key_is_given_again_to_nobody(phone: Phone) -> None:
    second = phone.granted(phone.first, 10)
    assert phone.renewed(phone.first, 11, key=bytes(32)) is None
    assert phone.renewed(second, 12) is None


def test_asking_again_after_the_answer_was_used_ends_the_login(phone: Phone) -> None:
    second = phone.granted(phone.first, 10)
    third = phone.granted(second, 11)
    assert phone.renewed(phone.first, 12) is None
    assert phone.renewed(third, 13) is None


def test_nothing_is_granted_again_after_logging_out(phone: Phone) -> None:
    second = phone.granted(phone.first, 10)
    phone.log_out(second, 11)
    assert [phone.renewed(token, 12) for token in (phone.first, second)] == [None, None]


def test_a_login_ended_while_it_is_renewed_stays_ended(phone: Phone) -> None:
    """Whoever ends the chain, by logging out or by showing a stolen link, comes while its next link is being made."""
    second = phone.granted(phone.first, 10)
    late_s = 20 + LOST_ANSWER_S
    assert phone.renewed(meanwhile(phone, second, lambda: phone.log_out(second, late_s)), late_s + 1) is None


def test_a_theft_found_while_the_chain_is_renewed_ends_it(phone: Phone) -> None:
    second = phone.granted(phone.first, 10)
    late_s = 20 + LOST_ANSWER_S
    assert phone.renewed(meanwhile(phone, second, lambda: phone.renewed(phone.first, late_s)), late_s + 1) is None


def meanwhile(phone: Phone, token: str, act: Callable[[], object]) -> str:
    """Renew, and let somebody act after the renewal and before its commit; the renewed token."""
    with ThreadPoolExecutor(1) as beside:
        with acting_for_all(phone.sessions) as session:
            answer = renew(session, token, NOW + dt.timedelta(seconds=15), lifetime_s=MONTH_S, key=KEY)
            assert isinstance(answer, Renewal)
            acting = beside.submit(act)
            until_somebody_waits(phone.sessions)
        acting.result(timeout=60)
    return answer.token
