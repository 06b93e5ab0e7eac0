"""An engine killed at a point of our choosing: before a statement, around a commit, around a call to a provider.

The product knows nothing of it: the points are found by listening to the database driver and by standing between the
sender and its channels. Runs in a child process forked from one that has everything imported and nothing open.
"""

import logging
import mmap
import os
import signal
import traceback
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

import sqlalchemy as sa
import structlog
from sqlalchemy import event

from fieldvisit.alarm_providers import AlarmProvider
from fieldvisit.database import app_engine, session_factory
from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.safety.engine import watch_once
from fieldvisit.safety.sending import Sender
from fieldvisit.settings import Settings

NAME = "doomed"
PATIENCE_S = 60.0
"""With a provider that works: how busy the machine is must not make it one that fails."""


@dataclass
class Fate:
    """Counts the points passed; at number `at` the process is gone, as by a power cut."""

    at: int | None
    memory: mmap.mmap

    @property
    def passed(self) -> int:
        return int.from_bytes(self.memory[:4])

    @passed.setter
    def passed(self, points: int) -> None:
        self.memory[:4] = points.to_bytes(4)

    def point(self) -> None:
        self.passed += 1
        if self.passed == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


class Doomed(Channels):
    """The real channels, with a point before and one after each call."""

    fate: Fate

    def hand_over(self, letter: Letter, *, last: str | None) -> Handed:
        self.fate.point()
        handed = super().hand_over(letter, last=last)
        self.fate.point()
        return handed


def listen(engine: sa.Engine, fate: Fate) -> None:
    event.listen(engine, "before_cursor_execute", lambda *_: fate.point())
    event.listen(engine, "commit", lambda *_: fate.point())

    # After the commit and before anything else: the next thing that happens on this connection, or its return.
    event.listen(engine, "checkin", lambda *_: fate.point())


class Zygote:
    """A process that has lived one whole life, so that nothing has to be imported or compiled any more, and has nothing
    open: neither a connection of the database nor one to a provider. Each life that is asked for is its child."""

    def __init__(self, url: str, settings: Settings, providers: Iterable[AlarmProvider]) -> None:
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
        named = sa.engine.make_url(url).update_query_dict({"application_name": NAME})
        self._engine = app_engine(named.render_as_string(hide_password=False), settings, pool_size=1)
        self._providers = tuple(providers)
        # Shared with the children: what a killed one has passed is known.
        self._fate = Fate(None, mmap.mmap(-1, 4))
        listen(self._engine, self._fate)

    def live(self) -> None:
        """One turn and everything there is to send, unless death comes first."""
        channels = Doomed.of(self._providers, PATIENCE_S)
        assert isinstance(channels, Doomed)
        channels.fate = self._fate
        sessions = session_factory(self._engine)
        watch_once(sessions, name=NAME)
        Sender(sessions, channels).send_due()
        channels.close()
        self._engine.dispose()

    def child(self, at: int | None) -> tuple[int, int]:
        """How many points a child passed, and how it ended."""
        self._fate.at, self._fate.passed = at, 0
        pid = os.fork()
        if pid == 0:
            ended = 1
            try:
                self.live()
                ended = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(ended)
        _, status = os.waitpid(pid, 0)
        return self._fate.passed, os.waitstatus_to_exitcode(status)


def wait_for_orders(
    url: str, settings: Settings, providers: Iterable[AlarmProvider], orders: "Connection[object, object]"
) -> None:
    """A first life of its own, and then a child for each order, until there are no more."""
    zygote = Zygote(url, settings, providers)
    zygote.live()
    orders.send(None)
    with suppress(EOFError):
        while True:
            at = orders.recv()
            assert at is None or isinstance(at, int)
            orders.send(zygote.child(at))
