"""The chain of a login: renewed again and again, asked twice where an answer got lost, ended once and for all."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for_all
from fieldvisit.models import Account
from fieldvisit.tokens import LOST_ANSWER_S, Renewal, begin_family, log_out, renew
from fieldvisit.vocabulary import Role
from tests.conftest import NOW
from tests.locks import until_somebody_waits
from tests.worlds import make_world

HOUR_S = 3_600


class Phone:
    """One login; each step is a transaction of its own, `after_s` seconds after the login."""

    def __init__(self, sessions: sessionmaker[Session], account_id: uuid.UUID) -> None:
        self.sessions = sessions
        with acting_for_all(sessions) as session:
            self.first = begin_family(session, session.get_one(Account, account_id), NOW, lifetime_s=HOUR_S)

    def renewed(self, token: str, after_s: int) -> str | None:
        """The next token, or None where it is refused."""
        with acting_for_all(self.sessions) as session:
            answer = renew(session, token, NOW + dt.timedelta(seconds=after_s), lifetime_s=HOUR_S)
        return answer.token if isinstance(answer, Renewal) else None

    def granted(self, token: str, after_s: int) -> str:
        token = self.renewed(token, after_s) or ""
        assert token
        return token

    def log_out(self, token: str, after_s: int) -> None:
        with acting_for_all(self.sessions) as session:
            log_out(session, token, NOW + dt.timedelta(seconds=after_s))


@pytest.fixture
def phone(sessions: sessionmaker[Session]) -> Phone:
    org_id = make_world(sessions).agency
    draft = AccountDraft(username="aino", password="correct horse battery", roles=(Role.DISPATCHER,))
    with acting_for_all(sessions) as session:
        account_id = create_account(session, org_id, draft, Passwords(environment="test")).id
    return Phone(sessions, account_id)


def test_whoever_never_got_the_answer_may_ask_again(phone: Phone) -> None:
    phone.granted(phone.first, 10)
    another = phone.granted(phone.first, 10 + LOST_ANSWER_S)
    assert phone.renewed(another, 900) is not None


def test_an_answer_may_get_lost_more_than_once(phone: Phone) -> None:
    got = {phone.granted(phone.first, after_s) for after_s in (10, 25, 40)}
    assert len(got) == 3


def test_asking_again_too_late_ends_the_login(phone: Phone) -> None:
    second = phone.granted(phone.first, 10)
    assert phone.renewed(phone.first, 11 + LOST_ANSWER_S) is None
    assert phone.renewed(second, 12 + LOST_ANSWER_S) is None


def test_asking_again_after_the_answer_was_used_ends_the_login(phone: Phone) -> None:
    second = phone.granted(phone.first, 10)
    third = phone.granted(second, 11)
    assert phone.renewed(phone.first, 12) is None
    assert phone.renewed(third, 13) is None


def test_a_lost_answer_that_somebody_has_after_all_ends_the_login(phone: Phone) -> None:
    """Two asked with the same token within a moment, and each got an answer: one of them is a thief."""
    one, other = phone.granted(phone.first, 10), phone.granted(phone.first, 11)
    assert [phone.renewed(token, 12) for token in (one, other)] == [None, None]


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
            answer = renew(session, token, NOW + dt.timedelta(seconds=15), lifetime_s=HOUR_S)
            assert isinstance(answer, Renewal)
            acting = beside.submit(act)
            until_somebody_waits(phone.sessions)
        acting.result(timeout=60)
    return answer.token
