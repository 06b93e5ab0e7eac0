"""Accounts: who may log in to an organisation, with which roles."""

import datetime as dt
import re
import threading
import unicodedata
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.finding import get_by_id
from fieldvisit.languages import Message
from fieldvisit.models import Account, RefreshToken, Visitor
from fieldvisit.safety.handing_over import lapse_alerts_of
from fieldvisit.vocabulary import Role

PASSWORD_MIN, PASSWORD_MAX = 10, 200
AT_ONCE, ROOM_S = 4, 2.0
USERNAME = re.compile(r"[a-z0-9][a-z0-9._@-]{2,63}")


class LoginRefused(FieldVisitError):
    """One answer for an unknown name, a wrong password, a closed account and one who left: a guesser learns nothing."""

    code, kind = "login_refused", Kind.UNAUTHENTICATED
    says = "User name and password do not belong together."


class TooManyLogins(FieldVisitError):
    code, kind = "too_many_logins", Kind.UNAVAILABLE
    says = "Too many people are logging in at this moment. Try again."


class Passwords:
    """Hashes and compares passwords with argon2id; cheap where the environment is a test, never elsewhere."""

    _profiles: ClassVar = {True: CHEAPEST, False: RFC_9106_LOW_MEMORY}

    def __init__(self, *, environment: str) -> None:
        self._hasher = PasswordHasher.from_parameters(self._profiles[environment == "test"])
        self._nobody = self._hasher.hash("nobody has this password")
        # A hash takes 64 MiB while it is made: a rush of logins may not take the machine's memory.
        self._room = threading.BoundedSemaphore(AT_ONCE)

    def hash(self, password: str) -> str:
        """Raises TooManyLogins where there is no room for it soon."""
        with self._slot():
            return self._hasher.hash(_normal(password))

    def fit(self, password: str, stored: str | None) -> bool:
        """Whether they belong together. Without a stored hash the same work is done, and the answer is no.

        Raises TooManyLogins where there is no room for it soon.
        """
        with self._slot():
            try:
                return self._hasher.verify(stored or self._nobody, _normal(password)) and stored is not None
            except VerifyMismatchError:
                return False

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Room for one hash. A thread that queues for longer answers nobody else, the phones least of all."""
        if not self._room.acquire(timeout=ROOM_S):
            raise TooManyLogins()
        try:
            yield
        finally:
            self._room.release()


@dataclass(frozen=True, kw_only=True)
class AccountDraft:
    """What it takes to open an account. A visitor's account names the visitor it belongs to, no other does."""

    username: str
    password: str
    roles: tuple[Role, ...]
    visitor_id: uuid.UUID | None = None
    name: str | None = None

    def __post_init__(self) -> None:
        if not USERNAME.fullmatch(self.username):
            raise InvalidValue(
                path="username", reason=Message("3 to 64 of a-z, 0-9 and . _ @ -, beginning with a letter or digit.")
            )
        if not PASSWORD_MIN <= len(self.password) <= PASSWORD_MAX:
            raise InvalidValue(
                path="password",
                reason=Message("{min} to {max} characters.", {"min": PASSWORD_MIN, "max": PASSWORD_MAX}),
            )
        if not self.roles or len(set(self.roles)) != len(self.roles):
            raise InvalidValue(path="roles", reason=Message("At least one role, each once."))
        if (Role.VISITOR in self.roles) != (self.visitor_id is not None):
            raise InvalidValue(path="visitor_id", reason=Message("Given exactly when the roles contain visitor."))


def create_account(session: Session, org_id: uuid.UUID, draft: AccountDraft, passwords: Passwords) -> Account:
    """Open an account of this organisation. Raises NotFound for a visitor that is not one of its own."""
    if draft.visitor_id is not None:
        _refuse_foreign_visitor(session, org_id, draft.visitor_id)
    account = Account(
        org_id=org_id,
        username=draft.username,
        password_hash=passwords.hash(draft.password),
        roles=[role.value for role in draft.roles],
        visitor_id=draft.visitor_id,
        name=draft.name,
    )
    session.add(account)
    session.flush()
    return account


def find_account(session: Session, username: str) -> Account | None:
    """The account of this name, if there is one. The session has to see every organisation."""
    return session.scalar(sa.select(Account).where(Account.username == username))


def log_in(session: Session, found: Account | None, password: str, passwords: Passwords) -> Account:
    """The account that was found for a name, if it is open and the password belongs to it.

    The session is asked only after the slow comparison: no transaction has to be open meanwhile. Raises LoginRefused,
    after the same work, whatever is wrong, and TooManyLogins where too many others compare just now.
    """
    if not passwords.fit(password, found.password_hash if found else None) or found is None:
        raise LoginRefused()
    account = session.get(Account, found.id, populate_existing=True)
    if account is None or not may_log_in(session, account):
        raise LoginRefused()
    return account


def demand_open(session: Session, account_id: uuid.UUID) -> None:
    """Raise LoginRefused unless this account may still log in."""
    account = session.get(Account, account_id)
    if account is None or not may_log_in(session, account):
        raise LoginRefused()


def may_log_in(session: Session, account: Account) -> bool:
    """Whether the account is open, and its visitor, where it has one, still goes out for the organisation."""
    visitor = session.get(Visitor, account.visitor_id) if account.visitor_id else None
    return account.active and (visitor is None or visitor.active)


def close_account(session: Session, account_id: uuid.UUID, now: dt.datetime) -> Account:
    """Let nobody log in or renew with it any more; alerts that it holds climb on at once. Raises NotFound."""
    account = get_by_id(session, Account, account_id)
    account.active = False
    session.execute(
        sa.update(RefreshToken)
        .where(RefreshToken.account_id == account_id, RefreshToken.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    session.flush()
    lapse_alerts_of(session, [account_id])
    return account


def accounts_of(org_id: uuid.UUID) -> sa.Select[Account]:
    return sa.select(Account).where(Account.org_id == org_id)


def roles_of(account: Account) -> frozenset[Role]:
    return frozenset(Role(role) for role in account.roles)


def _refuse_foreign_visitor(session: Session, org_id: uuid.UUID, visitor_id: uuid.UUID) -> None:
    # Foreign keys look past row-level security, so the other organisation's id has to be refused here.
    if get_by_id(session, Visitor, visitor_id).org_id != org_id:
        raise NotFound(what="visitor", id=visitor_id)


def _normal(password: str) -> str:
    """One form for what keyboards write in several, so that a password typed on a phone fits everywhere."""
    return unicodedata.normalize("NFKC", password)
