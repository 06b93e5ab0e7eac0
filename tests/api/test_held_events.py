"""What phones told and nobody took: whose data it is, who looked at it, when it goes, how a pile of it is cleared."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import Urls, acting_for, acting_for_all, owner_engine, session_factory
from fieldvisit.models import HeldEvent, Purge
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.phone.holding import TOLD_TO_PHONE
from fieldvisit.retention.loose import HELD_FOR, TOLD, look_for_loose, purge_loose
from fieldvisit.retention.purging import purge_visits
from fieldvisit.vocabulary import HeldState, Role
from tests.api.conftest import ClientFor
from tests.api.test_accesses import REASON_WANTED, debtor_of, looks
from tests.api.test_phone_changes import counted
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.test_rejudging import HOUSE
from tests.worlds import TODAY

WHY = {"Access-Reason": "What did the phone tell?"}


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    """Ilta's."""
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


@pytest.fixture
def office(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=morning.world.agency)


def misread(visit_id: uuid.UUID, **facts: Any) -> dict[str, Any]:
    """A report as no version of ours understands it."""
    told = {"event_id": str(uuid.uuid4()), "kind": "report", "visit_id": str(visit_id), "device_at": NOW.isoformat()}
    return told | {"result": "talked", "note": "Lost the job in May.", **facts}


def send(phone: FlaskClient, *events: dict[str, Any]) -> list[str]:
    answer = phone.post("/phone/events", json={"sent_at": NOW.isoformat(), "events": list(events)})
    assert answer.status_code == 200, answer.json
    return [each["outcome"] for each in answer.json["results"]]


def kept(sessions: sessionmaker[Session]) -> int:
    with acting_for_all(sessions) as session:
        return session.scalar(sa.select(sa.func.count()).select_from(HeldEvent)) or 0


def test_what_nobody_understood_is_the_data_of_the_debtor_whose_visit_it_names(
    phone: FlaskClient, office: FlaskClient, client_for: ClientFor, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for(sessions, morning.world.lender) as session:
        draft = PolicyDraft(text=HOUSE.format(opens="08:00") + REASON_WANTED, effective_from=TODAY)
        add_version(session, morning.world.lender, draft, made_by_id=None, now=NOW)
    told, feared = misread(morning.visit), misread(morning.visit, kind="safety_assessment")
    assert send(phone, told, feared) == ["refused", "refused"]
    path, debtor_id = f"/held-events/{told['event_id']}", debtor_of(sessions, morning.visit)
    assert (office.get(path).status_code, office.get(path).json["code"]) == (422, "reason_needed")
    read = office.get(path, headers=WHY).json
    assert (read["visit_id"], read["subject_id"]) == (str(morning.visit), None)
    privacy = client_for(Role.PRIVACY_OFFICER, org=morning.world.lender)
    assert looks(privacy) == [("read_held_event", debtor_id)]
    (exported,) = privacy.get(f"/debtors/{debtor_id}/export", headers=WHY).json["content"]["held_events"]
    assert (exported["event_id"], "Lost the job" in exported["event"]) == (told["event_id"], True)
    lender = client_for(Role.SUPERVISOR, org=morning.world.lender)
    assert lender.get("/held-events").json["items"] == []


def test_a_pile_of_what_was_refused_does_not_make_every_delta_a_whole_one(
    app: Flask, phone: FlaskClient, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    waits = misread(morning.visit) | {"kind": "addition", "text": "More."}
    del waits["result"], waits["note"]
    assert send(phone, waits) == ["held"]
    with acting_for(sessions, morning.world.agency) as session:
        session.add_all([refused(morning, session, minutes) for minutes in range(200)])
    first = phone.get("/phone/changes").json
    assert (first["reset"], first["held_count"], len(first["held"])) == (True, 201, TOLD_TO_PHONE)
    assert waits["event_id"] in {each["event_id"] for each in first["held"]}
    assert send(phone, misread(uuid.uuid4())) == ["refused"]
    with counted(app) as sent:
        delta = phone.get("/phone/changes", query_string={"since": first["cursor"]}).json
    assert (delta["reset"], delta["held_count"], delta["visits"]) == (False, 202, [])
    assert (len(delta["held"]), [each["kind"] for each in delta["gone"]]) == (1, ["held"])
    assert [each for each in sent if "held_events.body" in each] == []


def test_the_office_clears_a_pile_at_once(
    phone: FlaskClient, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        session.add_all([refused(morning, session, minutes) for minutes in range(20)])
    taken = misread(morning.visit)
    send(phone, taken)
    office.post(f"/held-events/{taken['event_id']}/dismissal", json={"reason": "Told again."})
    asked = {"visitor_id": str(morning.ilta), "code": "outside_geofence"}
    pile = [each["event_id"] for each in office.get("/held-events", query_string=asked).json["items"]]
    body = {
        "event_ids": [*pile, taken["event_id"], str(morning.visit)],
        "reason": "A version of the app that was wrong.",
    }
    answer = office.post("/held-events/dismissals", json=body).json
    assert (len(pile), sorted(answer["dismissed"])) == (20, sorted(pile))
    assert set(answer["left"]) == {taken["event_id"], str(morning.visit)}
    assert phone.get("/phone/changes").json["held_count"] == 0
    with acting_for(sessions, morning.world.agency) as session:
        told = session.execute(sa.select(HeldEvent.state, HeldEvent.reason).distinct()).all()
    assert set(told) == {(HeldState.DISMISSED, body["reason"]), (HeldState.DISMISSED, "Told again.")}
    assert phone.post("/held-events/dismissals", json=body).status_code == 403


def refused(morning: Morning, session: Session, minutes: int) -> HeldEvent:
    """One of Ilta's, so long ago."""
    return HeldEvent(
        org_id=session.info["org"],
        event_id=uuid.uuid4(),
        visitor_id=morning.ilta,
        kind="arrival",
        body="{}",
        state=HeldState.REFUSED,
        code="outside_geofence",
        recorded_at=NOW - dt.timedelta(minutes=minutes),
    )


def test_it_goes_with_its_visit(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], urls: Urls
) -> None:
    send(phone, misread(morning.visit))
    engine = owner_engine(urls)
    with acting_for_all(session_factory(engine)) as session:
        assert purge_visits(session, [morning.visit])[TOLD] == 1
    engine.dispose()
    assert kept(sessions) == 0


def test_what_names_a_visit_of_others_or_none_is_of_nobody_and_goes_by_its_age(
    client_for: ClientFor, office: FlaskClient, morning: Morning, sessions: sessionmaker[Session], urls: Urls
) -> None:
    outsider = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.outsider)
    told = [misread(morning.visit), misread(uuid.uuid4()), misread(morning.visit) | {"visit_id": [7]}]
    assert send(outsider, *told) == ["refused"] * 3
    assert {each["visit_id"] for each in office.get("/held-events").json["items"]} == {None}
    engine = owner_engine(urls)
    owners = session_factory(engine)
    for age, gone in ((HELD_FOR - dt.timedelta(days=1), 0), (HELD_FOR + dt.timedelta(days=1), 3)):
        now = NOW + age
        with acting_for_all(sessions) as session:
            assert sum(each.told for each in look_for_loose(session, now=now)) == gone
        purge_loose(owners, made_by="test", reason="test", clock=lambda at=now: at)  # type: ignore[misc]
        assert kept(sessions) == 3 - gone
    engine.dispose()
    with acting_for_all(sessions) as session:
        proof = session.scalars(sa.select(Purge).where(Purge.org_id == morning.world.agency)).one()
    assert proof.rows == {TOLD: 3}
