"""What a caller is told when something is wrong: what, where, why, and what would be right."""

import gzip
import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from api.reading import parse_json
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.worlds import World

SHIFT = {
    "visitor_external_id": "V1",
    "works_on": "2026-03-03",
    "starts_at": "2026-03-03T08:00:00+02:00",
    "ends_at": "2026-03-03T16:00:00+02:00",
    "crew_code": "A",
    "lead": True,
    "from_office": True,
}
VISITOR = {"external_id": "V1", "name": "Ilta", "staff_number": "00001"}
CREDENTIAL = {
    "external_id": "K1",
    "visitor_external_id": "V1",
    "kind": "badge",
    "number": "1",
    "issuer": "Aurora",
    "valid_from": "2026-01-01",
    "valid_until": "2026-12-31",
}

CASE = {
    "external_id": "C-1",
    "debtor_external_id": "D-1",
    "product": "car_loan",
    "currency": "EUR",
    "principal_minor": 100_000,
    "interest_minor": 5_000,
    "fees_minor": 500,
    "total_minor": 105_500,
    "as_of_on": "2026-03-03",
    "due_on": "2026-01-02",
    "days_past_due": 60,
    "stage": "phone",
}

UNSTORABLE = "It contains a character that cannot be stored."
NAIVE = "An instant without an offset: it could mean any of 38 moments."


@pytest.fixture
def integrator(standing_integrator: FlaskClient) -> FlaskClient:
    """Everything asked by this one is refused."""
    return standing_integrator


def fault(client: FlaskClient, path: str, body: object) -> dict[str, Any]:
    """The one fault that a PUT of this body is refused for."""
    answer = client.put(path, json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    (only,) = answer.json["errors"]
    return dict(only)


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        (
            "/visitors",
            VISITOR | {"nickname": "Il"},
            ("/nickname", "Il", "Unknown field.", "one of: external_id, name, staff_number, phone, skills, languages, "
             "home_address, home, active"),
        ),
        ("/visitors", {"external_id": "V1", "name": "Ilta"}, ("/staff_number", None, "Missing data for required field.",
         "a text of 1 to 100 characters")),
        ("/visitors", VISITOR | {"name": 7}, ("/name", 7, "Not a text.", "a text of 1 to 200 characters")),
        ("/visitors", VISITOR | {"name": "a\x00b"}, ("/name", "a\x00b", UNSTORABLE,
         "a text of 1 to 200 characters")),
        ("/visitors", VISITOR | {"name": "\ud800"}, ("/name", "\ud800", UNSTORABLE,
         "a text of 1 to 200 characters")),
        ("/visitors", VISITOR | {"skills": [""]}, ("/skills/0", "", "It has 0, allowed are 1 to 100.",
         "a text of 1 to 100 characters")),
        ("/visitors", VISITOR | {"skills": ["a"] * 51}, ("/skills", None, "It has 51, allowed are 0 to 50.",
         "a list of 0 to 50 values")),
        ("/visitors", VISITOR | {"home": {"lat": 91, "lon": 0, "datum": "wgs84"}},
         ("/home/lat", 91, "It is outside of -90 to 90.", "degrees from -90 to 90")),
        ("/visitors", VISITOR | {"home": {"lat": 60, "lon": 25}},
         ("/home/datum", None, "Missing data for required field.", "one of: wgs84, gcj02, bd09")),
        ("/visitors", VISITOR | {"home": {"lat": True, "lon": 25, "datum": "wgs84"}},
         ("/home/lat", True, "Not a number.", "degrees from -90 to 90")),
        ("/visitors", VISITOR | {"home": {"lat": 10**400, "lon": 25, "datum": "wgs84"}},
         ("/home/lat", 10**400, "Not a number.", "degrees from -90 to 90")),
        ("/shifts", SHIFT | {"starts_at": "2026-03-03T08:00:00"},
         ("/starts_at", "2026-03-03T08:00:00", NAIVE, "an instant with an offset, like 2026-03-03T09:00:00+02:00")),
        ("/shifts", SHIFT | {"works_on": "3.3.2026"}, ("/works_on", "3.3.2026", "Not a date.",
         "a date like 2026-03-03")),
        ("/shifts", SHIFT | {"lead": 1}, ("/lead", 1, "Neither true nor false.", "true or false")),
        ("/shifts", SHIFT | {"break": {"from_at": SHIFT["starts_at"], "until_at": SHIFT["ends_at"], "seconds": 1.5}},
         ("/break/seconds", 1.5, "Not a whole number.", "a whole number from 1 to 86400")),
        ("/credentials", CREDENTIAL | {"kind": "badges"}, ("/kind", "badges", "Not in the list.",
         "one of: badge, id_card, authorisation_letter, notice_copy, licence, approval_letter, certificate")),
        ("/visitors", [], ("", None, "Invalid input type.", "a JSON object")),
    ],
)  # fmt: skip
def test_a_value_that_is_refused_is_named_with_its_reason_and_what_would_be_right(
    integrator: FlaskClient, path: str, body: object, expected: tuple[object, ...]
) -> None:
    pointer, value, reason, right = expected
    assert fault(integrator, path, body) == {
        "in": "body",
        "pointer": pointer,
        "value": value,
        "reason": reason,
        "expected": right,
    }


def test_a_number_beyond_all_numbers_is_refused_in_json_that_others_can_read(integrator: FlaskClient) -> None:
    body = json.dumps(VISITOR | {"home": {"lat": "LAT", "lon": 25, "datum": "wgs84"}}).replace('"LAT"', "1e400")
    answer = integrator.put("/visitors", data=body, content_type="application/json")
    (only,) = parse_json(answer.data)["errors"]
    assert (answer.status_code, only["pointer"], only["value"]) == (422, "/home/lat", None)


def test_what_the_domain_has_against_a_value_is_told_at_its_name_on_the_wire(
    client_for: ClientFor, world: World
) -> None:
    lender = client_for(Role.INTEGRATOR, org=world.lender)
    lender.put("/debtors", json={"external_id": "D-1", "name": "Meri Example"})
    answer = lender.put("/cases", json=CASE | {"as_of_on": "2030-01-01"})
    assert (answer.status_code, answer.json["code"]) == (422, "invalid_value")
    assert answer.json["errors"] == [
        {
            "in": "body",
            "pointer": "/as_of_on",
            "value": "2030-01-01",
            "reason": "lies in the future",
            "expected": "a date like 2026-03-03",
        }
    ]
    answer = lender.put("/cases", json=CASE | {"total_minor": 7})
    assert [(each["pointer"], each["value"]) for each in answer.json["errors"]] == [("/total_minor", 7)]


def test_a_body_that_is_packed_says_that_it_has_to_be_unpacked(integrator: FlaskClient) -> None:
    packed = gzip.compress(json.dumps(VISITOR).encode())
    headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = integrator.put("/visitors", data=packed, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (415, "wrong_content_type")
    assert "encoded as gzip" in answer.json["detail"]


def test_every_fault_is_told_at_once(integrator: FlaskClient) -> None:
    answer = integrator.put("/visitors", json={"name": 7, "nickname": "Il"})
    assert {each["pointer"] for each in answer.json["errors"]} == {
        "/external_id",
        "/name",
        "/nickname",
        "/staff_number",
    }


def test_a_password_is_never_said_back(integrator: FlaskClient) -> None:
    answer = integrator.post("/tokens", json={"username": "aino", "password": ["correct horse battery"]})
    assert "correct horse" not in answer.text


def test_a_rule_of_the_domain_names_its_field(integrator: FlaskClient) -> None:
    answer = integrator.put("/shifts", json=SHIFT | {"ends_at": SHIFT["starts_at"]})
    assert (answer.status_code, answer.json["code"], answer.json["details"]) == (
        422,
        "invalid_value",
        {"path": "end", "reason": "must be later than the time it starts"},
    )


@pytest.mark.parametrize(
    ("query", "name", "value", "reason"),
    [
        ("?colour=red", "colour", "red", "Unknown field."),
        ("?limit=many", "limit", "many", "Not a whole number."),
        ("?limit=0", "limit", "0", "It is outside of 1 to 200."),
        ("?limit=1&limit=2", "limit", None, "It is given more than once."),
        ("?active=yes", "active", "yes", "Neither true nor false."),
    ],
)
def test_a_query_is_read_as_strictly_as_a_body(
    integrator: FlaskClient, query: str, name: str, value: str | None, reason: str
) -> None:
    answer = integrator.get(f"/visitors{query}")
    (only,) = answer.json["errors"]
    assert (answer.status_code, only["in"], only["pointer"], only["value"], only["reason"]) == (
        422,
        "query",
        name,
        value,
        reason,
    )


def test_a_query_where_none_is_known_is_refused(integrator: FlaskClient) -> None:
    assert integrator.put("/visitors?dry_run=true", json=VISITOR).status_code == 422


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"{", "it stops at line 1, column 2"),
        (b"", "it stops at line 1, column 1"),
        (b'{"lat": NaN}', "NaN is not a JSON number"),
        (b'{"a": 1, "a": 2}', "a name stands twice in one object"),
        (b'{"a": "\xff"}', "it is not UTF-8"),
        (b"[" * 100_000, "it is nested too deeply"),
    ],
)
def test_a_body_that_is_not_json_is_refused_with_the_place_where_it_stops(
    integrator: FlaskClient, raw: bytes, reason: str
) -> None:
    answer = integrator.put("/visitors", data=raw, content_type="application/json")
    assert (answer.status_code, answer.json["code"], answer.json["details"]) == (
        400,
        "not_readable",
        {"reason": reason},
    )


def test_a_number_of_ten_thousand_digits_is_refused(integrator: FlaskClient) -> None:
    body = b'{"name": ' + b"9" * 10_000 + b"}"
    answer = integrator.put("/visitors", data=body, content_type="application/json")
    assert (answer.status_code, answer.json["details"]) == (400, {"reason": "a number in it is too long"})


def test_another_content_type_is_refused(integrator: FlaskClient) -> None:
    answer = integrator.put("/visitors", data="external_id=V1", content_type="application/x-www-form-urlencoded")
    assert (answer.status_code, answer.json["code"]) == (415, "wrong_content_type")


def test_a_body_of_ten_megabytes_is_refused(integrator: FlaskClient) -> None:
    answer = integrator.put("/visitors", data=b" " * 10_000_000, content_type="application/json")
    assert (answer.status_code, answer.json["details"]) == (413, {"max_mb": 8})


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nothing-here", 404, "no_such_address"),
        ("GET", "/visitors/17", 404, "no_such_address"),
        ("PATCH", "/visitors", 405, "method_not_allowed"),
        ("GET", "/visitors/018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69", 404, "not_found"),
    ],
)
def test_what_is_not_there_is_a_problem_document_too(
    integrator: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    answer = integrator.open(path, method=method)
    assert (answer.status_code, answer.json["code"], answer.mimetype) == (status, code, "application/problem+json")


def test_a_doubled_slash_leads_to_the_address_without(integrator: FlaskClient) -> None:
    answer = integrator.get("/health//live")
    assert (answer.status_code, answer.headers["Location"]) == (308, "http://localhost/health/live")


def test_a_method_that_is_not_taken_names_those_that_are(integrator: FlaskClient) -> None:
    assert integrator.patch("/visitors").headers["Allow"] == "GET, HEAD, OPTIONS, PUT"


def test_a_problem_says_the_same_in_chinese_under_the_same_code(integrator: FlaskClient) -> None:
    answer = integrator.get("/nothing-here", headers={"Accept-Language": "zh-Hans-CN, en;q=0.5"})
    assert answer.json == {
        "type": "urn:fieldvisit:problem:no_such_address",
        "title": "未找到",
        "status": 404,
        "detail": "此地址不存在任何内容。全部接口见 /openapi.json。",
        "code": "no_such_address",
        "request_id": answer.headers["X-Request-Id"],
        "details": {},
    }
    assert answer.headers["Content-Language"] == "zh-CN"


def test_a_fault_is_explained_in_chinese(integrator: FlaskClient) -> None:
    answer = integrator.put("/visitors", json=VISITOR | {"name": 7}, headers={"Accept-Language": "zh"})
    (only,) = answer.json["errors"]
    assert (only["reason"], only["expected"]) == ("不是文本。", "1 至 200 个字符的文本")


def test_the_same_external_id_of_two_organisations_is_no_conflict(client_for: ClientFor, world: World) -> None:
    both = [client_for(Role.INTEGRATOR, org=org) for org in (world.agency, world.stranger)]
    assert [each.put("/visitors", json=VISITOR).json["change"] for each in both] == ["added"] * 2


def test_a_name_that_is_taken_is_a_conflict_that_says_so(client_for: ClientFor, world: World) -> None:
    admin = client_for(Role.ADMIN, org=world.agency)
    account = {"username": "aino", "password": "correct horse battery", "roles": ["dispatcher"]}
    assert admin.post("/accounts", json=account).status_code == 201
    answer = admin.post("/accounts", json=account)
    assert (answer.status_code, answer.json["code"], answer.json["details"]) == (
        409,
        "already_exists",
        {"what": "account", "key": "username"},
    )
