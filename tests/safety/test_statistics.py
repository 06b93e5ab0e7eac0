"""The figures of a month are those of what happened."""

import csv
import datetime as dt
import io
import uuid

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.devices import DeviceDraft, register_device
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Account, AuditEvent, Organisation, SafetyAlert
from fieldvisit.phone.steps import set_out
from fieldvisit.safety import alerts
from fieldvisit.safety.false_alarms import false_alarms
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.rules import RulesDraft, set_rules
from fieldvisit.safety.statistics import LATENESS_S, MonthOfAlarms, alarm_statistics
from fieldvisit.vocabulary import AlertKind, AlertOutcome, AlertState, RiskLevel, Role
from tests.api.conftest import ClientFor, app, client_for
from tests.phone.worlds import event
from tests.safety.test_following import EXPECTED_AT, Planned, planned
from tests.safety.test_pairs import Pair, pair
from tests.safety.worlds import MINUTE, Door, another_door

__all__ = ["app", "client_for", "pair", "planned"]
MARCH = {"since": dt.date(2026, 3, 1), "until": dt.date(2026, 4, 1)}


def months(door: Door) -> list[MonthOfAlarms]:
    with acting_for(door.sessions, door.world.agency) as session:
        return alarm_statistics(session, **MARCH)


def test_a_month_without_alarms_has_no_line(door: Door) -> None:
    assert months(door) == []


def test_shares_lateness_and_outcomes_of_a_month(door: Door) -> None:
    door.call_for_help()
    door.clock.pass_s(9)
    door.acknowledge()
    door.resolve(outcome=AlertOutcome.FALSE_ACCIDENTAL, resume=False)
    silent = another_door(door)
    silent.start()
    door.pass_under_watch_s(18 * MINUTE + 3)
    door.watch()
    door.clock.pass_s(50)
    with acting_for(door.sessions, door.world.agency) as session:
        session.execute(
            sa.text("update safety_alerts set first_acknowledged_at = fieldvisit_now() where state <> 'resolved'")
        )
    (month,) = months(door)
    assert (month.month, month.drill, month.alerts, month.asked) == ("2026-03", False, 2, 2)
    assert (month.within_10_s, month.within_40_s, month.within_60_s) == (1, 1, 2)
    assert (month.share_10_s, month.share_60_s, month.false_alarms) == (0.5, 1.0, 1)
    assert (sum(month.lateness), month.lateness[LATENESS_S.index(5)]) == (1, 1)
    assert [(each.kind, each.outcome, each.alerts) for each in month.outcomes] == [("sos", "false_accidental", 1)]


def test_drills_are_counted_apart(door: Door) -> None:
    door.start(RiskLevel.DRILL)
    door.pass_under_watch_s(25)
    door.watch()
    assert [(month.drill, month.alerts) for month in months(door)] == [(True, 1)]


def test_a_deadline_that_passed_in_our_own_outage_says_nothing_of_lateness(door: Door) -> None:
    door.start()
    door.clock.pass_s(30 * MINUTE)
    door.watch()
    (month,) = months(door)
    assert (month.unverified, sum(month.lateness), month.late_p99_s) == (1, 0, None)


def test_what_nobody_could_have_raised_earlier_says_nothing_of_lateness(planned: Planned) -> None:
    """A start that was told three hours after it, and a rule that is set when somebody is out already."""
    door = planned.door
    planned.pass_until(EXPECTED_AT)
    planned.told(set_out, event())
    door.pass_under_watch_s(60 * MINUTE)
    another_door(door).start(age_s=180 * MINUTE)
    with acting_for(door.sessions, door.world.agency) as session:
        rules = RulesDraft(positions_days=30, sessions_days=730, unwatched_s=5 * MINUTE, reason="Nobody goes alone.")
        set_rules(session, rules, door.officer.account_id)
    door.pass_under_watch_s(3)
    assert door.watch().raised == 2
    (month,) = months(door)
    assert (month.alerts, sum(month.lateness), month.late_p99_s, month.late_worst_s) == (2, 1, 3, 3)


def test_an_alarm_that_was_taken_over_is_no_second_false_one(door: Door) -> None:
    door.start()
    door.pass_under_watch_s(18 * MINUTE + 3)
    door.watch()
    door.call_for_help()
    (sos,) = [each for each in door.alerts() if each.kind is AlertKind.SOS]
    with acting_for(door.sessions, door.world.agency) as session:
        alerts.acknowledge(session, sos.id, door.officer)
    door.resolve(alert_id=sos.id, outcome=AlertOutcome.FALSE_ACCIDENTAL, resume=False)
    (month,) = months(door)
    assert (month.alerts, month.asked, month.false_alarms) == (2, 1, 1)
    assert [(each.kind, each.outcome) for each in month.outcomes] == [("sos", "false_accidental")]
    with acting_for(door.sessions, door.world.agency) as session:
        assert [each.false_alarms for each in false_alarms(session, **MARCH)] == [1]


def test_an_alarm_about_a_partners_call_says_nothing_of_lateness(pair: Pair) -> None:
    pair.start(pair.oona)
    pair.start(pair.ilta)
    pair.oona.call_for_help()
    pair.oona.watch()
    assert AlertKind.PARTNER_CALLS in [each.kind for each in pair.oona.alerts()]
    (month,) = months(pair.oona)
    assert (month.alerts, sum(month.lateness), month.late_p99_s) == (2, 0, None)


@pytest.mark.parametrize("pressed_again", [False, True])
def test_the_time_in_which_a_call_may_be_taken_back_counts_against_nobody(door: Door, pressed_again: bool) -> None:
    """Raised five seconds after the press, or at once when it is pressed again and may not be taken back then."""
    with acting_for(door.sessions, door.world.agency) as session:
        set_pins(session, door.visitor_id, "1234", "4321")
    door.call_for_help()
    assert door.alert().state is AlertState.PRE
    if pressed_again:
        door.clock.pass_s(4)
        door.call_for_help(covert=True)
    else:
        door.pass_under_watch_s(5)
        door.watch()
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("update safety_outbox set sent_at = fieldvisit_now() where alert_id is not null"))
    door.clock.pass_s(8)
    door.acknowledge()
    (month,) = months(door)
    assert (month.asked, month.within_10_s) == (1, 1)
    assert month.sent_p95_s is not None
    assert month.sent_p95_s < 2


def test_a_day_is_one_of_the_organisations_own_calendar(door: Door) -> None:
    door.call_for_help()
    door.acknowledge()
    door.resolve(outcome=AlertOutcome.FALSE_ACCIDENTAL, resume=False)
    in_march = dt.datetime.fromisoformat("2026-03-01T02:00+08:00")
    with acting_for_all(door.sessions) as session:
        session.execute(sa.update(Organisation).values(zone="Asia/Shanghai"))
        session.execute(sa.update(SafetyAlert).values(opened_at=in_march, deadline_at=in_march))
    february = {"since": dt.date(2026, 2, 1), "until": MARCH["since"]}
    with acting_for(door.sessions, door.world.agency) as session:
        assert [each.month for each in alarm_statistics(session, **MARCH)] == ["2026-03"]
        assert alarm_statistics(session, **february) == []
        assert [each.alerts for each in false_alarms(session, **MARCH)] == [1]
        assert false_alarms(session, **february) == []


def test_a_period_that_ends_before_it_begins_is_refused(door: Door) -> None:
    with acting_for(door.sessions, door.world.agency) as session, pytest.raises(InvalidValue):
        alarm_statistics(session, since=MARCH["until"], until=MARCH["since"])


def test_false_alarms_are_told_by_visitor_phone_and_level_and_each_reading_is_kept(
    door: Door, client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    phone = DeviceDraft(id=uuid.uuid4(), name="Old phone", app_version="1")
    with acting_for(door.sessions, door.world.agency) as session:
        now = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        register_device(session, session.get_one(Account, door.account_id), phone, now)
    for outcome in (AlertOutcome.FALSE_DEVICE, AlertOutcome.GENUINE_THREAT):
        door.call_for_help()
        (open_alert,) = [each for each in door.alerts() if each.state is not AlertState.RESOLVED]
        with acting_for(door.sessions, door.world.agency) as session:
            alerts.acknowledge(session, open_alert.id, door.officer)
        door.resolve(alert_id=open_alert.id, outcome=outcome, resume=False)
    officer: FlaskClient = client_for(Role.SAFETY_OFFICER, org=door.world.agency)
    asked = "?since=2026-03-01&until=2026-04-01"
    (line,) = officer.get(f"/safety/statistics/false-alarms{asked}").json["lines"]
    assert (line["visitor"]["id"], line["device_id"]) == (str(door.visitor_id), str(phone.id))
    assert (line["device_name"], line["level"], line["alerts"]) == ("Old phone", "normal", 2)
    assert (line["false_alarms"], line["by_device"], line["share"]) == (1, 1, 0.5)
    table = officer.get(f"/safety/statistics/false-alarms.csv{asked}")
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert (row["device_name"], row["false_alarms"], row["our_outage"]) == ("Old phone", "1", "0")
    dispatcher = client_for(Role.DISPATCHER, org=door.world.agency)
    assert dispatcher.get(f"/safety/statistics/false-alarms{asked}").status_code == 403
    with acting_for(sessions, door.world.agency) as session:
        kept = session.scalars(sa.select(AuditEvent.action)).all()
    assert {"read_false_alarms", "export_false_alarms"} <= set(kept)


def test_the_table_has_a_line_for_each_month(
    door: Door, client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    door.call_for_help()
    door.acknowledge()
    door.resolve(outcome=AlertOutcome.FALSE_ACCIDENTAL, resume=False)
    officer: FlaskClient = client_for(Role.SAFETY_OFFICER, org=door.world.agency)
    asked = "?since=2026-03-01&until=2026-04-01"
    told = officer.get(f"/safety/statistics{asked}").json
    assert [month["alerts"] for month in told["months"]] == [1]
    table = officer.get(f"/safety/statistics.csv{asked}")
    assert table.mimetype == "text/csv"
    (line,) = csv.DictReader(io.StringIO(table.text))
    assert (line["month"], line["alerts"], line["late_over_30_s"]) == ("2026-03", "1", "0")
    assert (line["outcome_false_accidental"], line["outcome_genuine_threat"]) == ("1", "0")
    assert (line["false_alarms"], line["false_alarms_sos"], line["false_alarms_overrun"]) == ("1", "1", "0")
