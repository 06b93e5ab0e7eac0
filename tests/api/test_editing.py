"""Two who change one thing are told of each other, and phones are counted one by one."""

import dataclasses
import threading
import uuid
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.openapi import operations
from fieldvisit.database import acting_for_all
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role, VisitState
from tests.api.conftest import PASSWORD, ClientFor
from tests.api.test_every_endpoint import document_of
from tests.worlds import HELSINKI, World, make_case, make_visit, make_visitor

ALONE = {
    "log_out": "one's own login",
    "register_push_token": "of one's own phone",
    "clear_push_token": "of one's own phone",
    "set_pins": "one's own",
    "abandon_evidence": "of one's own phone",
    "send_evidence_part": "of one's own phone; the offset says what was read",
    "put_debtor": "one system sends it, and what it leaves out stays",
    "put_case": "one system sends it; an older day than what is stored is refused",
    "put_payment": "never changed once it is there",
    "request_visit": "makes a new one; `version` is what a change of it has to name",
    "drop_plan": "a step: once it is published or dropped the second is refused",
    "end_duty": "taken away, nothing of it is overwritten",
    "drop_contact": "taken away, nothing of it is overwritten",
    "start_safety_session": "begins one's own",
    "plan_safety_session": "makes a new one",
    "start_drill": "begins a session of the drill's own",
    "withdraw_duty_offer": "one's own offer, or the one made to oneself; never held up, for it is safety",
}
"""What changes something that is there and needs no `If-Match`: why."""

RULES = {"order_rule": "allow", "may_reject": True, "undo_minutes": 15}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limit="40/hour")


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
    answers = [greedy.get("/organisations") for _ in range(41)]
    assert [each.status_code for each in answers] == [200] * 40 + [429]
    assert (answers[0].headers["RateLimit-Remaining"], "Retry-After" in answers[-1].headers) == ("39", True)
    assert other.get("/organisations").headers["RateLimit-Remaining"] == "39"


def edits(document: dict[str, Any]) -> dict[str, bool]:
    """The writes that change what is there, and whether they may say what was read before: all but `POST`, and of
    those the ones that make the next version of a thing, or stand at the address where one thing is read."""
    found: dict[str, bool] = {}
    read = {
        path: _answer(operation, "200", document) for path, method, operation in operations(document) if method == "get"
    }
    for path, method, operation in operations(document):
        named = {each.get("name") for each in operation.get("parameters", ())}
        if method == "post":
            makes = "version" in _answer(operation, "201", document) and "{" not in path
            one = path in read and "next" not in read[path] and bool(_answer(operation, "201", document))
            if not makes and not one:
                continue
        elif method not in ("put", "patch", "delete"):
            continue
        found[operation["operationId"]] = "If-Match" in named
    return found


def _answer(operation: dict[str, Any], status: str, document: dict[str, Any]) -> set[str]:
    """The names of what it answers."""
    content = operation["responses"].get(status, {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {})
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return set(schema.get("properties", ()))


def test_whatever_two_may_change_can_be_changed_with_what_was_read(client: FlaskClient) -> None:
    found = edits(document_of(client))
    assert {name for name, says in found.items() if not says} == set(ALONE)
    assert {"put_area", "put_wish", "put_shift", "publish_report_form", "change_timers"} <= found.keys() - ALONE.keys()


@dataclasses.dataclass(frozen=True)
class Thing:
    """What is read where, and how two change it: `one` and `other` are laid over `body`."""

    role: Role
    read: str
    write: str
    body: dict[str, Any]
    one: dict[str, Any]
    other: dict[str, Any]
    method: str = "PUT"


def things(visitor: str, debtor: str) -> list[Thing]:
    area = {
        "code": "north",
        "lat": HELSINKI[0],
        "lon": HELSINKI[1],
        "radius_m": 2_000,
        "name": "North",
    }
    service = {"name": "ours", "channel": "sms", "url": "https://gateway.example.org/send"}
    shift = {"visitor_external_id": visitor, "works_on": "2026-03-09", "lead": True, "from_office": True}
    shift |= {"starts_at": "2026-03-09T08:00:00+02:00", "ends_at": "2026-03-09T16:00:00+02:00"}
    paper = {"external_id": "P1", "visitor_external_id": visitor, "kind": "badge", "number": "1", "issuer": "House"}
    paper |= {"valid_from": "2026-01-01", "valid_until": "2026-12-31"}
    wish = {"only": False, "days": ["mon"], "from_time": "09:00", "until_time": "10:00"}
    wishes = f"/debtors/{debtor}/wishes"
    staff = {"external_id": visitor, "name": "Ilta Example", "staff_number": "00001"}
    question = {"name": "door", "kind": "text", "label": {"en": "What door?", "zh-CN": "什么门？"}}
    return [
        Thing(Role.SUPERVISOR, "/areas/{id}", "/areas", area, {"name": "Nord"}, {"radius_m": 900}),
        Thing(Role.ADMIN, "/notice-services/{id}", "/notice-services", service, {"place": 2}, {"place": 3}),
        Thing(Role.DISPATCHER, "/shifts/{id}", "/shifts", shift, {"crew_code": "A"}, {"crew_code": "B"}),
        Thing(Role.ADMIN, "/credentials/{id}", "/credentials", paper, {"number": "2"}, {"number": "3"}),
        Thing(Role.ADMIN, "/visitors/{id}", "/visitors", staff, {"skills": ["a"]}, {"skills": ["b"]}),
        Thing(Role.DISPATCHER, wishes, wishes, wish, {"note": "x"}, {"days": ["tue"]}),
        Thing(
            Role.ADMIN, "/report-forms/{id}", "/report-forms", {"replaces": 0, "questions": [question]},
            {"replaces": 1}, {"replaces": 1, "questions": []}, "POST",
        ),
    ]  # fmt: skip


def test_the_second_of_two_is_shown_both_versions_of_whatever_they_change(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        case = make_case(session, world)
        visitor = make_visitor(session, world).external_id
    clients = {role: client_for(role, org=world.agency) for role in (Role.SUPERVISOR, Role.ADMIN, Role.DISPATCHER)}
    for thing in things(visitor, str(case.debtor_id)):
        client = clients[thing.role]
        made = client.open(thing.write, method=thing.method, json=thing.body)
        assert made.status_code in (200, 201), made.text
        path = thing.read.format(id=made.json.get("item", made.json)["id"])
        tag = client.get(path).headers["ETag"]
        assert made.headers["ETag"] == tag, path
        first = client.open(thing.write, method=thing.method, json=thing.body | thing.one, headers={"If-Match": tag})
        assert first.status_code in (200, 201), first.text
        if thing.method == "POST":
            path = thing.read.format(id=first.json["id"])
        now_there = client.get(path)
        assert first.headers["ETag"] == now_there.headers["ETag"] != tag, path
        late = client.open(thing.write, method=thing.method, json=thing.body | thing.other, headers={"If-Match": tag})
        assert (late.status_code, late.json["code"]) == (412, "edited_meanwhile"), path
        assert late.json["details"]["current"] == now_there.json
        assert late.json["details"]["yours"] == thing.body | thing.other
        assert client.get(path).json == now_there.json


def test_what_was_read_and_is_gone_is_not_made_anew(client_for: ClientFor, world: World) -> None:
    admin = client_for(Role.ADMIN, org=world.agency)
    service = {"name": "ours", "channel": "sms", "url": "https://gateway.example.org/send"}
    tag = {"If-Match": admin.put("/notice-services", json=service).headers["ETag"]}
    service_id = admin.get("/notice-services").json["items"][0]["id"]
    admin.put("/notice-services", json=service | {"place": 2})
    assert admin.delete(f"/notice-services/{service_id}", headers=tag).status_code == 412
    assert admin.delete(f"/notice-services/{service_id}").status_code == 204
    late = admin.put("/notice-services", json=service | {"place": 3}, headers=tag)
    assert (late.status_code, late.json["details"]["current"]) == (412, None)
    assert admin.get("/notice-services").json["items"] == []
