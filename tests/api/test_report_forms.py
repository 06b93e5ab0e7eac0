"""A form of the house: published by the office, filled in on the phone without signal, read in any language."""

import base64
import datetime as dt
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.schemas.forms import FormIn
from fieldvisit.database import acting_for
from fieldvisit.form_versions import publish_form
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.pictures import picture

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


METER = {
    "name": "meter",
    "kind": "evidence",
    "evidence": "photo",
    "camera_only": True,
    "label": {"en": "The meter", "zh-CN": "电表"},
    "needed_for": ["nobody"],
}


def send_photo(
    phone: FlaskClient, morning: Morning, photo_id: str, *, by_camera: bool, visit: int = 0, kind: str = "photo"
) -> None:
    tus, content = {"Tus-Resumable": "1.0.0"}, picture(300, 200)
    said = {"id": photo_id, "visit_id": str(morning.visits[visit]), "kind": kind, "captured_at": NOW.isoformat()}
    said["by_camera"] = "true" if by_camera else "false"
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    announced = {"Upload-Length": str(len(content)), "Upload-Metadata": pairs}
    assert phone.post("/phone/evidence", headers=tus | announced).status_code == 201
    part = {"Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    assert phone.patch(f"/phone/evidence/{photo_id}", headers=tus | part, data=content).status_code == 204


@pytest.mark.parametrize(("before", "by_camera"), [(True, True), (True, False), (False, True), (False, False)])
def test_where_the_camera_is_wanted_a_chosen_file_is_refused_and_flagged_where_it_comes_later(
    client_for: ClientFor, morning: Morning, before: bool, by_camera: bool
) -> None:
    org, photo_id = morning.world.agency, str(uuid.uuid4())
    office, phone = client_for(Role.SUPERVISOR, org=org), client_for(Role.VISITOR, org=org, visitor_id=morning.ilta)
    assert office.post("/report-forms", json={"replaces": 0, "questions": [METER]}).status_code == 201
    if before:
        send_photo(phone, morning, photo_id, by_camera=by_camera)
    form = {"version": 1, "answers": {"meter": photo_id}}
    (result,) = phone.post("/phone/events", json=events(morning, form=form)).json["results"]
    if before and not by_camera:
        assert (result["outcome"], result["problem"]["code"]) == ("refused", "form_refused")
        assert photo_id in result["problem"]["detail"]
        return
    assert result["outcome"] == "taken", result
    if not before:
        send_photo(phone, morning, photo_id, by_camera=by_camera)
    (file,) = office.get(f"/visits/{morning.visit}/evidence").json["items"]
    assert file["flaws"] == ([] if by_camera else ["not_by_camera"])


@pytest.mark.parametrize(("visit", "kind"), [(1, "photo"), (0, "document")])
def test_a_file_of_another_visit_or_kind_answers_nothing(
    client_for: ClientFor, sessions: sessionmaker[Session], visit: int, kind: str
) -> None:
    morning = make_morning(sessions, visits=2)
    org, photo_id = morning.world.agency, str(uuid.uuid4())
    office, phone = client_for(Role.SUPERVISOR, org=org), client_for(Role.VISITOR, org=org, visitor_id=morning.ilta)
    office.post("/report-forms", json={"replaces": 0, "questions": [METER]})
    send_photo(phone, morning, photo_id, by_camera=True, visit=visit, kind=kind)
    form = {"version": 1, "answers": {"meter": photo_id}}
    (result,) = phone.post("/phone/events", json=events(morning, form=form)).json["results"]
    assert (result["outcome"], result["problem"]["code"]) == ("refused", "form_refused")
    assert f"{photo_id}: is a file of another {'visit' if visit else 'kind'}" in result["problem"]["detail"]
