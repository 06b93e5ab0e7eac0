"""An organisation's own services over HTTP: what is secret goes in and never comes out, not even into the log."""

import json
import uuid

import pytest
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.database import acting_for_all
from fieldvisit.notices.carriers import Carriers
from fieldvisit.notices.outbox import Pace
from fieldvisit.notices.sending import Sender
from fieldvisit.outgoing.signatures import sign
from fieldvisit.vocabulary import Channel, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.notices.worlds import give_phone, make_template
from tests.worlds import World, make_case

SERVICE = {
    "name": "ours",
    "channel": "sms",
    "url": "http://127.0.0.1:9/send?key=hidden-key",
    "bearer_token": "hidden-token",
    "secret": "hidden-secret",
}


def test_a_service_is_put_shown_without_its_secrets_and_dropped(
    client_for: ClientFor, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = client_for(Role.ADMIN, org=world.agency)
    put = admin.put("/notice-services", json=SERVICE)
    assert (put.status_code, put.json["change"], put.json["item"]["reached_at"]) == (200, "added", "http://127.0.0.1")
    assert admin.put("/notice-services", json=SERVICE).json["change"] == "unchanged"
    mail = {"name": "post", "channel": "email", "url": "mailtos://us:hidden-word@mail.example.org:587?to={to}"}
    other = admin.put("/notice-services", json=mail)
    assert other.json["item"]["reached_at"] == "mailtos://mail.example.org"
    refused = admin.put("/notice-services", json=mail | {"url": "mailtos://us:hidden-word@mail.example.org?to=x"})
    assert (refused.status_code, refused.json["errors"][0]["pointer"]) == (422, "/url")
    listed = admin.get("/notice-services")
    shown = [(each["name"], each["has_token"], each["sends_receipts"]) for each in listed.json["items"]]
    assert shown == [("ours", True, True), ("post", False, False)]
    said = "".join(answer.text for answer in (put, other, refused, listed)) + "".join(capsys.readouterr())
    assert [each for each in said.split() if "hidden" in each] == []

    assert client_for(Role.SUPERVISOR, org=world.agency).get("/notice-services").status_code == 403
    stranger = client_for(Role.ADMIN, org=world.stranger)
    assert stranger.get("/notice-services").json["items"] == []
    address = f"/notice-services/{put.json['item']['id']}"
    assert (stranger.delete(address).status_code, admin.delete(address).status_code) == (404, 204)
    assert [each["name"] for each in admin.get("/notice-services").json["items"]] == ["post"]


def test_its_receipts_are_its_own(client_for: ClientFor, sessions: sessionmaker[Session], world: World) -> None:
    give_phone(sessions, world)
    make_template(sessions, world.agency, NoticeAbout.START, contents=(), channel=Channel.SMS)
    with acting_for_all(sessions) as session:
        case_id = str(make_case(session, world).id)
    office = client_for(Role.SUPERVISOR, Role.ADMIN, org=world.agency)
    ours = office.put("/notice-services", json=SERVICE).json["item"]["id"]
    theirs = client_for(Role.ADMIN, org=world.stranger).put("/notice-services", json=SERVICE).json["item"]["id"]
    filed = office.post("/notices", json={"about": "start", "case_id": case_id}).json["id"]
    pace = Pace(first_s=600.0)
    sender = Sender(sessions, Carriers((), pace.timeout_s), lambda: NOW, pace=pace)
    assert sender.turn() == 1
    sender.close()

    def tell(service: str, secret: str) -> int:
        body = json.dumps({"id": filed, "kind": "delivered"}).encode()
        named, stamp = uuid.uuid4().hex, int(NOW.timestamp())
        headers = {
            "Content-Type": "application/json",
            "webhook-id": named,
            "webhook-timestamp": str(stamp),
            "webhook-signature": sign(secret, webhook_id=named, timestamp=stamp, body=body),
        }
        return office.post(f"/notices/receipts/{service}", data=body, headers=headers).status_code

    unknown = [(ours, "other-secret"), ("ours", "hidden-secret"), (str(uuid.uuid4()), "hidden-secret")]
    assert [tell(*each) for each in unknown] == [401, 401, 401]
    assert (tell(theirs, "hidden-secret"), office.get(f"/notices/{filed}").json["state"]) == (204, "queued")
    assert (tell(ours, "hidden-secret"), office.get(f"/notices/{filed}").json["state"]) == (204, "delivered")


def test_a_house_says_by_which_ways_it_writes_and_where_its_office_is(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    office = client_for(Role.SUPERVISOR, org=world.agency)
    assert office.get("/notice-rules").json == {
        "channels": ["email", "letter", "sms"],
        "office_email": None,
        "office_language": "en",
    }
    said = {"channels": ["email", "letter"], "office_email": "office@pohjola.example", "office_language": "zh-CN"}
    assert office.put("/notice-rules", json=said).json == said == office.get("/notice-rules").json
    wrong = office.put("/notice-rules", json=said | {"channels": ["visit"]})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/channels")
    give_phone(sessions, world)
    make_template(sessions, world.agency, NoticeAbout.START, contents=(), channel=Channel.SMS)
    with acting_for_all(sessions) as session:
        case_id = str(make_case(session, world).id)
    closed = office.post("/notices", json={"about": "start", "case_id": case_id})
    assert (closed.status_code, closed.json["code"]) == (409, "no_template_fits")
    assert office.put("/notice-rules", json=said | {"channels": ["sms"]}).status_code == 200
    assert office.post("/notices", json={"about": "start", "case_id": case_id}).status_code == 201
