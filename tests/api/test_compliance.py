"""What the policies say, over HTTP: explained, changed, looked at before, overridden; consents, blocks and holds."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.holds import is_held
from fieldvisit.models import ContactBlock, Organisation, Visit
from fieldvisit.rejudgings import run_rejudging
from fieldvisit.visits import move
from fieldvisit.vocabulary import Role, VisitState
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.test_overrides import CLAUSE, POLICY, TEN
from tests.worlds import HELSINKI, TODAY

ZH = {"Accept-Language": "zh-CN"}
HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12}
AFTERNOONS = POLICY.format(second="false", allowed="yes")
RECORDED = """
[[recording]]
id = "afternoons/recording/1"
channels = ["visit"]
need = "audio"
whole = true
source = "ours"
confidence = "house"
"""


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions)


@pytest.fixture
def supervisor(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=morning.world.agency)


@pytest.fixture
def lender(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=morning.world.lender)


def debtor_of(sessions: sessionmaker[Session], morning: Morning) -> str:
    with acting_for_all(sessions) as session:
        return str(session.get_one(Visit, morning.visit).debtor_id)


def switched(client: FlaskClient, toml: str = AFTERNOONS) -> Any:
    return client.post("/policy-versions", json={"toml": toml, "effective_from": TODAY.isoformat()}).json


def test_a_visit_is_explained_at_any_hour_in_the_callers_language(supervisor: FlaskClient, morning: Morning) -> None:
    address = f"/visits/{morning.visit}/explanation"
    day = supervisor.get(address, query_string={"at": TEN.isoformat()}).json
    assert (day["verdict"], day["policies"]) == ("allowed", [{"id": "house", "version": 1}])
    night = supervisor.get(address, query_string={"at": f"{TODAY}T23:00:00+02:00"}, headers=ZH).json
    assert (night["verdict"], night["verdict_words"]) == ("blocked", "禁止")
    (hours,) = [clause for clause in night["clauses"] if clause["clause_id"] == "house/windows/1"]
    assert hours["words"].startswith("不在")
    assert night["next_lawful_at"] == "2026-03-04T06:00:00+00:00"


def test_of_a_visit_on_no_route_nobody_is_judged_who_is_not_named(
    supervisor: FlaskClient, sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for(sessions, morning.world.agency) as session:
        visit = session.get_one(Visit, morning.visit)
        move(session, visit, VisitState.ELIGIBLE, now=NOW)
    address = f"/visits/{morning.visit}/explanation"
    told = supervisor.get(address, query_string={"at": TEN.isoformat()}, headers=ZH).json
    (named,) = [clause["words"] for clause in told["clauses"] if clause["clause_id"] == "product/staff"]
    assert (told["verdict"], named) == ("allowed", "未判定：尚未指定由谁外访。")


def test_a_policy_of_ones_own_is_previewed_switched_on_and_rolled_back(
    supervisor: FlaskClient, sessions: sessionmaker[Session], morning: Morning
) -> None:
    body = {"toml": AFTERNOONS, "effective_from": TODAY.isoformat()}
    asked = supervisor.post("/policy-versions/previews", json=body)
    assert (asked.status_code, asked.json["state"]) == (202, "waiting")
    run_rejudging(sessions, lambda: NOW, morning.world.agency, uuid.UUID(asked.json["id"]))
    seen = supervisor.get(f"/rejudgings/{asked.json['id']}").json
    assert (seen["state"], seen["total"], seen["flagged"]) == ("done", 1, 1)
    assert seen["unlawful"] == [{"visit_id": str(morning.visit), "clauses": [CLAUSE]}]
    on = switched(supervisor)
    run_rejudging(sessions, lambda: NOW, morning.world.agency, uuid.UUID(on["rejudging"]["id"]))
    assert supervisor.get(f"/visits/{morning.visit}").json["state"] == "eligible"
    assert supervisor.get(f"/rejudgings/{on['rejudging']['id']}").json["taken_back"] == 1
    names = [policy["id"] for policy in supervisor.get("/policies").json["policies"]]
    assert names == ["afternoons@pohjola-field", "house"]
    back = supervisor.post(f"/policy-versions/{on['version']['id']}/withdrawal").json
    assert back["version"]["withdrawn_at"] is not None
    assert [policy["id"] for policy in supervisor.get("/policies").json["policies"]] == ["house"]
    (house,) = supervisor.get("/policies", headers=ZH).json["policies"]
    (fits,) = [clause for clause in house["clauses"] if clause["id"] == "house/fit/1"]
    told = ("整次外访须在允许时段内。其后另留 15 分钟。", "fit whole_visit_inside, margin_min 15")
    assert (fits["says"], fits["terms"]) == told


def test_a_policy_that_is_wrong_is_refused_where_it_is_wrong(supervisor: FlaskClient) -> None:
    body = {"toml": AFTERNOONS.replace("12:00", "25:00"), "effective_from": TODAY.isoformat()}
    answer = supervisor.post("/policy-versions", json=body)
    assert (answer.status_code, answer.json["code"]) == (422, "policy_refused")
    assert answer.json["details"]["path"] == "windows[0].opens"


def test_an_override_over_http(supervisor: FlaskClient, morning: Morning) -> None:
    switched(supervisor)
    before = supervisor.get(f"/visits/{morning.visit}/explanation", query_string={"at": TEN.isoformat()}).json
    (asks,) = [clause for clause in before["clauses"] if clause["clause_id"] == CLAUSE]
    assert (asks["override_role"], asks["second_person"], asks["overridden_by"]) == ("supervisor", False, None)
    body = {"clause_id": CLAUSE, "begins_at": TEN.isoformat(), "reason": "The debtor asked for it by letter."}
    made = supervisor.post(f"/visits/{morning.visit}/overrides", json=body)
    assert (made.status_code, made.json["clause_id"], made.json["needs_second"]) == (201, CLAUSE, False)
    explained = supervisor.get(f"/visits/{morning.visit}/explanation", query_string={"at": TEN.isoformat()}).json
    assert explained["verdict"] == "allowed"
    (passed,) = [clause for clause in explained["clauses"] if clause["clause_id"] == CLAUSE]
    assert passed["overridden_by"] == made.json["id"]
    assert [row["id"] for row in supervisor.get("/overrides").json["items"]] == [made.json["id"]]
    (count,) = supervisor.get("/overrides/report").json["counts"]
    assert (count["clause_id"], count["count"]) == (CLAUSE, 1)
    assert supervisor.post(f"/overrides/{made.json['id']}/revocation").json["revoked_at"] is not None


def test_a_consent_is_recorded_listed_and_withdrawn(
    lender: FlaskClient, sessions: sessionmaker[Session], morning: Morning
) -> None:
    debtor = debtor_of(sessions, morning)
    body = {
        "debtor_id": debtor,
        "form": "written",
        "given_at": NOW.isoformat(),
        "visit_id": str(morning.visit),
        "contents": ["purpose", "date", "time"],
        "external_id": "letter 7",
    }
    key = {"Idempotency-Key": str(uuid.uuid4())}
    made = lender.post("/consents", json=body, headers=key)
    assert (made.status_code, made.json["contents"]) == (201, ["date", "purpose", "time"])
    (listed,) = lender.get(f"/consents?debtor_id={debtor}").json["items"]
    assert listed["id"] == made.json["id"]
    ended = lender.post(f"/consents/{listed['id']}/withdrawal").json
    assert ended["consent"]["revoked_at"] is not None
    assert (ended["cancelled_visit_ids"], ended["taken_back_visit_ids"]) == ([], [])
    # The first answer under its key; without one nobody is told that it holds.
    assert lender.post("/consents", json=body, headers=key).json == made.json
    anew = lender.post("/consents", json=body)
    assert (anew.status_code, anew.json["code"]) == (409, "consent_withdrawn")
    other = lender.post("/consents", json=body | {"form": "any"})
    assert (other.status_code, other.json["code"]) == (409, "consent_differs")
    assert lender.post("/consents", json=body | {"external_id": "letter 8"}).status_code == 201


def test_a_block_for_an_occasion_lasts_as_long_as_the_policy_says_and_begins_anew(
    lender: FlaskClient, sessions: sessionmaker[Session], morning: Morning
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Organisation).values(policies=["house", "kr"]))
        session.get_one(Visit, morning.visit).place.country = "KR"
        session.get_one(Visit, morning.visit).place.zone = "Asia/Seoul"
    filed = lender.post("/blocks", json={"debtor_id": debtor_of(sessions, morning), "trigger": "bereavement"}).json
    assert filed["block"]["until_at"] == "2026-06-02T15:00:00+00:00"
    again = lender.post(f"/blocks/{filed['block']['id']}/renewal").json
    assert (again["renewals"], again["until_at"]) == (1, "2026-09-02T15:00:00+00:00")
    assert lender.post(f"/blocks/{filed['block']['id']}/renewal").json["code"] == "not_renewable"


def test_what_merely_passes_a_dispatcher_may_end_and_what_was_said_a_supervisor(
    client_for: ClientFor, lender: FlaskClient, sessions: sessionmaker[Session], morning: Morning
) -> None:
    dispatcher = client_for(Role.DISPATCHER, org=morning.world.lender)
    why = {"reason": "It has passed."}
    for trigger, status in (("bereavement", 200), ("cease_request", 403)):
        body = {"debtor_id": debtor_of(sessions, morning), "trigger": trigger, "form": "written", "evidence": "letter"}
        block = lender.post("/blocks", json=body).json["block"]
        assert (block["form"], block["evidence"]) == ("written", "letter")
        assert dispatcher.post(f"/blocks/{block['id']}/lift", json=why).status_code == status


def test_a_legal_hold_is_placed_and_released(
    lender: FlaskClient, sessions: sessionmaker[Session], morning: Morning
) -> None:
    debtor = debtor_of(sessions, morning)

    def held() -> bool:
        with acting_for(sessions, morning.world.lender) as session:
            return is_held(session, uuid.UUID(debtor))

    placed = lender.post("/legal-holds", json={"debtor_id": debtor, "reason": "A lawsuit is announced."})
    assert (placed.status_code, held()) == (201, True)
    assert [row["id"] for row in lender.get(f"/legal-holds?debtor_id={debtor}").json["items"]] == [placed.json["id"]]
    assert lender.post(f"/legal-holds/{placed.json['id']}/release").json["released_at"] is not None
    assert held() is False
    assert lender.post(f"/legal-holds/{placed.json['id']}/release").json["code"] == "hold_released"


def test_what_has_to_be_recorded_is_asked_for_at_the_door(
    client_for: ClientFor, supervisor: FlaskClient, morning: Morning
) -> None:
    switched(supervisor, AFTERNOONS.replace('"12:00"', '"08:00"') + RECORDED)
    phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    address = f"/phone/visits/{morning.visit}/arrival"
    refused = phone.post(address, json={"event_id": str(uuid.uuid4()), "position": HERE})
    assert (refused.status_code, refused.json["details"]["clause_ids"]) == (
        409,
        ["afternoons@pohjola-field/recording/1"],
    )
    running = {"event_id": str(uuid.uuid4()), "position": HERE, "recording": ["audio"]}
    assert phone.post(address, json=running).status_code == 201


def test_a_child_alone_keeps_everybody_away_for_the_day(
    client_for: ClientFor, sessions: sessionmaker[Session], morning: Morning
) -> None:
    phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    body = {"event_id": str(uuid.uuid4()), "reason": "minor_alone"}
    assert phone.post(f"/phone/visits/{morning.visit}/abort", json=body).status_code == 201
    with acting_for_all(sessions) as session:
        block = session.scalars(sa.select(ContactBlock)).one()
        midnight = dt.datetime(2026, 3, 3, 22, tzinfo=dt.UTC)
        assert (block.trigger, block.scope, block.until_at) == ("minor", "place", midnight)


def test_the_region_and_the_reach_of_a_place_are_told_with_it(client_for: ClientFor, morning: Morning) -> None:
    integrator = client_for(Role.INTEGRATOR, org=morning.world.lender)
    place = {"address": "1 Beacon Street", "region": "US-MA", "geofence_m": 300}
    body = {"external_id": "D-boston", "name": "Meri Example", "places": [place]}
    made = integrator.put("/debtors", json=body).json["item"]
    (seen,) = integrator.get(f"/debtors/{made['id']}").json["places"]
    assert (seen["region"], seen["geofence_m"]) == ("US-MA", 300)
    wrong = integrator.put("/debtors", json={**body, "places": [{**place, "region": "Boston"}]})
    assert wrong.status_code == 422
