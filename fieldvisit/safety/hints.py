"""A hint that there is something to do: it only shortens a rest. Nothing is lost when a hint is."""

import threading
from contextlib import suppress

import psycopg
import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from fieldvisit.database import REACHING

LISTEN = "fieldvisit_safety"
RETRY_S = 5.0

log = structlog.get_logger("fieldvisit.watch")


class Hint:
    """Wakes everybody who rests here."""

    def __init__(self) -> None:
        self._condition = threading.Condition()

    def give(self) -> None:
        with self._condition:
            self._condition.notify_all()

    def rest(self, seconds: float) -> None:
        """Until somebody gives a hint, or the time is over."""
        with self._condition:
            self._condition.wait(seconds)


def give_hint(session: Session) -> None:
    """Tell the watchers when this transaction commits."""
    session.execute(sa.select(sa.func.pg_notify(LISTEN, "")))


def listen(url: str, hint: Hint, stop: threading.Event) -> None:
    """Pass on what the database tells, until `stop`; runs in a thread of its own and survives whatever happens to its
    connection."""
    while not stop.is_set():
        with suppress(psycopg.Error), psycopg.connect(url, autocommit=True, **REACHING) as connection:
            connection.execute(f"listen {LISTEN}")
            while not stop.is_set():
                for _ in connection.notifies(timeout=RETRY_S, stop_after=1):
                    hint.give()
        stop.wait(RETRY_S)
