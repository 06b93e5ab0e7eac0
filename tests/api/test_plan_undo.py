"""A published version taken back: the one before it is the day's draft again, as far as what has happened allows."""

import datetime as dt
import uuid
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.visits import CancelReason, cancel_visit
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.api.test_plan_changes import busiest, order_of, phone_of, plan_of, post, reason_of, set_out
from tests.api.test_plan_changes import day as day
from tests.api.test_plan_changes import dispatcher as dispatcher
from tests.api.test_plan_changes import draft as draft
from tests.api.test_plan_changes import published as published
from tests.conftest import NOW
from tests.planning.worlds import drafted, make_crew
from tests.worlds import TODAY, World

TOMORROW = TODAY + dt.timedelta(days=1)
MY_DAY = f"/phone/my-day?on={TOMORROW}"


@pytest.fixture
def of_tomorrow(dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World) -> str:
    """The day after today, published: nobody has set out, whatever the clock says."""
    with acting_for_all(sessions) as session:
        for code in ("A", "B"):
            make_crew(session, day, code, on=TOMORROW)
    plan_id = str(drafted(sessions, day, on=TOMORROW))
    assert dispatcher.post(f"/day-plans/{plan_id}/publication").status_code == 200
    return plan_id


def next_version(client: FlaskClient, plan_id: str, *changes: dict[str, Any]) -> dict[str, Any]:
    """The changes kept and published."""
    kept = post(client, plan_id, "changes", *changes)
    assert kept.status_code == 201, kept.json
    made = client.post(f"/day-plans/{kept.json['id']}/publication")
    assert made.status_code == 200, made.json
    return dict(made.json)


def undone(client: FlaskClient, plan_id: str) -> dict[str, Any]:
    back = client.post(f"/day-plans/{plan_id}/undo")
    assert back.status_code == 200, back.json
    return dict(back.json)


def stops_of(plan: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Crew → its stops with all their times, but for what the visit has gone through since."""
    return {route["crew"]: [{**stop, "state": ""} for stop in route["stops"]] for route in plan["routes"]}


def effects_of(client: FlaskClient, plan_id: str) -> dict[str, str]:
    found = client.get(f"/day-plans/{plan_id}/effects").json
    return {one["visit_id"]: one["effect"] for one in found["visits"]}


def test_a_version_is_taken_back_to_the_second_and_only_who_rides_otherwise_hears_of_it(
    dispatcher: FlaskClient, client_for: ClientFor, day: World, of_tomorrow: str
) -> None:
    first = plan_of(dispatcher, of_tomorrow)
    crew, visits, other = busiest(first)
    phones = {code: phone_of(client_for, first, code, day) for code in order_of(first)}
    noon = {"kind": "retime", "visit_id": visits[-1], "begin_at": f"{TOMORROW}T13:07:00+02:00"}
    second = next_version(dispatcher, of_tomorrow, {"kind": "remove", "visit_id": visits[0]}, noon)
    tags = {code: phone.get(MY_DAY).headers["ETag"] for code, phone in phones.items()}

    back = undone(dispatcher, second["id"])
    assert (back["state"], back["repairs_id"], stops_of(back)) == ("draft", second["id"], stops_of(first))
    assert dispatcher.get(f"/day-plans/{back['id']}/faults").json == {"faults": []}
    told = dispatcher.get(f"/day-plans/{back['id']}/effects").json
    effects = {one["visit_id"]: one["effect"] for one in told["visits"]}
    assert (effects.pop(visits[0]), effects.pop(visits[-1]), set(effects.values()) <= {"retimed"}) == (
        "added",
        "retimed",
        True,
    )
    assert len(told["people"]) == 1

    third = dispatcher.post(f"/day-plans/{back['id']}/publication")
    assert (third.status_code, third.json["version"], stops_of(third.json)) == (200, 3, stops_of(first))
    heard = {code: phones[code].get(MY_DAY, headers={"If-None-Match": tags[code]}).status_code for code in phones}
    assert heard == {crew: 200} | {code: 304 for code in phones if code == other}
    # And once more back: the version before the third is the second.
    assert stops_of(undone(dispatcher, third.json["id"])) == stops_of(second)


def test_what_has_begun_stays_with_who_began_it_and_what_was_cancelled_stays_so(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    crew, visits, other = busiest(plan_of(dispatcher, published))
    moved = [{"kind": "move", "visit_id": visit, "crew": other, "position": 1} for visit in visits[:2]]
    second = next_version(dispatcher, published, *moved)
    begun = order_of(second)[other][0]
    set_out(sessions, day, begun)
    with acting_for(sessions, day.agency) as session:
        gone = uuid.UUID(visits[-1])
        cancel_visit(session, gone, reason=CancelReason.AGREED_OTHERWISE, now=NOW)
    back = undone(dispatcher, second["id"])
    orders = order_of(back)
    assert orders[other][0] == begun
    (free,) = set(visits[:2]) - {begun}
    still = [visit for visit in visits if visit not in (begun, visits[-1])]
    assert [visit for visit in orders[crew] if visit != visits[-1]] == still
    assert effects_of(dispatcher, back["id"])[free] == "moved"
    assert begun not in effects_of(dispatcher, back["id"])
    made = dispatcher.post(f"/day-plans/{back['id']}/publication")
    assert (made.status_code, made.json["version"]) == (200, 3), made.json
    states = {stop["visit_id"]: stop["state"] for route in made.json["routes"] for stop in route["stops"]}
    assert states[begun] == "under_way"


def test_before_the_first_version_there_is_nothing_and_only_planners_go_back(
    dispatcher: FlaskClient, client_for: ClientFor, day: World, published: str
) -> None:
    assert reason_of(dispatcher.post(f"/day-plans/{published}/undo")) == (409, "nothing_to_undo")
    auditor = client_for(Role.AUDITOR, org=day.agency)
    assert reason_of(auditor.post(f"/day-plans/{published}/undo")) == (403, "not_permitted")
