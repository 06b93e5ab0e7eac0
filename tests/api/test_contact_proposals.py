"""What a debtor gives at the door is proposed, looked at by the office, and reached by nobody before."""

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for
from fieldvisit.models import ContactPoint, ContactProposal, Visit, VisitReport
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning

NUMBER, MAIL = "+358401112223", "meri@example.org"


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


def told(phone: FlaskClient, morning: Morning, path: str, **body: Any) -> Any:
    answer = phone.post(f"/phone/visits/{morning.visit}/{path}", json=body)
    assert answer.status_code == 201, answer.json
    return answer.json


def numbers(sessions: sessionmaker[Session], morning: Morning) -> set[str]:
    with acting_for(sessions, morning.world.agency) as session:
        debtor_id = session.get_one(Visit, morning.visit).debtor_id
        return set(session.scalars(sa.select(ContactPoint.value).where(ContactPoint.debtor_id == debtor_id)))


def test_what_was_heard_waits_for_the_office_and_is_corrected_beside_the_first_words(
    phone: FlaskClient, client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    known = numbers(sessions, morning)
    changes = [{"kind": "phone", "value": NUMBER}, {"kind": "email", "value": MAIL}]
    report = {"outcome": "refused", "next_step": "call", "contact_changes": changes, "note": "Blue door."}
    told(phone, morning, "report", id=str(uuid.uuid4()), left_at=NOW.isoformat(), **report)
    told(phone, morning, "report/additions", event_id=str(uuid.uuid4()), text="Red door.", reason="correction")
    assert numbers(sessions, morning) == known

    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    waiting = office.get("/contact-proposals?state=proposed").json["items"]
    assert [(each["kind"], each["value"]) for each in waiting] == [("phone", NUMBER), ("email", MAIL)]
    taken = office.post(f"/contact-proposals/{waiting[0]['id']}/approval")
    assert (taken.status_code, taken.json["state"]) == (200, "approved")
    left = office.post(f"/contact-proposals/{waiting[1]['id']}/refusal", json={"reason": "The employer's."})
    assert (left.json["state"], left.json["reason"]) == ("refused", "The employer's.")
    again = office.post(f"/contact-proposals/{waiting[0]['id']}/refusal", json={"reason": "After all."})
    assert (again.status_code, again.json["code"]) == (409, "proposal_settled")
    assert numbers(sessions, morning) == known | {NUMBER}

    more = {"event_id": str(uuid.uuid4()), "reason": "further", "text": "Rang back."}
    for _ in range(2):
        corrected = office.post(f"/visits/{morning.visit}/report/additions", json=more)
        assert corrected.status_code == 201, corrected.json
    assert corrected.json["note"] == "Blue door."
    assert [(each["reason"], each["text"], each["visitor_id"] is None) for each in corrected.json["additions"]] == [
        ("correction", "Red door.", False),
        ("further", "Rang back.", True),
    ]
    said_otherwise = [(office, {"text": "Rang in vain."}), (office, {"reason": "correction"})]
    for who, other in [*said_otherwise, (client_for(Role.SUPERVISOR, org=morning.world.agency), {})]:
        reused = who.post(f"/visits/{morning.visit}/report/additions", json=more | other)
        assert (reused.status_code, reused.json["code"]) == (422, "event_id_reused")


def test_who_proposed_it_does_not_decide(
    client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    both = client_for(Role.VISITOR, Role.SUPERVISOR, org=morning.world.agency, visitor_id=morning.ilta)
    report = {"outcome": "refused", "next_step": "call", "contact_changes": [{"kind": "phone", "value": NUMBER}]}
    told(both, morning, "report", id=str(uuid.uuid4()), left_at=NOW.isoformat(), **report)
    (waiting,) = both.get("/contact-proposals").json["items"]
    refused = both.post(f"/contact-proposals/{waiting['id']}/approval")
    assert (refused.status_code, refused.json["code"]) == (403, "own_proposal")


def test_what_the_version_before_proposes_is_heard_by_who_reported(
    client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    """It names no visitor: as long as one still serves beside this one, its reports are taken too."""
    both = client_for(Role.VISITOR, Role.SUPERVISOR, org=morning.world.agency, visitor_id=morning.ilta)
    report_id = uuid.uuid4()
    told(both, morning, "report", id=str(report_id), left_at=NOW.isoformat(), outcome="refused", next_step="call")
    with acting_for(sessions, morning.world.agency) as session:
        report, visit = session.get_one(VisitReport, report_id), session.get_one(Visit, morning.visit)
        whose = {"org_id": report.org_id, "lender_id": report.lender_id, "case_id": visit.case_id}
        named = {"report_id": report_id, "kind": "phone", "value": NUMBER} | whose
        session.execute(sa.insert(ContactProposal.__table__).values(named))
    (waiting,) = both.get("/contact-proposals").json["items"]
    assert waiting["visitor_id"] == str(morning.ilta)
    refused = both.post(f"/contact-proposals/{waiting['id']}/approval")
    assert (refused.status_code, refused.json["code"]) == (403, "own_proposal")


@pytest.mark.parametrize("lead_first", [True, False])
def test_what_a_crew_mate_heard_is_proposed_as_theirs_whosever_report_stands(
    client_for: ClientFor, morning: Morning, lead_first: bool
) -> None:
    lead = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    mate = client_for(Role.VISITOR, Role.SUPERVISOR, org=morning.world.agency, visitor_id=morning.oona)
    heard = [{"kind": "phone", "value": NUMBER}]
    broke_off = {"outcome": "aborted", "abort_reason": "other", "met": "debtor", "contact_changes": heard}
    both = [(lead, {"outcome": "refused", "next_step": "call"}), (mate, broke_off)]
    for phone, report in both if lead_first else reversed(both):
        told(phone, morning, "report", id=str(uuid.uuid4()), left_at=NOW.isoformat(), **report)

    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    stands = office.get(f"/visits/{morning.visit}/report").json
    (proposal,) = stands["contact_changes"]
    assert (stands["outcome"], proposal["visitor_id"], proposal["value"]) == ("refused", str(morning.oona), NUMBER)
    (added,) = stands["additions"]
    assert added["text"].split("\n")[-1] == "met: debtor"
    # Whoever is to see a number sees it at the proposal.
    assert NUMBER not in added["text"]
    assert office.get("/contact-proposals").json["items"] == [proposal]
    approval = f"/contact-proposals/{proposal['id']}/approval"
    assert (mate.post(approval).status_code, mate.post(approval).json["code"]) == (403, "own_proposal")
    assert office.post(approval).json["state"] == "approved"


def test_who_reads_a_debtor_s_numbers_by_their_end_reads_what_was_heard_by_its_end(
    phone: FlaskClient, client_for: ClientFor, morning: Morning
) -> None:
    report = {"outcome": "refused", "next_step": "call", "contact_changes": [{"kind": "phone", "value": NUMBER}]}
    told(phone, morning, "report", id=str(uuid.uuid4()), left_at=NOW.isoformat(), **report)
    shown = {}
    for role in (Role.DISPATCHER, Role.SUPERVISOR, Role.AUDITOR, Role.PRIVACY_OFFICER):
        reader = client_for(role, org=morning.world.agency)
        (proposal,) = reader.get("/contact-proposals").json["items"]
        assert reader.get(f"/visits/{morning.visit}/report").json["contact_changes"] == [proposal]
        shown[role] = proposal["value"]
    hidden = "••••••••••223"
    assert shown == {
        Role.DISPATCHER: NUMBER,
        Role.SUPERVISOR: NUMBER,
        Role.AUDITOR: hidden,
        Role.PRIVACY_OFFICER: hidden,
    }
