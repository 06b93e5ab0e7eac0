"""From the report to the debtor's telephone: where a house wants it, what came of a visit is told, sent over real HTTP,
and its receipt is in the record of the visit."""

import dataclasses
import hashlib
import json
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.notice_providers import NoticeProvider
from fieldvisit.outgoing.signatures import sign
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Channel, Role
from tests.api.conftest import ClientFor
from tests.api.test_phone import HERE, report, tell
from tests.conftest import NOW
from tests.notices.worlds import asks_for, give_phone, sender_of, switch_on
from tests.phone.worlds import Morning, make_morning
from tests.safety.providers import Providers, fake_providers

PASSAGES = [
    {"text": "{organisation}: thank you for the talk on {date}. In short: {outcome}."},
    {"text": "If something is not right, call {organisation_phone}."},
]
PROMISE = {"amount_minor": 25_000, "currency": "EUR", "due_on": "2026-03-17", "method": "transfer"}
TEMPLATE = {"code": "result", "about": "result", "channel": "sms", "language": "en", "passages": PASSAGES}


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Providers]:
    folder: Path = tmp_path_factory.mktemp("receiver")
    with fake_providers(folder) as found:
        found.behave("texts", mode="ok")
        yield found


@pytest.fixture
def provider(receiver: Providers) -> NoticeProvider:
    return NoticeProvider(name="texts", channel=Channel.SMS, url=f"{receiver.base}/texts", secret="shared")


@pytest.fixture
def settings(settings: Settings, provider: NoticeProvider) -> Settings:
    return dataclasses.replace(settings, notice_providers=(provider,))


def told_of(office: FlaskClient, morning: Morning) -> list[dict[str, str]]:
    found: list[dict[str, str]] = office.get("/notices", query_string={"visit_id": str(morning.visit)}).json["items"]
    return found


def hear(office: FlaskClient, notice_id: str) -> int:
    body = json.dumps({"id": notice_id, "kind": "delivered", "provider_id": "t-1"}).encode()
    named, stamp = uuid.uuid4().hex, int(NOW.timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": named,
        "webhook-timestamp": str(stamp),
        "webhook-signature": sign("shared", webhook_id=named, timestamp=stamp, body=body),
    }
    return office.post("/notices/receipts/texts", data=body, headers=headers).status_code


def test_whoever_was_met_is_told_what_came_of_it_and_it_is_known_that_it_arrived(
    client_for: ClientFor, sessions: sessionmaker[Session], receiver: Providers, provider: NoticeProvider
) -> None:
    morning = make_morning(sessions)
    give_phone(sessions, morning.world)
    switch_on(sessions, morning.world.agency, asks_for("result", amount=2, form="any", contents=()))
    office = client_for(Role.SUPERVISOR, org=morning.world.agency)
    assert office.post("/notice-templates", json=TEMPLATE).status_code == 201
    phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    papers = phone.get(f"/phone/visits/{morning.visit}").json["briefing"]["to_show"]
    tell(phone, morning, "set-out")
    tell(phone, morning, "arrival", position=HERE)
    tell(phone, morning, "credential-shown", credential_ids=[each["credential_id"] for each in papers])
    tell(phone, morning, "identity-check", method="document_seen", result="confirmed")
    met = report(outcome="met_debtor", disclosed=True, willing=True, next_step="call", promises=[PROMISE])
    assert tell(phone, morning, "report", **met)[0] == 201
    # Nothing is told before a person has accepted the report.
    assert told_of(office, morning) == []
    assert office.post(f"/visits/{morning.visit}/closure", json={"next_step": "call"}).status_code == 200
    (queued,) = told_of(office, morning)
    assert (queued["about"], queued["state"], queued["due_on"]) == ("result", "queued", "2026-03-05")

    with closing(sender_of(sessions, provider)) as sender:
        assert (sender.turn(), sender.turn()) == (1, 0)
    (heard,) = [each for each in receiver.heard_by("texts") if each["key"] == queued["id"]]
    assert "thank you for the talk on Tuesday, March 3, 2026. In short: we talked with each other." in heard["text"]
    assert (hear(office, queued["id"]), hear(office, queued["id"])) == (204, 204)
    kept = office.get(f"/notices/{queued['id']}").json
    assert (kept["state"], kept["body"], len(kept["tries"]), len(kept["receipts"])) == (
        "delivered",
        heard["text"],
        1,
        1,
    )
    answer = office.get(f"/visits/{morning.visit}/record").json
    record = answer["content"]
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(canonical).hexdigest() == answer["sha256"]
    (proof,) = [each for each in record["notices"] if each["id"] == queued["id"]]
    assert (proof["state"], proof["body"], proof["receipts"][0]["provider_id"]) == ("delivered", heard["text"], "t-1")
