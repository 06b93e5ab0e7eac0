"""The phone's world as a delta: whole after any gap, small on the wire, one query where nothing changed."""

import dataclasses
import datetime as dt
import gzip
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from sqlalchemy.orm import Session, sessionmaker

from api.db import db
from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.form_versions import publish_form
from fieldvisit.forms import FormDraft
from fieldvisit.models import CrewMember, DayPlan, Place, Placement, Stop, Visit, Visitor
from fieldvisit.own_policies import PolicyDraft, add_version
from fieldvisit.phone.changes import Asked, changes, tag_of
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import BlockTrigger, DayPlanState, Role
from tests.api.conftest import ClientFor
from tests.conftest import NOW
from tests.phone.worlds import Morning, make_morning, make_plan, make_visit_on_evidence
from tests.test_rejudging import HOUSE
from tests.worlds import HELSINKI, TODAY

HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}

NO_LONGER = """
[visit_length]
id = "house/visit_length/1"
minutes = 20
source = "ours"
confidence = "house"
"""


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limit="1000000/minute")


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    return make_morning(sessions, visits=3)


@pytest.fixture
def phone(client_for: ClientFor, morning: Morning) -> FlaskClient:
    """Ilta's."""
    return client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)


class Copy:
    """What a phone has, kept up to date by deltas alone."""

    def __init__(self, phone: FlaskClient) -> None:
        self.phone, self.cursor, self.tag = phone, "", ""
        self.things: dict[tuple[str, str], Any] = {}

    def pull(self) -> Any:
        """The delta; None where nothing changed."""
        query = {"since": self.cursor} if self.cursor else {}
        answer = self.phone.get("/phone/changes", query_string=query, headers={"If-None-Match": f'"{self.tag}"'})
        if answer.status_code == 304:
            return None
        self.cursor, self.tag = answer.json["cursor"], answer.headers["ETag"].strip('"')
        if answer.json["reset"]:
            self.things = {}
        for kind, many, named in (("route", "routes", "route_id"), ("visit", "visits", "visit_id"),
                                  ("held", "held", "event_id"), ("form", "forms", "id")):  # fmt: skip
            self.things |= {(kind, thing[named]): thing for thing in answer.json[many]}
        for gone in answer.json["gone"]:
            del self.things[gone["kind"], gone["id"]]
        return answer.json

    def whole(self) -> dict[tuple[str, str], Any]:
        """What a phone gets that has nothing."""
        fresh = Copy(self.phone)
        fresh.pull()
        return fresh.things


@pytest.fixture
def copy(phone: FlaskClient) -> Copy:
    return Copy(phone)


def test_the_first_pull_gives_everything_and_the_second_nothing(copy: Copy, morning: Morning) -> None:
    first = copy.pull()
    assert (first["reset"], len(first["routes"]), len(first["visits"]), first["gone"]) == (True, 1, 3, [])
    assert [stop["visit_id"] for stop in first["routes"][0]["stops"]] == [str(visit) for visit in morning.visits]
    assert (first["on"], first["forget_at"]) == ("2026-03-03", "2026-03-03T22:00:00+00:00")
    assert copy.pull() is None


def test_only_what_changed_comes(copy: Copy, morning: Morning, phone: FlaskClient) -> None:
    copy.pull()
    body = {"event_id": str(uuid.uuid4())}
    assert phone.post(f"/phone/visits/{morning.visit}/set-out", json=body).status_code == 201
    delta = copy.pull()
    assert (delta["reset"], delta["routes"], delta["gone"]) == (False, [], [])
    assert [(card["visit_id"], card["state"]) for card in delta["visits"]] == [(str(morning.visit), "under_way")]
    assert copy.things == copy.whole()


def change_name(session: Session, morning: Morning) -> None:
    session.get_one(Visit, morning.visit).debtor.name = "Meri Renamed"


def change_place(session: Session, morning: Morning) -> None:
    session.get_one(Place, session.get_one(Visit, morning.visit).place_id).lat = 60.2


def change_number(session: Session, morning: Morning) -> None:
    session.get_one(Visitor, morning.oona).phone = "+358450009999"


def change_order(session: Session, morning: Morning) -> None:
    session.execute(sa.delete(Stop).where(Stop.visit_id == morning.visits[-1]))


def end_placement(session: Session, morning: Morning) -> None:
    case_id = session.get_one(Visit, morning.visit).case_id
    session.execute(sa.delete(Placement).where(Placement.case_id == case_id))


def block_debtor(session: Session, morning: Morning) -> None:
    draft = BlockDraft(debtor_id=session.get_one(Visit, morning.visit).debtor_id, trigger=BlockTrigger.DISPUTE)
    session.info["org"] = morning.world.lender
    file_block(session, draft, filed_by_id=None, now=NOW)


def publish_anew(session: Session, morning: Morning) -> None:
    session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
    kept = [session.get_one(Visit, visit_id) for visit_id in morning.visits[1:]]
    added = make_visit_on_evidence(session, morning.world)
    make_plan(session, morning.world, [morning.ilta], [*kept, added])


def publish_form_of_the_house(session: Session, morning: Morning) -> None:
    session.info["org"] = morning.world.agency
    publish_form(session, FormDraft(replaces=0), by=None, now=NOW)


def switch_policy_on(session: Session, morning: Morning) -> None:
    draft = PolicyDraft(text=HOUSE.format(opens="08:00") + NO_LONGER, effective_from=TODAY)
    add_version(session, morning.world.agency, draft, made_by_id=None, now=NOW)


def take_off_the_route(session: Session, morning: Morning) -> None:
    session.execute(sa.delete(CrewMember).where(CrewMember.visitor_id == morning.ilta))


@pytest.mark.parametrize(
    "change",
    [
        change_name,
        change_place,
        change_number,
        change_order,
        end_placement,
        block_debtor,
        publish_anew,
        publish_form_of_the_house,
        switch_policy_on,
        take_off_the_route,
    ],
)
def test_whoever_changes_it_the_phone_hears_of_it_and_has_what_a_new_phone_would_get(
    copy: Copy, morning: Morning, sessions: sessionmaker[Session], change: Any
) -> None:
    copy.pull()
    before = dict(copy.things)
    with acting_for_all(sessions) as session:
        change(session, morning)
    assert copy.pull() is not None
    assert copy.things == copy.whole()
    assert copy.things != before


def test_what_is_taken_away_is_told_as_gone(copy: Copy, morning: Morning, sessions: sessionmaker[Session]) -> None:
    copy.pull()
    with acting_for_all(sessions) as session:
        take_off_the_route(session, morning)
    gone = {(item["kind"], item["id"]) for item in copy.pull()["gone"]}
    assert {("visit", str(visit_id)) for visit_id in morning.visits} <= gone
    assert copy.things == {}


def test_a_gap_of_several_changes_is_closed_in_one_pull(
    copy: Copy, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    copy.pull()
    for change in (change_name, publish_anew, change_number):
        with acting_for_all(sessions) as session:
            change(session, morning)
    copy.pull()
    assert copy.things == copy.whole()


def test_what_is_held_is_part_of_the_world(copy: Copy, morning: Morning, phone: FlaskClient) -> None:
    copy.pull()
    told = {"event_id": str(uuid.uuid4()), "kind": "addition", "visit_id": str(morning.visit), "text": "More.",
            "device_at": NOW.isoformat()}  # fmt: skip
    phone.post("/phone/events", json={"sent_at": NOW.isoformat(), "events": [told]})
    assert [item["waits_for"] for item in copy.pull()["held"]] == ["report"]
    assert copy.things == copy.whole()


@pytest.mark.parametrize("cursor", ["nonsense", "AA", "AQ==", "A" * 200, "_-_-"])
def test_a_cursor_that_is_none_of_ours_gets_everything(phone: FlaskClient, cursor: str) -> None:
    answer = phone.get("/phone/changes", query_string={"since": cursor})
    assert (answer.status_code, answer.json["reset"] or len(answer.json["visits"]) == 3) == (200, True)
    assert len(answer.json["visits"]) == 3


def test_another_language_is_told_again(phone: FlaskClient) -> None:
    first = phone.get("/phone/changes", headers={"Accept-Language": "en"})
    again = phone.get(
        "/phone/changes",
        query_string={"since": first.json["cursor"]},
        headers={"Accept-Language": "zh-CN", "If-None-Match": first.headers["ETag"]},
    )
    assert again.status_code == 200
    assert len(again.json["visits"]) == 3


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """Every statement that a request sends to the database."""
    sent: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *more: Any) -> None:
        sent.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


def asked(statements: list[str]) -> list[str]:
    """Without the one by which each transaction states its organisation, and the product's own clock."""
    return [each for each in statements if "set_config" not in each and "fieldvisit_now" not in each.lower()]


def test_that_nothing_changed_costs_one_query(app: Flask, phone: FlaskClient) -> None:
    tag = phone.get("/phone/changes").headers["ETag"]
    with counted(app) as sent:
        again = phone.get("/phone/changes", headers={"If-None-Match": tag})
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
    assert len(asked(sent)) == 1


def test_no_phone_has_the_documents_of_the_whole_day_read(app: Flask, phone: FlaskClient) -> None:
    """Megabytes for a large day: with them three hundred phones held their server for half a minute each."""
    with counted(app) as sent:
        for asked_for in ("changes", "my-day", "held-events"):
            assert phone.get(f"/phone/{asked_for}").status_code == 200
        visit = phone.get("/phone/changes").json["visits"][0]["visit_id"]
        events = [_set_out(visit) for _ in range(8)]
        assert phone.post("/phone/events", json={"sent_at": NOW.isoformat(), "events": events}).status_code == 200
        assert phone.get(f"/phone/visits/{visit}").status_code == 200
    assert [each for each in sent if "day_plans.problem" in each] == []
    assert any("day_plans" in each for each in sent)


def _set_out(visit_id: str) -> dict[str, Any]:
    return {"kind": "set_out", "event_id": str(uuid.uuid4()), "visit_id": visit_id, "device_at": NOW.isoformat()}


def test_the_number_of_queries_does_not_grow_with_the_day(
    app: Flask, client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    queries = []
    for visits in (1, 20):
        morning = make_morning(sessions, visits=visits) if not queries else _bigger(sessions, visits)
        phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
        # Which database this is, is asked once.
        phone.get("/phone/changes")
        with counted(app) as sent:
            assert len(phone.get("/phone/changes").json["visits"]) == visits
        queries.append(len(asked(sent)))
    assert queries[0] == queries[1]


def _bigger(sessions: sessionmaker[Session], visits: int) -> Morning:
    with acting_for_all(sessions) as session:
        world = _world_of(session)
        session.execute(sa.update(DayPlan).values(state=DayPlanState.SUPERSEDED))
    return make_morning(sessions, world=world, visits=visits)


def _world_of(session: Session) -> Any:
    from tests.worlds import World

    plan = session.scalars(sa.select(DayPlan)).first()
    lender = session.scalars(sa.select(Visit.lender_id)).first()
    assert plan is not None
    assert lender is not None
    return World(lender=lender, agency=plan.org_id, area=plan.area_id, stranger=plan.org_id)


def test_it_is_small_on_the_wire(phone: FlaskClient) -> None:
    plain = phone.get("/phone/changes")
    packed = phone.get("/phone/changes", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.data)) == plain.json
    assert len(packed.data) * 3 < len(plain.data)
    again = phone.get("/phone/changes", headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]})
    assert again.status_code == 304


def test_nobody_hears_of_the_world_of_others(client_for: ClientFor, morning: Morning) -> None:
    outsider = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.outsider)
    world = outsider.get("/phone/changes").json
    assert (world["routes"], world["visits"]) == ([], [])


def test_what_an_amount_needs_to_be_shown_is_a_change_too(
    copy: Copy, morning: Morning, phone: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    path = f"/phone/visits/{morning.visit}"
    assert phone.post(f"{path}/arrival", json={"event_id": str(uuid.uuid4()), "position": HERE}).status_code == 201
    copy.pull()
    check = {"event_id": str(uuid.uuid4()), "method": "document_seen", "result": "confirmed"}
    assert phone.post(f"{path}/identity-check", json=check).status_code == 201
    (card,) = copy.pull()["visits"]
    assert card["briefing"]["amounts"]["total_minor"] == 105_500
    with acting_for(sessions, morning.world.agency) as session:
        assert session.get_one(Visit, morning.visit).arrived_at is not None


def test_that_the_amounts_close_with_the_hours_at_the_door_is_a_change_too(
    phone: FlaskClient, morning: Morning, sessions: sessionmaker[Session]
) -> None:
    path = f"/phone/visits/{morning.visit}"
    check = {"event_id": str(uuid.uuid4()), "method": "document_seen", "result": "confirmed"}
    phone.post(f"{path}/arrival", json={"event_id": str(uuid.uuid4()), "position": HERE})
    phone.post(f"{path}/identity-check", json=check)
    told = []
    for hours in (1, 3, 5):
        now = NOW + dt.timedelta(hours=hours)
        asked_then = Asked(visitor_id=morning.ilta, language="en", since=None, now=now)
        with acting_for(sessions, morning.world.agency) as session:
            (card,) = (card for card in changes(session, asked_then).visits if card.visit_id == morning.visit)
            told.append((tag_of(session, asked_then), card.briefing and card.briefing.amounts is not None))
    (first, opened), (same, still), (later, closed) = told
    assert (opened, still, closed) == (True, True, False)
    assert (first == same, same == later) == (True, False)
