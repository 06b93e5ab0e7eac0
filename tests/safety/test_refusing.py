"""A channel that is out of order for ten minutes (T10), in real time: the others carry the alarm at once, and it is
tried until it works. `SAFETY_SCALE` scales the ten minutes, the leases and the waits between attempts alike."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for_all
from fieldvisit.models import OutboxMessage
from fieldvisit.outgoing.gateways import Channels
from fieldvisit.safety.engine import watch
from fieldvisit.safety.hints import Hint
from fieldvisit.safety.sending import Sender, run_sender
from fieldvisit.vocabulary import AlarmChannel, MessageState
from tests.processes import wait_until
from tests.safety.providers import Providers, fake_providers
from tests.safety.scale import BARS, ScaledPace, scaled_s
from tests.safety.worlds import Door

OUT_OF_ORDER_S = scaled_s(600)
SMS = ("sms-a", "sms-b")
PACE = ScaledPace()


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[Providers]:
    with fake_providers(tmp_path) as found:
        yield found


@contextmanager
def at_work(door: Door, providers: Providers) -> Iterator[None]:
    """An engine and its sender, until the end of the block."""
    stop, hint, channels = threading.Event(), Hint(), Channels.of(providers.all(), PACE.timeout_s)
    engine = threading.Thread(target=watch, args=(door.sessions, stop), kwargs={"name": "one", "hint": hint})
    engine.start()
    join = run_sender(Sender(door.sessions, channels, pace=PACE), stop, hint)
    try:
        yield
    finally:
        stop.set()
        hint.give()
        engine.join()
        join()
        channels.close()


def in_order(door: Door) -> bool:
    """Whether a message has reached somebody by SMS."""
    with acting_for_all(door.sessions) as session:
        sent = sa.select(OutboxMessage.id).where(
            OutboxMessage.channel == AlarmChannel.SMS, OutboxMessage.state == MessageState.SENT
        )
        return session.scalar(sent.limit(1)) is not None


@pytest.mark.long
def test_a_channel_out_of_order_delays_no_other_and_is_tried_until_it_works(door: Door, providers: Providers) -> None:
    for name in SMS:
        providers.behave(name, mode="fail")
    with at_work(door, providers):
        begun = time.time()
        session_id = door.call_for_help()
        wait_until(lambda: providers.heard_by("voice-a", "voice-b"))
        time.sleep(max(0.0, begun + OUT_OF_ORDER_S - time.time()))
        refused = [each["at"] for each in providers.heard_by(*SMS)]
        for name in SMS:
            providers.behave(name)
        wait_until(lambda: in_order(door))
    voice_s = providers.heard_by("voice-a", "voice-b")[0]["at"] - begun
    longest_s = max(
        later - sooner for sooner, later in zip(refused, [*refused[1:], begun + OUT_OF_ORDER_S], strict=True)
    )
    told = [each.detail for each in door.events(session_id) if each.kind in ("step_begun", "exhausted")]
    print(
        f"\nout of order for {OUT_OF_ORDER_S:.0f} s: by voice after {voice_s:.2f} s; {len(refused)} attempts refused, "
        f"the longest pause {longest_s:.1f} s; {len(told)} steps"
    )
    steps = [(each["round"], each["step"]) for each in told]
    assert steps == sorted(set(steps))
    assert {each["provider"] for each in providers.heard_by(*SMS)} == set(SMS)
    if BARS:
        assert voice_s <= 5
        assert longest_s <= PACE.retry_s(99, 1) + PACE.lease_s
