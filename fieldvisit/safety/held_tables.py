"""Tables that somebody holds, as a migration does, while messages wait: what is only words is left out of these, and
they go out all the same."""

from collections.abc import Callable, Collection
from typing import cast

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import waiting_for_locks, was_held_up
from fieldvisit.models import (
    Account,
    Device,
    OfficerContact,
    Organisation,
    Place,
    SafetyEvent,
    SafetyRules,
    Visit,
    Visitor,
    WatchOutage,
)
from fieldvisit.safety.beats import engine_transaction
from fieldvisit.vocabulary import MessageRecipient

WORDS: dict[str, sa.Table] = {
    model.__tablename__: cast("sa.Table", model.__table__)
    for model in (
        WatchOutage,
        SafetyEvent,
        Place,
        Visit,
        Organisation,
        Visitor,
        SafetyRules,
        Device,
        OfficerContact,
        Account,
    )
}
"""What a message may do without, but for how its own recipient is reached. Whether it is wanted at all stands in none
of them."""
REACHED_BY = {
    MessageRecipient.OFFICER: {"officer_contacts", "accounts"},
    MessageRecipient.DEVICE: {"devices", "accounts"},
    MessageRecipient.VISITOR: {"visitors"},
    MessageRecipient.BUDDY: {"visitors"},
    MessageRecipient.EXTERNAL: {"safety_rules"},
}
READING_LOCK_MS, ASKING_LOCK_MS = 500, 1
TRIES = 3

log = structlog.get_logger("fieldvisit.watch")


class HeldTables:
    """Which tables of `WORDS` were held when they were last asked for. Remembered so that not every batch waits for
    them anew; each is asked for again before every reading, and nothing else depends on it."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions
        self._held: frozenset[str] = frozenset()

    def read[T](self, ask: Callable[[Session, frozenset[str]], T]) -> T:
        """What `ask` answers, in a transaction of its own, given the names of the tables that it has to do without.

        Raises OperationalError where anything else than these is held."""
        for tries_left in reversed(range(TRIES)):
            without: frozenset[str] = frozenset()
            try:
                with engine_transaction(self._sessions, lock_ms=READING_LOCK_MS) as session:
                    without = self._held = held_of(session, self._held)
                    return ask(session, without)
            except OperationalError as error:
                if not tries_left or not was_held_up(error) or not self._find(but=without):
                    raise
        raise AssertionError("the last try returns or raises")

    def _find(self, *, but: frozenset[str]) -> bool:
        """Whether more of them are held than these."""
        with engine_transaction(self._sessions) as session:
            found = held_of(session, WORDS)
        self._held = found
        if found - but:
            log.error("tables_held", tables=sorted(found))
        return bool(found - but)


def held_of(session: Session, names: Collection[str]) -> frozenset[str]:
    """Those of these tables that cannot be read just now. The others can be until the transaction ends."""
    return frozenset(name for name in names if not _can_be_read(session, WORDS[name]))


def _can_be_read(session: Session, table: sa.Table) -> bool:
    try:
        with waiting_for_locks(session, ASKING_LOCK_MS):
            # Not `lock table`: its policy may read others, which may be held as well.
            session.execute(sa.select(sa.literal(1)).select_from(table).limit(0))
    except OperationalError as error:
        if not was_held_up(error):
            raise
        return False
    return True


def nothing_of(name: str) -> sa.CTE:
    """An empty table of that name and those columns, which a statement reads in place of the real one."""
    table = WORDS[name]
    columns = [sa.cast(sa.null(), column.type).label(column.name) for column in table.columns]
    return sa.select(*columns).where(sa.false()).cte(name)
