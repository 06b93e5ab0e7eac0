"""One finished visit's whole record over HTTP: everything that regulators' lists ask for, and a hash to hold it to."""

import csv
import hashlib
import io
import json
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.audit import trail
from fieldvisit.compliance.facts import ConsentForm
from fieldvisit.consents import ConsentDraft, record_consent
from fieldvisit.database import acting_for
from fieldvisit.models import Visit
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.api.test_phone import HERE, report, tell
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning

RECORDING = {
    "recording_id": str(uuid.UUID(int=7)),
    "kind": "audio",
    "from_at": "2026-03-03T08:40:00+02:00",
    "until_at": "2026-03-03T08:58:00+02:00",
    "sha256": "ab" * 32,
}
DOOR = {
    "asked_to_leave_at": "2026-03-03T08:57:00+02:00",
    "represented": True,
    "complaint": "The last caller shouted.",
    "wishes": "Never before noon.",
    "spoken_to": "A neighbour asked who we were; told our names alone.",
    "notes_left": [{"form": "letter", "sealed": True, "photo_id": str(uuid.UUID(int=8))}],
    "payment": {"amount_minor": 2_000, "currency": "EUR", "receipt_number": "R-17"},
    "recordings": [RECORDING],
    "recording_gap": "battery",
}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def told(client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]) -> dict[str, Any]:
    """The visit from the first step to the office's signature; the report as the phone sent it."""
    with acting_for(sessions, morning.world.lender) as session:
        visit = session.get_one(Visit, morning.visit)
        draft = ConsentDraft(debtor_id=visit.debtor_id, visit_id=visit.id, form=ConsentForm.WRITTEN, given_at=NOW)
        record_consent(session, draft, recorded_by_id=None, now=NOW, origin="test")
    phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    card = phone.get(f"/phone/visits/{morning.visit}").json
    tell(phone, morning, "set-out")
    tell(phone, morning, "arrival", position=HERE)
    papers = [paper["credential_id"] for paper in card["briefing"]["to_show"]]
    tell(phone, morning, "credential-shown", credential_ids=papers)
    tell(phone, morning, "identity-check", method="document_seen", result="confirmed")
    promise = {"amount_minor": 25_000, "currency": "EUR", "due_on": "2026-03-17", "method": "transfer"}
    sent = report(
        outcome="met_debtor",
        disclosed=True,
        willing=True,
        next_step="call",
        promises=[promise],
        note="Calm.",
        door=DOOR,
    )
    assert tell(phone, morning, "report", **sent)[0] == 201
    assert tell(phone, morning, "report/additions", text="The bell is broken.")[0] == 201
    return sent


@pytest.fixture
def dispatcher(client_for: ClientFor, morning: Morning, told: dict[str, Any]) -> FlaskClient:
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    assert office.post(f"/visits/{morning.visit}/closure", json={"next_step": "call"}).status_code == 200
    return office


def test_the_record_of_a_visit_holds_all_that_a_record_should(
    dispatcher: FlaskClient, morning: Morning, told: dict[str, Any], sessions: sessionmaker[Session]
) -> None:
    answer = dispatcher.get(f"/visits/{morning.visit}/record").json
    record = answer["content"]
    # Case and debt, the policies with their versions, the decisions with their clauses.
    assert record["visit"]["case_external_id"].startswith("C")
    assert record["visit"]["state"] == "closed"
    (at_the_door,) = [each for each in record["decisions"] if each["moment"] == "door"]
    assert at_the_door["policies"] == [{"id": "house", "version": 1}]
    assert "house/windows/1" in at_the_door["clause_ids"]
    # Planned and actual times on the clock of the place, and how its zone was found.
    assert record["times"]["planned_begin_at"] == "2026-03-03T10:00:00+02:00"
    assert record["times"]["planned_end_at"] == "2026-03-03T10:20:00+02:00"
    assert record["times"]["arrived_at"].endswith("+02:00")
    assert record["times"]["left_at"] == "2026-03-03T09:00:00+02:00"
    place = {name: record["place"][name] for name in ("kind", "zone", "zone_from")}
    assert place == {"kind": "home", "zone": "Europe/Helsinki", "zone_from": "point"}
    # Who was there, and what they showed when.
    assert (set(record["staff"]["visitor_ids"]), record["staff"]["count"]) == (
        {str(morning.ilta), str(morning.oona)},
        2,
    )
    (shown,) = [each for each in record["credentials"] if each["moment"] == "door"]
    assert (shown["passed"], len(shown["credential_ids"]), shown["visitor_id"]) == (True, 2, str(morning.ilta))
    # Consent; who was met and how they were known; what was said of the debt, and to whom.
    assert [(each["form"], each["visit_id"]) for each in record["consents"]] == [("written", str(morning.visit))]
    assert [(each["method"], each["result"]) for each in record["identity"]] == [("document_seen", "confirmed")]
    said = record["report"]
    assert (said["outcome"], said["disclosed"], said["disclosed_to"]) == ("met_debtor", True, "debtor")
    assert said["promises"][0]["due_on"] == "2026-03-17"
    # Who wrote it, who signed it off, what was added.
    assert (said["id"], said["visitor_id"]) == (told["id"], str(morning.ilta))
    assert said["signed_off_at"] is not None
    assert [each["text"] for each in said["additions"]] == ["The bell is broken."]
    # Notes left, being asked to leave, money, recordings and their gap, a complaint, somebody who speaks for them.
    door = record["door"]
    assert door["notes_left"] == DOOR["notes_left"]
    assert door["asked_to_leave_at"] == DOOR["asked_to_leave_at"]
    assert (door["paid_minor"], door["paid_currency"], door["receipt_number"]) == (2_000, "EUR", "R-17")
    assert [each["sha256"] for each in door["recordings"]] == ["ab" * 32]
    assert (door["recording_gap"], door["complaint"], door["wishes"]) == (
        "battery",
        DOOR["complaint"],
        DOOR["wishes"],
    )
    assert {each["trigger"] for each in record["blocks"]} == {"represented", "complaint_open"}
    assert record["missing"] == []
    canonical = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert hashlib.sha256(canonical).hexdigest() == answer["sha256"]
    with acting_for(sessions, morning.world.agency) as session:
        handed = session.scalars(trail(action="hand_over_record", subject_id=morning.visit)).one()
        assert handed.detail == {"sha256": answer["sha256"], "form": "json"}


def test_the_record_as_a_table_ends_with_the_hash_of_the_record(dispatcher: FlaskClient, morning: Morning) -> None:
    answer = dispatcher.get(f"/visits/{morning.visit}/record.csv")
    lines = list(csv.reader(io.StringIO(answer.text)))
    values = dict(lines[1:])
    whole = dispatcher.get(f"/visits/{morning.visit}/record").json
    assert (answer.mimetype, lines[0], lines[-1]) == ("text/csv", ["path", "value"], ["sha256", whole["sha256"]])
    assert (values["report.promises.0.amount_minor"], values["door.represented"]) == ("25000", "true")


def test_nobody_reads_the_record_of_a_visit_they_have_no_part_in(
    client_for: ClientFor, dispatcher: FlaskClient, morning: Morning
) -> None:
    other = client_for(Role.AUDITOR, org=morning.world.stranger)
    lender = client_for(Role.AUDITOR, org=morning.world.lender)
    path = f"/visits/{morning.visit}/record"
    assert (other.get(path).status_code, lender.get(path).status_code) == (404, 200)
