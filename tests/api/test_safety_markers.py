"""Over HTTP: what happened, what a visitor has to know before the door, and who has read it."""

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import MarkerRead, Visit
from fieldvisit.vocabulary import DutyRank, Role
from tests.api.conftest import ClientFor
from tests.phone.worlds import Morning, make_morning
from tests.safety.worlds import make_account, put_on_duty
from tests.worlds import HELSINKI

INCIDENT = {"kind": "threat", "happened_at": "2026-03-02T12:00:00+02:00", "account": "Followed to the car."}
MARKER = {
    "kind": "threat",
    "level": "high",
    "facts": "Follows visitors to the car.",
    "review_on": "2026-06-01",
    "expires_on": "2026-09-01",
    "untold_reason": "It would provoke more.",
}
HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    morning = make_morning(sessions)
    with acting_for_all(sessions) as session:
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    return morning


def start(phone: FlaskClient, morning: Morning) -> tuple[int, dict[str, Any]]:
    body = {"id": str(uuid.uuid4()), "planned_s": 1_200, "visit_id": str(morning.visit)}
    answer = phone.post("/safety/sessions", json=body)
    return answer.status_code, answer.json


def test_from_an_incident_to_a_visit_that_is_watched_over_closely(
    morning: Morning, client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    org = morning.world.agency
    phone = client_for(Role.VISITOR, org=org, visitor_id=morning.ilta)
    officer, supervisor = client_for(Role.SAFETY_OFFICER, org=org), client_for(Role.SUPERVISOR, org=org)
    reported = phone.post("/safety/incidents", json=INCIDENT | {"visit_id": str(morning.visit)})
    incident = reported.json
    assert (reported.status_code, incident["reviewed_at"]) == (201, None)
    assert start(phone, morning)[1]["code"] == "place_frozen"
    event = {"event_id": str(uuid.uuid4())}
    assert phone.post(f"/phone/visits/{morning.visit}/set-out", json=event).status_code == 201
    there = phone.post(f"/phone/visits/{morning.visit}/arrival", json={"event_id": str(uuid.uuid4()), "position": HERE})
    assert (there.status_code, there.json["code"]) == (409, "place_frozen")
    review = {"text": "Nobody alone any more."}
    assert officer.post(f"/safety/incidents/{incident['id']}/review", json=review).json["review"] == review["text"]
    again = supervisor.post(f"/safety/incidents/{incident['id']}/review", json=review)
    assert (again.status_code, again.json["code"]) == (409, "incident_reviewed")
    assert [each["id"] for each in officer.get("/safety/incidents").json["items"]] == [incident["id"]]

    body = MARKER | {"incident_id": incident["id"], "place_id": incident["place_id"]}
    placed = officer.post("/safety/markers", json=body)
    address = f"/safety/markers/{placed.json['id']}"
    assert (placed.status_code, placed.json["facts"]) == (201, MARKER["facts"])
    own = officer.post(f"{address}/approval")
    assert (own.status_code, own.json["code"]) == (403, "own_writing")
    assert supervisor.post(f"{address}/approval").json["approved_at"] is not None
    assert supervisor.post(f"{address}/approval").json["code"] == "marker_decided"

    unread = start(phone, morning)
    assert (unread[0], unread[1]["code"], unread[1]["details"]["marker_ids"]) == (
        409,
        "markers_unread",
        [placed.json["id"]],
    )
    (warning,) = phone.get(f"/safety/visits/{morning.visit}/warnings").json["items"]
    assert (warning["facts"], warning["expired"]) == (MARKER["facts"], False)
    assert phone.post(f"{address}/receipt").status_code == 204
    status, begun = start(phone, morning)
    assert (status, begun["level"]) == (201, "high")

    assert "facts" not in officer.get("/safety/markers").json["items"][0]
    assert officer.get(address).json["facts"] == MARKER["facts"]
    found = {"text": "He still follows visitors.", "review_on": "2026-08-01"}
    assert officer.post(f"{address}/review", json=found).json["code"] == "own_writing"
    reviewed = supervisor.post(f"{address}/review", json=found)
    assert (reviewed.status_code, reviewed.json["review"]) == (200, found["text"])
    listed = officer.get("/safety/markers").json["items"][0]
    assert (listed["review_on"], listed["review_due"]) == ("2026-08-01", False)
    assert listed["reviewed_at"] is not None
    assert phone.post(f"{address}/review", json=found).status_code == 403
    assert supervisor.post(f"{address}/withdrawal").json["withdrawn_at"] is not None
    again = supervisor.post(f"{address}/review", json=found | {"review_on": None})
    assert (again.status_code, again.json["code"]) == (409, "marker_not_standing")
    with acting_for_all(sessions) as session:
        reads = session.execute(sa.select(MarkerRead.visitor_id, MarkerRead.confirmed).order_by(MarkerRead.at)).all()
    assert [tuple(each) for each in reads] == [(morning.ilta, False), (morning.ilta, True), (None, False)]


def test_a_visitor_reads_of_the_own_visits_only(morning: Morning, client_for: ClientFor) -> None:
    outsider = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.outsider)
    assert outsider.get(f"/safety/visits/{morning.visit}/warnings").status_code == 404


def test_the_place_of_an_incident_is_that_of_its_visit(
    morning: Morning, client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    officer = client_for(Role.SAFETY_OFFICER, org=morning.world.agency)
    told = officer.post("/safety/incidents", json=INCIDENT | {"visit_id": str(morning.visit)}).json
    with acting_for_all(sessions) as session:
        visit = session.get_one(Visit, morning.visit)
    assert (told["place_id"], told["debtor_id"]) == (str(visit.place_id), str(visit.debtor_id))
    later = INCIDENT | {"happened_at": "2027-03-02T12:00:00+02:00"}
    assert officer.post("/safety/incidents", json=later).status_code == 422
