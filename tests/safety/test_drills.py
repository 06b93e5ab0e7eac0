"""Drills: what is rehearsed goes the way of every alarm, is told apart from one everywhere, and is counted by month."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import InvalidValue
from fieldvisit.models import OutboxMessage, SafetyAlert, SafetySession
from fieldvisit.phone.steps import set_out
from fieldvisit.reports import report_visit
from fieldvisit.safety import handling
from fieldvisit.safety.drill_records import DrillRecord, drill_record, owed_now
from fieldvisit.safety.drill_reminders import remind_of_drills
from fieldvisit.safety.drills import DrillDraft, DrillUnderWay, VisitorIsOut, begin_drill
from fieldvisit.safety.gaps import cover_ahead
from fieldvisit.safety.handling import OnlyADrill, Referral
from fieldvisit.safety.invariants import INVARIANTS
from fieldvisit.safety.live import read_wall
from fieldvisit.safety.rules import DemandedDrill, RulesDraft, set_rules
from fieldvisit.safety.statistics import alarm_statistics
from fieldvisit.safety.wording import write
from fieldvisit.vocabulary import (
    AlertKind,
    AlertOutcome,
    AlertState,
    DrillKind,
    MessagePurpose,
    MessageRecipient,
    ResolutionProof,
    RiskLevel,
)
from tests.phone.worlds import event, report
from tests.safety.test_following import EXPECTED_AT, Planned, planned
from tests.safety.worlds import ALARM, ENDED, Door, kinds

__all__ = ["planned"]

DRILL: dict[str, Any] = {"outcome": AlertOutcome.DRILL, "resume": False}
NIGHT_S, DAY_S = 12 * 3_600, 86_400


def begin(door: Door, kind: DrillKind = DrillKind.MISSED_CHECKIN) -> SafetyAlert:
    draft = DrillDraft(visitor_id=door.visitor_id, kind=kind, note="Agreed with her by telephone.")
    with acting_for(door.sessions, door.world.agency) as session:
        return begin_drill(session, draft, door.officer)


def demand(door: Door, **every_months: int) -> None:
    drills = tuple(DemandedDrill(kind=DrillKind(kind), every_months=n) for kind, n in every_months.items())
    with acting_for(door.sessions, door.world.agency) as session:
        draft = RulesDraft(positions_days=30, sessions_days=730, drills=drills, reason="The house's safety board.")
        set_rules(session, draft, door.officer.account_id)


def texts(door: Door) -> list[str]:
    """Of everything that was put out of an alert."""
    with acting_for_all(door.sessions) as session:
        ids = session.scalars(sa.select(OutboxMessage.id).where(OutboxMessage.alert_id.is_not(None))).all()
        return [getattr(letter, "text", getattr(letter, "reason", "")) for letter in write(session, ids).values()]


def record(door: Door, since: dt.date, until: dt.date) -> DrillRecord:
    with acting_for(door.sessions, door.world.agency) as session:
        return drill_record(session, since=since, until=until)


def today(door: Door) -> dt.date:
    with acting_for_all(door.sessions) as session:
        now: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
    return now.date()


def test_who_is_out_without_a_session_is_not_rung_for_a_drill(planned: Planned) -> None:
    planned.pass_until(EXPECTED_AT - dt.timedelta(minutes=5))
    planned.told(set_out, event())
    planned.pass_until(EXPECTED_AT)
    planned.arrive()
    with pytest.raises(VisitorIsOut):
        begin(planned.door)
    planned.told(report_visit, report())
    assert begin(planned.door).session.drill is DrillKind.MISSED_CHECKIN


def test_a_drill_climbs_like_an_alarm_and_every_message_of_it_says_that_nobody_is_in_danger(door: Door) -> None:
    alert = begin(door)
    assert (alert.kind, alert.session.drill, alert.state) == (
        AlertKind.MISSED_CHECKIN,
        DrillKind.MISSED_CHECKIN,
        AlertState.NOTIFYING,
    )
    for _ in range(7):
        door.pass_under_watch_s(121)
        door.watch()
    assert door.alert().state is AlertState.EXHAUSTED
    said = texts(door)
    assert said
    assert all(each.startswith("DRILL, nobody is in danger. ") for each in said)
    door.acknowledge()
    door.resolve(**DRILL)
    row = door.row(alert.session_id)
    assert (row.state, door.alert().outcome) == (ENDED, AlertOutcome.DRILL)
    assert {"drill_begun", "exhausted", "resolved", "ended"} <= set(door.told_events(alert.session_id))
    assert all(each.startswith("DRILL, ") for each in texts(door) if each != "taken"), "the all-clear too"
    assert door.watch().raised == 0


def test_a_drill_is_beside_what_the_visitor_really_does_and_behind_every_real_alarm(door: Door) -> None:
    drill = begin(door, DrillKind.SOS)
    real = door.start(RiskLevel.LOW)
    assert door.call_for_help() == real, "a call for help never joins a drill"
    assert [(each.session_id, each.kind) for each in sorted(door.alerts(), key=lambda each: each.opened_at)] == [
        (drill.session_id, AlertKind.SOS),
        (real, AlertKind.SOS),
    ]
    with acting_for(door.sessions, door.world.agency) as session:
        assert [(tile.id, tile.drill) for tile in read_wall(session).tiles] == [
            (real, None),
            (drill.session_id, DrillKind.SOS),
        ]
        urgencies = {each.alert_id: each.urgency for each in session.scalars(sa.select(OutboxMessage)) if each.alert_id}
    assert urgencies.pop(drill.id) < min(urgencies.values()), "no real message waits for one of a drill"
    with pytest.raises(DrillUnderWay):
        begin_another(door)


def begin_another(door: Door) -> None:
    from tests.safety.worlds import another_door

    begin(another_door(door))


def test_nobody_who_is_out_is_drilled_and_a_drill_is_nobody_who_is_out(door: Door) -> None:
    session_id = door.start()
    with pytest.raises(VisitorIsOut):
        begin(door)
    door.end(session_id)
    begin(door)
    with acting_for(door.sessions, door.world.agency) as session:
        assert cover_ahead(session, hours=1).out == 0
    with acting_for_all(door.sessions) as session:
        session.execute(sa.text("delete from duty_shifts"))
        broken = next(each.sql for each in INVARIANTS if each.number == 7)
        assert session.execute(sa.text(broken)).all() == []


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"outcome": AlertOutcome.FALSE_ACCIDENTAL, "resume": False}, "outcome"),
        ({"outcome": AlertOutcome.DRILL, "resume": True}, "resume"),
        (DRILL | {"proof": ResolutionProof.EMERGENCY_SERVICE, "note": "112-7"}, "proof"),
    ],
)
def test_a_drill_is_closed_as_a_drill_and_as_nothing_else(door: Door, given: dict[str, Any], path: str) -> None:
    begin(door)
    door.acknowledge()
    with pytest.raises(InvalidValue) as refused:
        door.resolve(**given)
    assert refused.value.details["path"] == path


def test_the_emergency_service_has_no_part_in_it_and_it_is_not_opened_again(door: Door) -> None:
    alert = begin(door)
    door.acknowledge()
    with acting_for(door.sessions, door.world.agency) as session, pytest.raises(OnlyADrill):
        handling.refer(session, alert.id, door.officer, Referral(service="112", reference="7"))
    door.resolve(**DRILL)
    with acting_for(door.sessions, door.world.agency) as session, pytest.raises(OnlyADrill):
        handling.reopen(session, alert.id, door.officer, "Once more.")


def test_under_duress_nothing_is_sent_to_the_visitor_and_two_officers_close_it(door: Door) -> None:
    alert = begin(door, DrillKind.DURESS)
    assert alert.covert
    with acting_for_all(door.sessions) as session:
        to = set(session.scalars(sa.select(OutboxMessage.recipient)))
    assert to == {MessageRecipient.OFFICER}
    door.acknowledge()
    door.resolve(**DRILL)
    assert door.alert().second_officer_needed
    with acting_for(door.sessions, door.world.agency) as session:
        handling.agree_to_close(session, alert.id, door.other_officer)
    assert kinds(door.alerts()) == [(AlertKind.DURESS, AlertState.RESOLVED)]


def test_drills_are_counted_by_month_apart_from_alarms_with_how_they_went(door: Door) -> None:
    demand(door, missed_checkin=1, duress=1)
    begin(door)
    door.clock.pass_s(20)
    door.acknowledge(door.other_officer)
    door.clock.pass_s(60)
    door.resolve(door.other_officer, **DRILL)
    day = today(door)
    found = record(door, day - dt.timedelta(days=1), day + dt.timedelta(days=2))
    (drill,) = found.drills
    assert (drill.kind, drill.taken_in_time, drill.taken_by_its_beginner) == (DrillKind.MISSED_CHECKIN, True, False)
    assert drill.taken_s == pytest.approx(20, abs=5)
    assert drill.closed_s == pytest.approx(80, abs=10)
    assert drill.messages > 0
    this_month = [month for month in found.months if month.month == f"{day:%Y-%m}"]
    assert [(each.kind, each.held, each.taken_within_60_s, each.owed) for each in this_month] == [
        (DrillKind.MISSED_CHECKIN, 1, 1, False),
        (DrillKind.DURESS, 0, 0, True),
    ]
    with acting_for(door.sessions, door.world.agency) as session:
        months = alarm_statistics(session, since=day - dt.timedelta(days=1), until=day + dt.timedelta(days=2))
        assert read_wall(session).drills_owed == (DrillKind.DURESS,)
    assert [(month.drill, month.alerts, month.false_alarms) for month in months] == [(True, 1, 0)]


def test_who_began_it_and_took_it_shows_nothing_of_how_soon_others_would(door: Door) -> None:
    begin(door)
    door.acknowledge()
    (drill,) = record(door, today(door), today(door) + dt.timedelta(days=2)).drills
    assert (drill.taken_by_its_beginner, drill.taken_in_time, drill.closed_at) == (True, False, None)


def test_a_drill_every_three_months_is_owed_when_three_are_over(door: Door) -> None:
    demand(door, sos=3)
    owed = []
    for _ in range(5):
        with acting_for(door.sessions, door.world.agency) as session:
            owed.append(bool(owed_now(session, door.world.agency)))
        door.clock.pass_s((dt.date(2000, 2, 1) - dt.date(2000, 1, 1)).days * DAY_S)
    assert owed[:2] == [False, False]
    assert owed[3:] == [True, True]


def test_what_is_owed_is_said_once_a_week_by_day_and_never_by_a_call(door: Door) -> None:
    demand(door, sos=1)
    with acting_for_all(door.sessions) as session:
        now: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        local = now.astimezone(dt.timezone(dt.timedelta(hours=2)))
    noon = (local.replace(day=1) + dt.timedelta(days=45)).replace(day=20, hour=11)
    said = []
    for moment in (noon.replace(day=3), noon, noon + dt.timedelta(hours=1), noon + dt.timedelta(days=7, hours=12)):
        with acting_for_all(door.sessions) as session:
            here: dt.datetime = session.scalars(sa.select(sa.func.fieldvisit_now())).one()
        door.clock.pass_s((moment - here).total_seconds())
        with acting_for_all(door.sessions) as session:
            said.append(remind_of_drills(session))
    assert said == [0, 2, 0, 0], "two officers, once; not early in the month, not twice, not by night"
    with acting_for_all(door.sessions) as session:
        found = session.scalars(
            sa.select(OutboxMessage).where(OutboxMessage.purpose == MessagePurpose.DRILL_OWED)
        ).all()
        assert {each.channel.value for each in found} == {"sms"}
        assert session.scalar(sa.select(sa.func.count()).select_from(SafetySession)) == 0
    begin(door, DrillKind.SOS)
    assert door.row(door.alert().session_id).state is ALARM
    assert uuid.UUID(str(door.alert().session_id))
