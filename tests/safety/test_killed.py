"""Kill -9 the engine at every statement of fire, escalate, claim, send and record: nothing is lost, nothing doubled.

`KILL_RUNS` says how often each point is tried (1 in `make test-long`), `KILL_EVERY` to try only some of the points.
The database's clock stands still but for what the test lets pass: how busy the machine is decides nothing.
"""

import datetime as dt
import multiprocessing
import os
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
from tests.processes import wait_until
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
    """Engines that live one turn each, some of them shorter."""

    def __init__(self, door: Door, urls: Urls, settings: Settings, providers: Providers) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.safety.doomed"])
        self.door, self.providers = door, providers
        self._given = (urls.app, settings, providers.all())

    def live(self, at: int | None = None) -> tuple[int, int | None]:
        """The points that were passed, and how the process ended."""
        passed = self._context.Value("i", 0)
        process = self._context.Process(target=doomed.live, args=(*self._given, at, passed))
        process.start()
        process.join()
        wait_until(self._buried)
        return passed.value, process.exitcode

    def _buried(self) -> bool:
        """The server has noticed that the process is gone: its last transaction holds nothing any more."""
        with acting_for_all(self.door.sessions) as session:
            theirs = sa.text("select count(*) = 0 from pg_stat_activity where application_name = :name")
            return bool(session.scalar(theirs, {"name": doomed.NAME}))

    def recover(self) -> None:
        """A healthy engine finds what the dead one left, once its leases have run out."""
        self.door.clock.pass_s(PACE.lease_s + 1)
        self.door.somebody_watches()
        self.door.watch("healthy")
        channels = Channels.of(self.providers.all(), PACE.timeout_s)
        Sender(self.door.sessions, channels).send_due()
        channels.close()


@pytest.fixture
def lives(door: Door, urls: Urls, settings: Settings, providers: Providers) -> Lives:
    return Lives(door, urls, settings, providers)


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


def bury(door: Door) -> None:
    """Close what is open, so that the next run has its own trouble only."""
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
def test_an_engine_killed_at_any_point_loses_nothing_and_doubles_nothing(door: Door, lives: Lives) -> None:
    door.clock.stop()
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(DutyShift).values(ends_at=DutyShift.ends_at + dt.timedelta(days=100)))
    trouble = make_trouble(door)
    points, _ = lives.live()
    judge(door, lives.providers, *trouble)
    bury(door)
    for run in range(1, RUNS + 1):
        for at in range(1, points + 1, EVERY):
            trouble = make_trouble(door)
            passed, ended = lives.live(at)
            assert (passed, ended) == (at, -9), f"it should have died at point {at}"
            lives.recover()
            judge(door, lives.providers, *trouble)
            bury(door)
        print(f"\n{points} points, each for the {run}. time: lost 0, doubled 0", flush=True)
