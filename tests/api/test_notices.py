"""Notices over HTTP: a text is saved, a visit is announced by letter, handed over, and what waits is told."""

import dataclasses
import json
import uuid
from contextlib import closing
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import Case
from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.outgoing.signatures import sign
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Channel, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.notices.worlds import asks_for, give_phone, sender_of, switch_on
from tests.planning.worlds import make_ready_visit
from tests.worlds import World, make_case

PROVIDER = NoticeProvider(name="gateway", channel=Channel.SMS, url="http://127.0.0.1:9", secret="shared")
ZH = {"Accept-Language": "zh-CN"}
HOURS = {"announced_from": "2026-03-11T10:00:00+02:00", "announced_until": "2026-03-11T12:00:00+02:00"}
TEMPLATE: dict[str, Any] = {
    "code": "visit",
    "about": "visit",
    "channel": "letter",
    "language": "zh-CN",
    "subject": "拜访预约",
    "passages": [
        {"names": "date", "text": "{organisation}拟于{date}"},
        {"names": "time", "text": "{from_time}至{until_time}拜访您。"},
        {"names": "purpose", "text": "就您的账户与您沟通。"},
    ],
}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """One provider that signs its receipts."""
    return dataclasses.replace(settings, notice_providers=(PROVIDER,))


@pytest.fixture
def supervisor(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=world.agency)


def test_a_visit_is_announced_by_letter_and_kept_with_its_proof(
    sessions: sessionmaker[Session], supervisor: FlaskClient, client_for: ClientFor, world: World
) -> None:
    switch_on(sessions, world.agency, asks_for())
    with acting_for_all(sessions) as session:
        visit_id = str(make_ready_visit(session, world).id)
    short = TEMPLATE | {"passages": [*TEMPLATE["passages"][:2], {"text": "欠款逾期，后果自负。"}]}
    refused = supervisor.post("/notice-templates", json=short, headers=ZH)
    assert (refused.status_code, refused.json["code"]) == (422, "notice_lacks_contents")
    assert refused.json["detail"] == "通知必须写明：目的。依据：contract@pohjola-field/notices/1。"
    loud = supervisor.post(
        "/notice-templates", json=short | {"passages": [*TEMPLATE["passages"], short["passages"][2]]}
    )
    assert (loud.status_code, loud.json["detail"]) == (422, "The notice may not say: “后果自负” (a threat).")
    saved = supervisor.post("/notice-templates", json=TEMPLATE)
    assert (saved.status_code, saved.json["version"], saved.json["contents"]) == (201, 1, ["date", "purpose", "time"])

    body = {"about": "visit", "visit_id": visit_id, **HOURS}
    key = {"Idempotency-Key": "once"}
    filed = supervisor.post("/notices", json=body, headers=key)
    assert filed.status_code == 201, filed.text
    assert supervisor.post("/notices", json=body, headers=key).json["id"] == filed.json["id"]
    assert filed.json["body"].startswith("Pohjola-Field拟于2026年3月11日星期三\n\n10:00至12:00拜访您。")
    assert [(each["kind"], each["notice_id"]) for each in supervisor.get("/notices/due").json["items"]] == [
        ("to_hand_over", filed.json["id"])
    ]
    address = f"/notices/{filed.json['id']}"
    given = supervisor.post(f"{address}/hand-over", json={"at": NOW.isoformat(), "evidence": "RR 123"})
    assert (given.json["state"], given.json["evidence"]) == ("sent", "RR 123")
    arrived = supervisor.post(f"{address}/arrival", json={"at": NOW.isoformat(), "evidence": "signed for"})
    assert (arrived.json["state"], arrived.json["receipts"][0]["evidence"]) == ("delivered", "signed for")
    assert supervisor.get("/notices/due").json == {"items": []}

    lender = client_for(Role.AUDITOR, org=world.lender)
    assert lender.get(address).json["body"] == filed.json["body"]
    assert lender.get("/notices", query_string={"visit_id": visit_id}).json["items"][0]["state_words"] == "delivered"
    assert client_for(Role.AUDITOR, org=world.stranger).get(address).status_code == 404


def test_what_was_given_elsewhere_opens_what_waited_for_it(
    sessions: sessionmaker[Session], client_for: ClientFor, world: World
) -> None:
    switch_on(sessions, world.agency, asks_for("assignment", unit="hours", amount=0, contents=("agency_name",)))
    with acting_for_all(sessions) as session:
        case_id, other_id = (str(make_ready_visit(session, world).case_id) for _ in range(2))
    dispatcher = client_for(Role.DISPATCHER, Role.INTEGRATOR, org=world.agency)
    before = dispatcher.get(f"/cases/{case_id}/eligibility")
    body = {
        "about": "assignment",
        "channel": "letter",
        "case_id": case_id,
        "sent_at": "2026-03-01T09:00:00+02:00",
        "contents": ["agency_name"],
        "external_id": "L-1",
    }
    given = dispatcher.post("/notices/given", json=body)
    assert (given.status_code, given.json["state"], given.json["agency_id"]) == (201, "sent", str(world.agency))
    assert dispatcher.post("/notices/given", json=body).json["id"] == given.json["id"]
    for differs in ({"channel": "sms"}, {"case_id": other_id}, {"received_at": "2026-03-02T09:00:00+02:00"}):
        other = dispatcher.post("/notices/given", json=body | differs)
        assert (other.status_code, other.json["code"]) == (409, "notice_differs")
    after = dispatcher.get(f"/cases/{case_id}/eligibility")
    said = [[clause["clause_id"] for clause in each.json["in_the_way"]] for each in (before, after)]
    assert ["contract@pohjola-field/notices/1" in clauses for clauses in said] == [True, False]


def test_a_receipt_counts_where_its_provider_signed_it(
    sessions: sessionmaker[Session], supervisor: FlaskClient, client: FlaskClient, world: World
) -> None:
    give_phone(sessions, world)
    passages = [{"text": "{organisation} {organisation_phone}"}]
    text = TEMPLATE | {"code": "start", "about": "start", "channel": "sms", "subject": None, "passages": passages}
    assert supervisor.post("/notice-templates", json=text).status_code == 201
    with acting_for_all(sessions) as session:
        case: Case = make_case(session, world)
        case_id = str(case.id)
    filed = supervisor.post("/notices", json={"about": "start", "case_id": case_id}).json
    # Nobody answers there: whether it was sent is not known.
    with closing(sender_of(sessions, PROVIDER, first_s=600.0)) as sender:
        assert sender.turn() == 1
    body = json.dumps({"id": filed["id"], "kind": "delivered", "provider_id": "g-2"}).encode()
    stamp = int(NOW.timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": uuid.uuid4().hex,
        "webhook-timestamp": str(stamp),
    }
    unsigned = client.post("/notices/receipts/gateway", data=body, headers=headers | {"webhook-signature": "v1,AAAA"})
    assert (unsigned.status_code, unsigned.json["code"]) == (401, "receipt_refused")
    signature = sign("shared", webhook_id=headers["webhook-id"], timestamp=stamp, body=body)
    assert (
        client.post(
            "/notices/receipts/gateway", data=body, headers=headers | {"webhook-signature": signature}
        ).status_code
        == 204
    )
    kept = supervisor.get(f"/notices/{filed['id']}").json
    assert (kept["state"], kept["receipts"][0]["provider"], kept["receipts"][0]["provider_id"]) == (
        "delivered",
        "gateway",
        "g-2",
    )
