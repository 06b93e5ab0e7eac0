"""The wall over HTTP: what stands on it, and what is told when it changes."""

import json
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from flask.testing import FlaskClient
from psycopg import sql
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from api.feed import Feed
from fieldvisit.database import Urls, acting_for_all, plain_url
from fieldvisit.embedded import APP
from fieldvisit.models import Visitor
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


class Hand:
    """A clock that somebody moves."""

    at_s = 0.0

    def read(self) -> float:
        return self.at_s


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def feed(door: Door, hand: Hand) -> Iterator[Feed]:
    feed = Feed(door.sessions, door.world.agency, clock=hand.read)
    yield feed
    feed.close()


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


def test_a_wall_that_cannot_be_read_is_told_as_old_until_it_can(
    door: Door, feed: Feed, hand: Hand, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.feed.EACH_S", 0.05)
    door.start()
    feed.look()
    ((last_id, _, _),) = told(list(feed.follow(None, 0)))
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as owner:
        role = sql.Identifier(APP)
        owner.execute(sql.SQL("revoke select on safety_sessions from {}").format(role))
        with pytest.raises(ProgrammingError):
            feed.look()
        hand.at_s += 6
        ((none, kind, said),) = told(list(feed.follow(last_id, 0)))
        assert (none, kind, said) == (None, "stale", {"since_s": 6.0})
        owner.execute(sql.SQL("grant select on safety_sessions to {}").format(role))
    feed.look()
    ((_, kind, _),) = told(list(feed.follow(last_id, 0)))
    assert kind == "heartbeat"


def test_who_comes_back_after_hours_gets_the_wall_of_now(door: Door, feed: Feed, hand: Hand) -> None:
    door.start()
    feed.look()
    hand.at_s += 3_600
    door.pass_under_watch_s(18 * MINUTE)
    door.watch()
    ((_, kind, wall),) = told(list(feed.follow(None, 0)))
    assert (kind, wall["tiles"][0]["state"]) == ("wall", "alarm")


def test_who_comes_while_the_wall_cannot_be_read_hears_how_old_it_is_and_gets_all_of_it_then(
    door: Door, feed: Feed, hand: Hand, urls: Urls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.feed.EACH_S", 0.05)
    session_id = door.start()
    feed.look()
    hand.at_s += 3_600
    with psycopg.connect(plain_url(urls.owner), autocommit=True) as owner:
        role = sql.Identifier(APP)
        owner.execute(sql.SQL("revoke select on safety_sessions from {}").format(role))
        events = feed.follow(None, 60)
        assert told([next(events)]) == [(None, "stale", {"since_s": 3_600.0})]
        owner.execute(sql.SQL("grant select on safety_sessions to {}").format(role))
    ((_, kind, wall),) = told([next(events)])
    assert (kind, [tile["id"] for tile in wall["tiles"]]) == ("wall", [str(session_id)])
    events.close()


def test_a_number_that_changed_is_told_to_who_follows(door: Door, feed: Feed, hand: Hand) -> None:
    door.start()
    feed.look()
    ((last_id, _, _),) = told(list(feed.follow(None, 0)))
    with acting_for_all(door.sessions) as session:
        session.get_one(Visitor, door.visitor_id).phone = "+358409999999"
    hand.at_s += 31
    feed.look()
    (_, _, change) = told(list(feed.follow(last_id, 0)))[-1]
    assert change["tiles"][0]["visitor"]["phone"] == "+358409999999"


@pytest.mark.parametrize("number", ["9" * 5_000, "-1", "\u0663", "", "1e3"])
def test_who_resumes_with_rubbish_gets_the_whole_wall(feed: Feed, number: str) -> None:
    feed.look()
    ((last_id, _, _),) = told(list(feed.follow(None, 0)))
    epoch = str(last_id).partition(".")[0]
    ((_, kind, _),) = told(list(feed.follow(f"{epoch}.{number}", 0)))
    assert kind == "wall"


def test_a_visitor_learns_who_looked_at_where_they_were(
    client_for: ClientFor, world: World, sessions: sessionmaker[Session]
) -> None:
    with acting_for_all(sessions) as session:
        ilta, oona = (make_visitor(session, world).id for _ in range(2))
        put_on_duty(session, make_account(session, world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    phone, other = (client_for(Role.VISITOR, org=world.agency, visitor_id=each) for each in (ilta, oona))
    officer = client_for(Role.SAFETY_OFFICER, org=world.agency)
    here = {"position": {"lat": 60.17, "lon": 24.94, "datum": "wgs84"}, "planned_s": 3_600}
    session_id = phone.post("/safety/sessions", json={"id": str(uuid.uuid4())} | here).json["id"]
    other.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 3_600})
    assert phone.get("/safety/looks").json["items"] == []
    for _ in range(2):
        officer.get("/safety/live")
    list(officer.get("/safety/stream?for_s=0").iter_encoded())
    phone.post("/safety/sos", json={"event_id": str(uuid.uuid4())})
    (alert,) = officer.get("/safety/alerts").json["items"]
    officer.get(f"/safety/alerts/{alert['id']}")
    officer.post(f"/safety/alerts/{alert['id']}/acknowledgement")
    looks = phone.get("/safety/looks").json["items"]
    assert pages(phone, limit=2) == [looks[:2], looks[2:4], looks[4:]]
    assert [each["at"] for each in looks] == sorted((each["at"] for each in looks), reverse=True)
    assert {each["session_id"] for each in looks} == {session_id}
    assert sorted(each["action"] for each in looks) == [
        "acknowledge_alert",
        "list_open_alerts",
        "read_alert",
        "read_live",
        "stream_live",
    ]
    # Of a session that tells no position nothing was shown.
    assert other.get("/safety/looks").json["items"] == []


def pages(phone: FlaskClient, *, limit: int) -> list[list[Any]]:
    found, after = [], ""
    while after is not None:
        page = phone.get(f"/safety/looks?limit={limit}{after and '&after='}{after}").json
        found.append(page["items"])
        after = page["next"]
    return found


def test_a_position_that_comes_while_somebody_follows_is_kept_as_looked_at(
    client_for: ClientFor, world: World, sessions: sessionmaker[Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first of a session, which began without one."""
    monkeypatch.setattr("api.feed.EACH_S", 0.05)
    with acting_for_all(sessions) as session:
        ilta = make_visitor(session, world).id
        put_on_duty(session, make_account(session, world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    phone = client_for(Role.VISITOR, org=world.agency, visitor_id=ilta)
    officer = client_for(Role.SAFETY_OFFICER, org=world.agency)
    session_id = phone.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 3_600}).json["id"]
    stream = officer.get("/safety/stream?for_s=30")
    events = (told([each.decode()])[0][2]["tiles"] for each in stream.iter_encoded())
    assert [tile["last_lat"] for tile in next(events)] == [None]
    assert phone.get("/safety/looks").json["items"] == []
    here = {"event_id": str(uuid.uuid4()), "position": {"lat": 60.17, "lon": 24.94, "datum": "wgs84"}}
    assert phone.post(f"/safety/sessions/{session_id}/beats", json=here).status_code == 200
    assert [tile["last_lat"] for tile in next(events)] == [60.17]
    stream.close()
    assert [each["action"] for each in phone.get("/safety/looks").json["items"]] == ["stream_live"]


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
