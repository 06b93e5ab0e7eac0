"""Bugs that ODK Central was told of by those who collect data offline, by their numbers in github.com/getodk/central:
each test does what was reported there, and shows that it does no harm here."""

import base64
import uuid
from contextlib import suppress
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.reports import report_visit
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import Role, VisitOutcome
from tests.api.conftest import ClientFor
from tests.api.test_phone_events import LEFT_AT, MINUTE, a_visit, event, outcomes, send
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning, report, teller
from tests.pictures import picture


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


@pytest.fixture
def office(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.DISPATCHER, org=morning.world.agency)


def test_odk_central_669_a_run_of_submissions_out_of_order_breaks_no_state(
    phone: FlaskClient, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    """getodk/central#669: a run of submissions that a phone made offline came out of order, was in conflict with
    itself, and left the entity in a state that no order of it would have.

    The same run, the last first, one by one, each twice, with the office changing the visit's case in between.
    """
    run = a_visit(morning)
    for told in reversed(run):
        first, again = send(phone, [told]), send(phone, [told])
        assert first["results"][0]["outcome"] == again["results"][0]["outcome"]
        assert office.get(f"/visits/{morning.visit}").status_code == 200
    assert outcomes(send(phone, run)) == ["taken"] * len(run)
    assert (phone.get("/phone/held-events").json["items"], office.get("/held-events").json["items"]) == ([], [])
    visit = office.get(f"/visits/{morning.visit}").json
    told = office.get(f"/visits/{morning.visit}/report").json
    assert (visit["state"], visit["outcome"], told["id"]) == ("reported", "met_debtor", run[3]["event_id"])
    assert [each["id"] for each in told["additions"]] == [run[4]["event_id"]]
    with acting_for(sessions, morning.world.agency) as session:
        kinds = [entry.kind for entry in history_of(session, morning.visit)]
    assert sorted(kind for kind in kinds if kind in ("arrived", "reported", "report_added_to")) == [
        "arrived",
        "report_added_to",
        "reported",
    ]


def test_odk_central_699_what_is_held_back_is_seen_by_whoever_sent_it_and_by_the_office(
    phone: FlaskClient, office: FlaskClient, morning: Morning
) -> None:
    """getodk/central#699 (open): what was held because something before it had not come was in a backlog that nobody
    could see."""
    run = a_visit(morning)
    (held,) = send(phone, [run[4]])["results"]
    assert (held["outcome"], held["waits_for"]) == ("held", "report")
    facts = ("event_id", "kind", "state", "waits_for")
    expected = [run[4]["event_id"], "addition", "waiting", "report"]
    for seen in (phone.get("/phone/held-events"), office.get("/held-events")):
        (row,) = seen.json["items"]
        assert [row[name] for name in facts] == expected
        assert row["waits_for_words"]
    assert [each["event_id"] for each in phone.get("/phone/changes").json["held"]] == [run[4]["event_id"]]
    whole = office.get(f"/held-events/{run[4]['event_id']}", headers={"Access-Reason": "Who wrote it?"}).json
    assert run[4]["text"] in whole["event"]
    send(phone, run[:4])
    assert phone.get("/phone/changes").json["held"] == []
    assert office.get("/held-events").json["items"] == []


def test_odk_central_793_a_later_resend_never_replaces_a_file(
    phone: FlaskClient, office: FlaskClient, morning: Morning
) -> None:
    """getodk/central#793 (open): an attachment that was sent again under its name took the place of the first, so that
    nobody could be certain of what had been sent."""
    content, evidence_id = picture(200, 200), str(uuid.uuid4())

    def send_file(content: bytes) -> tuple[int, int]:
        said = {"id": evidence_id, "visit_id": str(morning.visit), "kind": "photo", "captured_at": NOW.isoformat()}
        pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
        tus = {"Tus-Resumable": "1.0.0"}
        length = {"Upload-Length": str(len(content)), "Upload-Metadata": pairs}
        announced = phone.post("/phone/evidence", headers=tus | length)
        part = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
        sent = phone.patch(f"/phone/evidence/{evidence_id}", headers=tus | part, data=content)
        return announced.status_code, sent.status_code

    def kept() -> Any:
        return office.get(f"/visits/{morning.visit}/evidence").json["items"]

    assert send_file(content) == (201, 204)
    first = kept()
    # Another of another size, another of the same size, and the very same.
    altered = content[:-1] + bytes([content[-1] ^ 1])
    assert [send_file(each) for each in (picture(210, 200), altered, content)] == [(409, 409), (201, 409), (201, 409)]
    assert kept() == first


def test_odk_central_832_a_connection_that_breaks_blocks_nothing_for_ever(
    phone: FlaskClient, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    """getodk/central#832: the connection broke while what had been held was pushed, and it stayed locked in the
    backlog, and with it whatever came after."""
    more = event("addition", morning, LEFT_AT + MINUTE, text="The bell is broken.")
    assert outcomes(send(phone, [more])) == ["held"]
    lost = report(VisitOutcome.NOBODY, event_id=uuid.uuid4(), left_at=NOW)
    # It breaks before anything is committed: nothing of it stays, and nothing is locked.
    with suppress(ConnectionError), acting_for(sessions, morning.world.agency) as session:
        report_visit(session, morning.visit, lost, by=teller(morning.ilta), now=NOW)
        raise ConnectionError
    assert len(office.get("/held-events").json["items"]) == 1
    # It breaks after that: the answer is lost, and the phone sends all of it again.
    told = event("report", morning, LEFT_AT, outcome="nobody", left_at=LEFT_AT.isoformat())
    told["event_id"] = str(lost.event_id)
    answers = [send(phone, [told, more])["results"] for _ in range(3)]
    assert [[one["outcome"] for one in answer] for answer in answers] == [["taken", "taken"]] * 3
    assert office.get("/held-events").json["items"] == []
    additions = office.get(f"/visits/{morning.visit}/report").json["additions"]
    assert [each["text"] for each in additions] == ["The bell is broken."]
