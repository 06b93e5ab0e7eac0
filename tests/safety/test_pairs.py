"""Pairs: at high risk nobody goes in alone, each has a session of their own, and what the other does shows in it."""

import uuid
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import NotFound
from fieldvisit.models import SafetyAlert, Visit
from fieldvisit.safety import alerts
from fieldvisit.safety.alerts import SelfHandling
from fieldvisit.safety.cover import override_cover
from fieldvisit.safety.drafts import Officer
from fieldvisit.safety.pairs import PairNeeded
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.rules import RulesDraft, set_rules
from fieldvisit.vocabulary import AlertKind, RiskLevel, SessionCover, VisitState
from tests.phone.worlds import make_plan, make_visit_on_evidence
from tests.safety.worlds import ACTIVE, ALARM, MINUTE, Door, another_door

PIN, DURESS = "1234", "4321"


@dataclass(frozen=True)
class Pair:
    """Ilta and Oona are on their way to one door."""

    ilta: Door
    oona: Door
    visit_id: uuid.UUID

    def both_start(self) -> tuple[uuid.UUID, uuid.UUID]:
        hers, others = (self.start(door) for door in (self.ilta, self.oona))
        self.ilta.watch()
        return hers, others

    def start(self, door: Door) -> uuid.UUID:
        return door.start(RiskLevel.HIGH, visit_id=self.visit_id, covered=True)


@pytest.fixture
def pair(door: Door) -> Pair:
    door.clock.stop()
    other = another_door(door)
    with acting_for_all(door.sessions) as session:
        visit = make_visit_on_evidence(session, door.world)
        make_plan(session, door.world, [door.visitor_id, other.visitor_id], [visit])
        return Pair(door, other, visit.id)


def due_in_s(door: Door, session_id: uuid.UUID) -> float:
    row = door.row(session_id)
    assert row.due_at is not None
    with acting_for(door.sessions, door.world.agency) as session:
        now = alerts.standing(session, row).now_at
    return (row.due_at - now).total_seconds()


def test_at_high_risk_nobody_starts_whose_route_has_nobody_else(pair: Pair) -> None:
    alone = another_door(pair.ilta)
    with pytest.raises(PairNeeded):
        pair.start(alone)
    with acting_for(alone.sessions, alone.world.agency) as session:
        override_cover(session, alone.visitor_id, alone.officer, "She is known there")
    session_id = pair.start(alone)
    assert alone.row(session_id).cover is SessionCover.NONE
    assert "cover_overridden" in alone.told_events(session_id)


def test_the_first_of_two_is_watched_over_as_alone_until_the_other_is_there(pair: Pair) -> None:
    first = pair.start(pair.ilta)
    assert (pair.ilta.row(first).cover, due_in_s(pair.ilta, first)) == (SessionCover.NONE, 150)
    second = pair.start(pair.oona)
    pair.ilta.watch()
    covers = [each.row(session_id).cover for each, session_id in ((pair.ilta, first), (pair.oona, second))]
    assert covers == [SessionCover.PAIR, SessionCover.PAIR]
    assert due_in_s(pair.ilta, first) == 150
    pair.ilta.check_in(first)
    assert due_in_s(pair.ilta, first) == 5 * MINUTE
    assert pair.ilta.told_events(first) == ["started", "cover_changed", "checked_in"]


def arrives_without(pair: Pair) -> uuid.UUID:
    """Ilta starts and arrives, Oona never came; five minutes later the engine asks after her. Ilta's session."""
    first = pair.start(pair.ilta)
    with acting_for(pair.ilta.sessions, pair.ilta.world.agency) as session:
        draft = RulesDraft(positions_days=30, sessions_days=730, unwatched_s=5 * MINUTE, reason="Nobody goes alone.")
        set_rules(session, draft, pair.ilta.officer.account_id)
    with acting_for_all(pair.ilta.sessions) as session:
        now = sa.func.fieldvisit_now()
        there = {"state": VisitState.ARRIVED, "under_way_at": now, "arrived_at": now}
        session.execute(sa.update(Visit).where(Visit.id == pair.visit_id).values(there))
    for _ in range(3):
        pair.ilta.pass_under_watch_s(2 * MINUTE)
        pair.ilta.check_in(first)
        pair.ilta.watch()
    (alert,) = pair.ilta.alerts()
    assert (alert.kind, pair.ilta.row(alert.session_id).visitor_id) == (AlertKind.UNWATCHED, pair.oona.visitor_id)
    pair.ilta.watch()
    pair.ilta.check_in(first)
    return first


def test_a_partner_about_whom_only_the_engine_asks_is_not_there_until_she_starts(pair: Pair) -> None:
    first = arrives_without(pair)
    assert (pair.ilta.row(first).cover, due_in_s(pair.ilta, first)) == (SessionCover.NONE, 150)
    pair.start(pair.oona)
    pair.ilta.watch()
    assert pair.ilta.row(first).cover is SessionCover.PAIR


def test_the_call_of_a_partner_who_never_started_is_an_alarm_about_both(pair: Pair) -> None:
    first = arrives_without(pair)
    pair.oona.call_for_help()
    assert pair.ilta.watch().raised == 1
    row = pair.ilta.row(first)
    assert (row.state, row.cover) == (ALARM, SessionCover.NONE)


def test_each_checks_in_for_herself_only(pair: Pair) -> None:
    first, second = pair.both_start()
    with pytest.raises(NotFound):
        pair.oona.check_in(first)
    before = pair.ilta.row(first).due_at
    pair.oona.check_in(second)
    assert pair.ilta.row(first).due_at == before


def test_who_stays_inside_when_the_other_ends_is_alone_at_once(pair: Pair) -> None:
    first, second = pair.both_start()
    pair.ilta.check_in(first)
    pair.oona.end(second)
    pair.ilta.watch()
    assert (pair.ilta.row(first).cover, due_in_s(pair.ilta, first)) == (SessionCover.NONE, 150)


def test_the_call_of_one_is_an_alarm_about_both(pair: Pair) -> None:
    first, second = pair.both_start()
    pair.oona.call_for_help()
    assert pair.ilta.watch().raised == 1
    assert pair.ilta.watch().raised == 0
    assert [pair.ilta.row(each).state for each in (first, second)] == [ALARM, ALARM]
    found = {alert.session_id: alert.kind for alert in pair.ilta.alerts()}
    assert found == {first: AlertKind.PARTNER_CALLS, second: AlertKind.SOS}


def test_an_alarm_about_a_partner_that_was_closed_is_not_raised_again_by_the_same_call(pair: Pair) -> None:
    first, _ = pair.both_start()
    pair.oona.call_for_help()
    pair.ilta.watch()
    alert = next(each for each in pair.ilta.alerts() if each.session_id == first)
    with acting_for(pair.ilta.sessions, pair.ilta.world.agency) as session:
        alerts.acknowledge(session, alert.id, pair.ilta.officer)
    pair.ilta.resolve(alert_id=alert.id)
    assert pair.ilta.watch().raised == 0
    assert pair.ilta.row(first).state is ACTIVE


def test_what_one_does_under_duress_shows_nothing_in_the_session_of_the_other(pair: Pair) -> None:
    first, second = pair.both_start()
    with acting_for(pair.oona.sessions, pair.oona.world.agency) as session:
        set_pins(session, pair.oona.visitor_id, PIN, DURESS)
    pair.ilta.check_in(first)
    pair.oona.end(second, pin=DURESS)
    pair.ilta.watch()
    row = pair.ilta.row(first)
    # As after an ordinary end: alone, and no alarm.
    assert (row.state, row.cover, due_in_s(pair.ilta, first)) == (ACTIVE, SessionCover.NONE, 150)
    assert pair.oona.row(second).state is ALARM


def test_neither_answers_the_alarm_about_the_other(pair: Pair) -> None:
    _, second = pair.both_start()
    pair.oona.call_for_help()
    partner = Officer(account_id=pair.ilta.officer.account_id, visitor_id=pair.ilta.visitor_id)
    alert = _alert_of(pair, second)
    for refused in (alerts.acknowledge, lambda *asked: alerts.add_note(*asked, "She is fine.")):
        with pytest.raises(SelfHandling), acting_for(pair.ilta.sessions, pair.ilta.world.agency) as session:
            refused(session, alert.id, partner)


def _alert_of(pair: Pair, session_id: uuid.UUID) -> SafetyAlert:
    return next(each for each in pair.ilta.alerts() if each.session_id == session_id)
