"""What people are told of a visit left out: who holds its place, what putting it in costs, and what would help."""

import datetime as dt
import uuid

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.debtors import DAYS
from fieldvisit.languages import say
from fieldvisit.models import Shift, UnservedVisit, Visit, Wish
from fieldvisit.planning.plans import get_plan
from fieldvisit.planning.remedies import remedy_words
from fieldvisit.planning.tables import words_of
from fieldvisit.planning.telling import view_of
from tests.conftest import NOW
from tests.planning.worlds import drafted, make_crew, make_ready_visit
from tests.worlds import World

ORIGIN = dt.datetime(2026, 3, 3, tzinfo=dt.timezone(dt.timedelta(hours=2)))


def shorten(session: Session, *, minutes: int) -> None:
    """Every shift ends so many minutes after it began."""
    session.execute(sa.update(Shift).values(ends_at=Shift.starts_at + dt.timedelta(minutes=minutes)))


def left_out(session: Session, plan_id: uuid.UUID) -> UnservedVisit:
    (left,) = get_plan(session, plan_id).unserved
    return left


def spoken(session: Session, plan_id: uuid.UUID, language: str) -> str:
    (left,) = view_of(session, plan_id).unserved
    return words_of(left, language)


def test_who_holds_the_place_what_it_costs_and_what_helps_stand_in_the_table(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        for _ in range(2):
            make_ready_visit(session, world, service_s=3_600)
        # Now is 09:00: an hour and a half is left, enough for one of them.
        shorten(session, minutes=120)
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        left = left_out(session, plan_id)
        (kept,) = (stop.visit for stop in get_plan(session, plan_id).routes[0].stops)
        assert left.detail["held_by"] == [str(kept.id)]
        assert left.detail["put_in"]["displaces"] == [str(kept.id)]
        assert left.detail["remedy"]["change"].startswith("longer_shift crew=A")
        english = spoken(session, plan_id, "en")
        assert english.startswith(
            f"No room in the day: its place is held by {kept.reference}; putting it in would push"
        )
        assert english.endswith("it would fit if crew A worked from 09:00 to 11:30")
        assert spoken(session, plan_id, "zh_CN").endswith("若小组 A 的工作时间为 09:00 至 11:30，即可安排")


def test_hours_are_offered_only_where_the_debtor_and_not_the_law_closed_them(
    sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        early, late = (make_ready_visit(session, world, service_s=3_600) for _ in range(2))
        for visit in (early, late):
            session.add(
                Wish(
                    org_id=world.lender,
                    debtor_id=visit.debtor_id,
                    only=True,
                    days=list(DAYS),
                    from_time=dt.time(10),
                    until_time=dt.time(11, 15),
                    origin="test",
                    stated_at=NOW,
                )
            )
    plan_id = drafted(sessions, world)
    with acting_for(sessions, world.agency) as session:
        left = left_out(session, plan_id)
        assert left.detail["remedy"]["change"].startswith("other_hours ")
        assert "it would fit if the debtor agreed to a time from" in spoken(session, plan_id, "en")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("put_in", "it would fit if V-9 made room"),
        ("worth value_s=7200", "it would be planned at a value of 7200 s"),
        ("other_hours from_s=36000 until_s=43200", "it would fit if the debtor agreed to a time from 10:00 to 12:00"),
        ("offer crew=A skills=sign_language", "it would fit if crew A had this: sign language"),
        ("more_people crew=A people=2", "it would fit if crew A had 2 people"),
        ("longer_shift crew=A from_s=28800 until_s=64800", "it would fit if crew A worked from 08:00 to 18:00"),
        ("higher_limit crew=A max_tasks=9", "it would fit if crew A could do more in a day"),
        ("free_pin part=all", "it would fit if it were not held to its crew or its time"),
        ("extra_crew crew=A%2B like=A", "it would fit if there were one more crew like A"),
    ],
)  # fmt: skip
def test_every_kind_of_change_has_its_words(change: str, words: str) -> None:
    left = UnservedVisit(detail={"remedy": {"change": change, "more_s": 60, "displaces": ["x"]}})
    left.visit = Visit()
    told = remedy_words(left, {"x": "V-9"}, ORIGIN)
    assert told is not None
    assert say(told, "en") == words
    assert say(told, "zh_CN") != words
