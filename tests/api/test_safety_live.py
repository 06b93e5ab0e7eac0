"""The wall over HTTP: what stands on it, and what is told when it changes."""

import json
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.feed import Feed
from fieldvisit.database import acting_for_all
from fieldvisit.vocabulary import DutyRank, RiskLevel, Role
from tests.api.conftest import ClientFor
from tests.safety.conftest import clock, door
from tests.safety.worlds import MINUTE, Door, another_door, make_account, put_on_duty
from tests.worlds import World, make_visitor

__all__ = ["clock", "door"]


def told(events: list[str]) -> list[tuple[str | None, str, dict[str, Any]]]:
    """Id, kind and content of each event."""
    found = []
    for each in events:
        lines = dict(line.split(": ", 1) for line in each.strip().split("\n"))
        found.append((lines.get("id"), lines["event"], json.loads(lines["data"])))
    return found


@pytest.fixture
def feed(door: Door) -> Feed:
    return Feed(door.sessions, door.world.agency)


def test_alarms_come_first_then_the_more_dangerous_and_each_change_is_told_once(door: Door, feed: Feed) -> None:
    calm_id, tense, calling = door.start(), another_door(door), another_door(door)
    tense_id, calling_id = tense.start(RiskLevel.HIGH), calling.call_for_help()
    feed.look()
    ((last_id, kind, wall),) = told(list(feed.follow(None, 0)))
    assert (kind, wall["cover"]) == ("wall", 2)
    assert [tile["id"] for tile in wall["tiles"]] == [str(calling_id), str(tense_id), str(calm_id)]
    assert wall["tiles"][0]["alert_kind"] == "sos"
    assert wall["tiles"][0]["deadline_at"] is None

    tense.check_in(tense_id)
    door.end(calm_id)
    feed.look()
    # One frame, or two where the feed itself has looked in between.
    changes = told(list(feed.follow(last_id, 0)))
    assert {kind for _, kind, _ in changes} == {"change"}
    assert [tile["id"] for _, _, change in changes for tile in change["tiles"]] == [str(tense_id)]
    assert [gone for _, _, change in changes for gone in change["gone"]] == [str(calm_id)]
    next_id = changes[-1][0]
    feed.look()
    ((_, kind, _),) = told(list(feed.follow(next_id, 0)))
    assert kind == "heartbeat"


def test_what_is_due_changes_by_itself(door: Door, feed: Feed) -> None:
    door.start()
    feed.look()
    ((last_id, _, wall),) = told(list(feed.follow(None, 0)))
    door.pass_under_watch_s(16 * MINUTE)
    feed.look()
    (_, _, change) = told(list(feed.follow(last_id, 0)))[-1]
    assert [wall["tiles"][0]["shown"], change["tiles"][0]["shown"]] == ["ok", "overdue"]


def test_an_id_that_is_not_remembered_brings_the_whole_wall(door: Door, feed: Feed) -> None:
    session_id = door.start()
    feed.look()
    for unknown in ("0.0", "nonsense", ""):
        ((_, kind, wall),) = told(list(feed.follow(unknown, 0)))
        assert (kind, [tile["id"] for tile in wall["tiles"]]) == ("wall", [str(session_id)])


def test_the_wall_over_http(client_for: ClientFor, world: World, sessions: sessionmaker[Session]) -> None:
    with acting_for_all(sessions) as session:
        visitor_id = make_visitor(session, world, phone="+358450001234").id
        put_on_duty(session, make_account(session, world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    phone = client_for(Role.VISITOR, org=world.agency, visitor_id=visitor_id)
    officer = client_for(Role.SAFETY_OFFICER, org=world.agency)
    started = phone.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 3_600}).json
    live = officer.get("/safety/live").json
    (tile,) = live["tiles"]
    assert (tile["id"], tile["visitor"]["phone"], tile["shown"], live["cover"]) == (
        started["id"],
        "+358450001234",
        "ok",
        1,
    )
    assert tile["deadline_at"] == started["grace_until"]
    streamed = officer.get("/safety/stream?for_s=0")
    ((_, kind, wall), *_) = told([each for each in streamed.text.split("\n\n") if each])
    assert (streamed.mimetype, kind) == ("text/event-stream", "wall")
    assert [each["id"] for each in wall["tiles"]] == [tile["id"]]
    stranger = client_for(Role.SAFETY_OFFICER, org=world.stranger)
    assert stranger.get("/safety/live").json["tiles"] == []


def test_streams_leave_most_threads_to_others(officer: FlaskClient) -> None:
    open_ones = []
    while (answer := officer.get("/safety/stream?for_s=600")).status_code == 200:
        open_ones.append(answer)
    assert (len(open_ones), answer.status_code, answer.json["code"]) == (8, 503, "too_many_streams")
    for each in open_ones:
        each.close()
    again = officer.get("/safety/stream?for_s=0")
    assert (again.status_code, bool(again.text)) == (200, True)


@pytest.fixture
def officer(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(Role.SAFETY_OFFICER, org=world.agency)
