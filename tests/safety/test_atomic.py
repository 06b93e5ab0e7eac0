"""The kill matrix at its three sharpest points, quick enough for every run: between the decision and its alert, and on
both sides of a message that is handed over."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import OutboxMessage, SafetyAlert, SafetySession
from fieldvisit.outgoing.gateways import Channels, Handed, Letter
from fieldvisit.safety.pace import PACE
from fieldvisit.safety.sending import Sender
from fieldvisit.vocabulary import AlarmChannel, MessageState, SafetyState
from tests.safety.worlds import MINUTE, Door


class PowerCut(BaseException):
    """Nothing in the product catches it: as a process that is killed, it leaves only what was committed."""


@contextmanager
def cut_at(engine: sa.Engine, words: str) -> Iterator[None]:
    """The power goes when a statement with these words is about to run."""

    def cut(_: object, __: object, statement: str, *___: object) -> None:
        if words in statement:
            raise PowerCut

    event.listen(engine, "before_cursor_execute", cut)
    try:
        yield
    finally:
        event.remove(engine, "before_cursor_execute", cut)


def stored(door: Door) -> tuple[list[str], int, int]:
    """States of the sessions, how many alerts, how many messages."""
    with acting_for_all(door.sessions) as session:
        states = [state.value for state in session.scalars(sa.select(SafetySession.state))]
        counts = [
            session.scalars(sa.select(sa.func.count()).select_from(table)).one()
            for table in (SafetyAlert, OutboxMessage)
        ]
    return states, counts[0], counts[1]


@pytest.mark.parametrize(
    "statement", ["insert into safety_alerts", "insert into safety_events", "insert into safety_outbox"]
)
def test_state_alert_record_and_messages_are_one_transaction(door: Door, engine: sa.Engine, statement: str) -> None:
    door.start()
    door.pass_under_watch_s(18 * MINUTE)
    with cut_at(engine, statement), pytest.raises(PowerCut):
        door.watch()
    assert stored(door) == ([SafetyState.ACTIVE.value], 0, 0)
    door.watch()
    states, alerts, messages = stored(door)
    assert (states, alerts, messages > 0) == ([SafetyState.ALARM.value], 1, True)


class Cut(Channels):
    """A power cut at the moment of handing over; before or after the provider has heard it."""

    def __init__(self) -> None:
        super().__init__({})
        self.heard: list[str] = []

    def hand_over(self, letter: Letter, *, last: str | None) -> Handed:
        raise PowerCut


class Working(Cut):
    def hand_over(self, letter: Letter, *, last: str | None) -> Handed:
        self.heard.append(str(letter.id))
        return Handed(provider="fine")


def send(sessions: sessionmaker[Session], channels: Channels) -> None:
    sender = Sender(sessions, channels)
    sender.record([sender.hand_over(job) for job in sender.claim(AlarmChannel.SMS, 10)])


def test_a_message_that_was_not_handed_over_is_not_marked_as_sent_and_goes_out_later(door: Door) -> None:
    door.call_for_help()
    with pytest.raises(PowerCut):
        send(door.sessions, Cut())
    with acting_for_all(door.sessions) as session:
        sms = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.channel == AlarmChannel.SMS)).one()
    assert (sms.state, sms.sent_at) == (MessageState.QUEUED, None)
    door.clock.pass_s(PACE.lease_s + 1)
    working = Working()
    send(door.sessions, working)
    assert working.heard == [str(sms.id)]
