"""Hours of an ordinary day at full load: engines side by side, engines and servers that are replaced while they work,
and calls for help in the midst of everybody's check-ins. Every process is the product's own command.

    SAFETY_SCALE=1 BARS=1 python -m pytest -s -m long tests/safety/test_steady.py

`LIVE` says how many are out, `RATE` how many requests a second the phones make besides. With `BARS=1` the times are
held against the bars, which only means something where the machine has nothing else to do.
"""

import datetime as dt
import json
import os
import statistics
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from fieldvisit.clock import database_now
from fieldvisit.database import Urls, acting_for_all
from fieldvisit.demo.processes import usable_port
from fieldvisit.models import EngineBeat
from fieldvisit.settings import Settings
from fieldvisit.tokens import sign_access
from fieldvisit.vocabulary import Role
from tests.load.office import Office, opened
from tests.load.wire import answers
from tests.processes import running, wait_until
from tests.safety.crowds import Raised, fall_silent, make_crowd, officer_at_work, raised
from tests.safety.mixture import Told, calls_for_help, talking
from tests.safety.moving import Crowd, Heard, Way, moving
from tests.safety.providers import Providers, fake_providers
from tests.safety.scale import BARS, SCALE, scaled_s
from tests.safety.test_rush import sends
from tests.safety.worlds import Door, make_account
from tests.worlds import make_visitor

# What the phones ask is `tests.safety.mixture.SHARES`.
LIVE = int(os.environ.get("LIVE", str(round(5_000 * min(1.0, SCALE)))))
RATE = int(os.environ.get("RATE", str(round(500 * min(1.0, SCALE)))))
STEADY_S, ROLLING_S, EACH_S, CALLS_EACH_S = scaled_s(600), scaled_s(3_600), scaled_s(120), 0.5
PHONES, MOST_ALONE = 40, 60
# Of five thousand phones each says something once a minute.
ROLLING_RATE = float(os.environ.get("ROLLING_RATE", str(max(5.0, LIVE / 60))))
MOST_CALLS = max(6, round(ROLLING_S / 10))
LOCK_TRIES = 5
MIGRATED = ("safety_sessions", "safety_alerts", "safety_outbox")


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[Providers]:
    with fake_providers(tmp_path) as found:
        yield found


@pytest.fixture
def told(providers: Providers) -> dict[str, str]:
    return {"ALARM_PROVIDERS": json.dumps(providers.as_json())}


@contextmanager
def engine_at_work(door: Door, settings: Settings, name: str, told: dict[str, str]) -> Iterator[psutil.Popen]:
    """An engine that has made a turn, and its sender has looked for messages."""
    begun = moment(door)
    with running(settings, "watch", "--name", name, **told) as process:
        wait_until(lambda: beats_since(door, name, begun) and sends(process))
        yield process


def moment(door: Door) -> dt.datetime:
    with acting_for_all(door.sessions) as session:
        return session.scalars(sa.select(database_now())).one()


def beats_since(door: Door, name: str, begun: dt.datetime) -> bool:
    with acting_for_all(door.sessions) as session:
        found = session.get(EngineBeat, name)
        return found is not None and found.at > begun


def judged(door: Door, many: int, what: str, *, late_s: float) -> None:
    """All of them raised, none twice, everybody told; and how late."""
    wait_until(lambda: raised(door).told >= many)
    found = raised(door)
    print(f"\n{what}: {found}")
    assert found == Raised(many, many, many, found.late_s, found.told_s)
    if BARS:
        assert found.late_s[1] <= late_s


@pytest.mark.long
def test_four_engines_raise_each_once_and_in_time(door: Door, settings: Settings, told: dict[str, str]) -> None:
    make_crowd(door, LIVE)
    names = ("one", "two", "three", "four")
    with ExitStack() as engines, officer_at_work(door):
        for name in names:
            engines.enter_context(engine_at_work(door, settings, name, told))
        fall_silent(door, LIVE, within_s=STEADY_S)
        time.sleep(STEADY_S)
        judged(door, LIVE, f"four engines, {LIVE} silent within {STEADY_S:.0f} s", late_s=2)


@dataclass
class Servers:
    """The server that phones find, and its like in its place: the new one answers before the old one is told to end."""

    settings: Settings
    alive: psutil.Popen
    way: Way
    processes: ExitStack
    replaced: int = 0

    def replace(self) -> None:
        port = usable_port(0)
        told = {"RATE_LIMIT": "10000000/minute", "LOG_LEVEL": "warning"}
        new = self.processes.enter_context(running(self.settings, "serve", "--port", str(port), **told))
        wait_until(lambda: answers(port))
        self.way.now_to(port)
        self.alive.terminate()
        assert self.alive.wait() == 0, "it finished what it had begun"
        self.alive = new
        self.replaced += 1


@pytest.mark.long
def test_engines_and_servers_are_replaced_and_tables_changed_while_alarms_are_up(
    door: Door, engine: sa.Engine, settings: Settings, urls: Urls, told: dict[str, str]
) -> None:
    make_crowd(door, LIVE)
    owner, replaced = sa.create_engine(urls.owner, poolclass=sa.NullPool), 0
    with opened(settings, engine, door.sessions, door.world) as office, ExitStack() as processes:
        way = Way(int(office.url.rpartition(":")[2]))
        servers = Servers(settings, office.process, way, processes)
        alive = {name: processes.enter_context(engine_at_work(door, settings, name, told)) for name in "ab"}
        crowd = Crowd(
            phones=told_phones(office, PHONES),
            rate=ROLLING_RATE,
            callers=tokens(office, MOST_CALLS),
            call_each_s=ROLLING_S / MOST_CALLS,
        )
        with officer_at_work(door), moving(crowd, way) as heard:
            fall_silent(door, LIVE, within_s=ROLLING_S)
            until = time.monotonic() + ROLLING_S
            for name in cycle("ab"):
                time.sleep(min(EACH_S, max(0.0, until - time.monotonic())))
                if time.monotonic() >= until:
                    break
                alive[name].terminate()
                alive[name].wait()
                change_a_table(owner, replaced)
                alive[name] = processes.enter_context(engine_at_work(door, settings, name, told))
                servers.replace()
                replaced += 1
            wait_until(lambda: raised(door).told >= LIVE)
        print(f"\n{servers.replaced} servers replaced: {heard}")
        judged(door, LIVE, f"{replaced} engines replaced, {LIVE} silent within {ROLLING_S:.0f} s", late_s=5)
        judge_heard(door, heard)
    assert replaced > 0


def change_a_table(owner: sa.Engine, number: int) -> None:
    """A column more in one of the tables that alarms live in; asked for again where somebody holds it too long."""
    table = MIGRATED[number % len(MIGRATED)]
    for left in range(LOCK_TRIES - 1, -1, -1):
        try:
            with owner.begin() as connection:
                connection.execute(sa.text("set local lock_timeout = '1s'"))
                connection.execute(sa.text(f"alter table {table} add column added_{number} int"))
            return
        except sa.exc.OperationalError:
            if not left:
                raise


def judge_heard(door: Door, heard: Heard) -> None:
    """What phones were told is heard is in the database, once: each check-in, and an alarm for each call."""
    with acting_for_all(door.sessions) as session:
        known = set(session.scalars(sa.text("select event_id from safety_keys")))
        called = sa.text("select count(*), count(distinct session_id) from safety_alerts where kind = 'sos'")
        alarms = tuple(session.execute(called).one())
        checked_in = session.scalar(sa.text("select count(*) from safety_events where kind = 'checked_in'"))
    assert known.issuperset(heard.check_ins)
    assert known.issuperset(heard.calls)
    assert alarms == (len(heard.calls), len(heard.calls))
    assert checked_in == len(heard.check_ins)
    assert heard.words > 0


@pytest.mark.long
def test_a_call_for_help_is_heard_in_the_midst_of_everybody(
    door: Door, engine: sa.Engine, settings: Settings, told: dict[str, str]
) -> None:
    make_crowd(door, LIVE)
    with opened(settings, engine, door.sessions, door.world) as office, running(settings, "watch", **told):
        callers = tokens(office, 2 * max(4, round(STEADY_S / CALLS_EACH_S)))
        alone, amid = callers[: len(callers) // 2], callers[len(callers) // 2 :]
        phones = told_phones(office, PHONES)
        quiet = calls_for_help(office.url, alone[:MOST_ALONE], CALLS_EACH_S)
        with talking(phones, rate=RATE) as took:
            begun, before_s = time.monotonic(), office.processor_s()
            heard = calls_for_help(office.url, amid, CALLS_EACH_S)
            seconds, processor_s = time.monotonic() - begun, office.processor_s() - before_s
    asked = sum(map(len, took.values()))
    print(
        f"\n{len(heard)} calls for help in {seconds:.0f} s, {LIVE} out, {asked / seconds:.0f} other requests a second "
        f"({RATE} asked for; {processor_s / seconds:.2f} processors of the server's): {spread(heard)}; "
        f"before anybody else asked: {spread(quiet)}\n"
        + "; ".join(f"{len(each) / asked:.0%} {name}: {spread(each)}" for name, each in took.items())
    )
    with acting_for_all(door.sessions) as session:
        called = session.scalar(sa.text("select count(*) from safety_alerts where kind = 'sos'"))
    assert called == len(quiet) + len(heard)
    if BARS:
        assert statistics.quantiles(heard, n=100)[98] <= 0.5


def spread(took: list[float]) -> str:
    p99 = statistics.quantiles(took, n=100, method="inclusive")[98]
    return f"median {statistics.median(took) * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, worst {max(took) * 1000:.0f} ms"


def told_phones(office: Office, many: int) -> list[Told]:
    ahead = office.clock() - dt.datetime.now(dt.UTC)
    return [Told(office.url, each.wire.token, each.session_id, ahead) for each in office.phones(many)]


def tokens(office: Office, many: int) -> list[str]:
    """Of so many visitors who have not called for help before."""
    with acting_for_all(office.sessions) as session:
        people = [make_visitor(session, office.world).id for _ in range(many)]
        accounts = [make_account(session, office.world, Role.VISITOR, visitor_id=each) for each in people]
        key, now = office.settings.token_key, office.clock()
        return [sign_access(each, key=key, now=now, lifetime_s=36_000) for each in accounts]
