"""What fair shares may cost: said by the house, carried into the next plan with the work of the weeks before."""

import datetime as dt

import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Area, CrewMember, Route, Stop, Visit, Visitor
from fieldvisit.planning.problem import CHANGE_PRICE_S
from fieldvisit.vocabulary import Role
from routing.format import problem_from_document
from tests.api.conftest import ClientFor
from tests.api.test_plan_changes import busiest, plan_of, post
from tests.api.test_plan_changes import day as day
from tests.api.test_plan_changes import dispatcher as dispatcher
from tests.api.test_plan_changes import draft as draft
from tests.api.test_plan_changes import published as published
from tests.planning.worlds import claimed_plan, drafted
from tests.worlds import TODAY, World, make_shift

TOMORROW = TODAY + dt.timedelta(days=1)


def test_a_house_that_wants_fair_shares_has_them_counted_from_the_days_before(
    dispatcher: FlaskClient,
    client_for: ClientFor,
    sessions: sessionmaker[Session],
    day: World,
    published: str,
) -> None:
    assert published
    with acting_for_all(sessions) as session:
        rows = session.execute(sa.select(CrewMember.visitor_id, Route.depart_at, Route.return_at).join(Route)).all()
        # Who stayed at home has worked nothing.
        worked = dict.fromkeys(session.scalars(sa.select(Visitor.id)), 0)
        worked |= {row.visitor_id: round((row.return_at - row.depart_at).total_seconds()) for row in rows}
        assert len(worked) == 2
        assert max(worked.values()) > min(worked.values())
        for code, visitor_id in zip("XY", sorted(worked), strict=True):
            make_shift(session, session.get_one(Visitor, visitor_id), crew=code, on=TOMORROW)
    unsaid = claimed_plan(sessions, day, on=TOMORROW).draft.document
    assert unsaid["prices"] == {"travel": 1, "change": CHANGE_PRICE_S}
    assert all("work_before_s" not in crew for crew in unsaid["crews"])

    assert dispatcher.put("/planning-rules", json={"fair_share_price": 2}).status_code == 403
    supervisor = client_for(Role.SUPERVISOR, org=day.agency)
    assert supervisor.put("/planning-rules", json={"fair_share_price": 11}).status_code == 422
    assert supervisor.put("/planning-rules", json={"fair_share_price": 0, "most_visits": -1}).status_code == 422
    usual = {"fair_share_price": 0, "fair_risk_price": 0, "fair_earning_price": 0, "most_visits": None}
    assert supervisor.put("/planning-rules", json={"fair_share_price": 2}).json == usual | {"fair_share_price": 2}
    assert dispatcher.get("/planning-rules").json == usual | {"fair_share_price": 2}
    assert client_for(Role.SUPERVISOR, org=day.stranger).get("/planning-rules").json == usual

    said = claimed_plan(sessions, day, on=TOMORROW).draft
    assert said.document["prices"] == {"travel": 1, "change": CHANGE_PRICE_S, "balance": 2, "wait": 2}
    least = min(worked.values())
    carried = {crew["id"]: crew["work_before_s"] for crew in said.document["crews"]}
    assert carried == {code: worked[who] - least for code, who in zip("XY", sorted(worked), strict=True)}
    square = [[0] * len(said.points) for _ in said.points]
    assert problem_from_document({**said.document, "travel": {"seconds": square}}).prices.balance == 2
    with acting_for(sessions, day.agency) as session:
        assert session.scalar(sa.text("select count(*) from planning_rules")) == 1


def test_risk_and_chances_are_carried_in_and_a_day_has_no_more_visits_than_the_house_and_the_area_say(
    dispatcher: FlaskClient,
    client_for: ClientFor,
    sessions: sessionmaker[Session],
    day: World,
    published: str,
) -> None:
    with acting_for_all(sessions) as session:
        made = session.execute(
            sa.select(CrewMember.visitor_id, sa.func.sum(Stop.risk), sa.func.sum(Visit.value_s / 60))
            .join(Route, Route.id == CrewMember.route_id)
            .join(Stop, Stop.route_id == Route.id)
            .join(Visit, Visit.id == Stop.visit_id)
            .group_by(CrewMember.visitor_id)
        ).all()
        behind = dict.fromkeys(session.scalars(sa.select(Visitor.id)), (0, 0))
        behind |= {visitor_id: (risk, earning) for visitor_id, risk, earning in made}
        # Nobody has been to any of these places: each visit is worth a point.
        assert sum(risk for risk, _ in behind.values()) == 5
        for code, visitor_id in zip("XY", sorted(behind), strict=True):
            make_shift(session, session.get_one(Visitor, visitor_id), crew=code, on=TOMORROW)
        area = session.scalars(sa.select(Area).where(Area.org_id == day.agency)).one()
        again = {name: getattr(area, name) for name in ("code", "name", "lat", "lon", "radius_m")}
    assert published
    supervisor = client_for(Role.SUPERVISOR, org=day.agency)
    rules = {"fair_share_price": 0, "fair_risk_price": 900, "fair_earning_price": 6, "most_visits": 4}
    assert supervisor.put("/planning-rules", json=rules).json == rules
    assert supervisor.put("/areas", json=again | {"most_visits": 3}).json["most_visits"] == 3

    said = claimed_plan(sessions, day, on=TOMORROW).draft
    assert said.document["prices"] == {
        "travel": 1,
        "change": CHANGE_PRICE_S,
        "balance_risk": 900,
        "balance_earning": 6,
    }
    least = [min(each[share] for each in behind.values()) for share in (0, 1)]
    carried = {crew["id"]: (crew["risk_before"], crew["earning_before"]) for crew in said.document["crews"]}
    assert carried == {
        code: (behind[who][0] - least[0], behind[who][1] - least[1])
        for code, who in zip("XY", sorted(behind), strict=True)
    }
    # The visits of today are planned already, and are no matter of tomorrow's.
    assert said.document["quotas"] == [{"id": "area", "most": 3}, {"id": "organisation", "most": 4}]

    # What a new draft leaves out is on the phones still, and may be put back for another.
    renewed = drafted(sessions, day)
    plan = dispatcher.get(f"/day-plans/{renewed}").json
    back = next(one["visit_id"] for one in plan["unserved"] if one["reason"] == "quota_full")
    out = {"kind": "remove", "visit_id": plan["routes"][0]["stops"][0]["visit_id"]}
    add = {"kind": "add", "visit_id": back, "crew": plan["routes"][0]["crew"]}
    kept = dispatcher.post(f"/day-plans/{renewed}/changes", json={"changes": [out, add]})
    assert kept.status_code == 201
    stops = {stop["visit_id"] for route in kept.json["routes"] for stop in route["stops"]}
    assert back in stops
    assert (len(stops), out["visit_id"] in stops) == (3, False)
    published_again = dispatcher.post(f"/day-plans/{kept.json['id']}/publication")
    assert published_again.status_code == 200
    assert {stop["visit_id"] for route in published_again.json["routes"] for stop in route["stops"]} == stops


def test_a_day_that_is_full_says_so_and_is_not_passed_by_hand_either(
    dispatcher: FlaskClient, client_for: ClientFor, sessions: sessionmaker[Session], day: World
) -> None:
    supervisor = client_for(Role.SUPERVISOR, org=day.agency)
    rules = {"fair_share_price": 0, "most_visits": 3}
    assert supervisor.put("/planning-rules", json=rules).status_code == 200
    plan = dispatcher.get(f"/day-plans/{drafted(sessions, day)}").json
    assert sum(len(route["stops"]) for route in plan["routes"]) == 3
    left = [one for one in plan["unserved"] if one["reason"] == "quota_full"]
    assert len(left) == 2
    assert all(one["words"] and len(one["held_by"]) == 3 for one in left)
    add = {"kind": "add", "visit_id": left[0]["visit_id"], "crew": plan["routes"][0]["crew"]}
    tried = dispatcher.post(f"/day-plans/{plan['id']}/trial", json={"changes": [add]}).json
    assert [fault["code"] for fault in tried["faults"]] == ["quota_passed"]
    out = {"kind": "remove", "visit_id": plan["routes"][0]["stops"][0]["visit_id"]}
    swapped = dispatcher.post(f"/day-plans/{plan['id']}/trial", json={"changes": [out, add]}).json
    assert swapped["faults"] == []

    # The house lowers its limit: the draft is refused as it stands, and mended by hand.
    assert supervisor.put("/planning-rules", json=rules | {"most_visits": 2}).status_code == 200
    full = dispatcher.post(f"/day-plans/{plan['id']}/publication")
    assert (full.status_code, full.json["code"]) == (409, "day_is_full")
    out = {"kind": "remove", "visit_id": plan["routes"][0]["stops"][0]["visit_id"]}
    kept = dispatcher.post(f"/day-plans/{plan['id']}/changes", json={"changes": [out]}).json
    published = dispatcher.post(f"/day-plans/{kept['id']}/publication").json
    assert sum(len(route["stops"]) for route in published["routes"]) == 2

    # What the phones show stays lawful under a lower limit still; only the day may not grow.
    assert supervisor.put("/planning-rules", json=rules | {"most_visits": 1}).status_code == 200
    path, crew = f"/day-plans/{published['id']}/trial", published["routes"][0]["crew"]
    again = {"kind": "reorder", "crew": crew, "visit_ids": [s["visit_id"] for s in published["routes"][0]["stops"]]}
    assert dispatcher.post(path, json={"changes": [again]}).json["faults"] == []
    grown = dispatcher.post(path, json={"changes": [add | {"crew": crew}]}).json
    assert "quota_passed" in [fault["code"] for fault in grown["faults"]]


def test_a_trial_tells_what_each_person_has_of_the_day_and_of_the_weeks_before(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    assert published
    with acting_for_all(sessions) as session:
        people = {}
        for code, visitor in zip("AB", session.scalars(sa.select(Visitor).order_by(Visitor.id)), strict=True):
            make_shift(session, visitor, crew=code, on=TOMORROW)
            people[code] = str(visitor.id)
        session.execute(sa.update(Visit).values(state="eligible", planned_on=None))
    draft = str(drafted(sessions, day, on=TOMORROW))
    crew, visits, other = busiest(plan_of(dispatcher, draft))
    tried = post(dispatcher, draft, "trial", {"kind": "move", "visit_id": visits[0], "crew": other}).json
    shares = {one["visitor_id"]: one for one in tried["shares"]}
    assert set(shares) == set(people.values())
    loses, gains = shares[people[crew]], shares[people[other]]
    assert sum(one["carried"]["work_s"] for one in shares.values()) > 0
    # Nobody has been to any of the doors: a point each; and each visit is worth an hour.
    for one, change in ((loses, -1), (gains, 1)):
        assert one["after"]["risk"] == one["before"]["risk"] + change
        assert one["after"]["earning_min"] == one["before"]["earning_min"] + 60 * change
    assert sum(one["carried"]["risk"] for one in shares.values()) == 5
    (route,) = [route for route in tried["routes"] if route["crew"] == other]
    span = dt.datetime.fromisoformat(route["return_at"]) - dt.datetime.fromisoformat(route["depart_at"])
    assert gains["after"]["work_s"] == span.total_seconds()
    noon = {"kind": "retime", "visit_id": visits[0], "begin_at": f"{TOMORROW}T23:30:00+02:00"}
    assert post(dispatcher, draft, "trial", noon).json["shares"] is None
