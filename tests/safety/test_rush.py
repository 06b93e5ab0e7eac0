"""A thousand of five thousand visitors fall silent in the same second, two engines, a provider that works: how late is
the alarm, and how late the first message? `RUSH` says how many, `LIVE` among how many."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for_all
from fieldvisit.models import EngineBeat
from fieldvisit.settings import Settings
from tests.processes import running, wait_until
from tests.safety.crowds import make_crowd
from tests.safety.providers import Providers, fake_providers
from tests.safety.worlds import Door

RUSH = int(os.environ.get("RUSH", "200"))
LIVE = int(os.environ.get("LIVE", str(5 * RUSH)))
HIGH = 20
FIGURES = sa.text("""
with first as (
    select a.id, extract(epoch from a.opened_at - a.deadline_at) as late_s, s.level,
           (select extract(epoch from min(o.sent_at) - a.opened_at)
            from safety_outbox o where o.alert_id = a.id) as sent_s
    from safety_alerts a join safety_sessions s on s.id = a.session_id
)
select count(*), count(sent_s), percentile_cont(0.5) within group (order by late_s), max(late_s),
       percentile_cont(0.5) within group (order by sent_s), percentile_cont(0.99) within group (order by sent_s),
       max(late_s) filter (where level = 'high'), count(distinct id)
from first
""")


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[Providers]:
    with fake_providers(tmp_path) as found:
        yield found


@pytest.mark.long
def test_all_who_fall_silent_in_one_second_are_raised_once_and_the_most_dangerous_first(
    door: Door, settings: Settings, providers: Providers
) -> None:
    watch_over_many(door)
    told = {"ALARM_PROVIDERS": json.dumps(providers.as_json())}
    with (
        running(settings, "watch", "--name", "one", **told) as one,
        running(settings, "watch", "--name", "two", **told) as two,
    ):
        wait_until(lambda: beats(door) == 2 and sends(one) and sends(two))
        with acting_for_all(door.sessions) as session:
            soon = "fieldvisit_now() + interval '5 seconds'"
            session.execute(
                sa.text(
                    f"update safety_sessions set remind_at = {soon}, due_at = {soon}, grace_until = {soon}"
                    " where version = 7"
                )
            )
        wait_until(lambda: figures(door)[1] == RUSH)
    alerts, sent, late_s, latest_s, sent_s, sent_p99_s, high_s, distinct = figures(door)
    print(f"\n{alerts} alerts of {RUSH}, {distinct} different")
    print(f"late: median {late_s:.2f} s, worst {latest_s:.2f} s, of the {HIGH} at high risk {high_s:.2f} s")
    print(f"first message after the alert: median {sent_s:.2f} s, p99 {sent_p99_s:.2f} s")
    assert (alerts, sent) == (RUSH, RUSH)
    assert high_s <= latest_s


def watch_over_many(door: Door) -> None:
    """So many sessions are running, one of each visitor; version 7 marks those who will fall silent."""
    make_crowd(door, LIVE)
    with acting_for_all(door.sessions) as session:
        session.execute(
            sa.text(
                "update safety_sessions set version = 7,"
                " level = case when n <= :high then 'high' else 'normal' end"
                " from (select id as drawn, row_number() over () as n from safety_sessions) s"
                " where id = drawn and n <= :rush"
            ),
            {"high": HIGH, "rush": RUSH},
        )


def figures(door: Door) -> tuple[int, int, float, float, float, float, float, int]:
    with acting_for_all(door.sessions) as session:
        return tuple(session.execute(FIGURES).one())  # type: ignore[return-value]


def sends(watcher: psutil.Popen) -> bool:
    """Whether its sender is there and has asked the database."""
    return any(child.net_connections("tcp") for child in watcher.children())


def beats(door: Door) -> int:
    with acting_for_all(door.sessions) as session:
        named = sa.select(sa.func.count()).select_from(EngineBeat).where(EngineBeat.name.in_(("one", "two")))
        return session.scalars(named).one()
