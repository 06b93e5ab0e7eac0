"""A phone that had no signal tells its day in one go: in any order, twice, with a clock that is wrong."""

import dataclasses
import datetime as dt
import itertools
import json
import uuid
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.app import close_app, create_app
from api.context import runtime
from api.event_reading import desk_of_held
from fieldvisit.clock import Clock
from fieldvisit.database import Urls, acting_for
from fieldvisit.models import HeldEvent, IdentityCheck, SafetyAlert, SafetyEvent, SafetySession, Visit, VisitReport
from fieldvisit.planning.tools import Tools
from fieldvisit.planning.upkeep import pass_time
from fieldvisit.safety.events import SafetyEventKind
from fieldvisit.settings import Settings
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import Role, VisitState
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.planning.worlds import a_day_later
from tests.worlds import HELSINKI

HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}
MINUTE = dt.timedelta(minutes=1)
ARRIVED_AT = NOW - 60 * MINUTE
LEFT_AT = NOW - 40 * MINUTE


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions, visits=2)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    """Ilta's."""
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


def event(kind: str, morning: Morning, at: dt.datetime, **facts: Any) -> dict[str, Any]:
    named = {} if {"visit_id", "session_id"} & set(facts) else {"visit_id": str(morning.visit)}
    return {"event_id": str(uuid.uuid4()), "kind": kind, "device_at": at.isoformat(), **named, **facts}


def a_visit(morning: Morning) -> list[dict[str, Any]]:
    """An hour at a door, from setting out to an addition, in the order of its time."""
    return [
        event("set_out", morning, ARRIVED_AT - 10 * MINUTE),
        event("arrival", morning, ARRIVED_AT, position=HERE),
        event("identity_check", morning, ARRIVED_AT + MINUTE, method="document_seen", result="confirmed"),
        event(
            "report",
            morning,
            LEFT_AT,
            outcome="met_debtor",
            left_at=LEFT_AT.isoformat(),
            disclosed=True,
            willing=True,
            next_step="call",
        ),
        event("addition", morning, LEFT_AT + MINUTE, text="The bell is broken."),
    ]


def server_now(phone: FlaskClient) -> dt.datetime:
    """What a clock that is right shows: the product's time goes on while a test runs."""
    app = phone.application
    with app.app_context():
        return runtime(app).clock()


def send(phone: FlaskClient, events: list[Any], *, wrong_by: dt.timedelta = dt.timedelta()) -> Any:
    sent_at = server_now(phone) + wrong_by
    answer = phone.post("/phone/events", json={"sent_at": sent_at.isoformat(), "events": events})
    assert answer.status_code == 200, answer.json
    return answer.json


def outcomes(answer: Any) -> list[str]:
    return [result["outcome"] for result in answer["results"]]


def stand(sessions: sessionmaker[Session], morning: Morning) -> tuple[Any, ...]:
    """Where the first visit stands, and what is stored of it."""
    with acting_for(sessions, morning.world.agency) as session:
        visit = session.get_one(Visit, morning.visit)
        kinds = sorted(entry.kind for entry in history_of(session, morning.visit))
        reports = session.scalars(sa.select(VisitReport.id)).all()
        times = [minutes(at) for at in (visit.under_way_at, visit.arrived_at, visit.ended_at)]
        return visit.state, *times, kinds, len(reports)


def minutes(at: dt.datetime | None) -> int | None:
    """Minutes from NOW: how long a sending took does not count."""
    return None if at is None else round((at - NOW) / MINUTE)


TIDY = (
    VisitState.REPORTED,
    -70,
    -60,
    -40,
    ["arrived", "identity_checked", "report_added_to", "reported", "set_out"],
    1,
)


def test_a_visit_told_in_one_go_ends_where_it_ended(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    answer = send(phone, a_visit(morning))
    assert (answer["taken"], answer["held"], answer["refused"]) == (5, 0, 0)
    assert answer["results"][3]["answer"]["report_id"] == answer["results"][3]["event_id"]
    assert stand(sessions, morning) == TIDY


@pytest.mark.parametrize("order", [(4, 3, 2, 1, 0), (3, 1, 4, 0, 2), (2, 4, 0, 3, 1)])
def test_the_order_in_which_they_come_does_not_matter(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], order: tuple[int, ...]
) -> None:
    events = a_visit(morning)
    assert set(outcomes(send(phone, [events[place] for place in order]))) == {"taken"}
    assert stand(sessions, morning) == TIDY


@pytest.mark.parametrize("order", [(4, 3, 2, 1, 0), (3, 4, 2, 0, 1)])
def test_nor_does_it_when_each_comes_alone(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], order: tuple[int, ...]
) -> None:
    events = a_visit(morning)
    for place in order:
        send(phone, [events[place]])
    assert stand(sessions, morning) == TIDY
    assert phone.get("/phone/held-events").json["items"] == []


def test_what_was_sent_again_gets_its_first_answer_and_changes_nothing(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    events = a_visit(morning)
    first = send(phone, events)
    again = send(phone, [*reversed(events), events[0]], wrong_by=3 * MINUTE)
    assert again["results"][:5] == list(reversed(first["results"]))
    assert again["results"][5] == first["results"][0]
    assert stand(sessions, morning) == TIDY


@pytest.mark.parametrize("wrong_by", [dt.timedelta(hours=5), -dt.timedelta(days=400)])
def test_a_clock_that_is_wrong_is_put_right_and_its_drift_is_kept(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], wrong_by: dt.timedelta
) -> None:
    events = a_visit(morning)
    for each in events:
        each["device_at"] = (dt.datetime.fromisoformat(each["device_at"]) + wrong_by).isoformat()
        if "left_at" in each:
            each["left_at"] = (LEFT_AT + wrong_by).isoformat()
    answer = send(phone, events, wrong_by=wrong_by)
    assert (answer["taken"], abs(answer["clock_drift_s"] + wrong_by.total_seconds()) < 120) == (5, True)
    with acting_for(sessions, morning.world.agency) as session:
        drifts = {entry.detail["drift_s"] for entry in history_of(session, morning.visit)}
    assert drifts == {answer["clock_drift_s"]}
    assert stand(sessions, morning) == TIDY


def test_what_has_to_come_later_is_held_and_both_see_it(
    phone: FlaskClient, morning: Morning, client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    way, there, who, report, more = a_visit(morning)
    held = send(phone, [more, way, report, there])
    assert outcomes(held) == ["held", "taken", "held", "taken"]
    assert [held["results"][place]["waits_for"] for place in (0, 2)] == ["report", "identity_check"]
    assert held["results"][2]["problem"]["code"] == "identity_not_confirmed"
    for asker, path in ((phone, "/phone/held-events"), (office, "/held-events")):
        assert {item["event_id"] for item in asker.get(path).json["items"]} == {more["event_id"], report["event_id"]}
    assert outcomes(send(phone, [who])) == ["taken"]
    assert stand(sessions, morning) == TIDY
    assert office.get("/held-events").json["items"] == []


def test_a_single_telling_releases_what_waited_for_it(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    way, there, who, report, more = a_visit(morning)
    send(phone, [way, there, report, more])
    body = {name: value for name, value in who.items() if name not in ("kind", "visit_id")}
    told = phone.post(
        f"/phone/visits/{morning.visit}/identity-check", json=body | {"sent_at": server_now(phone).isoformat()}
    )
    assert told.status_code == 201
    assert stand(sessions, morning) == TIDY


def alone(phone: FlaskClient, told: dict[str, Any], path: str) -> Any:
    """Told by its own address, as it happens."""
    apart = ("kind", "visit_id", "device_at", *(["event_id"] if "id" in told else []))
    body = {name: value for name, value in told.items() if name not in apart}
    return phone.post(f"/phone/visits/{told['visit_id']}/{path}", json=body)


def test_an_arrival_told_alone_releases_the_report_that_waited_for_it(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    _, there, who, report, _ = a_visit(morning)
    assert outcomes(send(phone, [who, report])) == ["taken", "held"]
    assert alone(phone, there | {"position": HERE | {"lat": 61.0}}, "arrival").status_code == 409
    assert stand(sessions, morning)[0] is VisitState.PUBLISHED
    assert alone(phone, there, "arrival").status_code == 201
    assert stand(sessions, morning)[0] is VisitState.REPORTED
    assert phone.get("/phone/held-events").json["items"] == []


def test_when_no_arrival_can_be_told_any_more_the_report_is_taken_and_nobody_goes_there_again(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], settings: Settings, urls: Urls
) -> None:
    way, _, who, report, more = a_visit(morning)
    assert outcomes(send(phone, [way, who, report, more])) == ["taken", "taken", "held", "held"]
    ends = []
    for days in (0, 2):
        a_day_later(urls, days=days)
        clock = Clock(sessions.kw["bind"])
        pass_time(Tools(settings=settings, sessions=sessions, clock=clock, desk=partial(desk_of_held, settings)))
        ends.append(stand(sessions, morning)[0])
    assert ends == [VisitState.UNDER_WAY, VisitState.REPORTED]
    with acting_for(sessions, morning.world.agency) as session:
        kept = session.scalars(sa.select(HeldEvent).order_by(HeldEvent.kind)).all()
        assert [(row.kind, row.state) for row in kept] == [("addition", "taken"), ("report", "taken")]


def test_one_that_is_wrong_spoils_no_other_and_is_kept(
    phone: FlaskClient, morning: Morning, client_for: ClientFor
) -> None:
    way, there, *_ = a_visit(morning)
    wrong = [
        there | {"event_id": str(uuid.uuid4()), "position": HERE | {"lat": 91}},
        event("report", morning, LEFT_AT, outcome="met_debtor", left_at=LEFT_AT.isoformat()),
        event("levitation", morning, NOW),
        event("set_out", morning, NOW, visit_id=str(uuid.uuid4())),
        {"kind": "set_out"},
        "nonsense",
    ]
    answer = send(phone, [way, *wrong, there])
    assert outcomes(answer) == ["taken", *["refused"] * 6, "taken"]
    (fault,) = answer["results"][1]["problem"]["errors"]
    assert (fault["in"], fault["pointer"]) == ("body", "/position/lat")
    codes = [result["problem"]["code"] for result in answer["results"][1:-1]]
    assert codes == [
        "invalid_request",
        "report_incomplete",
        *["invalid_request"] * 1,
        "not_found",
        *["invalid_request"] * 2,
    ]
    office = client_for(Role.SUPERVISOR, org=morning.world.agency)
    kept = office.get("/held-events").json["items"]
    assert [(item["event_id"], item["state"]) for item in kept] == [(each["event_id"], "refused") for each in wrong[:4]]


def test_a_refused_event_may_be_put_right_under_its_id(phone: FlaskClient, morning: Morning) -> None:
    way, there, who, report, _ = a_visit(morning)
    incomplete = {name: value for name, value in report.items() if name != "willing"}
    assert outcomes(send(phone, [way, there, who, incomplete])) == ["taken"] * 3 + ["refused"]
    assert outcomes(send(phone, [report])) == ["taken"]
    assert phone.get("/phone/held-events").json["items"] == []


def test_one_that_a_batch_refused_may_be_put_right_by_itself(
    phone: FlaskClient, morning: Morning, client_for: ClientFor
) -> None:
    report = event("report", morning, LEFT_AT, outcome="nobody", left_at=LEFT_AT.isoformat())
    assert outcomes(send(phone, [report | {"outcome": "met_debtor"}])) == ["refused"]
    told = {"id": report["event_id"], "outcome": "nobody", "left_at": LEFT_AT.isoformat()}
    assert phone.post(f"/phone/visits/{morning.visit}/report", json=told).status_code == 201
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    assert (phone.get("/phone/held-events").json["items"], office.get("/held-events").json["items"]) == ([], [])


def test_what_a_crew_mate_told_under_the_same_id_is_not_taken_with_it(
    phone: FlaskClient, morning: Morning, client_for: ClientFor
) -> None:
    mate = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.oona)
    way = a_visit(morning)[0]
    assert [outcomes(send(each, [way])) for each in (phone, mate, phone)] == [["taken"], ["refused"], ["taken"]]
    (kept,) = mate.get("/phone/held-events").json["items"]
    assert (kept["event_id"], kept["state"], kept["code"]) == (way["event_id"], "refused", "event_id_reused")


def test_the_same_id_with_something_else_in_it_is_refused(phone: FlaskClient, morning: Morning) -> None:
    way, there, *_ = a_visit(morning)
    send(phone, [way])
    answer = send(phone, [there | {"event_id": way["event_id"]}])
    assert (outcomes(answer), answer["results"][0]["problem"]["code"]) == (["refused"], "event_id_reused")
    assert answer["results"][0]["problem"]["status"] == 422


def test_the_office_dismisses_what_will_not_be_taken(
    phone: FlaskClient, morning: Morning, client_for: ClientFor
) -> None:
    more = a_visit(morning)[4]
    send(phone, [more])
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    path = f"/held-events/{more['event_id']}/dismissal"
    gone = office.post(path, json={"reason": "The visit was told by the crew mate."})
    again = office.post(path, json={"reason": "Once more."})
    assert (gone.json["state"], gone.json["state_words"], again.json["code"]) == (
        "dismissed",
        "Dismissed",
        "held_event_settled",
    )
    assert phone.get("/phone/held-events").json["items"] == []


def test_what_the_office_dismissed_is_not_taken_when_it_is_sent_again(
    phone: FlaskClient, morning: Morning, client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    way, there, who, report, _ = a_visit(morning)
    send(phone, [way, there, report])
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    reason = {"reason": "The visit was told by the crew mate."}
    assert office.post(f"/held-events/{report['event_id']}/dismissal", json=reason).status_code == 200
    answer = send(phone, [who, report, way])
    assert outcomes(answer) == ["taken", "refused", "taken"]
    told = alone(phone, {**report, "id": report["event_id"]}, "report")
    assert [answer["results"][1]["problem"]["code"], told.json["code"]] == ["event_dismissed"] * 2
    assert outcomes(send(phone, [report])) == ["refused"]
    assert stand(sessions, morning)[0] is VisitState.ARRIVED
    assert outcomes(send(phone, [report | {"event_id": str(uuid.uuid4())}])) == ["taken"]


def test_an_abort_that_came_after_the_report_does_not_displace_it(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    *before, report, _ = a_visit(morning)
    answer = send(phone, [*before, event("abort", morning, LEFT_AT + 2 * MINUTE, reason="other"), report])
    assert set(outcomes(answer)) == {"taken"}
    told = [result["answer"] for result in answer["results"][-2:]]
    assert [each["report_id"] for each in told] == [report["event_id"]] * 2
    assert stand(sessions, morning)[:4] == TIDY[:4]


def test_a_late_arrival_is_a_fact_whatever_the_hour_and_opens_no_amounts(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    at_night = NOW - dt.timedelta(hours=9)
    far = HERE | {"lat": HELSINKI[0] + 0.009}
    answer = send(
        phone,
        [
            event("arrival", morning, at_night, position=far),
            event("identity_check", morning, at_night + MINUTE, method="document_seen", result="confirmed"),
        ],
    )
    assert outcomes(answer) == ["taken", "taken"]
    assert answer["results"][1]["answer"]["amounts_shown"] is False
    with acting_for(sessions, morning.world.agency) as session:
        entry = next(entry for entry in history_of(session, morning.visit) if entry.kind == "arrived")
    assert (entry.detail["late"], entry.detail["outside"], entry.detail["distance_m"]) == (True, True, 1003)
    assert phone.get(f"/phone/visits/{morning.visit}").json["briefing"]["amounts"] is None


def test_an_arrival_that_is_happening_is_judged_now(phone: FlaskClient, morning: Morning) -> None:
    far = HERE | {"lat": HELSINKI[0] + 0.009}
    answer = send(phone, [event("arrival", morning, NOW - MINUTE, position=far)])
    assert answer["results"][0]["problem"]["code"] == "outside_geofence"


def test_a_day_of_yesterday_that_was_given_back_is_still_told(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        visit = session.get_one(Visit, morning.visit)
        visit.state, visit.planned_on, visit.plan_id = VisitState.ELIGIBLE, None, None
    assert set(outcomes(send(phone, list(reversed(a_visit(morning)))))) == {"taken"}
    state, _, arrived_at, ended_at, kinds, reports = stand(sessions, morning)
    assert (state, arrived_at, ended_at, kinds, reports) == (TIDY[0], *TIDY[2:])


def test_of_two_identity_checks_the_later_one_counts_whichever_is_told_first(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    way, there, who, *_ = a_visit(morning)
    other = event("identity_check", morning, ARRIVED_AT + 5 * MINUTE, method="two_facts", result="someone_else")
    for each in (other, who, there, way):
        send(phone, [each])
    with acting_for(sessions, morning.world.agency) as session:
        checks = session.execute(sa.select(IdentityCheck.result, IdentityCheck.at).order_by(IdentityCheck.at)).all()
    assert [(result.value, minutes(at)) for result, at in checks] == [("confirmed", -59), ("someone_else", -55)]


def test_a_call_for_help_in_a_batch_is_an_alert_and_a_check_in_waits_for_its_session(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    watch = str(uuid.uuid4())
    first = send(phone, [event("check_in", morning, NOW - MINUTE, session_id=watch)])
    assert (outcomes(first), first["results"][0]["waits_for"]) == (["held"], "safety_session")
    begun = event("safety_start", morning, NOW - 30 * MINUTE, planned_s=3_600) | {"event_id": watch}
    del begun["visit_id"]
    assert outcomes(send(phone, [begun])) == ["taken"]
    assert phone.get("/phone/held-events").json["items"] == []
    call = event("sos", morning, NOW - MINUTE)
    assert outcomes(send(phone, [call, call])) == ["taken", "taken"]
    with acting_for(sessions, morning.world.agency) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SafetyAlert)) == 1


def test_what_is_said_of_safety_beyond_the_limit_is_taken_and_the_rest_waits(
    settings: Settings, phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    app = create_app(dataclasses.replace(settings, rate_limit="1/minute"))
    limited = app.test_client()
    limited.environ_base["HTTP_AUTHORIZATION"] = phone.environ_base["HTTP_AUTHORIZATION"]
    limited.get("/phone/my-day")
    begun = event("safety_start", morning, server_now(phone), planned_s=3_600)
    checked = event("check_in", morning, server_now(phone), session_id=begun["event_id"])
    body = {"sent_at": server_now(phone).isoformat(), "events": [checked, event("set_out", morning, NOW), begun]}
    refused = limited.post("/phone/events", json=body)
    close_app(app)
    with acting_for(sessions, morning.world.agency) as session:
        kinds = session.scalars(sa.select(SafetyEvent.kind).order_by(SafetyEvent.sequence)).all()
        visit = session.get_one(Visit, morning.visit)
    assert (refused.status_code, kinds[:2]) == (429, [SafetyEventKind.STARTED, SafetyEventKind.CHECKED_IN])
    assert visit.under_way_at is None
    again = phone.post("/phone/events", json=body).json
    assert outcomes(again) == ["taken"] * 3


def test_beyond_the_limit_nobody_and_who_has_no_phone_are_told_to_wait_and_no_more(
    settings: Settings, client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    app = create_app(dataclasses.replace(settings, rate_limit="1/minute"))
    nobody, office = app.test_client(), app.test_client()
    dispatcher = client_for(Role.DISPATCHER, org=morning.world.agency)
    office.environ_base["HTTP_AUTHORIZATION"] = dispatcher.environ_base["HTTP_AUTHORIZATION"]
    begun = event("safety_start", morning, NOW, planned_s=3_600)
    body = {"sent_at": NOW.isoformat(), "events": [begun]}
    answers = [one.post("/phone/events", json=body).status_code for one in (nobody, nobody, office, office)]
    close_app(app)
    with acting_for(sessions, morning.world.agency) as session:
        begun_ones = session.scalar(sa.select(sa.func.count()).select_from(SafetySession))
    assert (answers, begun_ones) == ([401, 429, 403, 429], 0)


def test_half_a_character_and_no_event_at_all_spoil_no_other_event(
    phone: FlaskClient, client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    cut = event("addition", morning, NOW, text="A text that was cut inside of a sign: \ud83d")
    answer = send(phone, [cut, None, 7, *a_visit(morning)])
    assert outcomes(answer) == ["refused"] * 3 + ["taken"] * 5
    assert stand(sessions, morning) == TIDY
    (held,) = phone.get("/phone/held-events").json["items"]
    office = client_for(Role.SUPERVISOR, org=morning.world.agency)
    assert json.loads(office.get(f"/held-events/{held['event_id']}").json["event"]) == cut


def test_a_call_for_help_in_a_batch_is_heard_whatever_is_wrong_with_it(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    broken = {"kind": "sos", "event_id": 7, "device_at": "soon", "session_id": "?", "age_s": -1, "mood": "\ud800"}
    assert outcomes(send(phone, [broken, broken, {"kind": "sos"}])) == ["taken"] * 3
    with acting_for(sessions, morning.world.agency) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(SafetyAlert)) == 1
        pressed = sa.select(sa.func.count()).where(SafetyEvent.kind == SafetyEventKind.SOS_PRESSED)
        assert session.scalar(pressed) == 2


def test_neither_none_nor_more_than_five_hundred_are_taken(phone: FlaskClient, morning: Morning) -> None:
    one = event("set_out", morning, NOW)
    for events in ([], list(itertools.repeat(one, 501))):
        refused = phone.post("/phone/events", json={"sent_at": NOW.isoformat(), "events": events})
        assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/events")


def lay_for_hours(sessions: sessionmaker[Session], morning: Morning, hours: int) -> None:
    """Whatever is held came so long ago."""
    with acting_for(sessions, morning.world.agency) as session:
        for row in session.scalars(sa.select(HeldEvent)):
            row.recorded_at -= dt.timedelta(hours=hours)


def test_what_lay_here_for_hours_happened_when_it_happened(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    way, there, who, report, more = a_visit(morning)
    send(phone, [way, there])
    hours = dt.timedelta(hours=8)
    report |= {"device_at": (LEFT_AT - hours).isoformat(), "left_at": (LEFT_AT - hours).isoformat()}
    early = [report, more | {"device_at": (LEFT_AT - hours).isoformat()}]
    assert outcomes(send(phone, early, wrong_by=-hours)) == ["held", "held"]
    lay_for_hours(sessions, morning, 8)
    assert outcomes(send(phone, [who])) == ["taken"]
    with acting_for(sessions, morning.world.agency) as session:
        visit = session.get_one(Visit, morning.visit)
        told = {entry.kind: entry.detail for entry in history_of(session, morning.visit)}
    assert minutes(visit.ended_at) == -8 * 60 - 40
    assert abs(told["reported"]["drift_s"]) < 120


@pytest.mark.parametrize("counted", [{}, {"age_s": 60}])
def test_a_check_in_that_lay_here_for_hours_says_nothing_of_now(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], counted: dict[str, int]
) -> None:
    watch, hours = str(uuid.uuid4()), dt.timedelta(hours=2)
    early = event("check_in", morning, NOW - hours - MINUTE, session_id=watch, **counted)
    send(phone, [early], wrong_by=-hours)
    lay_for_hours(sessions, morning, 2)
    begun = event("safety_start", morning, NOW - hours - 5 * MINUTE, planned_s=3_600) | {"event_id": watch}
    del begun["visit_id"]
    assert outcomes(send(phone, [begun])) == ["taken"]
    with acting_for(sessions, morning.world.agency) as session:
        (entry,) = session.scalars(sa.select(SafetyEvent).where(SafetyEvent.kind == SafetyEventKind.CHECKED_IN))
        watched = session.get_one(SafetySession, uuid.UUID(watch))
    assert entry.detail["age_s"] == pytest.approx(2 * 3_600 + 60, abs=30)
    assert watched.due_at is not None
    assert watched.due_at < NOW


def test_what_the_lead_adds_and_then_reports_in_one_sending_stands_together(
    phone: FlaskClient, client_for: ClientFor, morning: Morning
) -> None:
    mate = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.oona)
    nobody = {"outcome": "nobody", "left_at": LEFT_AT.isoformat()}
    send(mate, [event("report", morning, LEFT_AT, **nobody)])
    added = event("addition", morning, LEFT_AT, text="The bell is broken.")
    answer = send(phone, [added, event("report", morning, LEFT_AT + MINUTE, **nobody)])
    assert outcomes(answer) == ["taken", "taken"]
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    stands = office.get(f"/visits/{morning.visit}/report").json
    assert stands["visitor_id"] == str(morning.ilta)
    assert sorted(each["reason"] for each in stands["additions"]) == ["crew_report", "further"]
