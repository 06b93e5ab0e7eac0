"""Safety over HTTP: a visitor's phone and an officer's screen."""

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for_all
from fieldvisit.models import Account, DebtorAccess, Place
from fieldvisit.safety.engine import watch_once
from fieldvisit.settings import Settings
from fieldvisit.tokens import read_access, sign_access
from fieldvisit.vocabulary import DutyRank, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.safety.worlds import Clock, make_account, put_on_duty
from tests.worlds import World, make_case, make_visit, make_visitor

MINUTE = 60


@dataclass(frozen=True)
class People:
    """Ilta at the door with her phone; Onni and Outi at their desks; a stranger of another agency."""

    ilta: FlaskClient
    onni: FlaskClient
    outi: FlaskClient
    stranger: FlaskClient
    visitor_id: uuid.UUID


@pytest.fixture
def people(sessions: sessionmaker[Session], world: World, client_for: ClientFor) -> People:
    with acting_for_all(sessions) as session:
        visitor_id = make_visitor(session, world, phone="+358450001234").id
        put_on_duty(session, make_account(session, world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    return People(
        ilta=client_for(Role.VISITOR, org=world.agency, visitor_id=visitor_id),
        onni=client_for(Role.SAFETY_OFFICER, org=world.agency),
        outi=client_for(Role.SUPERVISOR, org=world.agency),
        stranger=client_for(Role.SAFETY_OFFICER, org=world.stranger),
        visitor_id=visitor_id,
    )


@pytest.fixture
def clock(urls: Urls) -> Clock:
    return Clock(sa.create_engine(urls.owner, poolclass=sa.NullPool))


def start(people: People, **given: Any) -> dict[str, Any]:
    answer = people.ilta.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 3_600} | given)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def tell(people: People, session_id: str, what: str, **given: Any) -> Any:
    return people.ilta.post(f"/safety/sessions/{session_id}/{what}", json={"event_id": str(uuid.uuid4())} | given)


def sos(people: People, **given: Any) -> dict[str, Any]:
    answer = people.ilta.post("/safety/sos", json={"event_id": str(uuid.uuid4())} | given)
    assert answer.status_code == 201, answer.json
    return dict(answer.json)


def the_alert(people: People) -> dict[str, Any]:
    (only,) = people.onni.get("/safety/alerts").json["items"]
    return dict(only)


def test_a_session_is_started_checked_extended_and_ended(people: People) -> None:
    begun = start(people, level="low", age_s=0, position={"lat": 60.17, "lon": 24.94, "datum": "wgs84"})
    assert (begun["state"], begun["shown"], begun["level"]) == ("active", "ok", "low")
    assert set(begun) == {
        *("id", "visit_id", "level", "state", "shown", "started_at", "remind_at", "due_at", "grace_until", "end_at"),
        *("ended_at", "extended_s", "pin_at_check_in", "server_at"),
    }
    checked = tell(people, begun["id"], "check-ins").json
    assert checked["due_at"] > begun["due_at"]
    extended = tell(people, begun["id"], "extensions", by_s=600, reason="The talk takes longer.").json
    assert (extended["extended_s"], extended["due_at"]) == (600, checked["due_at"])
    assert tell(people, begun["id"], "beats").status_code == 200
    ended = tell(people, begun["id"], "end").json
    assert (ended["state"], ended["ended_at"] is not None) == ("ended", True)


def test_told_twice_is_done_once(people: People) -> None:
    begun = start(people)
    assert start(people, id=begun["id"])["due_at"] == begun["due_at"]
    event_id = str(uuid.uuid4())
    first = tell(people, begun["id"], "check-ins", event_id=event_id).json
    assert tell(people, begun["id"], "check-ins", event_id=event_id).json["due_at"] == first["due_at"]


def test_a_second_session_is_a_conflict(people: People) -> None:
    start(people)
    answer = people.ilta.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 60})
    assert (answer.status_code, answer.json["code"]) == (409, "session_already_open")


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"planned_s": 0}, "/planned_s"),
        ({"level": "reckless"}, "/level"),
        ({"age_s": -1}, "/age_s"),
        ({"device_at": "2026-03-03T09:00:00"}, "/device_at"),
        ({"position": {"lat": 91, "lon": 0, "datum": "wgs84"}}, "/position/lat"),
        ({"position": {"lat": 60.1, "lon": 24.9}}, "/position/datum"),
        ({"colour": "red"}, "/colour"),
    ],
)
def test_what_is_wrong_in_a_start_is_named(people: People, wrong: dict[str, Any], pointer: str) -> None:
    answer = people.ilta.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 60} | wrong)
    assert (answer.status_code, [fault["pointer"] for fault in answer.json["errors"]]) == (422, [pointer])


def test_the_story_of_a_missed_check_in(people: People, clock: Clock, sessions: sessionmaker[Session]) -> None:
    begun = start(people)
    watch_once(sessions)
    clock.pass_s(18 * MINUTE)
    watch_once(sessions)
    alert = the_alert(people)
    assert (alert["session_id"], alert["kind"], alert["state"], alert["visitor"]["phone"]) == (
        begun["id"],
        "missed_checkin",
        "notifying",
        "+358450001234",
    )
    path = f"/safety/alerts/{alert['id']}"
    taken = people.onni.post(f"{path}/acknowledgement").json
    refused = people.outi.post(f"{path}/acknowledgement")
    assert (refused.status_code, refused.json["code"], refused.json["details"]["owner_id"]) == (
        409,
        "already_acknowledged",
        taken["owner_id"],
    )
    assert refused.json["details"]["name"].startswith("somebody")
    assert tell(people, begun["id"], "check-ins").json["state"] == "alarm"
    assert tell(people, begun["id"], "end").json["code"] == "alert_still_open"
    assert the_alert(people)["visitor_reports_safe_at"] is not None
    assert people.onni.post(f"{path}/notes", json={"text": "She answers."}).status_code == 200
    closing = {"outcome": "false_forgot", "proof": "voice_contact", "resume": True}
    assert people.onni.post(f"{path}/resolution", json=closing).json["state"] == "resolved"
    assert people.onni.get("/safety/alerts").json == {"items": []}
    assert [each["id"] for each in people.onni.get("/safety/alerts/closed").json["items"]] == [alert["id"]]
    told = [event["kind"] for event in people.onni.get(path).json["events"]]
    assert told == [
        *("started", "contact_lost", "alert_opened", "step_begun", "acknowledged", "checked_in_late"),
        *("noted", "resolved", "resumed"),
    ]
    assert tell(people, begun["id"], "end").json["state"] == "ended"


def test_an_alert_tells_where_the_visitor_was_going(
    people: People, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        visit_id = make_visit(session, world, make_case(session, world)).id
    start(people, visit_id=str(visit_id))
    sos(people)
    alert = the_alert(people)
    file = people.onni.get(f"/safety/alerts/{alert['id']}").json
    assert alert["visit_id"] == str(visit_id)
    assert file["address"].startswith("Aleksanterinkatu")


def test_the_file_tells_the_other_door_that_the_call_named_and_that_it_was_looked_at(
    people: People, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        here, there = (make_visit(session, world, make_case(session, world)) for _ in range(2))
        session.get_one(Place, there.place_id).address = "Uudenmaankatu 1, 00120 Helsinki"
        debtors, here_id, there_id = {here.debtor_id, there.debtor_id}, here.id, there.id
    start(people, visit_id=str(here_id))
    sos(people, visit_id=str(there_id))
    file = people.onni.get(f"/safety/alerts/{the_alert(people)['id']}").json
    assert file["address"].startswith("Aleksanterinkatu")
    assert file["other_address"] == "Uudenmaankatu 1, 00120 Helsinki"
    with acting_for_all(sessions) as session:
        looked = sa.select(DebtorAccess.debtor_id).where(DebtorAccess.debtor_id.in_(debtors))
        assert set(session.scalars(looked.where(DebtorAccess.action == "read_alert"))) == debtors


def test_a_call_for_help_without_a_session_stands_first_on_the_wall(people: People) -> None:
    called = sos(people, position={"lat": 60.17, "lon": 24.94, "datum": "wgs84"})
    (item,) = people.onni.get("/safety/sessions").json["items"]
    assert (item["id"], item["shown"], item["visitor"]["id"], item["last_lat"]) == (
        called["id"],
        "alarm",
        str(people.visitor_id),
        60.17,
    )


def test_safety_is_never_limited(people: People) -> None:
    answers = {people.ilta.post("/safety/sos", json={"event_id": str(uuid.uuid4())}).status_code for _ in range(50)}
    assert answers == {201}
    assert "RateLimit-Limit" not in people.ilta.post("/safety/sos", json={"event_id": str(uuid.uuid4())}).headers
    assert len(people.onni.get("/safety/alerts").json["items"]) == 1


def test_a_closing_without_proof_is_refused(people: People) -> None:
    sos(people)
    path = f"/safety/alerts/{the_alert(people)['id']}"
    people.onni.post(f"{path}/acknowledgement")
    answer = people.onni.post(f"{path}/resolution", json={"outcome": "genuine_injury", "resume": False})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/proof")
    unnamed = {"outcome": "genuine_injury", "proof": "emergency_service", "resume": False}
    answer = people.onni.post(f"{path}/resolution", json=unnamed)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_value")


def test_an_officer_who_goes_out_does_not_handle_an_alert_about_herself(
    people: People, client_for: ClientFor, world: World
) -> None:
    sos(people)
    herself = client_for(Role.VISITOR, Role.SAFETY_OFFICER, org=world.agency, visitor_id=people.visitor_id)
    answer = herself.post(f"/safety/alerts/{the_alert(people)['id']}/acknowledgement")
    assert (answer.status_code, answer.json["code"]) == (403, "self_handling")


def test_another_organisation_sees_nothing(people: People) -> None:
    sos(people)
    alert_id = the_alert(people)["id"]
    seen = {
        path: people.stranger.get(path).json["items"]
        for path in ("/safety/sessions", "/safety/alerts", "/safety/alerts/closed")
    }
    assert list(seen.values()) == [[], [], []]
    refused = (
        people.stranger.get(f"/safety/alerts/{alert_id}"),
        people.stranger.post(f"/safety/alerts/{alert_id}/acknowledgement"),
    )
    assert [answer.status_code for answer in refused] == [404, 404]


def test_a_visitor_sees_neither_the_wall_nor_the_alerts(people: People) -> None:
    paths = ("/safety/sessions", "/safety/alerts", f"/safety/alerts/{uuid.uuid4()}")
    assert {people.ilta.get(path).status_code for path in paths} == {403}


def test_a_refusal_is_told_in_chinese(people: People) -> None:
    start(people)
    answer = people.ilta.post(
        "/safety/sessions",
        json={"id": str(uuid.uuid4()), "planned_s": 60},
        headers={"Accept-Language": "zh-CN"},
    )
    assert answer.json["detail"] == "您还有一个进行中的安全会话，请先结束它。"


def expired(settings: Settings, client: FlaskClient, **given: Any) -> dict[str, str]:
    """The header of a token that this client's account was given a year ago."""
    token = client.environ_base["HTTP_AUTHORIZATION"].removeprefix("Bearer ")
    claims = read_access(token, key=settings.token_key, now=NOW + dt.timedelta(minutes=5))
    account = Account(
        id=claims.account_id, org_id=claims.org_id, roles=sorted(claims.roles), visitor_id=claims.visitor_id
    )
    terms = {"key": settings.token_key, "now": NOW - dt.timedelta(days=365), "lifetime_s": 900} | given
    return {"Authorization": f"Bearer {sign_access(account, **terms)}"}


def test_help_is_called_with_a_login_that_has_expired_and_the_officer_is_told(
    people: People, settings: Settings
) -> None:
    headers = expired(settings, people.ilta)
    called = people.ilta.post("/safety/sos", json={"event_id": str(uuid.uuid4())}, headers=headers)
    assert (called.status_code, called.json["shown"]) == (201, "alarm")
    events = people.onni.get(f"/safety/alerts/{the_alert(people)['id']}").json["events"]
    (pressed,) = [event["detail"] for event in events if event["kind"] == "sos_pressed"]
    assert (pressed["age_s"], pressed["token_expired"]) == (0, True)
    sos(people)
    events = people.onni.get(f"/safety/alerts/{the_alert(people)['id']}").json["events"]
    said = [event["detail"] for event in events if event["kind"] == "sos_pressed"]
    assert said == [pressed, {"age_s": 0, "event_id": said[1]["event_id"]}]


def test_who_has_an_expired_login_is_watched_over_and_ends_nothing_by_it(people: People, settings: Settings) -> None:
    headers = expired(settings, people.ilta)
    body = {"id": str(uuid.uuid4()), "planned_s": 3_600}
    begun = people.ilta.post("/safety/sessions", json=body, headers=headers).json
    paths = [f"/safety/sessions/{begun['id']}/{what}" for what in ("beats", "check-ins", "end", "extensions")]
    told = [{"event_id": str(uuid.uuid4())}] * 3 + [{"event_id": str(uuid.uuid4()), "by_s": 600, "reason": "A talk."}]
    answers = [people.ilta.post(path, json=body, headers=headers) for path, body in zip(paths, told, strict=True)]
    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]
    assert {answer.json["code"] for answer in answers[2:]} == {"access_token_refused"}


def test_help_is_not_called_with_a_token_that_was_never_ours(people: People, settings: Settings) -> None:
    for headers in (
        expired(settings, people.ilta, key=bytes(32)),
        {"Authorization": "Bearer gibberish"},
        {"Authorization": ""},
    ):
        answer = people.ilta.post("/safety/sos", json={"event_id": str(uuid.uuid4())}, headers=headers)
        assert answer.status_code == 401
    assert people.onni.get("/safety/alerts").json["items"] == []


def test_help_is_called_with_the_expired_login_of_a_closed_account_and_the_officer_is_told(
    people: People, settings: Settings, sessions: sessionmaker[Session]
) -> None:
    headers = expired(settings, people.ilta)
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Account).where(Account.visitor_id == people.visitor_id).values(active=False))
    answer = people.ilta.post("/safety/sos", json={"event_id": str(uuid.uuid4())}, headers=headers)
    assert answer.status_code == 201
    events = people.onni.get(f"/safety/alerts/{the_alert(people)['id']}").json["events"]
    (pressed,) = [event["detail"] for event in events if event["kind"] == "sos_pressed"]
    assert (pressed["token_expired"], pressed["account_closed"]) == (True, True)


def test_an_expired_login_of_the_office_calls_no_help(people: People, settings: Settings) -> None:
    answer = people.onni.post(
        "/safety/sos", json={"event_id": str(uuid.uuid4())}, headers=expired(settings, people.onni)
    )
    assert (answer.status_code, answer.json["code"]) == (403, "not_permitted")
