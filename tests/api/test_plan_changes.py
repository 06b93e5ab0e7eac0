"""A day repaired by hand over HTTP: tried, kept, undone, published; and what each wrong request is told."""

import datetime as dt
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import ContactBlock, Credential, Place, Shift, StoredDecision, VisitEvent
from fieldvisit.visits import get_visit, move
from fieldvisit.vocabulary import BlockTrigger, CheckMoment, PointSource, Role, VisitState
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.planning.worlds import drafted, make_crew, make_ready_case, make_ready_visit, states
from tests.worlds import TODAY, World

CHINESE = {"Accept-Language": "zh-CN"}
NORTH, SOUTH = (60.1900, 24.9400), (60.1500, 24.9400)


@pytest.fixture
def day(sessions: sessionmaker[Session], world: World) -> World:
    """Crews A and B, three visits in the north and two in the south."""
    with acting_for_all(sessions) as session:
        make_crew(session, world, "A")
        make_crew(session, world, "B")
        for number in range(5):
            lat, lon = NORTH if number < 3 else SOUTH
            case = make_ready_case(session, world, point=(lat + number * 0.001, lon))
            make_ready_visit(session, world, case)
    return world


@pytest.fixture
def dispatcher(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(Role.DISPATCHER, org=world.agency)


@pytest.fixture
def draft(sessions: sessionmaker[Session], day: World) -> str:
    return str(drafted(sessions, day))


@pytest.fixture
def published(dispatcher: FlaskClient, draft: str) -> str:
    assert dispatcher.post(f"/day-plans/{draft}/publication").status_code == 200
    return draft


def reason_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def order_of(plan: dict[str, Any]) -> dict[str, list[str]]:
    return {route["crew"]: [stop["visit_id"] for stop in route["stops"]] for route in plan["routes"]}


def times_of(plan: dict[str, Any], crew: str) -> list[str]:
    return [stop["begin_at"] for route in plan["routes"] if route["crew"] == crew for stop in route["stops"]]


def plan_of(client: FlaskClient, plan_id: str) -> dict[str, Any]:
    return dict(client.get(f"/day-plans/{plan_id}").json)


def post(client: FlaskClient, plan_id: str, what: str, *changes: dict[str, Any], **more: Any) -> Any:
    return client.post(f"/day-plans/{plan_id}/{what}", json={"changes": list(changes)}, **more)


def busiest(plan: dict[str, Any]) -> tuple[str, list[str], str]:
    """The crew with the most visits, its visits, and another crew."""
    orders = order_of(plan)
    crew = max(orders, key=lambda code: len(orders[code]))
    return crew, orders[crew], ({"A", "B"} - {crew}).pop()


def set_out(sessions: sessionmaker[Session], world: World, visit_id: str) -> None:
    with acting_for(sessions, world.agency) as session:
        visit = get_visit(session, uuid.UUID(visit_id), lock=True)
        visit.under_way_at = NOW
        move(session, visit, VisitState.UNDER_WAY, now=NOW)


def test_a_change_is_tried_with_its_price_and_whom_it_concerns_and_nothing_stays(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    before = plan_of(dispatcher, published)
    crew, visits, other = busiest(before)
    tried = post(dispatcher, published, "trial", {"kind": "move", "visit_id": visits[0], "crew": other})
    assert tried.status_code == 200
    assert (tried.json["faults"], tried.json["refused"]) == ([], [])
    assert tried.json["more_s"] == tried.json["cost_after"] - tried.json["cost_before"] > 0
    moved = {one["visit_id"]: one for one in tried.json["effects"]["visits"]}[visits[0]]
    assert (moved["effect"], moved["crew_before"], moved["crew_after"]) == ("moved", crew, other)
    assert len(tried.json["effects"]["people"]) == 2
    assert {route["crew"] for route in tried.json["routes"]} == {crew, other} - ({crew} if len(visits) == 1 else set())
    assert plan_of(dispatcher, published) == before
    assert len(dispatcher.get("/day-plans").json["items"]) == 1
    with acting_for(sessions, day.agency) as session:
        of_planning = sa.select(sa.func.count()).where(StoredDecision.moment == CheckMoment.PLANNING)
        assert session.scalar(of_planning) == 5


def test_every_broken_rule_is_named_at_once_and_such_a_draft_is_not_kept(dispatcher: FlaskClient, draft: str) -> None:
    _, visits, _ = busiest(plan_of(dispatcher, draft))
    wrong = [
        {"kind": "retime", "visit_id": visits[0], "begin_at": "2026-03-03T05:00:00+02:00"},
        {"kind": "retime", "visit_id": visits[1], "begin_at": "2026-03-03T23:30:00+02:00"},
    ]
    tried = post(dispatcher, draft, "trial", *wrong)
    codes = {(fault["code"], fault["visit_id"]) for fault in tried.json["faults"]}
    assert {("outside_window", visits[1]), ("outside_pin", visits[0])} <= codes
    assert tried.json["effects"] is None
    said = [fault["words"] for fault in post(dispatcher, draft, "trial", *wrong, headers=CHINESE).json["faults"]]
    assert any("外访 V-" in words for words in said)
    kept = post(dispatcher, draft, "changes", *wrong)
    assert reason_of(kept) == (409, "change_breaks_rules")
    assert kept.json["details"]["count"] == len(tried.json["faults"])
    assert all(fault["words"] in kept.json["detail"] for fault in tried.json["faults"][:5])
    assert plan_of(dispatcher, draft)["state"] == "draft"


def test_a_kept_change_is_the_days_draft_and_every_change_can_be_undone(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, draft: str
) -> None:
    before = plan_of(dispatcher, draft)
    _crew, visits, other = busiest(before)
    first = post(dispatcher, draft, "changes", {"kind": "move", "visit_id": visits[0], "crew": other, "position": 1})
    assert (first.status_code, first.json["based_on_id"]) == (201, draft)
    assert order_of(first.json)[other][0] == visits[0]
    second = post(dispatcher, first.json["id"], "changes", {"kind": "remove", "visit_id": visits[1]})
    (left,) = second.json["unserved"]
    assert (left["visit_id"], left["remarks"]) == (visits[1], ["taken out by hand"])
    assert dispatcher.get(f"/day-plans/{second.json['id']}/faults").json == {"faults": []}
    with acting_for(sessions, day.agency) as session:
        assert sorted(states(session).values()) == [VisitState.ELIGIBLE, *[VisitState.PLANNED] * 4]
        # Changing hands between drafts is no move of a visit's life.
        events = session.scalars(sa.select(VisitEvent.kind).where(VisitEvent.visit_id == uuid.UUID(visits[0]))).all()
        assert events == ["planned"]
    back = dispatcher.post(f"/day-plans/{second.json['id']}/undo")
    assert (back.status_code, back.json["id"], back.json["state"]) == (200, first.json["id"], "draft")
    assert order_of(back.json) == order_of(first.json)
    start = dispatcher.post(f"/day-plans/{first.json['id']}/undo").json
    assert {**start, "finished_at": None} == {**before, "finished_at": None}
    assert reason_of(dispatcher.post(f"/day-plans/{draft}/undo")) == (409, "nothing_to_undo")


def test_visits_are_reordered_and_given_a_time(dispatcher: FlaskClient, draft: str) -> None:
    crew, visits, _ = busiest(plan_of(dispatcher, draft))
    noon = "2026-03-03T12:00:00+02:00"
    kept = post(
        dispatcher, draft, "changes",
        {"kind": "reorder", "crew": crew, "visit_ids": visits[::-1]},
        {"kind": "retime", "visit_id": visits[0], "begin_at": noon},
    )  # fmt: skip
    assert kept.status_code == 201, kept.json
    assert order_of(kept.json)[crew] == visits[::-1]
    begun = dt.datetime.fromisoformat(times_of(kept.json, crew)[-1])
    assert begun == dt.datetime.fromisoformat(noon)
    free = post(dispatcher, kept.json["id"], "changes", {"kind": "retime", "visit_id": visits[0], "begin_at": None})
    assert dt.datetime.fromisoformat(times_of(free.json, crew)[-1]) < begun


def test_a_whole_repair_of_a_running_day(
    dispatcher: FlaskClient, client_for: ClientFor, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    """A sets out; an urgent visit comes in; it gets the cheapest place; the other crew's phone hears nothing."""
    before = plan_of(dispatcher, published)
    busy, visits, _other = busiest(before)
    phones = {code: phone_of(client_for, before, code, day) for code in order_of(before)}
    tags = {code: phone.get("/phone/my-day?on=2026-03-03").headers["ETag"] for code, phone in phones.items()}
    set_out(sessions, day, visits[0])
    tags[busy] = phones[busy].get("/phone/my-day?on=2026-03-03").headers["ETag"]
    with acting_for_all(sessions) as session:
        urgent = str(make_ready_visit(session, day, make_ready_case(session, day, point=(60.1935, 24.9410))).id)

    found = dispatcher.get(f"/day-plans/{published}/visits/{urgent}/options").json
    assert found["estimated"]
    assert [option["more_s"] for option in found["options"]] == sorted(o["more_s"] for o in found["options"])
    best = found["options"][0]
    put = {"kind": "add", "visit_id": urgent, "crew": best["crew"], "position": best["position"]}
    kept = post(dispatcher, published, "changes", put)
    assert kept.status_code == 201, kept.json
    assert kept.json["repairs_id"] == published
    assert kept.json["travel_words"].endswith("estimated from straight lines")
    assert order_of(kept.json)[busy][0] == visits[0]
    tried = dt.datetime.fromisoformat(best["begin_at"])
    assert tried in [dt.datetime.fromisoformat(at) for at in times_of(kept.json, best["crew"])]
    effects = dispatcher.get(f"/day-plans/{kept.json['id']}/effects").json
    assert [(one["visit_id"], one["effect"]) for one in effects["visits"] if one["effect"] != "retimed"] == [
        (urgent, "added")
    ]

    made = dispatcher.post(f"/day-plans/{kept.json['id']}/publication")
    assert (made.status_code, made.json["version"]) == (200, 2), made.json
    assert {stop["visit_id"]: stop["state"] for r in made.json["routes"] for stop in r["stops"]}[
        visits[0]
    ] == "under_way"
    touched, untouched = best["crew"], ({"A", "B"} & set(phones)) - {best["crew"]}
    for code in untouched:
        again = phones[code].get("/phone/my-day?on=2026-03-03", headers={"If-None-Match": tags[code]})
        assert again.status_code == 304
    news = phones[touched].get("/phone/my-day?on=2026-03-03", headers={"If-None-Match": tags[touched]})
    assert news.status_code == 200
    assert urgent in {stop["visit"]["visit_id"] for stop in news.json["routes"][0]["stops"]}
    with acting_for(sessions, day.agency) as session:
        decided = sa.select(sa.func.count()).where(
            StoredDecision.moment == CheckMoment.PUBLISHING, StoredDecision.visit_id == uuid.UUID(urgent)
        )
        assert session.scalar(decided) == 1
    # Whoever is under way goes on as if nothing had happened.
    arrived = phones[busy].get(f"/phone/visits/{visits[0]}")
    assert (arrived.status_code, arrived.json["state"]) == (200, "under_way")


def phone_of(client_for: ClientFor, plan: dict[str, Any], crew: str, world: World) -> FlaskClient:
    (route,) = (route for route in plan["routes"] if route["crew"] == crew)
    visitor = uuid.UUID(route["members"][0]["visitor_id"])
    return client_for(Role.VISITOR, org=world.agency, visitor_id=visitor)


def test_what_has_begun_is_not_moved(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    crew, visits, other = busiest(plan_of(dispatcher, published))
    set_out(sessions, day, visits[0])
    move_it = {"kind": "move", "visit_id": visits[0], "crew": other}
    assert reason_of(post(dispatcher, published, "trial", move_it)) == (409, "visit_has_begun")
    assert reason_of(dispatcher.get(f"/day-plans/{published}/visits/{visits[0]}/options")) == (409, "visit_has_begun")
    before_it = {"kind": "move", "visit_id": visits[1], "crew": crew, "position": 1}
    answer = post(dispatcher, published, "trial", before_it)
    (fault,) = answer.json["errors"]
    assert (fault["pointer"], fault["value"], fault["reason"]) == (
        "/changes/0/position",
        1,
        "lies before what has begun",
    )


def test_a_draft_made_before_somebody_set_out_to_a_visit_it_moves_is_not_published(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    _crew, visits, other = busiest(plan_of(dispatcher, published))
    kept = post(dispatcher, published, "changes", {"kind": "move", "visit_id": visits[0], "crew": other})
    set_out(sessions, day, visits[0])
    answer = dispatcher.post(f"/day-plans/{kept.json['id']}/publication")
    assert (reason_of(answer), answer.json["details"]["latest"]) == ((409, "plan_outdated"), kept.json["id"])


def test_of_two_who_change_the_same_plan_the_second_is_sent_to_the_first_ones_draft(
    dispatcher: FlaskClient, draft: str
) -> None:
    _, visits, other = busiest(plan_of(dispatcher, draft))
    change = {"kind": "move", "visit_id": visits[0], "crew": other}
    first = post(dispatcher, draft, "changes", change)
    second = post(dispatcher, draft, "changes", change)
    assert (reason_of(second), second.json["details"]["latest"]) == ((409, "plan_outdated"), first.json["id"])


def test_a_colleagues_draft_of_the_same_version_is_not_dropped_unseen(
    dispatcher: FlaskClient, client_for: ClientFor, world: World, published: str
) -> None:
    _, visits, other = busiest(plan_of(dispatcher, published))
    change = {"kind": "move", "visit_id": visits[0], "crew": other}
    mine = post(dispatcher, published, "changes", change).json["id"]
    colleague = client_for(Role.DISPATCHER, org=world.agency)
    refused = post(colleague, published, "changes", change)
    assert (reason_of(refused), refused.json["details"]["latest"]) == ((409, "plan_outdated"), mine)
    colleague.delete(f"/day-plans/{mine}")
    assert post(colleague, published, "changes", change).status_code == 201


def test_a_repair_of_a_version_that_was_replaced_is_not_published(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, published: str
) -> None:
    _, visits, other = busiest(plan_of(dispatcher, published))
    mine = post(dispatcher, published, "changes", {"kind": "remove", "visit_id": visits[0]}).json["id"]
    hers = post(dispatcher, published, "changes", {"kind": "move", "visit_id": visits[0], "crew": other}).json["id"]
    assert dispatcher.post(f"/day-plans/{hers}/publication").status_code == 200
    assert reason_of(dispatcher.post(f"/day-plans/{mine}/publication")) == (409, "plan_not_draft")
    assert reason_of(post(dispatcher, published, "trial", {"kind": "remove", "visit_id": visits[1]})) == (
        409,
        "plan_outdated",
    )


def test_what_the_policy_forbids_is_refused_with_its_clause(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, draft: str
) -> None:
    _, visits, other = busiest(plan_of(dispatcher, draft))
    with acting_for_all(sessions) as session:
        theirs = sa.select(Shift.visitor_id).where(Shift.crew_code == other)
        session.execute(
            sa.update(Credential)
            .where(Credential.visitor_id.in_(theirs))
            .values(valid_until=TODAY - dt.timedelta(days=1))
        )
    change = {"kind": "move", "visit_id": visits[0], "crew": other}
    tried = post(dispatcher, draft, "trial", change).json
    assert any("is valid only until 2026-03-02" in clause for clause in tried["refused"])
    kept = post(dispatcher, draft, "changes", change)
    assert reason_of(kept) == (409, "change_not_permitted")
    assert plan_of(dispatcher, draft)["state"] == "draft"


def test_a_visit_that_is_blocked_or_has_no_point_is_not_added(
    dispatcher: FlaskClient, sessions: sessionmaker[Session], day: World, draft: str
) -> None:
    with acting_for_all(sessions) as session:
        blocked, nowhere = (make_ready_visit(session, day) for _ in range(2))
        # Filed behind the back of the visit, which nobody has cancelled yet.
        block = ContactBlock(debtor_id=blocked.debtor_id, trigger=BlockTrigger.DISPUTE, since_at=NOW)
        block.org_id = block.made_by_id = day.lender
        session.add(block)
        place = session.get_one(Place, nowhere.place_id)
        place.lat, place.lon, place.found_by = None, None, PointSource.NONE
    add_it, add_that = ({"kind": "add", "visit_id": str(each.id), "crew": "A"} for each in (blocked, nowhere))
    tried = post(dispatcher, draft, "trial", add_it)
    assert tried.json["refused"] == ["A contact block stops this visit: Dispute."]
    assert reason_of(post(dispatcher, draft, "changes", add_it)) == (409, "change_not_permitted")
    assert reason_of(post(dispatcher, draft, "trial", add_that)) == (409, "not_to_be_planned")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"kind": "fly"}, "/changes/0/kind"),
        ({"kind": "remove"}, "/changes/0/visit_id"),
        ({"kind": "move", "visit_id": "x", "crew": "A"}, "/changes/0/visit_id"),
        ({"kind": "move", "visit_id": str(uuid.uuid4()), "crew": "A", "position": 0}, "/changes/0/position"),
        ({"kind": "retime", "visit_id": str(uuid.uuid4()), "begin_at": "noon"}, "/changes/0/begin_at"),
        ({"kind": "remove", "visit": "x"}, "/changes/0/visit"),
    ],
)
def test_rubbish_is_refused_with_its_place(
    dispatcher: FlaskClient, draft: str, change: dict[str, Any], place: str
) -> None:
    for what in ("trial", "changes"):
        answer = post(dispatcher, draft, what, change)
        assert answer.status_code == 422
        assert place in [error["pointer"] for error in answer.json["errors"]]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "remove", "visit_id": str(uuid.UUID(int=7))}, "changes/0/visit_id: is no visit of this day"),
        ({"kind": "move", "crew": "Z", "visit_id": str(uuid.UUID(int=7))}, "changes/0/crew: is no crew of this day"),
    ],
)  # fmt: skip
def test_what_means_nothing_is_refused_in_words(
    dispatcher: FlaskClient, draft: str, change: dict[str, Any], said: str
) -> None:
    answer = post(dispatcher, draft, "trial", change)
    assert (reason_of(answer), answer.json["detail"]) == ((422, "invalid_value"), said)


def test_a_plan_that_is_not_made_cannot_be_changed(dispatcher: FlaskClient, day: World) -> None:
    request = {"area_id": str(day.area), "planned_on": "2026-03-03", "seconds": 5}
    plan_id = dispatcher.post("/day-plans", json=request).json["id"]
    change = {"kind": "remove", "visit_id": str(uuid.uuid4())}
    assert reason_of(post(dispatcher, plan_id, "trial", change)) == (409, "plan_not_ready")


def test_only_those_who_run_the_day_change_it_and_nobody_elsewhere_sees_it(
    client_for: ClientFor, day: World, draft: str
) -> None:
    change = {"kind": "remove", "visit_id": str(uuid.uuid4())}
    auditor = client_for(Role.AUDITOR, org=day.agency)
    stranger = client_for(Role.DISPATCHER, org=day.stranger)
    for what in ("trial", "changes"):
        assert reason_of(post(auditor, draft, what, change)) == (403, "not_permitted")
        assert reason_of(post(stranger, draft, what, change)) == (404, "not_found")
    assert auditor.get(f"/day-plans/{draft}/effects").status_code == 200
    assert reason_of(auditor.post(f"/day-plans/{draft}/undo")) == (403, "not_permitted")
    for path in ("effects", f"visits/{uuid.uuid4()}/options"):
        assert reason_of(stranger.get(f"/day-plans/{draft}/{path}")) == (404, "not_found")
    assert reason_of(stranger.post(f"/day-plans/{draft}/undo")) == (404, "not_found")
