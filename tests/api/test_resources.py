"""The plain resources, as the lending system, the dialer and the office use them."""

import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Credential, Debtor
from fieldvisit.vocabulary import CredentialKind, Role
from tests.api.conftest import PASSWORD, ClientFor
from tests.worlds import World, make_case, make_credential, make_visitor

DEBTOR = {
    "external_id": "D-1",
    "name": "Meri Example",
    "national_id": "010170-999X",
    "language": "fi",
    "contact_points": [{"kind": "phone", "value": "+358450001234"}],
    "places": [{"address": "Aleksanterinkatu 1, Helsinki", "point": {"lat": 60.17, "lon": 24.94, "datum": "wgs84"}}],
}
CASE = {
    "external_id": "C-1",
    "debtor_external_id": "D-1",
    "product": "instalment_loan",
    "currency": "EUR",
    "principal_minor": 100_000,
    "interest_minor": 5_000,
    "fees_minor": 500,
    "total_minor": 105_500,
    "as_of_on": "2026-03-01",
    "due_on": "2026-01-02",
    "days_past_due": 58,
    "stage": "phone",
}
ATTEMPT = {
    "external_id": "A-1",
    "source": "dialer",
    "case_external_id": "C-1",
    "channel": "call",
    "at": "2026-03-02T10:00:00+02:00",
    "result": "no_answer",
}


@pytest.fixture
def lender(client_for: ClientFor, world: World) -> FlaskClient:
    """The lending system of Aurora."""
    return client_for(Role.INTEGRATOR, org=world.lender)


def put(client: FlaskClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.put(path, json=body)
    assert answer.status_code == 200, answer.text
    return dict(answer.json)


def test_the_same_debtor_sent_again_changes_nothing_and_another_name_changes_it(lender: FlaskClient) -> None:
    sent = [DEBTOR, DEBTOR, DEBTOR | {"name": "Meri Other"}]
    assert [put(lender, "/debtors", body)["change"] for body in sent] == ["added", "unchanged", "changed"]


def test_a_file_shows_everything_to_whom_it_concerns_and_the_ends_to_the_auditor(
    lender: FlaskClient, client_for: ClientFor, world: World
) -> None:
    debtor_id = put(lender, "/debtors", DEBTOR)["item"]["id"]
    whole = lender.get(f"/debtors/{debtor_id}").json
    auditor = client_for(Role.AUDITOR, org=world.lender).get(f"/debtors/{debtor_id}").json
    assert (whole["national_id"], whole["contact_points"][0]["value"]) == ("010170-999X", "+358450001234")
    assert (auditor["national_id"], auditor["contact_points"][0]["value"]) == ("••••••••99X", "••••••••••234")
    assert whole["places"][0] | {"id": None} == {
        "id": None,
        "kind": "home",
        "address": "Aleksanterinkatu 1, Helsinki",
        "point": {"lat": 60.17, "lon": 24.94},
        "found_by": "given",
        "found_note": "wgs84",
        "zone": "Europe/Helsinki",
        "geofence_m": None,
        "region": None,
    }


def test_a_number_that_is_none_is_named_at_its_place(lender: FlaskClient) -> None:
    points = [{"kind": "phone", "value": "+358450001234"}, {"kind": "phone", "value": "four five"}]
    answer = lender.put("/debtors", json=DEBTOR | {"contact_points": points})
    (only,) = answer.json["errors"]
    assert (answer.status_code, only["pointer"], only["value"], only["reason"]) == (
        422,
        "/contact_points/1/value",
        "four five",
        "is not a telephone number",
    )


def test_a_chinese_coordinate_is_stored_where_it_is_in_the_world(lender: FlaskClient) -> None:
    tiananmen = {"lat": 39.908722, "lon": 116.397499, "datum": "gcj02"}
    debtor_id = put(lender, "/debtors", DEBTOR | {"places": [{"address": "北京", "point": tiananmen}]})["item"]["id"]
    point = lender.get(f"/debtors/{debtor_id}").json["places"][0]["point"]
    assert (round(point["lat"], 4), round(point["lon"], 4)) == (39.9073, 116.3913)


def test_a_dispatcher_of_the_agency_notes_when_a_placed_debtor_will_not_be_seen(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.lender) as session:
        debtor_id = make_case(session, world).debtor_id
    dispatcher = client_for(Role.DISPATCHER, org=world.agency)
    wish = {"only": False, "days": ["tue", "mon"], "from_time": "08:00", "until_time": "10:00", "note": "night shift"}
    stored = put(dispatcher, f"/debtors/{debtor_id}/wishes", wish)
    assert stored["item"] | {"id": None} == {
        "id": None,
        "only": False,
        "days": ["mon", "tue"],
        "from_time": "08:00:00",
        "until_time": "10:00:00",
        "starts_on": None,
        "ends_on": None,
        "note": "night shift",
        "origin": "api",
        "stated_at": stored["item"]["stated_at"],
    }
    assert put(dispatcher, f"/debtors/{debtor_id}/wishes", wish)["change"] == "unchanged"


def test_a_case_is_found_by_what_one_knows_of_it(lender: FlaskClient) -> None:
    put(lender, "/debtors", DEBTOR)
    case = put(lender, "/cases", CASE)["item"]
    queries = ("external_id=C-1", f"debtor_id={case['debtor_id']}", "stage=phone", "min_days_past_due=58")
    assert [lender.get(f"/cases?{query}").json["items"] for query in queries] == [[case]] * 4
    assert lender.get("/cases?stage=legal").json["items"] == []
    assert lender.get(f"/cases/{case['id']}").json == case


def test_amounts_of_an_earlier_day_do_not_come_back(lender: FlaskClient) -> None:
    put(lender, "/debtors", DEBTOR)
    put(lender, "/cases", CASE)
    answer = lender.put("/cases", json=CASE | {"as_of_on": "2026-02-01"})
    assert (answer.status_code, answer.json["details"]["path"]) == (422, "as_of")


def test_a_case_is_seen_by_an_agency_from_the_day_it_is_placed(
    lender: FlaskClient, client_for: ClientFor, world: World
) -> None:
    put(lender, "/debtors", DEBTOR)
    case_id = put(lender, "/cases", CASE)["item"]["id"]
    agency = client_for(Role.DISPATCHER, org=world.agency)
    before = agency.get(f"/cases/{case_id}").status_code
    terms = {"agency": "pohjola-field", "from_on": "2026-03-01"}
    assert put(lender, f"/cases/{case_id}/placements", terms) == {"change": "added"}
    assert (before, agency.get(f"/cases/{case_id}").status_code) == (404, 200)
    assert put(lender, f"/cases/{case_id}/placements", terms | {"until_on": "2026-03-02"}) == {"change": "changed"}
    assert agency.get(f"/cases/{case_id}").status_code == 404


def test_a_partner_is_known_by_name_and_a_stranger_is_not(
    lender: FlaskClient, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.lender) as session:
        make_case(session, world)
    codes = [each["code"] for each in lender.get("/organisations").json["items"]]
    assert codes == ["aurora-lend", "pohjola-field"]
    assert lender.get(f"/organisations/{world.stranger}").status_code == 404


def test_attempts_are_answered_one_by_one(lender: FlaskClient) -> None:
    put(lender, "/debtors", DEBTOR)
    case_id = put(lender, "/cases", CASE)["item"]["id"]
    rows = [
        ATTEMPT,
        ATTEMPT,
        ATTEMPT | {"external_id": "A-2", "case_external_id": "C-9"},
        ATTEMPT | {"external_id": "A-3", "detail": "promised"},
        ATTEMPT | {"external_id": "A-4", "at": "2026-03-04T10:00:00+02:00"},
        ATTEMPT | {"external_id": "A-5", "contact_point": {"kind": "phone", "value": "four five"}},
    ]
    answer = lender.post("/contact-attempts", json={"attempts": rows}).json
    assert answer == {
        "added": 1,
        "unchanged": 1,
        "refused": 4,
        "results": [
            {"external_id": "A-1", "change": "added", "path": None, "reason": None},
            {"external_id": "A-1", "change": "unchanged", "path": None, "reason": None},
            {
                "external_id": "A-2",
                "change": None,
                "path": "case_id",
                "reason": "There is no case C-9 that you may see.",
            },
            {
                "external_id": "A-3",
                "change": None,
                "path": "detail",
                "reason": "belongs to the result reached alone",
            },
            {"external_id": "A-4", "change": None, "path": "at", "reason": "lies in the future"},
            {"external_id": "A-5", "change": None, "path": "value", "reason": "is not a telephone number"},
        ],
    }
    (stored,) = lender.get(f"/cases/{case_id}/contact-attempts").json["items"]
    assert (stored["at"], stored["result"]) == ("2026-03-02T08:00:00+00:00", "no_answer")


def test_a_thousand_attempts_are_taken_and_one_more_is_not(lender: FlaskClient) -> None:
    put(lender, "/debtors", DEBTOR)
    put(lender, "/cases", CASE)
    rows = [ATTEMPT | {"external_id": f"A-{number}"} for number in range(1_001)]
    assert lender.post("/contact-attempts", json={"attempts": rows[:1_000]}).json["added"] == 1_000
    answer = lender.post("/contact-attempts", json={"attempts": rows})
    assert (answer.status_code, answer.json["errors"][0]["pointer"]) == (422, "/attempts")


def test_a_payment_is_recorded_once_and_never_changed(lender: FlaskClient) -> None:
    put(lender, "/debtors", DEBTOR)
    case_id = put(lender, "/cases", CASE)["item"]["id"]
    payment = {
        "external_id": "P-1",
        "case_external_id": "C-1",
        "amount_minor": 2_500,
        "currency": "EUR",
        "paid_on": "2026-03-02",
    }
    assert [put(lender, "/payments", payment)["change"] for _ in range(2)] == ["added", "unchanged"]
    assert lender.put("/payments", json=payment | {"amount_minor": 9_900}).status_code == 422
    assert [each["amount_minor"] for each in lender.get(f"/cases/{case_id}/payments").json["items"]] == [2_500]


def test_a_visitor_gets_papers_and_a_shift(client_for: ClientFor, world: World) -> None:
    staff = client_for(Role.INTEGRATOR, org=world.agency)
    visitor = put(staff, "/visitors", {"external_id": "V-1", "name": "Ilta", "staff_number": "1"})["item"]
    paper = {
        "external_id": "K-1",
        "visitor_external_id": "V-1",
        "kind": "badge",
        "number": "N1",
        "issuer": "Pohjola",
        "valid_from": "2026-01-01",
        "valid_until": "2026-12-31",
    }
    put(staff, "/credentials", paper)
    shift = {
        "visitor_external_id": "V-1",
        "works_on": "2026-03-03",
        "starts_at": "2026-03-03T08:00:00+02:00",
        "ends_at": "2026-03-03T16:00:00+02:00",
        "crew_code": "A",
        "lead": True,
        "from_office": True,
        "break": {"from_at": "2026-03-03T11:00:00+02:00", "until_at": "2026-03-03T13:00:00+02:00", "seconds": 1_800},
    }
    put(staff, "/shifts", shift)
    (credential,) = staff.get(f"/visitors/{visitor['id']}/credentials").json["items"]
    (worked,) = staff.get(f"/shifts?works_on=2026-03-03&visitor_id={visitor['id']}").json["items"]
    assert (credential["number"], credential["valid_until"]) == ("N1", "2026-12-31")
    assert (worked["starts_at"], worked["break_s"]) == ("2026-03-03T06:00:00+00:00", 1_800)


def test_a_paper_that_is_taken_back_stays_taken_back_from_then(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.agency) as session:
        visitor = make_visitor(session, world, papers=False)
        credential_id = make_credential(session, visitor, kind=CredentialKind.BADGE).id
    supervisor = client_for(Role.SUPERVISOR, org=world.agency)
    first, second = (supervisor.post(f"/credentials/{credential_id}/revocation").json for _ in range(2))
    assert first["revoked_at"] is not None
    assert second == first
    with acting_for(sessions, world.agency) as session:
        assert session.get_one(Credential, credential_id).revoked_at is not None


def test_an_area_is_changed_under_its_code(client_for: ClientFor, world: World) -> None:
    admin = client_for(Role.ADMIN, org=world.agency)
    area = {"code": "centre", "name": "Kantakaupunki", "lat": 60.17, "lon": 24.94, "radius_m": 4_000}
    assert admin.put("/areas", json=area).json["id"] == str(world.area)
    assert [each["name"] for each in admin.get("/areas").json["items"]] == ["Kantakaupunki"]


def test_a_closed_account_can_neither_log_in_nor_renew(client_for: ClientFor, world: World) -> None:
    admin = client_for(Role.ADMIN, org=world.agency)
    account = {"username": "aino", "password": PASSWORD, "roles": ["dispatcher"]}
    account_id = admin.post("/accounts", json=account).json["id"]
    login = {"username": "aino", "password": PASSWORD}
    token = admin.post("/tokens", json=login).json["refresh_token"]
    assert admin.post(f"/accounts/{account_id}/closure").json["active"] is False
    assert admin.post("/tokens", json=login).status_code == 401
    assert admin.post("/tokens/refresh", json={"refresh_token": token}).status_code == 401


def test_an_admin_opens_no_account_for_a_visitor_of_another_organisation(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        visitor_id = make_visitor(session, world, papers=False).id
    account = {"username": "ilta", "password": PASSWORD, "roles": ["visitor"], "visitor_id": str(visitor_id)}
    answers = [
        client_for(Role.ADMIN, org=org).post("/accounts", json=account) for org in (world.stranger, world.agency)
    ]
    assert [answer.status_code for answer in answers] == [404, 201]


def test_names_are_sealed_when_they_come_through_the_api(lender: FlaskClient, sessions: sessionmaker[Session]) -> None:
    debtor_id = uuid.UUID(put(lender, "/debtors", DEBTOR)["item"]["id"])
    with acting_for_all(sessions) as session:
        stored = session.execute(sa.text("select name from debtors where id = :id"), {"id": debtor_id}).scalar_one()
        assert (b"Meri" in bytes(stored), session.get_one(Debtor, debtor_id).name) == (False, "Meri Example")
