"""`fieldvisit crews` and `fieldvisit week`, as real processes: crews formed, overruled and kept, a week planned."""

import datetime as dt
import re

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.settings import Settings
from tests.planning.worlds import make_ready_visit
from tests.processes import call, running
from tests.worlds import TODAY, make_shift, make_visitor, make_world

OURS = ("--organisation", "pohjola-field")
ON = ("--on", TODAY.isoformat())


def told(output: str) -> str:
    return re.sub(r"[│┃ ]+", " ", output)


@pytest.mark.long
def test_crews_are_proposed_overruled_and_kept_and_a_week_is_planned_with_them(
    settings: Settings, sessions: sessionmaker[Session]
) -> None:
    world = make_world(sessions)
    with acting_for_all(sessions) as session:
        people = [make_visitor(session, world) for _ in range(3)]
        for visitor in people:
            make_shift(session, visitor, crew=None)
            make_shift(session, visitor, crew=None, on=TODAY + dt.timedelta(days=1))
        numbers = [visitor.staff_number for visitor in people]
        first, second = people[0].external_id, people[1].external_id
        for _ in range(3):
            make_ready_visit(session, world)
        lone = make_ready_visit(session, world, requires=["sign_language"]).reference
    proposed = call(settings, "crews", "propose", *OURS, *ON)
    assert proposed.returncode == 0, proposed.stderr
    assert f"P01 proposed {numbers[0]}" in told(proposed.stdout)
    assert "1 visits by 1 each are not covered" in proposed.stdout
    named = call(settings, "crews", "name", *OURS, *ON, f"N1={second},{first}")
    assert f"N1 dispatcher {numbers[1]}, {numbers[0]}" in told(named.stdout)
    refused = call(settings, "crews", "name", *OURS, *ON, "N1")
    assert (refused.returncode, "must be like N1=V-03,V-07" in refused.stderr) == (2, True)
    kept = call(settings, "crews", "keep", *OURS, *ON, LANG="zh_CN.UTF-8")
    assert kept.stdout.count("调度员") == 2
    with running(settings, "worker"):
        made = call(
            *(settings, "week", "make", *OURS, "--area", "centre", "--from", TODAY.isoformat()),
            *("--days", "2", "--seconds", "2"),
        )
    assert made.returncode == 0, made.stderr
    shown = call(settings, "week", "show", made.stdout.strip(), *OURS)
    assert shown.returncode == 0, shown.stderr
    assert len(re.findall(r"2026-03-0[34] +│ Draft", shown.stdout)) == 2
    assert f"{lone}, due by" in shown.stdout
