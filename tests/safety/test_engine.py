"""The engine raises each deadline once, whatever else goes on."""

import datetime as dt
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event, Thread

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import ProgrammingError

from fieldvisit import embedded
from fieldvisit.apart import LeftUndone
from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import EngineBeat, OutboxMessage, SafetySession
from fieldvisit.safety.beats import find_outage, keep_up, rest_s
from fieldvisit.safety.engine import Fired, watch
from fieldvisit.safety.firing import Outage, claim_due, fire
from fieldvisit.safety.live import read_wall
from fieldvisit.safety.timers import BY_LEVEL
from fieldvisit.vocabulary import AlertKind, AlertState, RiskLevel
from tests.conftest import NOW
from tests.safety.worlds import ACTIVE, ALARM, MINUTE, Door, another_door, rewrite

RAISED_ONE = Fired(raised=1)


@pytest.mark.parametrize(("level", "after_s"), [(RiskLevel.LOW, 35 * MINUTE), (RiskLevel.NORMAL, 18 * MINUTE)])
def test_a_missed_check_in_is_raised_when_the_grace_runs_out_and_not_before(
    door: Door, level: RiskLevel, after_s: int
) -> None:
    session_id = door.start(level)
    door.pass_under_watch_s(after_s - 30)
    door.beat(session_id)
    assert door.watch() == Fired()
    door.pass_under_watch_s(30)
    assert door.watch() == RAISED_ONE
    alert, row = door.alert(), door.row(session_id)
    assert (alert.kind, alert.state, alert.step, alert.deadline_at) == (
        AlertKind.MISSED_CHECKIN,
        AlertState.NOTIFYING,
        1,
        row.grace_until,
    )
    assert (row.state, row.unverified, alert.unverified) == (ALARM, False, False)
    assert door.told_events(session_id) == ["started", "alert_opened", "step_begun"]


@pytest.mark.parametrize("level", [RiskLevel.RAISED, RiskLevel.HIGH, RiskLevel.DRILL])
def test_the_levels_without_much_patience_are_raised_too(door: Door, level: RiskLevel) -> None:
    session_id = door.start(level)
    timers = BY_LEVEL[level]
    door.pass_under_watch_s(timers.check_in_s + timers.grace_s - 5)
    door.beat(session_id)
    door.pass_under_watch_s(5)
    assert door.watch() == RAISED_ONE
    assert door.alert().kind is AlertKind.MISSED_CHECKIN


def test_a_raised_alarm_is_not_raised_again(door: Door) -> None:
    door.start()
    door.pass_under_watch_s(18 * MINUTE)
    assert [door.watch() for _ in range(3)] == [RAISED_ONE, Fired(), Fired()]
    assert len(door.alerts()) == 1


def test_a_session_past_its_end_is_an_overrun(door: Door) -> None:
    session_id = door.start(planned_s=10 * MINUTE)
    door.pass_under_watch_s(10 * MINUTE)
    assert door.watch() == RAISED_ONE
    assert (door.alert().kind, door.alert().deadline_at) == (AlertKind.OVERRUN, door.row(session_id).end_at)


@pytest.mark.parametrize(("level", "lost_s"), [(RiskLevel.LOW, 15 * MINUTE), (RiskLevel.NORMAL, 10 * MINUTE)])
def test_lost_contact_is_only_marked_at_the_calmer_levels_and_forgotten_when_the_phone_is_back(
    door: Door, level: RiskLevel, lost_s: int
) -> None:
    session_id = door.start(level)
    door.pass_under_watch_s(lost_s)
    assert [door.watch(), door.watch()] == [Fired(lost=1), Fired()]
    assert (door.row(session_id).state, door.row(session_id).lost_contact, door.alerts()) == (ACTIVE, True, [])
    door.beat(session_id)
    assert door.row(session_id).lost_contact is False
    assert door.told_events(session_id) == ["started", "contact_lost", "contact_regained"]


@pytest.mark.parametrize(("level", "lost_s"), [(RiskLevel.RAISED, 5 * MINUTE), (RiskLevel.HIGH, 3 * MINUTE)])
def test_lost_contact_is_an_alert_at_the_more_dangerous_levels(door: Door, level: RiskLevel, lost_s: int) -> None:
    session_id = door.start(level)
    door.pass_under_watch_s(lost_s)
    assert door.watch() == RAISED_ONE
    assert (door.alert().kind, door.row(session_id).state) == (AlertKind.LOST_CONTACT, ALARM)


def test_of_several_deadlines_behind_the_first_is_the_cause(door: Door) -> None:
    """Contact was lost at 10 minutes, which is only marked; the end came at 12, the grace ran out at 18."""
    session_id = door.start(planned_s=12 * MINUTE)
    door.pass_under_watch_s(20 * MINUTE)
    assert door.watch() == RAISED_ONE
    assert (door.alert().kind, door.row(session_id).lost_contact) == (AlertKind.OVERRUN, True)
    assert door.told_events(session_id) == ["started", "contact_lost", "alert_opened", "step_begun"]


def test_a_late_check_in_lowers_no_alarm(door: Door) -> None:
    session_id = door.start()
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    before = door.row(session_id)
    door.check_in(session_id)
    alert, after = door.alert(), door.row(session_id)
    assert (alert.state, alert.visitor_reports_safe_at is not None) == (AlertState.NOTIFYING, True)
    assert (after.state, after.grace_until, after.generation) == (ALARM, before.grace_until, before.generation)
    assert door.told_events(session_id)[-1] == "checked_in_late"


def test_the_most_dangerous_is_raised_first(door: Door) -> None:
    levels = (RiskLevel.NORMAL, RiskLevel.HIGH, RiskLevel.LOW, RiskLevel.RAISED)
    for place, level in enumerate(levels):
        (another_door(door) if place else door).start(level, planned_s=2 * MINUTE)
    door.pass_under_watch_s(2 * MINUTE)
    with acting_for_all(door.sessions) as session:
        assert [row.level for row in claim_due(session, 3)] == [RiskLevel.HIGH, RiskLevel.RAISED, RiskLevel.NORMAL]


def test_a_decision_read_before_a_check_in_comes_too_late(door: Door) -> None:
    """The phone's check-in waited so long that the deadline stays behind: only the generation tells."""
    session_id = door.start()
    door.pass_under_watch_s(18 * MINUTE)
    with acting_for_all(door.sessions) as session:
        (stale,) = session.scalars(sa.select(SafetySession)).all()
        session.expunge(stale)
    door.check_in(session_id, age_s=19 * MINUTE)
    with acting_for_all(door.sessions) as session:
        assert fire(session, [stale]) == {}
    assert door.alerts() == []
    assert door.watch().raised == 1


def test_of_a_check_in_and_an_expiry_exactly_one_wins(door: Door) -> None:
    """Two real connections, many rounds; who begins first changes from round to round."""
    for round in range(25):
        each = another_door(door)
        session_id = each.start()
        door.pass_under_watch_s(18 * MINUTE)
        acts = [door.watch, partial(each.check_in, session_id)]
        with ThreadPoolExecutor(2) as pool:
            for begun in [pool.submit(act) for act in (acts if round % 2 else reversed(acts))]:
                begun.result()
        row = door.row(session_id)
        raised = [alert.kind for alert in door.alerts() if alert.session_id == session_id]
        told = door.told_events(session_id)
        checked_in = (row.state, row.generation, raised, told) == (ACTIVE, 2, [], ["started", "checked_in"])
        missed = (row.state, row.generation, raised) == (ALARM, 1, [AlertKind.MISSED_CHECKIN])
        assert checked_in != missed
        assert told.count("checked_in_late") == (1 if missed else 0)
        if checked_in:
            each.end(session_id)


def test_a_check_in_that_holds_the_row_is_left_alone_and_wins(door: Door) -> None:
    session_id = door.start()
    door.pass_under_watch_s(18 * MINUTE)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.select(SafetySession).where(SafetySession.id == session_id).with_for_update())
        assert door.watch() == Fired()
    door.check_in(session_id)
    assert door.watch() == Fired()
    assert door.row(session_id).state is ACTIVE


def test_a_row_that_is_held_delays_no_other_and_is_raised_when_it_is_free(door: Door) -> None:
    held_id = door.start(RiskLevel.HIGH, planned_s=2 * MINUTE)
    other = another_door(door)
    other.start(planned_s=2 * MINUTE)
    door.pass_under_watch_s(2 * MINUTE)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.select(SafetySession).where(SafetySession.id == held_id).with_for_update())
        assert door.watch().raised == 1
    assert door.watch().raised == 1
    assert {alert.session_id for alert in door.alerts()} >= {held_id}


def test_several_engines_raise_each_alarm_once(door: Door) -> None:
    doors = [door, *(another_door(door) for _ in range(29))]
    started = {each.start(planned_s=2 * MINUTE) for each in doors}
    door.pass_under_watch_s(2 * MINUTE)
    with ThreadPoolExecutor(3) as pool:
        turns = list(pool.map(door.watch, ("one", "two", "three")))
    assert sum(turn.raised for turn in turns) == len(started)
    assert sorted(alert.session_id for alert in door.alerts()) == sorted(started)
    assert {alert.step for alert in door.alerts()} == {1}


def test_more_sessions_than_a_batch_are_raised_in_one_turn(door: Door) -> None:
    doors = [door, *(another_door(door) for _ in range(44))]
    for each in doors:
        each.start(planned_s=2 * MINUTE)
    door.pass_under_watch_s(2 * MINUTE)
    assert door.watch() == Fired(raised=45)


def set_last_sequence(door: Door, session_id: uuid.UUID, number: int) -> None:
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(SafetySession).where(SafetySession.id == session_id).values(last_sequence=number))


def test_a_row_that_the_database_refuses_stands_in_nobodys_way_and_is_tried_again(door: Door) -> None:
    broken_id = door.start(RiskLevel.HIGH, planned_s=2 * MINUTE)
    other_id = another_door(door).start(planned_s=2 * MINUTE)
    set_last_sequence(door, broken_id, 2**31 - 1)
    door.pass_under_watch_s(2 * MINUTE)
    assert [door.watch(), door.watch()] == [Fired(raised=1, failed=1), Fired(failed=1)]
    assert [alert.session_id for alert in door.alerts()] == [other_id]
    assert door.row(broken_id).state is ACTIVE
    set_last_sequence(door, broken_id, 1)
    assert door.watch() == RAISED_ONE


def test_a_policy_of_a_later_version_is_raised_and_climbs(door: Door) -> None:
    session_id = door.start()
    policy = door.row(session_id).policy
    ladder = policy["silent"] | {"of_a_later_version": 1, "waits_s": [30, 60, 120, 120]}
    rewrite(door, session_id, policy=policy | {"of_a_later_version": 1, "grace_s": 20 * MINUTE, "silent": ladder})
    door.check_in(session_id)
    door.pass_under_watch_s(35 * MINUTE)
    assert door.watch() == RAISED_ONE
    assert (door.alert().kind, door.alert().step) == (AlertKind.MISSED_CHECKIN, 1)
    door.pass_under_watch_s(30)
    assert door.watch() == Fired(climbed=1)


def test_a_policy_that_nobody_can_read_is_raised_and_stands_in_nobodys_way(door: Door) -> None:
    """Its first step cannot be begun: that is said on each turn, and the alert is open."""
    broken_id, other_id = door.start(planned_s=2 * MINUTE), another_door(door).start(planned_s=2 * MINUTE)
    rewrite(door, broken_id, policy=[], lost_contact=True)
    door.pass_under_watch_s(2 * MINUTE)
    assert [door.watch(), door.watch()] == [Fired(raised=2, climbed=1, failed=1), Fired(failed=1)]
    raised = {alert.session_id: (alert.kind, alert.state) for alert in door.alerts()}
    assert raised == {
        broken_id: (AlertKind.OVERRUN, AlertState.OPEN),
        other_id: (AlertKind.OVERRUN, AlertState.NOTIFYING),
    }


def lengthen(urls: Urls, table: str, column: str, row_id: uuid.UUID) -> None:
    """A later version has a longer list of what this column may be, and has written so in this row."""
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as owner:
        owner.execute("select set_config('app.sees_all', 'on', false)")
        for (name,) in owner.execute(
            "select c.conname from pg_constraint c join pg_attribute a on a.attrelid = c.conrelid and c.conkey = "
            "array[a.attnum] where c.contype = 'c' and c.conrelid = %s::regclass and a.attname = %s",
            [table, column],
        ).fetchall():
            owner.execute(f"alter table {table} drop constraint {name}")  # type: ignore[arg-type]  # of the catalogue
        done = owner.execute(f"update {table} set {column} = 'of_a_later_version' where id = %s", [row_id])  # type: ignore[arg-type]
        assert done.rowcount == 1


@pytest.mark.parametrize("column", ["cover", "level"])
def test_a_session_that_a_later_version_made_is_raised_like_the_others(door: Door, urls: Urls, column: str) -> None:
    later_id, other_id = door.start(planned_s=2 * MINUTE), another_door(door).start(planned_s=2 * MINUTE)
    lengthen(urls, "safety_sessions", column, later_id)
    door.check_in(later_id)
    door.pass_under_watch_s(2 * MINUTE)
    assert [door.watch(), door.watch()] == [Fired(raised=2), Fired()]
    assert {alert.session_id: alert.state for alert in door.alerts()} == dict.fromkeys(
        (later_id, other_id), AlertState.NOTIFYING
    )
    assert str(getattr(door.row(later_id), column)) == "of_a_later_version"
    with acting_for(door.sessions, door.world.agency) as session:
        put_out = sa.select(OutboxMessage.session_id, sa.func.count()).group_by(OutboxMessage.session_id)
        counts = dict(session.execute(put_out).all())
        assert (set(counts), len(set(counts.values()))) == ({later_id, other_id}, 1)
        assert {tile.id for tile in read_wall(session).tiles} == {later_id, other_id}


@pytest.mark.parametrize("column", ["kind", "state"])
def test_an_alert_that_a_later_version_made_climbs_like_the_others(door: Door, urls: Urls, column: str) -> None:
    door.call_for_help()
    another_door(door).call_for_help()
    lengthen(urls, "safety_alerts", column, door.alerts()[0].id)
    door.pass_under_watch_s(MINUTE)
    assert door.watch() == Fired(climbed=2)
    assert [alert.step for alert in door.alerts()] == [2, 2]


def test_what_cannot_be_asked_of_one_kind_keeps_no_alarm_of_another_back(door: Door, urls: Urls) -> None:
    """The table of visits is not to be had, on which alone rests who goes without a session."""
    door.call_for_help()
    another_door(door).start(planned_s=2 * MINUTE)
    door.pass_under_watch_s(2 * MINUTE)
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as owner:
        owner.execute("alter table visits rename to visits_elsewhere")
        with pytest.raises(ProgrammingError):
            door.watch()
        owner.execute("alter table visits_elsewhere rename to visits")
    called, silent = door.alerts()
    assert (called.step, silent.kind) == (2, AlertKind.OVERRUN)
    assert not has_beaten(door, "one"), "not everything was looked at"


@pytest.mark.parametrize("table", ["engine_beats", "watch_outages"])
def test_an_outage_that_cannot_be_asked_for_or_written_down_keeps_no_alarm_back(
    door: Door, urls: Urls, table: str
) -> None:
    door.call_for_help()
    another_door(door).start(planned_s=2 * MINUTE)
    door.somebody_watches()
    door.clock.pass_s(2 * MINUTE)
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as owner:
        owner.execute(f"alter table {table} rename to elsewhere")
        with pytest.raises(ProgrammingError):
            door.watch()
        owner.execute(f"alter table elsewhere rename to {table}")
    called, silent = door.alerts()
    assert (called.step, silent.kind, silent.state) == (2, AlertKind.OVERRUN, AlertState.NOTIFYING)
    assert silent.unverified is (table == "watch_outages"), "an outage that was found is one, written down or not"
    assert not has_beaten(door, "one"), "not everything was looked at"


@pytest.mark.parametrize("said", ["by_phone", None])
def test_after_an_outage_a_policy_of_a_later_version_keeps_nobody_from_being_raised(door: Door, said: object) -> None:
    """Only what says that lost contact raises nothing says so."""
    odd_id, other_id = door.start(), another_door(door).start(planned_s=2 * MINUTE)
    rewrite(door, odd_id, policy=door.row(odd_id).policy | {"lost_raises": said})
    door.somebody_watches()
    door.clock.pass_s(11 * MINUTE)
    assert [door.watch(), door.watch()] == [Fired(raised=2), Fired()]
    raised = {alert.session_id: (alert.kind, alert.unverified) for alert in door.alerts()}
    assert raised == {odd_id: (AlertKind.LOST_CONTACT, True), other_id: (AlertKind.OVERRUN, True)}


def test_a_deadline_that_passed_while_nobody_watched_is_unverified(door: Door) -> None:
    before_id = another_door(door).start(planned_s=2 * MINUTE)
    door.pass_under_watch_s(2 * MINUTE + 1)
    during_id = door.start()
    door.clock.pass_s(20 * MINUTE)
    assert door.watch().raised == 2
    assert {alert.session_id: alert.unverified for alert in door.alerts()} == {before_id: False, during_id: True}
    assert (door.row(before_id).unverified, door.row(during_id).unverified) == (False, True)
    opened = next(event for event in door.events(during_id) if event.kind == "alert_opened")
    assert opened.detail["unverified"] is True


def test_an_unverified_session_that_goes_on_is_verified_again(door: Door) -> None:
    session_id = door.start()
    door.clock.pass_s(20 * MINUTE)
    door.watch()
    door.acknowledge()
    door.resolve()
    assert (door.row(session_id).unverified, door.alert().unverified) == (False, True)


def test_an_engine_that_dies_while_catching_up_leaves_the_outage_to_be_found_again(door: Door) -> None:
    door.start()
    door.clock.pass_s(20 * MINUTE)
    with acting_for_all(door.sessions) as session:
        found = find_outage(session)
    assert found is not None
    with acting_for_all(door.sessions) as session:
        again = find_outage(session)
    assert again is not None
    assert (again.from_at, again.until_at > found.until_at) == (found.from_at, True)
    door.watch()
    with acting_for_all(door.sessions) as session:
        assert find_outage(session) is None


def test_before_the_first_beat_nobody_watched() -> None:
    assert Outage(None, NOW).covers(NOW - dt.timedelta(days=9))
    assert not Outage(None, NOW).covers(NOW + dt.timedelta(seconds=1))
    assert not Outage(NOW, NOW).covers(NOW - dt.timedelta(seconds=1))


def test_a_beat_tells_what_was_done_and_what_was_left(door: Door) -> None:
    door.clock.stop()
    held_id = door.start(planned_s=2 * MINUTE)
    another_door(door).start(planned_s=2 * MINUTE)
    door.pass_under_watch_s(2 * MINUTE + 7)
    with acting_for_all(door.sessions) as session:
        session.execute(sa.select(SafetySession).where(SafetySession.id == held_id).with_for_update())
        door.watch("one")
        door.watch("one")
    with acting_for_all(door.sessions) as session:
        beat = session.get_one(EngineBeat, "one")
    assert (beat.fired, int(beat.oldest_due_s)) == (1, 7)
    door.watch("one")
    with acting_for_all(door.sessions) as session:
        beat = session.get_one(EngineBeat, "one")
    assert (beat.fired, beat.oldest_due_s) == (2, 0)


def test_beats_of_engines_long_gone_are_forgotten_but_never_the_newest(door: Door) -> None:
    door.watch("old")
    door.clock.pass_s(25 * 3_600)
    keep_up(door.sessions)
    with acting_for_all(door.sessions) as session:
        assert set(session.scalars(sa.select(EngineBeat.name))) == {"before", "old"}
    door.watch("new")
    keep_up(door.sessions)
    with acting_for_all(door.sessions) as session:
        assert set(session.scalars(sa.select(EngineBeat.name))) == {"new"}


def test_what_fails_of_the_upkeep_stops_none_of_the_rest_and_is_not_hushed_up(door: Door, urls: Urls) -> None:
    """The house's rules, which some of it asks for, cannot be read."""
    door.watch("old")
    door.clock.pass_s(25 * 3_600)
    door.watch("new")
    with sa.create_engine(urls.owner, poolclass=sa.NullPool).begin() as connection:
        connection.execute(sa.text("revoke select on safety_rules from fieldvisit_app"))
    with pytest.raises(LeftUndone, match="remind_of_drills"):
        keep_up(door.sessions)
    with acting_for_all(door.sessions) as session:
        assert set(session.scalars(sa.select(EngineBeat.name))) == {"new"}


def test_upkeep_makes_the_partitions_of_next_month(door: Door) -> None:
    door.clock.pass_s(40 * 86_400)
    keep_up(door.sessions)
    with acting_for_all(door.sessions) as session:
        parts = set(session.scalars(sa.text("select relname from pg_class where relname like 'safety_events_2026%'")))
    assert {"safety_events_2026_04", "safety_events_2026_05"} <= parts


def test_the_engine_rests_until_the_next_deadline_but_never_longer_than_a_second(door: Door) -> None:
    with acting_for_all(door.sessions) as session:
        assert rest_s(session) == 1
    door.start(RiskLevel.DRILL, planned_s=10)
    with acting_for_all(door.sessions) as session:
        assert rest_s(session) == 1
    door.clock.pass_s(11)
    with acting_for_all(door.sessions) as session:
        assert rest_s(session) == 0.05


def test_the_loop_outlives_a_database_that_goes_away(server: embedded.Server, door: Door) -> None:
    door.start()
    database = door.sessions.kw["bind"].url.database
    stop, raised = Event(), Event()

    def raise_after_cut() -> None:
        with psycopg.connect(server.url("postgres", "postgres").replace("+psycopg", ""), autocommit=True) as admin:
            for allowed in ("false", "true"):
                admin.execute(f'alter database "{database}" allow_connections {allowed}')
                admin.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = %s", [database])
        door.clock.pass_s(18 * MINUTE)
        until(lambda: bool(door.alerts()), raised)

    loop = Thread(target=watch, args=(door.sessions, stop), kwargs={"name": "loop"})
    loop.start()
    try:
        raise_after_cut()
    finally:
        stop.set()
        loop.join(timeout=30)
    assert (raised.is_set(), loop.is_alive()) == (True, False)
    assert len(door.alerts()) == 1


def test_an_alarm_is_raised_while_upkeep_cannot_have_its_lock(urls: Urls, door: Door) -> None:
    """Next month's partition is missing, and something long holds the table that it belongs to."""
    door.start()
    stop, raised = Event(), Event()
    with psycopg.connect(plain_url(urls.owner)) as holder:
        holder.execute("drop table parts.audit_events_2026_04")
        holder.commit()
        holder.execute("lock table audit_events in share update exclusive mode")
        door.pass_under_watch_s(18 * MINUTE)
        loop = Thread(target=watch, args=(door.sessions, stop), kwargs={"name": "loop"})
        loop.start()
        until(lambda: bool(door.alerts()), raised)
        stop.set()
        loop.join(timeout=30)
    assert (raised.is_set(), loop.is_alive()) == (True, False)
    assert door.alert().kind is AlertKind.MISSED_CHECKIN


@pytest.mark.long
def test_a_turn_that_lacks_its_month_has_it_made_at_once(urls: Urls, door: Door) -> None:
    """The clock was set far ahead after the last upkeep, which is done once an hour."""
    door.start()
    stop, watched, raised = Event(), Event(), Event()
    loop = Thread(target=watch, args=(door.sessions, stop), kwargs={"name": "loop"})
    loop.start()
    until(lambda: has_beaten(door, "loop"), watched)
    door.pass_under_watch_s(70 * 86_400)
    until(lambda: bool(door.alerts()), raised)
    stop.set()
    loop.join(timeout=30)
    assert (watched.is_set(), raised.is_set()) == (True, True)


def has_beaten(door: Door, name: str) -> bool:
    with acting_for_all(door.sessions) as session:
        return session.get(EngineBeat, name) is not None


def until(holds: Callable[[], bool], reached: Event) -> None:
    """Ask again until it holds; gives up after a while, and the test says so."""
    for _ in range(300):
        if holds():
            reached.set()
            return
        Event().wait(0.05)
