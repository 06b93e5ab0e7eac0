"""The state machines of sessions and alerts under every order of events that chance finds: a visitor, two officers, two
engines, time, and a power cut at any statement. After each healthy turn the auditor must find nothing.

It is the product's own code that moves, over the real database; only the provider is a stand-in. `MODEL_EXAMPLES` says
how many stories are tried.
"""

import os
import uuid
from collections.abc import Callable
from contextlib import suppress

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import event

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.outgoing.gateways import Channel, Channels, Handed, Letter
from fieldvisit.safety import alerts, closing, handling, sessions
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.drafts import Resolution
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.sending import Sender
from fieldvisit.vocabulary import (
    AlarmChannel,
    AlertOutcome,
    AlertState,
    CallResult,
    ResolutionProof,
    RiskLevel,
    SafetyState,
)
from tests.safety.test_atomic import PowerCut
from tests.safety.worlds import Door, another_door

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "8"))
STEPS = 25
LEVELS = st.sampled_from([RiskLevel.LOW, RiskLevel.NORMAL, RiskLevel.RAISED, RiskLevel.HIGH])
SECONDS = st.sampled_from([1, 4, 61, 121, 181, 301, 481, 1_081])
PINS = st.sampled_from([None, "4711", "4862", "0000"])


class Fine:
    """A provider that takes everything."""

    name, receipts = "fine", False

    def hand_over(self, letter: Letter) -> Handed:
        return Handed(provider=self.name)

    def close(self) -> None:
        """Nothing is open."""


def machine(door: Door, engine: sa.Engine, url: str) -> type[RuleBasedStateMachine]:
    provider: Channel = Fine()
    channels = Channels({channel: [provider] for channel in AlarmChannel})

    class Story(RuleBasedStateMachine):
        @initialize(pin=st.booleans())
        def arrive(self, pin: bool) -> None:
            """A visitor of one's own for each story; those of the stories before are over."""
            with acting_for_all(door.sessions) as session:
                session.execute(sa.text("delete from safety_outbox"))
                session.execute(
                    sa.text(
                        "update safety_alerts set state = 'resolved', outcome = 'drill', proof = 'voice_contact',"
                        " next_action_at = null where state <> 'resolved'"
                    )
                )
                session.execute(
                    sa.text("update safety_sessions set state = 'ended' where state in ('active', 'alarm')")
                )
                session.execute(sa.text("update duty_shifts set ends_at = fieldvisit_now() + interval '20 days'"))
            self.door = another_door(door)
            self.session_id: uuid.UUID | None = None
            if pin:
                with acting_for(door.sessions, door.world.agency) as session:
                    set_pins(session, self.door.visitor_id, "4711", "4862")
            door.somebody_watches()

        def does(self, act: Callable[..., object], *given: object, **more: object) -> None:
            """One transaction; a refusal is an answer."""
            with suppress(FieldVisitError), acting_for(door.sessions, door.world.agency) as session:
                act(session, *given, **more)

        @rule(level=LEVELS)
        def start(self, level: RiskLevel) -> None:
            with suppress(FieldVisitError):
                self.session_id = self.door.start(level)

        @precondition(lambda self: self.session_id)
        @rule(age_s=st.sampled_from([0, 0, 0, 30, 2_000]))
        def check_in(self, age_s: int) -> None:
            self.does(sessions.check_in, self.session_id, self.door.told(age_s=age_s))

        @precondition(lambda self: self.session_id)
        @rule()
        def beat(self) -> None:
            self.does(sessions.beat, self.session_id, self.door.told())

        @precondition(lambda self: self.session_id)
        @rule(pin=PINS)
        def end(self, pin: str | None) -> None:
            self.does(sessions.end_session, self.session_id, self.door.told(pin=pin))

        @precondition(lambda self: self.session_id)
        @rule(pin=PINS)
        def take_back(self, pin: str | None) -> None:
            self.does(sessions.cancel_call, self.session_id, self.door.told(pin=pin))

        @rule(covert=st.booleans(), man_down=st.booleans())
        def call_for_help(self, covert: bool, man_down: bool) -> None:
            self.session_id = self.door.call_for_help(covert=covert, man_down=man_down)

        @rule(seconds=SECONDS, watched=st.booleans())
        def time_passes(self, seconds: int, watched: bool) -> None:
            (door.pass_under_watch_s if watched else door.clock.pass_s)(seconds)

        def open_alerts(self) -> list[uuid.UUID]:
            with acting_for_all(door.sessions) as session:
                found = sa.select(SafetyAlert.id).where(SafetyAlert.state != AlertState.RESOLVED)
                return list(session.scalars(found.order_by(SafetyAlert.id)))

        @rule(second=st.booleans())
        def acknowledge(self, second: bool) -> None:
            for alert_id in self.open_alerts():
                self.does(alerts.acknowledge, alert_id, door.other_officer if second else door.officer)

        @rule(result=st.sampled_from(list(CallResult)))
        def call_visitor(self, result: CallResult) -> None:
            for alert_id in self.open_alerts():
                self.does(handling.record_call, alert_id, door.officer, result)

        @rule(resume=st.booleans(), second=st.booleans())
        def resolve(self, resume: bool, second: bool) -> None:
            how = Resolution(outcome=AlertOutcome.FALSE_FORGOT, proof=ResolutionProof.VOICE_CONTACT, resume=resume)
            for alert_id in self.open_alerts():
                self.does(closing.resolve, alert_id, door.other_officer if second else door.officer, how)
                self.does(handling.agree_to_close, alert_id, door.officer if second else door.other_officer)

        @rule(statement=st.integers(1, 40))
        def power_cut(self, statement: int) -> None:
            left = statement

            def count(*_: object) -> None:
                nonlocal left
                left -= 1
                if left == 0:
                    raise PowerCut

            event.listen(engine, "before_cursor_execute", count)
            try:
                with suppress(PowerCut):
                    door.watch("cut")
                    Sender(door.sessions, channels).send_due()
            finally:
                event.remove(engine, "before_cursor_execute", count)

        @rule(name=st.sampled_from(["one", "two"]))
        def turn(self, name: str) -> None:
            """Leases of one that died have run out by the next turn but one: time is what heals them."""
            door.pass_under_watch_s(11)
            for _ in range(3):
                assert door.watch(name).failed == 0
                Sender(door.sessions, channels).send_due()
            assert audit(url) == []

        def teardown(self) -> None:
            self.turn("one")
            with acting_for_all(door.sessions) as session:
                rows = session.scalars(sa.select(SafetySession).where(SafetySession.visitor_id == self.door.visitor_id))
                for row in rows:
                    unsettled = [alert for alert in row.alerts if alert.state is not AlertState.RESOLVED]
                    assert (row.state is SafetyState.ALARM) == bool(unsettled)
                    assert len({alert.kind for alert in unsettled}) == len(unsettled)
                    assert sum(alert.parent_id is None for alert in unsettled) <= 1

    return Story


@pytest.mark.long
def test_whatever_happens_in_whatever_order_nobody_is_forgotten(door: Door, engine: sa.Engine, urls: Urls) -> None:
    run_state_machine_as_test(
        machine(door, engine, plain_url(urls.app)),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
