"""Kill -9 the engine at every statement of fire, escalate, claim, send and record: nothing is lost, nothing doubled.

`KILL_RUNS` says how often each point is tried (1 in `make test-long`), each time in a database of its own, so that with
`-n 2` two of them go side by side; `KILL_EVERY` to try only some of the points. The database's clock stands still but
for what the test lets pass: how busy the machine is decides nothing.
"""

import datetime as dt
import multiprocessing
import os
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for_all
from fieldvisit.models import DutyShift, OutboxMessage, SafetyAlert, SafetySession
from fieldvisit.outgoing.gateways import Channels
from fieldvisit.safety.pace import PACE
from fieldvisit.safety.sending import Sender
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, MessageState, ResolutionProof, SafetyState
from tests.processes import PATIENCE_S
from tests.safety import doomed
from tests.safety.providers import Providers, fake_providers
from tests.safety.worlds import MINUTE, Door, another_door

RUNS = int(os.environ.get("KILL_RUNS", "1"))
EVERY = int(os.environ.get("KILL_EVERY", "1"))
OVER_S = 1
"""So long each of the two deadlines has been behind when the engine that dies looks at it."""
LATEST_S = OVER_S + PACE.lease_s + 1
"""The engine that follows waits for the leases of the dead one and for nothing else."""


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[Providers]:
    with fake_providers(tmp_path) as found:
        yield found


class Lives:
    """Engines that live one turn each, some of them shorter; all are children of one process that has lived one."""

    def __init__(self, door: Door, urls: Urls, settings: Settings, providers: Providers) -> None:
        self.door, self.providers = door, providers
        context = multiprocessing.get_context("spawn")
        self._orders, theirs = context.Pipe()
        given = (urls.app, settings, providers.all(), theirs)
        self._zygote = context.Process(target=doomed.wait_for_orders, args=given, daemon=True)
        self._zygote.start()
        theirs.close()
        self._orders.recv()
        self._channels = Channels.of(providers.all(), doomed.PATIENCE_S)
        self._sender = Sender(door.sessions, self._channels)

    def close(self) -> None:
        self._orders.close()
        self._zygote.join()
        self._channels.close()

    def live(self, at: int | None = None) -> tuple[int, int]:
        """The points that were passed, and how the process ended."""
        self._orders.send(at)
        passed, ended = self._orders.recv()
        self._wait_for_burial()
        return passed, ended

    def _wait_for_burial(self) -> None:
        """The server has noticed that the process is gone: its last transaction holds nothing any more."""
        theirs = sa.text("select count(*) = 0 from pg_stat_activity where application_name = :name")
        deadline = time.monotonic() + PATIENCE_S
        with self.door.sessions.kw["bind"].connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            while not connection.scalar(theirs, {"name": doomed.NAME}):
                assert time.monotonic() < deadline, "the server still thinks it alive"
                time.sleep(0.002)

    def recover(self) -> None:
        """A healthy engine finds what the dead one left, once its leases have run out."""
        self.door.clock.pass_s(PACE.lease_s + 1)
        self.door.somebody_watches()
        self.door.watch("healthy")
        self._sender.send_due()


@pytest.fixture
def lives(door: Door, urls: Urls, settings: Settings, providers: Providers) -> Iterator[Lives]:
    lives = Lives(door, urls, settings, providers)
    yield lives
    lives.close()


def make_trouble(door: Door) -> tuple[uuid.UUID, uuid.UUID]:
    """One session whose alert has waited for its second step, and one past its grace: both are due now."""
    waiting, silent = another_door(door), another_door(door)
    silent_id = silent.start()
    door.pass_under_watch_s(17 * MINUTE)
    silent.beat(silent_id)
    waiting_id = waiting.call_for_help()
    door.pass_under_watch_s(MINUTE + OVER_S)
    return silent_id, waiting_id


def judge(door: Door, providers: Providers, silent_id: uuid.UUID, waiting_id: uuid.UUID) -> None:
    """Nothing lost, nothing doubled, nobody untold, nothing late."""
    heard = Counter(each["key"] for each in providers.heard())
    with acting_for_all(door.sessions) as session:
        alerts = session.scalars(
            sa.select(SafetyAlert).where(SafetyAlert.session_id.in_((silent_id, waiting_id))).order_by(SafetyAlert.kind)
        ).all()
        assert [(each.kind, each.state, each.step) for each in alerts] == [
            (AlertKind.MISSED_CHECKIN, AlertState.NOTIFYING, 1),
            (AlertKind.SOS, AlertState.NOTIFYING, 2),
        ]
        for alert in alerts:
            put_out = session.scalars(
                sa.select(OutboxMessage).where(OutboxMessage.alert_id == alert.id, OutboxMessage.step == alert.step)
            ).all()
            assert put_out
            assert {each.state for each in put_out} == {MessageState.SENT}
            assert all(heard[str(each.id)] >= 1 for each in put_out)
            first = min(each.sent_at for each in put_out if each.sent_at)
            since = alert.deadline_at if alert.kind is AlertKind.MISSED_CHECKIN else put_out[0].created_at
            assert (first - since).total_seconds() <= LATEST_S
    told = [door.told_events(session_id) for session_id in (silent_id, waiting_id)]
    assert [each.count("alert_opened") for each in told] == [1, 1]
    assert [each.count("step_begun") for each in told] == [1, 2]


def bury(door: Door, providers: Providers) -> None:
    """Close what is open, so that the next run has its own trouble only."""
    providers.forget()
    with acting_for_all(door.sessions) as session:
        session.execute(
            sa.update(SafetyAlert)
            .where(SafetyAlert.state != AlertState.RESOLVED)
            .values(
                state=AlertState.RESOLVED,
                next_action_at=None,
                outcome=AlertOutcome.FALSE_OUR_OUTAGE,
                proof=ResolutionProof.VOICE_CONTACT,
            )
        )
        session.execute(
            sa.update(SafetySession).where(SafetySession.state == SafetyState.ALARM).values(state=SafetyState.ENDED)
        )


def test_a_whole_life_sends_everything(door: Door, lives: Lives) -> None:
    door.clock.stop()
    trouble = make_trouble(door)
    points, ended = lives.live()
    assert (points > 50, ended) == (True, 0)
    judge(door, lives.providers, *trouble)


@pytest.mark.long
@pytest.mark.parametrize("run", range(1, RUNS + 1))
def test_an_engine_killed_at_any_point_loses_nothing_and_doubles_nothing(run: int, door: Door, lives: Lives) -> None:
    began = time.monotonic()
    door.clock.stop()
    with acting_for_all(door.sessions) as session:
        # Each point takes eighteen minutes, and somebody is on duty at the last.
        session.execute(sa.update(DutyShift).values(ends_at=DutyShift.ends_at + dt.timedelta(days=100)))
    trouble = make_trouble(door)
    points, ended = lives.live()
    assert ended == 0
    judge(door, lives.providers, *trouble)
    tried = range(1, points + 1, EVERY)
    for at in tried:
        bury(door, lives.providers)
        trouble = make_trouble(door)
        passed, ended = lives.live(at)
        assert (passed, ended) == (at, -9), f"it should have died at point {at}"
        lives.recover()
        judge(door, lives.providers, *trouble)
    each_s = (time.monotonic() - began) / len(tried)
    print(f"\n{len(tried)} of {points} points, for the {run}. time: lost 0, doubled 0; {each_s:.2f} s each", flush=True)
