"""A form of the house: published by the office, filled in on the phone without signal, read in any language."""

import datetime as dt
import uuid
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from api.schemas.forms import FormIn
from fieldvisit.database import acting_for
from fieldvisit.form_versions import publish_form
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning

DOOR = {
    "name": "door",
    "kind": "choice",
    "label": {"en": "What kind of door?", "zh-CN": "什么样的门？"},
    "choices": [
        {"value": "house", "label": {"en": "A house", "zh-CN": "独栋"}},
        {"value": "flat", "label": {"en": "A flat", "zh-CN": "公寓"}},
    ],
    "needed_for": ["nobody"],
}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


def events(morning: Morning, **said: Any) -> dict[str, Any]:
    report = {"event_id": str(uuid.uuid4()), "kind": "report", "visit_id": str(morning.visit), "outcome": "nobody"}
    times = {"device_at": NOW.isoformat(), "left_at": NOW.isoformat()}
    return {"sent_at": NOW.isoformat(), "events": [report | times | said]}


def test_a_form_goes_from_the_office_to_the_phone_and_its_answers_back(
    client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    org = morning.world.agency
    office, phone = client_for(Role.SUPERVISOR, org=org), client_for(Role.VISITOR, org=org, visitor_id=morning.ilta)
    wrong = office.post("/report-forms", json={"replaces": 0, "questions": [DOOR | {"choices": []}]})
    assert (wrong.status_code, wrong.json["errors"][0]["pointer"]) == (422, "/questions/0/choices")
    needs = [{"outcome": "refused", "fields": ["note"]}]
    with acting_for(sessions, org) as session:
        draft = FormIn().load({"replaces": 0, "questions": [DOOR], "needs": needs})
        publish_form(session, draft, by=None, now=NOW - dt.timedelta(days=1))
    assert office.get("/report-forms").json["items"][0]["needs"] == needs
    late = office.post("/report-forms", json={"replaces": 0})
    assert (late.status_code, late.json["code"]) == (409, "form_changed_meanwhile")
    (form,) = phone.get("/phone/changes").json["forms"]
    assert form == office.get(f"/report-forms/{form['id']}").json
    assert form["questions"][0]["label"] == DOOR["label"]
    (lacking,) = phone.post("/phone/events", json=events(morning)).json["results"]
    assert (lacking["outcome"], lacking["problem"]["code"]) == ("refused", "report_incomplete")
    filled = {"version": 1, "answers": {"door": "tent"}}
    (refused,) = phone.post("/phone/events", json=events(morning, form=filled)).json["results"]
    assert (refused["problem"]["code"], "door" in refused["problem"]["detail"]) == ("form_refused", True)
    assert office.post("/report-forms", json={"replaces": 1}).json["version"] == 2
    filled = {"version": 1, "answers": {"door": "flat"}}
    (taken,) = phone.post("/phone/events", json=events(morning, form=filled)).json["results"]
    assert taken["outcome"] == "taken", taken
    path = f"/visits/{morning.visit}/report"
    told = {language: office.get(path, headers={"Accept-Language": language}).json["form"] for language in ("en", "zh")}
    read = [(each["label"], each["words"]) for form in told.values() for each in form["answers"]]
    assert read == [("What kind of door?", "A flat"), ("什么样的门？", "公寓")]
    record = office.get(f"/visits/{morning.visit}/record").json["content"]["report"]
    assert record["form"] == {"version": 1, "answers": {"door": "flat"}}
