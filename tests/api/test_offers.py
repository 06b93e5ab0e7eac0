"""A visit falls out of a published day, and its place is offered to those who wait."""

import datetime as dt
import uuid
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for_all
from fieldvisit.models import Visit
from fieldvisit.vocabulary import Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.planning.worlds import drafted, make_crew, make_ready_case, make_ready_visit
from tests.worlds import World

NORTH, SOUTH = (60.1900, 24.9400), (60.1500, 24.9400)


def wait_at(sessions: sessionmaker[Session], world: World, point: tuple[float, float]) -> str:
    """One more visit that waits, at this place."""
    with acting_for_all(sessions) as session:
        return str(make_ready_visit(session, world, make_ready_case(session, world, point=point)).id)


def test_what_fits_where_a_visit_fell_out_is_offered_nearest_and_cheapest_first_and_can_be_kept(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        for number in range(3):
            case = make_ready_case(session, world, point=(NORTH[0] + number * 0.001, NORTH[1]))
            make_ready_visit(session, world, case)
    dispatcher: FlaskClient = client_for(Role.DISPATCHER, org=world.agency)
    plan_id = str(drafted(sessions, world))
    assert dispatcher.post(f"/day-plans/{plan_id}/publication").status_code == 200
    near, far = wait_at(sessions, world, NORTH), wait_at(sessions, world, SOUTH)

    def offers() -> Any:
        answer = dispatcher.get(f"/day-plans/{plan_id}/offers")
        assert answer.status_code == 200, answer.json
        return answer.json

    assert offers() == {"freed": [], "offers": []}
    lost = dispatcher.get(f"/day-plans/{plan_id}").json["routes"][0]["stops"][0]["visit_id"]
    with acting_for_all(sessions) as session:
        case_id = session.get_one(Visit, uuid.UUID(lost)).case.external_id
    # The dialer tells late that the debtor was reached: the visit may not be made any more.
    reached = {
        "external_id": "late",
        "source": "dialer",
        "case_external_id": case_id,
        "channel": "call",
        "at": (NOW - dt.timedelta(hours=20)).isoformat(),
        "result": "reached",
    }
    dialer = client_for(Role.INTEGRATOR, org=world.lender)
    assert dialer.post("/contact-attempts", json={"attempts": [reached]}).json["added"] == 1
    found = offers()
    assert [each["visit_id"] for each in found["freed"]] == [lost]
    assert [each["visit_id"] for each in found["offers"]] == [near, far]
    first, second = found["offers"]
    assert first["option"]["more_s"] < second["option"]["more_s"]
    assert (first["option"]["crew"], first["option"]["displaces"]) == ("A", [])
    take = {"kind": "add", "visit_id": near, "crew": "A", "position": first["option"]["position"]}
    kept = dispatcher.post(f"/day-plans/{plan_id}/changes", json={"changes": [take]})
    assert kept.status_code == 201, kept.json
    assert near in [stop["visit_id"] for stop in kept.json["routes"][0]["stops"]]
