"""Every preset that demands a notice, from refusal to permission: filed, given, its time passed."""

import datetime as dt
import uuid
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.intervals import Interval
from fieldvisit.compliance.loading import load_preset, preset_names
from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.decisions import AtTheDoor, decide
from fieldvisit.models import Organisation, Place
from fieldvisit.notices.filing import NoticeDraft, file_notice
from fieldvisit.notices.receipts import HandOver, hand_over
from fieldvisit.visits import get_visit
from fieldvisit.vocabulary import Channel, CheckMoment, Verdict
from tests.conftest import NOW
from tests.notices.worlds import give_phone, make_template, notices
from tests.worlds import World, make_attempt, make_case, make_visit


@dataclass(frozen=True)
class Where:
    """A preset that demands notices, and a place that it is about."""

    country: str
    zone: str
    product: str = "instalment_loan"


PLACES = {
    "be": Where("BE", "Europe/Brussels"),
    "gb": Where("GB", "Europe/London"),
    "hk": Where("HK", "Asia/Hong_Kong"),
    "ie": Where("IE", "Europe/Dublin"),
    "in": Where("IN", "Asia/Kolkata"),
    "kr": Where("KR", "Asia/Seoul"),
    "ph-card": Where("PH", "Asia/Manila", "credit_card"),
    "tw": Where("TW", "Asia/Taipei"),
}
OTHERS = {"be/notices/2"}
"""Of a transfer: only of whoever bought the claim."""


def test_every_preset_that_demands_a_notice_is_walked() -> None:
    demanding = {
        name
        for name in preset_names()
        if any(rule.binds for rule in load_preset(name).notices) and load_preset(name).status == "in_force"
    }
    assert demanding == set(PLACES)


@pytest.mark.parametrize("preset", sorted(PLACES))
def test_a_preset_that_demands_a_notice_lets_nobody_in_before_it_was_given_in_time(
    sessions: sessionmaker[Session], world: World, preset: str
) -> None:
    where = PLACES[preset]
    give_phone(sessions, world)
    visit_id = _visit(sessions, world, preset, where)
    (rule,) = (rule for rule in load_preset(preset).notices if rule.id not in OTHERS)
    contents = tuple(sorted(rule.contents | ({NoticeContent.DATE} if rule.about is NoticeAbout.VISIT else set())))
    make_template(sessions, world.agency, rule.about, contents=contents, channel=Channel.LETTER)
    # A Tuesday before noon of the place, three weeks ahead: time enough for any of them.
    begins = dt.datetime(2026, 3, 24, 4 if where.zone.startswith("Asia") else 10, tzinfo=dt.UTC)
    assert _in_the_way(sessions, world, visit_id, begins) == [rule.id]
    filed = _file(sessions, world, rule.about, visit_id, begins)
    assert _in_the_way(sessions, world, visit_id, begins) == [rule.id]
    with acting_for(sessions, world.agency) as session:
        hand_over(session, filed, HandOver(at=NOW, evidence="RR 1"), by=None, now=NOW)
    assert _in_the_way(sessions, world, visit_id, begins) == []
    (kept,) = notices(sessions)
    assert kept.sent_at == NOW


def _visit(sessions: sessionmaker[Session], world: World, preset: str, where: Where) -> uuid.UUID:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).values(policies=[preset, "house"]))
        case = make_case(session, world, product=where.product)
        session.execute(
            sa.update(Place).where(Place.debtor_id == case.debtor_id).values(country=where.country, zone=where.zone)
        )
        # A first visit was made: nothing is waived on the spot any more.
        make_attempt(session, case, at=NOW - dt.timedelta(days=60), channel=Channel.VISIT, result="nobody_home")  # type: ignore[arg-type]  # a value of the list
        return make_visit(session, world, case, last_on=dt.date(2026, 5, 1)).id


def _file(
    sessions: sessionmaker[Session], world: World, about: NoticeAbout, visit_id: uuid.UUID, begins: dt.datetime
) -> uuid.UUID:
    with acting_for(sessions, world.agency) as session:
        visit = get_visit(session, visit_id)
        of_visit = {"visit_id": visit_id, "announced_from": begins, "announced_until": begins + dt.timedelta(hours=2)}
        subject = of_visit if about is NoticeAbout.VISIT else {"case_id": visit.case_id}
        return file_notice(session, NoticeDraft(about=about, **subject), made_by_id=None, now=NOW).id  # type: ignore[arg-type]


def _in_the_way(sessions: sessionmaker[Session], world: World, visit_id: uuid.UUID, begins: dt.datetime) -> list[str]:
    """The rules on notices that refuse an arrival at that very moment."""
    with acting_for(sessions, world.agency) as session:
        span = Interval(begins, begins + dt.timedelta(minutes=20))
        asked = AtTheDoor(visit=get_visit(session, visit_id), span=span, visitor_ids=[])
        decision = decide(session, asked, moment=CheckMoment.DOOR, now=begins)
        return [
            clause.clause_id
            for clause in decision.deciding
            if clause.verdict is not Verdict.ALLOWED and "/notices/" in clause.clause_id
        ]
