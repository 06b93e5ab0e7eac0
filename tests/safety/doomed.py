"""An engine killed at a point of our choosing: before a statement, around a commit, around a call to a provider.

The product knows nothing of it: the points are found by listening to the database driver and by standing between the
sender and its channels. Runs in a child process forked from one that has everything imported.
"""

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from fieldvisit.alarm_providers import AlarmProvider
from fieldvisit.database import app_engine, session_factory
from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.safety.engine import watch_once
from fieldvisit.safety.sending import Sender
from fieldvisit.settings import Settings

NAME = "doomed"


@dataclass
class Fate:
    """Counts the points passed; at number `at` the process is gone, as by a power cut."""

    at: int | None
    passed: Any

    def point(self) -> None:
        self.passed.value += 1
        if self.passed.value == self.at:
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


def live(
    url: str, settings: Settings, providers: Iterable[AlarmProvider], at: int | None, passed: "Synchronized[int]"
) -> None:
    """One turn and everything there is to send, unless death comes first."""
    named = sa.engine.make_url(url).update_query_dict({"application_name": NAME})
    engine = app_engine(named.render_as_string(hide_password=False), settings, pool_size=1)
    fate = Fate(at, passed)
    listen(engine, fate)
    channels = Doomed.of(providers, 5.0)
    assert isinstance(channels, Doomed)
    channels.fate = fate
    sessions = session_factory(engine)
    watch_once(sessions, name=NAME)
    Sender(sessions, channels).send_due()
