"""As often, and for as long, as the list of failure tests asks: races in their thousands, two hours of nobody, an
engine that is alive and does nothing, nights on which the clocks are set.

`TRIALS` says how often a check-in meets an expiry, 10,000 on the list; two officers meet a tenth as often.
"""

import datetime as dt
import itertools
import json
import os
import signal
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from fieldvisit.clock import database_now
from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import DutyShift, SafetyAlert, SafetySession
from fieldvisit.safety import alerts, closing
from fieldvisit.safety.alerts import AlreadyAcknowledged
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.beats import OUTAGE_S
from fieldvisit.safety.drafts import Officer, Resolution
from fieldvisit.safety.timers import CALLING
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, ResolutionProof, RiskLevel
from tests.processes import wait_until
from tests.safety.offices import Office
from tests.safety.providers import Providers
from tests.safety.scale import BARS
from tests.safety.test_outbox import all_fail
from tests.safety.test_steady import engine_at_work
from tests.safety.worlds import ACTIVE, ALARM, MINUTE, Door, another_door

TRIALS = int(os.environ.get("TRIALS", "100"))
HOUR = 60 * MINUTE
STEP_S, FEW = 0.001, 400

pytestmark = pytest.mark.long


def keep_on_duty(door: Door) -> None:
    """Whoever is on duty stays for a thousand days."""
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(DutyShift).values(ends_at=DutyShift.ends_at + dt.timedelta(days=1_000)))


def make_months(urls: Urls) -> None:
    """The months to come, which the worker makes where the clock is not moved by days in a minute."""
    with sa.create_engine(urls.owner, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("select maintain_partitions()"))


def close(door: Door, session_id: uuid.UUID) -> AlertKind:
    """An officer takes the only open alert of this session and closes it; its kind."""
    with acting_for(door.sessions, door.world.agency) as session:
        open_ones = sa.select(SafetyAlert).where(
            SafetyAlert.session_id == session_id, SafetyAlert.state != AlertState.RESOLVED
        )
        alert = session.scalars(open_ones).one()
        kind = alert.kind
        alerts.acknowledge(session, alert.id, door.officer)
        how = Resolution(outcome=AlertOutcome.FALSE_FORGOT, proof=ResolutionProof.VOICE_CONTACT, resume=False)
        closing.resolve(session, alert.id, door.officer, how)
        return kind


class Pair:
    """Two threads that begin at the same moment, as near as the machine can."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(2)
        self._start = threading.Barrier(2)

    def run(self, *acts: Callable[[], object]) -> list[object]:
        def begin(act: Callable[[], object]) -> object:
            self._start.wait()
            return act()

        return [begun.result() for begun in [self._pool.submit(begin, act) for act in acts]]


def after(seconds: float, act: Callable[[], object]) -> Callable[[], object]:
    def late() -> object:
        time.sleep(max(0.0, seconds))
        return act()

    return late


def test_a_check_in_and_an_expiry_in_the_same_millisecond(door: Door, urls: Urls) -> None:
    """T3. Each is one or the other, and an officer sees the late one as evidence."""
    keep_on_duty(door)
    pair, won, ahead_s = Pair(), {"checked in": 0, "missed": 0}, 0.0
    for number in range(TRIALS):
        if number % FEW == 0:
            make_months(urls)
        each = another_door(door)
        session_id = each.start()
        door.pass_under_watch_s(18 * MINUTE)
        pair.run(after(-ahead_s, door.watch), after(ahead_s, partial(each.check_in, session_id)))
        row, told = door.row(session_id), door.told_events(session_id)
        checked_in = (row.state, row.generation, told) == (ACTIVE, 2, ["started", "checked_in"])
        missed = (row.state, row.generation, told.count("alert_opened")) == (ALARM, 1, 1)
        assert checked_in != missed
        assert told.count("checked_in_late") == (1 if missed else 0)
        won["checked in" if checked_in else "missed"] += 1
        # Whoever lost begins a little sooner the next time: so both go on meeting where neither is first.
        ahead_s += STEP_S if checked_in else -STEP_S
        if checked_in:
            each.end(session_id)
        else:
            assert close(door, session_id) is AlertKind.MISSED_CHECKIN
    assert TRIALS < FEW or min(won.values()) > TRIALS / 4
    print(f"\n{TRIALS} trials, both orders: {won}; never both, never neither")


def test_two_officers_acknowledge_in_the_same_millisecond(door: Door) -> None:
    """T13. One owner, and the other one is told the name."""
    keep_on_duty(door)
    session_id = door.call_for_help()
    pair, trials = Pair(), max(10, TRIALS // 10)

    def attempt(by: Officer) -> str:
        try:
            return f"{door.acknowledge(by).owner_id} has it"
        except AlreadyAcknowledged as error:
            return f"{error.details['owner_id']} has it already"

    for _ in range(trials):
        answers = set(pair.run(partial(attempt, door.officer), partial(attempt, door.other_officer)))
        owner = door.alert().owner_id
        assert answers == {f"{owner} has it", f"{owner} has it already"}
        door.pass_under_watch_s(3 * MINUTE)
        door.watch()
    assert door.told_events(session_id).count("acknowledged") == trials
    print(f"\n{trials} trials: one owner each, the other one told of it")


def test_two_hours_in_which_nobody_can_be_reached(door: Door, office: Office) -> None:
    """T12. Exhausted within two minutes of a call for help, and everybody is called anew every two minutes."""
    all_fail(office)
    door.call_for_help()
    passed_s = 0
    while door.alert().state is not AlertState.EXHAUSTED:
        office.turn(5)
        passed_s += 5
        assert passed_s <= 2 * MINUTE
    for round in range(1, 2 * HOUR // CALLING.repeat_s + 1):
        assert (door.alert().state, door.alert().round) == (AlertState.EXHAUSTED, round)
        before = len(office.heard())
        office.turn(CALLING.repeat_s)
        assert len(office.heard()) > before
    called = {(each.round, each.channel) for each in office.messages() if each.step == door.alert().step}
    rounds = {round for round, _ in called}
    assert rounds == set(range(1, door.alert().round + 1))
    print(f"\nexhausted after {passed_s} s; {len(rounds)} rounds in two hours, {len(office.heard())} attempts")


@pytest.mark.parametrize("level", [RiskLevel.LOW, RiskLevel.NORMAL, RiskLevel.RAISED, RiskLevel.HIGH])
def test_a_silent_phone_is_missed_at_the_moment_of_its_level(door: Door, level: RiskLevel) -> None:
    """T24, to the second: not before, and then at once."""
    door.clock.stop()
    session_id = door.start(level, planned_s=HOUR)
    lost_s = (door.row(session_id).lost_at - door.row(session_id).started_at).total_seconds()
    assert lost_s == {"low": 15, "normal": 10, "raised": 5, "high": 3}[level.value] * MINUTE
    door.pass_under_watch_s(lost_s - 1)
    door.watch()
    assert not door.row(session_id).lost_contact
    door.pass_under_watch_s(1)
    door.watch()
    assert door.row(session_id).lost_contact or door.alert().kind is AlertKind.LOST_CONTACT


def test_a_row_that_is_held_for_half_a_minute(door: Door, urls: Urls) -> None:
    """T8. The others go on, the auditor names it, and it is raised as soon as it is let go."""
    url = plain_url(urls.app)
    held_id, other = door.start(), another_door(door)
    other_id = other.start()
    door.pass_under_watch_s(18 * MINUTE)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.select(SafetySession).where(SafetySession.id == held_id).with_for_update())
        for _ in range(3):
            door.pass_under_watch_s(10)
            door.watch()
        assert [alert.session_id for alert in door.alerts()] == [other_id]
        assert 1 in {each.number for each in audit(url)}
    assert door.watch().raised == 1
    assert {alert.session_id for alert in door.alerts()} == {held_id, other_id}


@pytest.mark.parametrize("night", ["2026-03-29", "2026-10-25"])
def test_the_nights_on_which_the_clocks_are_set(door: Door, urls: Urls, night: str) -> None:
    """T9. Helsinki's hour between 01:00 and 02:00 UTC comes twice, or not at all: a quarter of an hour stays one."""
    door.clock.stop()
    with acting_for_all(door.sessions) as session:
        now = session.scalars(sa.select(database_now())).one()
    before = dt.datetime.fromisoformat(f"{night}T00:50:00+00:00")
    door.pass_under_watch_s((before - now).total_seconds())
    make_months(urls)
    keep_on_duty(door)
    session_id = door.start()
    for passed_s, raised in ((18 * MINUTE - 1, 0), (1, 1)):
        door.pass_under_watch_s(passed_s)
        assert door.watch().raised == raised
    assert door.alert().session_id == session_id


def test_a_call_for_help_of_three_hours_ago_told_twenty_times(door: Door, office: Office) -> None:
    """T22. One alert, its age is told, and the whole ladder is climbed."""
    event_id = uuid.uuid4()
    for _ in range(20):
        session_id = door.call_for_help(event_id=event_id, age_s=3 * HOUR)
    alert = door.alert()
    assert (alert.opened_at - alert.deadline_at).total_seconds() == 3 * HOUR
    assert door.told_events(session_id).count("alert_opened") == 1
    steps = [alert.step]
    for wait_s in CALLING.waits_s:
        office.turn(wait_s)
        steps.append(door.alert().step)
    assert (steps, door.alert().state) == ([1, 2, 3], AlertState.EXHAUSTED)


def test_check_ins_replayed_in_any_order_before_and_after_the_alarm(door: Door) -> None:
    """T23. No deadline is ever earlier than it was, and no alarm closes."""
    for ages in itertools.permutations((0, 5 * MINUTE, 12 * MINUTE, 17 * MINUTE)):
        each = another_door(door)
        session_id = each.start()
        door.pass_under_watch_s(17 * MINUTE)
        deadlines = []
        for age_s in ages:
            each.check_in(session_id, age_s=age_s)
            deadlines.append(each.row(session_id).grace_until)
        assert deadlines == sorted(deadlines)
        door.pass_under_watch_s(19 * MINUTE)
        door.watch()
        for age_s in ages:
            each.check_in(session_id, age_s=age_s)
            assert each.row(session_id).state is ALARM
        close(door, session_id)


def test_an_engine_that_is_alive_and_does_nothing_is_taken_over(
    door: Door, settings: Settings, providers: Providers
) -> None:
    """T26. Stopped at whatever it does, with whatever it holds; everybody is raised by the other within 15 s."""
    told = {"ALARM_PROVIDERS": json.dumps(providers.as_json())}
    with engine_at_work(door, settings, "one", told) as stuck, engine_at_work(door, settings, "two", told):
        for _ in range(20):
            another_door(door).start()
        door.clock.pass_s(18 * MINUTE - 1)
        for each in (stuck, *stuck.children(recursive=True)):
            each.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: len(door.alerts()) == 20)
        finally:
            for each in (stuck, *stuck.children(recursive=True)):
                each.send_signal(signal.SIGCONT)
        late_s = [(alert.opened_at - alert.deadline_at).total_seconds() for alert in door.alerts()]
    if BARS:
        assert max(late_s) <= OUTAGE_S
    print(f"\n20 sessions beside an engine that is stopped: the last raised after {max(late_s):.1f} s")
