"""A visit that needs two people on a day of crews of one: two crews meet at its door, from the plan to the report."""

import asyncio
import importlib
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import ContactAttempt, StoredDecision, Visit, VisitReport
from fieldvisit.phone.steps import arrive
from fieldvisit.planning.jobs import solve_plan
from fieldvisit.planning.tools import Tools
from fieldvisit.reports import report_visit
from fieldvisit.safety.pairs import PairNeeded, demand_pair
from fieldvisit.vocabulary import CheckMoment, VisitState
from tests.api.conftest import ClientFor
from tests.api.test_plan_changes import dispatcher as dispatcher
from tests.api.test_plan_changes import order_of, phone_of, plan_of, post, reason_of, set_out
from tests.api.test_replan import BRIEF
from tests.api.test_replan import tools as tools
from tests.conftest import NOW
from tests.phone.worlds import arrival, report, teller
from tests.planning.worlds import drafted, make_crew, make_ready_case, make_ready_visit
from tests.worlds import TODAY, World

POINTS = [(60.1900, 24.9400), (60.1910, 24.9400), (60.1700, 24.9400), (60.1500, 24.9400), (60.1510, 24.9400)]
DOOR = 2
"""The place in `POINTS` at which two are needed: between the two quarters."""


@pytest.fixture(scope="module", autouse=True)
def kernel() -> None:
    """Compiled before the seconds of a search run: they would be over before two crews are sought to meet."""
    importlib.import_module("routing.warm")


@pytest.fixture
def visits(sessions: sessionmaker[Session], world: World) -> list[str]:
    """Two visits in the north, one for two people in the middle, two in the south; and crews A, B and C of one."""
    with acting_for_all(sessions) as session:
        for code in "ABC":
            make_crew(session, world, code)
        cases = [make_ready_case(session, world, point=point) for point in POINTS]
        return [
            str(make_ready_visit(session, world, case, people=2 if place == DOOR else 1, value_s=36_000).id)
            for place, case in enumerate(cases)
        ]


@pytest.fixture
def pair(visits: list[str]) -> str:
    return visits[DOOR]


@pytest.fixture
def draft(sessions: sessionmaker[Session], world: World, pair: str) -> str:
    return str(drafted(sessions, world))


@pytest.fixture
def published(dispatcher: FlaskClient, draft: str) -> str:
    assert dispatcher.post(f"/day-plans/{draft}/publication").status_code == 200
    return draft


def crews_of(plan: dict[str, Any], visit_id: str) -> list[str]:
    return [crew for crew, order in order_of(plan).items() if visit_id in order]


def demand_meeting(plan: dict[str, Any], visit_id: str) -> list[str]:
    """The two crews, once they begin in the same second and each names the other."""
    stops = {route["crew"]: stop for route in plan["routes"] for stop in route["stops"] if stop["visit_id"] == visit_id}
    (first, one), (second, other) = stops.items()
    assert (one["begin_at"], one["end_at"]) == (other["begin_at"], other["end_at"])
    assert (one["with_crew"], other["with_crew"]) == (second, first)
    return [first, second]


def members_of(plan: dict[str, Any]) -> dict[str, uuid.UUID]:
    return {route["crew"]: uuid.UUID(route["members"][0]["visitor_id"]) for route in plan["routes"]}


def test_two_crews_meet_at_its_door_in_the_draft_its_page_and_on_both_phones(
    dispatcher: FlaskClient, client_for: ClientFor, sessions: sessionmaker[Session], world: World, draft: str, pair: str
) -> None:
    plan = plan_of(dispatcher, draft)
    first, second = demand_meeting(plan, pair)
    assert dispatcher.get(f"/day-plans/{draft}/faults").json == {"faults": []}
    page = dispatcher.get(f"/day-plans/{draft}/picture").text
    assert f"together with crew {first}" in page
    assert f"{second} + {first} · " in page
    shown = dispatcher.post(f"/day-plans/{draft}/publication").json
    assert demand_meeting(shown, pair) == [first, second]
    people = members_of(shown)
    with acting_for(sessions, world.agency) as session:
        asked = sa.select(StoredDecision).where(
            StoredDecision.visit_id == uuid.UUID(pair), StoredDecision.moment == CheckMoment.PUBLISHING
        )
        assert len(session.scalars(asked).all()) == 1
        assert session.get_one(Visit, uuid.UUID(pair)).state is VisitState.PUBLISHED
    for crew, other in ((first, second), (second, first)):
        phone = phone_of(client_for, shown, crew, world)
        (stop,) = [s for r in phone.get("/phone/my-day").json["routes"] for s in r["stops"] if s["partners"]]
        assert [mate["visitor_id"] for mate in stop["partners"]] == [str(people[other])]
        assert stop["reporter_id"] == str(people[first])
        (told,) = [s for r in phone.get("/phone/changes").json["routes"] for s in r["stops"] if s["partners"]]
        assert (told["visit_id"], told["partners"][0]["name"]) == (pair, stop["partners"][0]["name"])


def test_it_is_one_visit_one_attempt_and_one_report_by_the_lead_of_the_first_crew(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], world: World, published: str, pair: str
) -> None:
    plan = plan_of(dispatcher, published)
    first, second = demand_meeting(plan, pair)
    people, visit_id = members_of(plan), uuid.UUID(pair)
    with acting_for(sessions, world.agency) as session:
        visit = session.get_one(Visit, visit_id)
        demand_pair(session, people[first], visit)
        with pytest.raises(PairNeeded):
            demand_pair(session, uuid.uuid4(), visit)
        there = arrival(at=POINTS[DOOR])
        arrive(session, visit_id, there, by=teller(people[second]), now=NOW, geofence_m=150)
        before = session.scalar(sa.select(sa.func.count()).select_from(ContactAttempt))
        theirs = report_visit(session, visit_id, report(), by=teller(people[second]), now=NOW)
        lead = report_visit(session, visit_id, report(), by=teller(people[first]), now=NOW)
        assert theirs.facts["addition_id"] is None
        (row,) = session.scalars(sa.select(VisitReport).where(VisitReport.replaced_by_id.is_(None)))
        assert (str(row.id), row.visitor_id, len(row.additions)) == (lead.facts["report_id"], people[first], 1)
        assert session.scalar(sa.select(sa.func.count()).select_from(ContactAttempt)) == before + 1
        assert {str(who) for who in (people[first], people[second])} == set(
            session.scalars(
                sa.text("select jsonb_array_elements_text(detail->'present') from visit_events where kind = 'arrived'")
            )
        )


def test_a_hand_moves_both_crews_and_they_still_begin_together(
    dispatcher: FlaskClient, draft: str, pair: str, visits: list[str]
) -> None:
    plan = plan_of(dispatcher, draft)
    first, second = demand_meeting(plan, pair)
    (third,) = {"A", "B", "C"} - {first, second}
    options = dispatcher.get(f"/day-plans/{draft}/visits/{pair}/options").json["options"]
    assert {len({one["crew"], one["partner"]}) for one in options} == {2}
    moved = post(dispatcher, draft, "trial", {"kind": "move", "visit_id": pair, "crew": third, "partner": first})
    assert moved.json["faults"] == []
    (effect,) = [one for one in moved.json["effects"]["visits"] if one["visit_id"] == pair]
    assert effect["effect"] == "moved"
    assert {effect["crew_after"], effect["partner_after"]} == {third, first}
    # The cheapest partner is found where none is named.
    kept = post(dispatcher, draft, "changes", {"kind": "move", "visit_id": pair, "crew": third})
    assert kept.status_code == 201, kept.json
    assert third in demand_meeting(kept.json, pair)
    noon = post(
        dispatcher,
        kept.json["id"],
        "changes",
        {"kind": "retime", "visit_id": pair, "begin_at": f"{TODAY}T12:07:00+02:00"},
    )
    demand_meeting(noon.json, pair)
    out = post(dispatcher, noon.json["id"], "changes", {"kind": "remove", "visit_id": pair})
    assert (crews_of(out.json, pair), [one["visit_id"] for one in out.json["unserved"]]) == ([], [pair])
    again = post(dispatcher, out.json["id"], "changes", {"kind": "add", "visit_id": pair, "crew": first})
    assert first in demand_meeting(again.json, pair)
    assert dispatcher.get(f"/day-plans/{again.json['id']}/faults").json == {"faults": []}
    assert dispatcher.post(f"/day-plans/{again.json['id']}/publication").status_code == 200
    alone = {"kind": "move", "visit_id": visits[0], "crew": first, "partner": second}
    assert reason_of(post(dispatcher, again.json["id"], "trial", alone)) == (422, "invalid_value")


def test_the_rest_of_the_day_keeps_them_together_also_when_one_has_set_out(
    dispatcher: FlaskClient, tools: Tools, sessions: sessionmaker[Session], world: World, published: str, pair: str
) -> None:
    def replanned(plan_id: str) -> dict[str, Any]:
        asked = dispatcher.post(f"/day-plans/{plan_id}/replan", json=BRIEF).json
        asyncio.run(solve_plan(tools, world.agency, uuid.UUID(asked["id"])))
        found = plan_of(dispatcher, asked["id"])
        assert found["state"] == "draft", found["failure"]
        return found

    before = demand_meeting(plan_of(dispatcher, published), pair)
    assert demand_meeting(replanned(published), pair) == before
    set_out(sessions, world, pair)
    found = replanned(published)
    assert demand_meeting(found, pair) == before
    made = dispatcher.post(f"/day-plans/{found['id']}/publication")
    assert made.status_code == 200, made.json
    assert demand_meeting(made.json, pair) == before


def test_a_version_taken_back_brings_both_together_again(dispatcher: FlaskClient, published: str, pair: str) -> None:
    first, second = demand_meeting(plan_of(dispatcher, published), pair)
    out = post(dispatcher, published, "changes", {"kind": "remove", "visit_id": pair}).json
    later = dispatcher.post(f"/day-plans/{out['id']}/publication").json
    assert crews_of(later, pair) == []
    back = dispatcher.post(f"/day-plans/{later['id']}/undo")
    assert back.status_code == 200, back.json
    assert demand_meeting(back.json, pair) == [first, second]
    assert dispatcher.post(f"/day-plans/{back.json['id']}/publication").status_code == 200


def test_what_may_no_longer_be_made_leaves_both_routes(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], world: World, published: str, pair: str
) -> None:
    from fieldvisit.rejudging import rejudge

    with acting_for_all(sessions) as session:
        people = members_of(plan_of(dispatcher, published))
        crew = crews_of(plan_of(dispatcher, published), pair)[1]
        session.execute(
            sa.text("update credentials set revoked_at = :now where visitor_id = :who"),
            {"now": NOW, "who": people[crew]},
        )
    with acting_for(sessions, world.agency) as session:
        found = rejudge(session, [uuid.UUID(pair)], now=NOW, code="papers")
        assert found.taken_back == (uuid.UUID(pair),)
    plan = plan_of(dispatcher, published)
    assert (crews_of(plan, pair), [one["visit_id"] for one in plan["unserved"]]) == ([], [pair])


def test_who_says_how_many_go_and_one_crew_that_is_large_enough_goes_alone(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], world: World, visits: list[str]
) -> None:
    seen = dispatcher.get(f"/visits/{visits[0]}").json
    said = dispatcher.patch(f"/visits/{visits[0]}", json={"version": seen["version"], "people": 2})
    assert (said.status_code, said.json["people"]) == (200, 2)
    assert dispatcher.patch(f"/visits/{visits[0]}", json={"version": 2, "people": 4}).status_code == 422
    with acting_for_all(sessions) as session:
        make_crew(session, world, "D", people=2)
    plan = plan_of(dispatcher, str(drafted(sessions, world)))
    assert crews_of(plan, visits[0]) == crews_of(plan, visits[DOOR]) == ["D"]
