"""Who goes to a door without a session is shown, and raised where the organisation says so.

The crew is expected at 08:00 UTC; the clock begins at 07:00 and stands still but for what is let pass.
"""

import datetime as dt

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all, plain_url
from fieldvisit.models import SafetySession, Visit
from fieldvisit.phone.steps import set_out
from fieldvisit.safety.auditing import audit
from fieldvisit.safety.live import read_wall
from fieldvisit.safety.rules import RulesDraft, set_rules
from fieldvisit.safety.unwatched import session_id_of
from fieldvisit.visits import give_back
from fieldvisit.vocabulary import AlertKind, AlertState, NotDone, VisitState
from tests.phone.worlds import event, make_plan
from tests.safety.test_following import EXPECTED_AT, Planned, planned
from tests.safety.worlds import ACTIVE, ALARM, MINUTE, kinds

__all__ = ["planned"]


def shown(planned: Planned) -> list[tuple[VisitState, dt.timedelta]]:
    """Of the one visitor: the state of the visit, and since when from the expected arrival on."""
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        found = read_wall(session).unwatched
    assert {each.person.id for each in found} <= {planned.door.visitor_id}
    return [(each.state, each.since_at - EXPECTED_AT) for each in found]


def raise_after(planned: Planned, seconds: int | None) -> None:
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        draft = RulesDraft(positions_days=30, sessions_days=730, unwatched_s=seconds, reason="Nobody goes alone.")
        set_rules(session, draft, planned.door.officer.account_id)


def test_who_is_expected_on_the_way_or_at_the_door_without_a_session_is_shown_and_raised_by_nobody_who_did_not_say_so(
    planned: Planned,
) -> None:
    assert shown(planned) == []
    planned.pass_until(EXPECTED_AT + dt.timedelta(minutes=1))
    assert shown(planned) == [(VisitState.PUBLISHED, dt.timedelta())]
    planned.told(set_out, event())
    planned.pass_until(EXPECTED_AT + dt.timedelta(minutes=5))
    assert shown(planned) == [(VisitState.UNDER_WAY, dt.timedelta(minutes=1))]
    planned.arrive()
    assert shown(planned) == [(VisitState.ARRIVED, dt.timedelta(minutes=5))]
    planned.door.pass_under_watch_s(60 * MINUTE)
    assert planned.door.watch().raised == 0
    session_id = planned.start()
    assert shown(planned) == []
    planned.door.end(session_id)
    assert shown(planned) == [], "what was watched over to its end is over"


def test_it_is_raised_once_after_the_time_that_the_house_has_set_and_joined_by_who_starts_at_last(
    planned: Planned,
) -> None:
    raise_after(planned, 10 * MINUTE)
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    planned.door.pass_under_watch_s(10 * MINUTE - 1)
    assert planned.door.watch().raised == 0
    planned.door.pass_under_watch_s(1)
    assert [planned.door.watch(name).raised for name in ("one", "two")] == [1, 0]
    assert kinds(planned.door.alerts()) == [(AlertKind.UNWATCHED, AlertState.NOTIFYING)]
    session_id = session_id_of(planned.door.visitor_id, planned.visit_id, EXPECTED_AT)
    row = planned.row(session_id)
    assert (row.state, row.visit_id, row.last_heard_at) == (ALARM, planned.visit_id, None)
    assert planned.door.alert().deadline_at == EXPECTED_AT + dt.timedelta(minutes=10)
    assert shown(planned) == []

    assert planned.start() == session_id
    assert planned.door.alert().visitor_reports_safe_at is not None
    planned.door.acknowledge()
    planned.door.resolve()
    row = planned.row(session_id)
    assert (row.state, row.grace_until is not None) == (ACTIVE, True)
    planned.door.check_in(session_id)
    planned.door.end(session_id)
    planned.door.pass_under_watch_s(60 * MINUTE)
    assert planned.door.watch().raised == 0
    assert "checked_in_late" in planned.door.told_events(session_id)


@pytest.mark.parametrize("seconds", [None, 20 * MINUTE])
def test_the_newest_rule_counts(planned: Planned, seconds: int | None) -> None:
    raise_after(planned, 5 * MINUTE)
    planned.door.pass_under_watch_s(1)
    raise_after(planned, seconds)
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    planned.door.pass_under_watch_s(10 * MINUTE)
    assert planned.door.watch().raised == 0
    with acting_for_all(planned.door.sessions) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SafetySession)) == 0


def missed(urls: Urls) -> bool:
    """Whether the auditor says that somebody is out and nothing was raised."""
    return 11 in {each.number for each in audit(plain_url(urls.app))}


def raised_by_each_turn(planned: Planned) -> list[int]:
    return [planned.door.watch(name).raised for name in ("one", "two")]


def test_a_session_that_ended_on_an_earlier_day_hides_nobody(planned: Planned, urls: Urls) -> None:
    raise_after(planned, 10 * MINUTE)
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    planned.door.end(planned.start())
    with acting_for(planned.door.sessions, planned.door.world.agency) as session:
        visit = session.get_one(Visit, planned.visit_id)
        give_back(session, visit, NotDone.SENT_BACK, now=EXPECTED_AT)
        visit.state, visit.planned_on = VisitState.PUBLISHED, EXPECTED_AT.date() + dt.timedelta(days=3)
        make_plan(session, planned.door.world, [planned.door.visitor_id], [visit], on=visit.planned_on)
    planned.pass_until(EXPECTED_AT + dt.timedelta(days=3))
    assert [state for state, _ in shown(planned)] == [VisitState.PUBLISHED]
    planned.told(set_out, event())
    assert [state for state, _ in shown(planned)] == [VisitState.UNDER_WAY]
    planned.door.pass_under_watch_s(10 * MINUTE + 11)
    assert missed(urls)
    assert (raised_by_each_turn(planned), missed(urls)) == ([1, 0], False)


def test_who_arrives_after_the_alarm_about_the_way_was_closed_is_out_without_a_session_again(
    planned: Planned, urls: Urls
) -> None:
    raise_after(planned, 10 * MINUTE)
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    planned.door.pass_under_watch_s(10 * MINUTE)
    assert raised_by_each_turn(planned) == [1, 0]
    planned.door.acknowledge()
    planned.door.resolve(resume=False)
    assert shown(planned) == [], "that way was spoken about"
    planned.door.pass_under_watch_s(1)
    planned.arrive()
    assert [state for state, _ in shown(planned)] == [VisitState.ARRIVED]
    planned.door.pass_under_watch_s(10 * MINUTE + 11)
    assert missed(urls)
    assert (raised_by_each_turn(planned), missed(urls)) == ([1, 0], False)
    assert [alert.kind for alert in planned.door.alerts()] == [AlertKind.UNWATCHED] * 2
