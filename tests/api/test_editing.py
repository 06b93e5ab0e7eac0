"""Two who change one thing are told of each other, and phones are counted one by one."""

import dataclasses
import threading
import uuid
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role, VisitState
from tests.api.conftest import PASSWORD, ClientFor
from tests.worlds import World, make_case, make_visit

RULES = {"order_rule": "allow", "may_reject": True, "undo_minutes": 15}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limit="12/hour")


def test_the_second_of_two_who_change_a_rule_is_shown_both_versions(client_for: ClientFor, world: World) -> None:
    first, second = (client_for(Role.SUPERVISOR, org=world.agency) for _ in range(2))
    tag = first.get("/field-rules").headers["ETag"]
    assert second.get("/field-rules").headers["ETag"] == tag
    changed = first.put("/field-rules", json=RULES | {"undo_minutes": 5}, headers={"If-Match": tag})
    assert changed.status_code == 200
    late = second.put("/field-rules", json=RULES | {"undo_minutes": 9}, headers={"If-Match": tag})
    assert (late.status_code, late.json["code"]) == (412, "edited_meanwhile")
    said = late.json["details"]
    assert (said["current"]["undo_minutes"], said["yours"]["undo_minutes"]) == (5, 9)
    newest = second.get("/field-rules").headers["ETag"]
    assert newest == changed.headers["ETag"]
    again = second.put("/field-rules", json=RULES | {"undo_minutes": 9}, headers={"If-Match": newest})
    assert (again.status_code, again.json["undo_minutes"]) == (200, 9)


def test_of_many_who_change_a_visit_at_once_one_wins(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        visit_id = make_visit(session, world, make_case(session, world), state=VisitState.ELIGIBLE).id
    path = f"/visits/{visit_id}"
    clients = [client_for(Role.DISPATCHER, org=world.agency) for _ in range(3)]
    read = clients[0].get(path)
    answers: list[Any] = []

    def change(place: int) -> None:
        body = {"version": read.json["version"], "service_s": 900 + place}
        answers.append(clients[place].patch(path, json=body, headers={"If-Match": read.headers["ETag"]}))

    threads = [threading.Thread(target=change, args=(place,)) for place in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(each.status_code for each in answers) == [200, 412, 412]
    now_there = clients[0].get(path).json
    shown = [each.json["details"]["current"] for each in answers if each.status_code == 412]
    assert shown == [now_there, now_there]


def test_one_phone_takes_nothing_of_the_limit_from_another(app: Flask, client_for: ClientFor, world: World) -> None:
    client_for(Role.SUPERVISOR, org=world.agency)
    phones = []
    for _ in range(2):
        client = app.test_client()
        device = {"id": str(uuid.uuid4()), "name": "Phone", "app_version": "1"}
        login = {"username": "somebody1", "password": PASSWORD, "device": device}
        token = client.post("/tokens", json=login).json["access_token"]
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        phones.append(client)
    greedy, other = phones
    answers = [greedy.get("/organisations") for _ in range(13)]
    assert [each.status_code for each in answers] == [200] * 12 + [429]
    assert (answers[0].headers["RateLimit-Remaining"], "Retry-After" in answers[-1].headers) == ("11", True)
    assert other.get("/organisations").headers["RateLimit-Remaining"] == "11"
