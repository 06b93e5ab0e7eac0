"""Whoever looks at a debtor's data leaves a line that says so, and those who answer for it can read them."""

import uuid
from http import HTTPStatus
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from marshmallow import fields
from sqlalchemy.orm import Session, sessionmaker

from api.contracts import contract_of
from api.schemas.base import Out
from api.schemas.cases import CaseOut
from api.showing import Shows
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Visit
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.api.personal import NO_DEBTORS, personal_fields, schemas_in
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.test_rejudging import HOUSE
from tests.worlds import TODAY

REASON_WANTED = """
[access]
id = "house/access/1"
reason = true
source = "ours"
confidence = "house"
"""
FILES = {
    "get_case",
    "get_debtor",
    "get_debtor_export",
    "get_notice",
    "get_visit_record",
    "get_visit_report",
    "link_evidence",
    "read_held_event",
}
"""Opened by somebody in an office, who may have to say why."""
ECHOES = {
    "file_block",
    "place_hold",
    "put_case",
    "put_debtor",
    "put_payment",
    "put_wish",
    "record_debtor_request",
    "record_given_notice",
    "report_incident",
    "void_receipt",
}
"""They answer with what the caller has just sent, which the audit trail tells."""
NO_JSON = {
    "announce_evidence": "headers alone",
    "read_evidence_offset": "headers alone",
    "draw_plan": "writes its line itself",
    "get_visit_record_as_csv": "writes its line itself",
    "open_file": "each opening is kept beside the file",
    "stream_live": "one's own people",
    "export_alarm_statistics": "numbers",
    "export_drills": "one's own people",
    "export_false_alarms": "one's own people",
    "show_verification": "tells nothing of a debtor",
}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions, visits=2)


@pytest.fixture
def privacy(client_for: ClientFor, morning: Morning) -> FlaskClient:
    """Of the lender: these are its debtors."""
    return client_for(Role.PRIVACY_OFFICER, org=morning.world.lender)


def debtor_of(sessions: sessionmaker[Session], visit_id: uuid.UUID) -> str:
    with acting_for_all(sessions) as session:
        return str(session.get_one(Visit, visit_id).debtor_id)


def looks(privacy: FlaskClient, **asked: Any) -> list[tuple[str, str]]:
    found = privacy.get("/debtor-accesses", query_string=asked).json["items"]
    return [(each["action"], each["debtor_id"]) for each in reversed(found)]


def test_every_endpoint_whose_answer_has_a_field_of_a_debtors_says_so(app: Flask) -> None:
    found = {view.__name__: contract for view in app.view_functions.values() if (contract := contract_of(view))}
    told = {name: personal_fields(each.returns) for name, each in found.items() if each.returns is not None}
    assert {name: told[name] for name in told if told[name] and not found[name].shows and name not in ECHOES} == {}
    assert {name for name, each in found.items() if each.shows is Shows.FILE} == FILES
    without = {name for name, each in found.items() if each.returns is None and each.status != HTTPStatus.NO_CONTENT}
    assert without == set(NO_JSON)
    # What is let off is there to be let off.
    assert [name for name in sorted(ECHOES) if not told[name] or found[name].shows] == []
    used = set[str]().union(*(schemas_in(each.returns) for each in found.values() if each.returns is not None))
    assert sorted(set(NO_DEBTORS) - used) == []


def test_a_field_of_a_debtors_is_found_however_deep_it_lies() -> None:
    class New(Out):
        inner = fields.List(fields.Nested(Out.from_dict({"arrears": fields.Nested(CaseOut)}, name="Deep")))

    assert "CaseOut.total_minor" in personal_fields(New())


def test_the_lender_sees_who_at_the_agency_looked_at_its_debtors(
    client_for: ClientFor, privacy: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    first, second = (debtor_of(sessions, visit_id) for visit_id in morning.visits)
    phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    phone.get("/phone/my-day")
    phone.get(f"/phone/visits/{morning.visit}")
    assert office.get(f"/debtors/{second}", headers={"Access-Reason": "The debtor rang."}).status_code == 200
    office.get(f"/debtors/{uuid.uuid4()}")
    assert sorted(looks(privacy)[:2]) == sorted([("read_my_day", first), ("read_my_day", second)])
    assert looks(privacy)[2:] == [("read_my_visit", first), ("get_debtor", second)]
    assert looks(privacy, debtor_id=second) == [("read_my_day", second), ("get_debtor", second)]
    (last,) = privacy.get("/debtor-accesses", query_string={"limit": 1}).json["items"]
    assert (last["reason"], last["org_id"]) == ("The debtor rang.", str(morning.world.agency))
    stranger = client_for(Role.PRIVACY_OFFICER, org=morning.world.stranger)
    assert looks(stranger) == []


def test_what_is_no_json_is_in_the_log_all_the_same(
    client_for: ClientFor, privacy: FlaskClient, morning: Morning
) -> None:
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    assert office.get(f"/visits/{morning.visit}/record.csv").status_code == 200
    assert [action for action, _ in looks(privacy)] == ["get_visit_record_as_csv"]


def test_where_a_policy_wants_a_reason_a_file_is_opened_only_with_one(
    client_for: ClientFor, privacy: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for(sessions, morning.world.lender) as session:
        draft = PolicyDraft(text=HOUSE.format(opens="08:00") + REASON_WANTED, effective_from=TODAY)
        add_version(session, morning.world.lender, draft, made_by_id=None, now=NOW)
    office = client_for(Role.DISPATCHER, org=morning.world.agency)
    path = f"/debtors/{debtor_of(sessions, morning.visit)}"
    refused = office.get(path, headers={"Accept-Language": "zh-CN"})
    assert (refused.status_code, refused.json["code"]) == (422, "reason_needed")
    assert refused.json["detail"] == "请说明查看原因：在 Access-Reason 请求头中填写理由。"
    assert looks(privacy) == []
    assert office.get(path, headers={"Access-Reason": "A letter came back."}).status_code == 200
    assert office.get("/debtors").status_code == 200


def test_a_phone_that_asks_costs_one_statement_more(
    client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session], app: Flask
) -> None:
    phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    told: list[str] = []

    def note(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        told.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        phone.get("/phone/my-day")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", note)
    assert [each.split()[2] for each in told if "debtor_accesses" in each] == ["debtor_accesses"]
    assert sum("INSERT" in each for each in told) == 1
