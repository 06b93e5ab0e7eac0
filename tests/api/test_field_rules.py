"""The rules of the house on the way and at the door: bent with a reason, and never against what has happened
already."""

import datetime as dt
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Place, Visit
from fieldvisit.visits import history_of
from fieldvisit.vocabulary import NotDone, Role, VisitState
from tests.api.conftest import ClientFor
from tests.api.test_phone_events import event, outcomes, send
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning
from tests.worlds import HELSINKI, TODAY

NO_MONEY = {"may_take_money": False, "receipt_block": 20, "most_cash_minor": None, "give_back_hours": 4}
HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}
NORTH = HERE | {"lat": HELSINKI[0] + 0.9}
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions, visits=2)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    """Ilta's."""
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


@pytest.fixture
def house(client_for: ClientFor, morning: Morning) -> FlaskClient:
    return client_for(Role.SUPERVISOR, org=morning.world.agency)


def rule(house: FlaskClient, **given: Any) -> None:
    rules = {"order_rule": "allow", "may_reject": True, "undo_minutes": 15, **NO_MONEY} | given
    answer = house.put("/field-rules", json=rules)
    assert (answer.status_code, answer.json) == (200, rules)


def tell(phone: FlaskClient, visit_id: uuid.UUID, what: str, **facts: Any) -> Any:
    return phone.post(f"/phone/visits/{visit_id}/{what}", json={"event_id": str(uuid.uuid4()), **facts})


def last_entry(sessions: sessionmaker[Session], morning: Morning, visit_id: uuid.UUID) -> Any:
    with acting_for(sessions, morning.world.agency) as session:
        return history_of(session, visit_id)[-1]


def visit_of(sessions: sessionmaker[Session], morning: Morning, place: int = 0) -> Visit:
    with acting_for(sessions, morning.world.agency) as session:
        return session.get_one(Visit, morning.visits[place])


def test_a_house_that_has_said_nothing_takes_another_order_and_flags_it(
    house: FlaskClient, phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    usual = {"order_rule": "allow", "may_reject": True, "undo_minutes": 15, **NO_MONEY}
    assert house.get("/field-rules").json == usual
    assert tell(phone, morning.visits[1], "set-out").status_code == 201
    assert last_entry(sessions, morning, morning.visits[1]).detail["out_of_order"] is True
    assert tell(phone, morning.visits[0], "set-out").status_code == 201
    assert "out_of_order" not in last_entry(sessions, morning, morning.visits[0]).detail


@pytest.mark.parametrize("what", ["set-out", "arrival"])
def test_a_house_that_asks_takes_another_order_for_a_reason(
    house: FlaskClient, phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], what: str
) -> None:
    rule(house, order_rule="ask")
    facts = {"position": HERE} if what == "arrival" else {}
    refused = tell(phone, morning.visits[1], what, **facts)
    first = visit_of(sessions, morning).reference
    assert (refused.status_code, refused.json["code"]) == (409, "out_of_order")
    assert (refused.json["details"]["before"], refused.json["details"]["reason_would_do"]) == (first, True)
    assert tell(phone, morning.visits[1], what, order_reason="debtor_asked", **facts).status_code == 201
    assert last_entry(sessions, morning, morning.visits[1]).detail["order_reason"] == "debtor_asked"


def test_a_house_that_refuses_takes_no_reason_but_what_has_happened(
    house: FlaskClient, phone: FlaskClient, morning: Morning
) -> None:
    rule(house, order_rule="refuse")
    refused = tell(phone, morning.visits[1], "set-out", order_reason="other")
    assert refused.json["details"]["reason_would_do"] is False
    past = event("arrival", morning, NOW - 60 * MINUTE, position=HERE, visit_id=str(morning.visits[1]))
    assert outcomes(send(phone, [past])) == ["taken"]
    assert tell(phone, morning.visits[0], "set-out").status_code == 201


def test_a_visit_is_sent_back_before_it_has_begun_and_waits_to_be_planned(
    house: FlaskClient, phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    assert tell(phone, morning.visit, "rejection", reason="knows_debtor").json["state"] == "eligible"
    entry = last_entry(sessions, morning, morning.visit)
    assert (entry.kind, entry.detail["reason"], entry.visitor_id) == ("rejected", "knows_debtor", morning.ilta)
    back = visit_of(sessions, morning)
    assert (back.planned_on, back.not_done, back.not_done_on) == (None, NotDone.SENT_BACK, TODAY)
    tell(phone, morning.visits[1], "set-out")
    begun = tell(phone, morning.visits[1], "rejection", reason="no_time")
    assert (begun.status_code, begun.json["code"]) == (409, "wrong_state")


def test_a_house_may_keep_its_visitors_from_sending_back(
    house: FlaskClient, phone: FlaskClient, morning: Morning
) -> None:
    rule(house, may_reject=False)
    assert tell(phone, morning.visit, "rejection", reason="unwell").json["code"] == "not_in_this_house"


def test_an_arrival_that_was_none_is_undone_and_stays_in_the_history(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    tell(phone, morning.visit, "arrival", position=HERE)
    assert tell(phone, morning.visit, "arrival-undo", reason="wrong_door").json["state"] == "under_way"
    assert visit_of(sessions, morning).arrived_at is None
    with acting_for(sessions, morning.world.agency) as session:
        assert [entry.kind for entry in history_of(session, morning.visit)] == ["arrived", "arrival_undone"]
    assert tell(phone, morning.visit, "arrival", position=HERE).json["state"] == "arrived"


def test_undone_amounts_are_closed_again(phone: FlaskClient, morning: Morning) -> None:
    tell(phone, morning.visit, "arrival", position=HERE)
    tell(phone, morning.visit, "arrival-undo", reason="slip")
    checked = tell(phone, morning.visit, "identity-check", method="document_seen", result="confirmed")
    assert checked.json["amounts_shown"] is False


def test_after_an_identity_check_or_too_long_an_arrival_stays(
    house: FlaskClient, phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    tell(phone, morning.visits[0], "arrival", position=HERE)
    tell(phone, morning.visits[0], "identity-check", method="document_seen", result="not_confirmed")
    tell(phone, morning.visits[1], "arrival", position=HERE)
    with acting_for(sessions, morning.world.agency) as session:
        session.get_one(Visit, morning.visits[1]).arrived_at = NOW - 16 * MINUTE
    answers = [tell(phone, visit_id, "arrival-undo", reason="slip") for visit_id in morning.visits]
    assert [answer.json["code"] for answer in answers] == ["too_late_to_undo"] * 2
    rule(house, undo_minutes=0)
    assert tell(phone, morning.visits[1], "arrival-undo", reason="slip").json["code"] == "not_in_this_house"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_undone_or_told_first_it_ends_the_same(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session], order: tuple[int, int]
) -> None:
    told = [
        event("arrival", morning, NOW - 60 * MINUTE, position=HERE),
        event("arrival_undo", morning, NOW - 55 * MINUTE, reason="wrong_door"),
    ]
    for place in order:
        assert outcomes(send(phone, [told[place]])) == ["taken"]
    visit = visit_of(sessions, morning)
    assert (visit.state, visit.arrived_at) == (VisitState.UNDER_WAY, None)


def test_a_place_may_reach_farther_than_others(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Place, session.get_one(Visit, morning.visit).place_id).geofence_m = 1_200
    far = HERE | {"lat": HELSINKI[0] + 0.009}
    there = tell(phone, morning.visit, "arrival", position=far).json
    assert (there["state"], there["distance_m"], there["allowed_m"]) == ("arrived", 1003, 1212)
    refused = tell(phone, morning.visits[1], "arrival", position=far)
    assert refused.json["code"] == "outside_geofence"


def test_who_could_not_have_been_at_both_doors_is_flagged_and_never_refused(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Place, session.get_one(Visit, morning.visits[1]).place_id).lat = NORTH["lat"]
    first = tell(phone, morning.visits[0], "arrival", position=HERE).json
    second = tell(phone, morning.visits[1], "arrival", position=NORTH).json
    assert (first["too_fast_m_per_s"], second["state"]) == (None, "arrived")
    assert second["too_fast_m_per_s"] > 1_000
    flagged = last_entry(sessions, morning, morning.visits[1])
    assert flagged.detail["too_fast_m_per_s"] == second["too_fast_m_per_s"]


def test_who_had_the_time_for_the_way_is_not_too_fast(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    with acting_for_all(sessions) as session:
        session.get_one(Place, session.get_one(Visit, morning.visits[1]).place_id).lat = NORTH["lat"]
    told = [
        event("arrival", morning, NOW - 180 * MINUTE, position=HERE),
        event("arrival", morning, NOW - 90 * MINUTE, position=NORTH, visit_id=str(morning.visits[1])),
    ]
    answer = send(phone, list(reversed(told)))
    assert [result["answer"]["too_fast_m_per_s"] for result in answer["results"]] == [None, None]
