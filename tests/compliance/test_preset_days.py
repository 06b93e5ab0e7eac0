"""A whole visit under each preset, over HTTP, from the calls that failed to the report: what the door refuses on the
way, by which clause, and what would be lawful instead."""

import datetime as dt
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.app import close_app, create_app
from fieldvisit.compliance.parameters import NoticeContent
from fieldvisit.database import Urls, acting_for_all
from fieldvisit.models import Case, ContactPoint, Organisation, Place, Shift, Visitor
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Channel, CredentialKind, Role
from tests.compliance.clients import ask, client_of, go_to
from tests.conftest import NOW
from tests.notices.worlds import give_phone, make_template
from tests.planning.worlds import drafted, make_crew
from tests.worlds import HELSINKI, TODAY, World, make_case, make_credential

HERE = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 12, "mock": False}
DAY = dt.timedelta(days=1)
SOON = TODAY + DAY
LATER = NOW + dt.timedelta(minutes=5)
N = NoticeContent


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Where it applies, the day of the visit, what the door refuses first, and what has to be done before."""

    policies: tuple[str, ...]
    zone: str
    country: str
    refused_by: str
    refused_at: dt.time | None = None
    """By the clock of the place, on the day of the visit; None: at the begin that was planned, by a crew that is not as
    it has to be."""
    on: dt.date = SOON
    region: str | None = None
    crew: int = 1
    works_from: dt.time = dt.time(8, 30)
    visited_before: bool = False
    recording: tuple[str, ...] = ()
    notice: tuple[NoticeContent, ...] = ()
    too_soon_on: dt.date | None = None
    """A day that is not offered, since the visit cannot be announced in time any more."""
    outcome: str = "nobody"
    record_refused_by: str | None = None
    """The clause that a report of the outcome alone does not meet."""
    held_by_after: str | None = None
    """The clause that keeps the next visit waiting once this one was reported."""


PRESETS = {
    "cn": Preset(
        policies=("cn", "house"),
        zone="Asia/Shanghai",
        country="CN",
        crew=2,
        recording=("audio", "video"),
        refused_by="cn/staff_min/1 cn/recording/1",
        record_refused_by="cn/record_fields/1",
    ),
    "us": Preset(
        policies=("us", "house"),
        zone="America/Denver",
        country="US",
        region="US-CO",
        refused_at=dt.time(7, 30),
        refused_by="us/windows/1",
    ),
    "us-ma": Preset(
        policies=("us", "us-ma", "house"),
        zone="America/New_York",
        country="US",
        region="US-MA",
        refused_at=dt.time(7, 30),
        refused_by="us-ma/windows/1 us/windows/1",
        outcome="met_other",
        held_by_after="us-ma/caps/1",
    ),
    "ie": Preset(
        policies=("ie", "house"),
        zone="Europe/Dublin",
        country="IE",
        on=dt.date(2026, 3, 11),
        notice=(N.DATE, N.TIME, N.BRANCH_INSTEAD, N.COMPANION),
        too_soon_on=dt.date(2026, 3, 10),
        refused_at=dt.time(8, 30),
        refused_by="ie/windows/1",
    ),
    "gb": Preset(
        policies=("gb", "house"),
        zone="Europe/London",
        country="GB",
        on=TODAY + 3 * DAY,
        notice=(N.DATE, N.TIME, N.PURPOSE, N.OUTCOME_WANTED),
        too_soon_on=TODAY,
        # Announced for noon, and not the first visit: on that one the debtor may be asked on the spot.
        works_from=dt.time(12),
        visited_before=True,
        refused_at=dt.time(9),
        refused_by="gb/notices/1",
    ),
    "au": Preset(
        policies=("au", "house"),
        zone="Australia/Sydney",
        country="AU",
        refused_at=dt.time(8, 30),
        refused_by="au/windows/1",
        outcome="met_other",
        held_by_after="au/caps/1",
    ),
    "ru": Preset(
        policies=("ru", "house"),
        zone="Europe/Moscow",
        country="RU",
        # A Saturday: from nine, where a working day begins at eight.
        on=dt.date(2026, 3, 7),
        refused_at=dt.time(8, 30),
        refused_by="ru/windows/2",
        held_by_after="ru/caps/1",
    ),
}
QUICK = ("cn", "gb")


@dataclass
class Walk:
    app: Flask
    sessions: sessionmaker[Session]
    owner: sa.Engine
    world: World
    preset: Preset
    crew: list[uuid.UUID] = field(default_factory=list)

    def client(self, role: Role, *, lender: bool = False) -> FlaskClient:
        org = self.world.lender if lender else self.world.agency
        visitor = self.crew[0] if role is Role.VISITOR else None
        return client_of(self.app, self.sessions, role, org, since=NOW, visitor=visitor)

    def at(self, clock: dt.time) -> dt.datetime:
        return dt.datetime.combine(self.preset.on, clock, ZoneInfo(self.preset.zone)).astimezone(dt.UTC)


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    app = create_app(settings)
    yield app
    close_app(app)


@pytest.fixture
def owner(urls: Urls) -> Iterator[sa.Engine]:
    engine = sa.create_engine(urls.owner, pool_size=1)
    yield engine
    engine.dispose()


def make_place_and_people(walk: Walk) -> Case:
    """A debtor in the country of the preset, and a crew that works there."""
    preset = walk.preset
    with acting_for_all(walk.sessions) as session:
        session.execute(
            sa.update(Organisation).values(policies=list(preset.policies), zone=preset.zone, country=preset.country)
        )
        case = make_case(session, walk.world)
        session.execute(sa.delete(ContactPoint).where(ContactPoint.debtor_id == case.debtor_id))
        session.execute(
            sa.update(Place)
            .where(Place.debtor_id == case.debtor_id)
            .values(country=preset.country, zone=preset.zone, region=preset.region)
        )
        for shift in make_crew(session, walk.world, "A", people=preset.crew, on=preset.on):
            shift.starts_at = walk.at(preset.works_from)
            shift.ends_at = shift.starts_at + dt.timedelta(hours=8)
            walk.crew.append(shift.visitor_id)
        session.flush()
        (first,) = session.scalars(sa.select(Shift).where(Shift.lead)).all()
        walk.crew.sort(key=lambda visitor_id: visitor_id != first.visitor_id)
        for shift in session.scalars(sa.select(Shift).order_by(Shift.id)).all():
            trained = {"valid_from": TODAY - 30 * DAY, "valid_until": TODAY + 300 * DAY}
            make_credential(
                session, session.get_one(Visitor, shift.visitor_id), kind=CredentialKind.CERTIFICATE, **trained
            )
        return case


def tell_of_calls(walk: Walk, case: Case) -> None:
    """Three calls on three days, morning, afternoon and evening, that nobody answered."""
    zone = ZoneInfo(walk.preset.zone)
    calls = [("call", "no_answer", back, hour) for back, hour in ((4, 10), (3, 18), (2, 14))]
    visits = [("visit", "nobody_home", 60, 14)] if walk.preset.visited_before else []
    rows = [
        {
            "external_id": f"a{back}",
            "source": "dialer",
            "case_external_id": case.external_id,
            "channel": channel,
            "at": dt.datetime.combine(TODAY - back * DAY, dt.time(hour), zone).isoformat(),
            "result": result,
        }
        for channel, result, back, hour in (*calls, *visits)
    ]
    told = ask(walk.client(Role.INTEGRATOR, lender=True), "/contact-attempts", {"attempts": rows})
    assert told["added"] == len(rows)


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.long) for name in PRESETS]
)
def test_a_visit_under_a_preset_from_the_failed_calls_to_the_report(
    app: Flask, sessions: sessionmaker[Session], owner: sa.Engine, world: World, name: str
) -> None:
    preset = PRESETS[name]
    walk = Walk(app, sessions, owner, world, preset)
    case = make_place_and_people(walk)
    office, phone = walk.client(Role.DISPATCHER), walk.client(Role.VISITOR)
    # Nobody is visited whom the phone may still reach; then the gate opens on the evidence.
    assert ask(office, "/visits/opening")["visits"] == []
    tell_of_calls(walk, case)
    assert len(ask(office, "/visits/opening")["visits"]) == 1
    (visit,) = ask(office, "/visits", method="GET")["items"]
    assert (visit["state"], len(visit["evidence"])) == ("eligible", 3)
    plan_and_announce(walk, office, visit["id"])
    stop = published_stop(office, visit["id"])
    refused_and_then_accepted(walk, phone, visit["id"], dt.datetime.fromisoformat(stop["begin_at"]))
    reported(walk, phone, visit["id"])
    assert ask(office, f"/visits/{visit['id']}", method="GET")["state"] == "reported"
    told = ask(office, f"/visits/{visit['id']}/decisions", method="GET")["items"]
    assert [(each["moment"], each["verdict"]) for each in told if each["moment"] != "eligible"] == [
        ("planning", "allowed"),
        ("publishing", "allowed"),
        ("door", "blocked"),
        ("door", "allowed"),
    ]
    assert {(each["id"], each["version"]) for each in told[-1]["policies"]} == {(each, 1) for each in preset.policies}
    if preset.held_by_after:
        after = ask(office, f"/cases/{case.id}/eligibility", method="GET")
        assert preset.held_by_after in {clause["clause_id"] for clause in after["in_the_way"]}


def reported(walk: Walk, phone: FlaskClient, visit_id: str) -> None:
    """The report is taken; where the record needs more than its outcome, it is first refused with the clause."""
    path, refused_by = f"/phone/visits/{visit_id}/report", walk.preset.record_refused_by
    report = {"id": str(uuid.uuid4()), "outcome": walk.preset.outcome, "left_at": app_now(walk).isoformat()}
    if refused_by:
        refused = phone.post(path, json=report)
        assert (refused.status_code, refused.json["code"]) == (422, "record_incomplete")
        details = refused.json["details"]
        assert (details["clause_ids"], details["fields"]) == ([refused_by], ["recording"])
        report["door"] = {"recording_gap": "battery"}
    ask(phone, path, report)


def app_now(walk: Walk) -> dt.datetime:
    with walk.owner.connect() as connection:
        now: dt.datetime = connection.scalar(sa.text("select fieldvisit_now()"))
    return now


def plan_and_announce(walk: Walk, office: FlaskClient, visit_id: str) -> None:
    """The day is planned and published; what the preset wants announced is, by a letter that is handed over. A day on
    which it could not be announced in time is not offered, and the plan says why."""
    preset = walk.preset
    if preset.notice:
        give_phone(walk.sessions, walk.world)
        make_template(walk.sessions, walk.world.agency, channel=Channel.LETTER, contents=preset.notice)
    if preset.too_soon_on is not None:
        too_soon = ask(office, f"/day-plans/{drafted(walk.sessions, walk.world, on=preset.too_soon_on)}", method="GET")
        (left,) = too_soon["unserved"]
        assert (left["reason"], too_soon["routes"]) == ("not_permitted", [])
        assert any("Announced now, the visit may begin at" in remark for remark in left["remarks"]), left
    plan_id = drafted(walk.sessions, walk.world, on=preset.on)
    go_to(walk.app, walk.owner, LATER)
    published = ask(office, f"/day-plans/{plan_id}/publication")
    assert published["unserved"] == [], published["unserved"]
    if preset.notice:
        (notice,) = ask(office, f"/notices?visit_id={visit_id}", method="GET")["items"]
        ask(office, f"/notices/{notice['id']}/hand-over", {"at": LATER.isoformat(), "evidence": "RR 1"})


def published_stop(office: FlaskClient, visit_id: str) -> Any:
    plan_id = ask(office, f"/visits/{visit_id}", method="GET")["plan_id"]
    routes = ask(office, f"/day-plans/{plan_id}", method="GET")["routes"]
    (stop,) = [stop for route in routes for stop in route["stops"] if stop["visit_id"] == visit_id]
    return stop


def refused_and_then_accepted(walk: Walk, phone: FlaskClient, visit_id: str, begins_at: dt.datetime) -> None:
    preset = walk.preset
    body: dict[str, Any] = {"event_id": str(uuid.uuid4()), "position": HERE}
    alone = {"present": [str(walk.crew[0])]} if preset.refused_at is None else {}
    go_to(walk.app, walk.owner, begins_at if preset.refused_at is None else walk.at(preset.refused_at))
    told = phone.post(f"/phone/visits/{visit_id}/arrival", json=body | alone)
    assert (told.status_code, told.json["code"]) == (409, "forbidden_by_policy"), told.json
    details = told.json["details"]
    assert set(preset.refused_by.split()) <= set(details["clause_ids"]), details
    # In words why, and what would be lawful instead: the hours of that day.
    assert len(details["clauses"]) == len(details["clause_ids"]) > 0
    assert details["lawful"], details
    go_to(walk.app, walk.owner, begins_at + dt.timedelta(minutes=1))
    body |= {"event_id": str(uuid.uuid4())} | ({"recording": list(preset.recording)} if preset.recording else {})
    accepted = phone.post(f"/phone/visits/{visit_id}/arrival", json=body)
    assert accepted.status_code == 201, accepted.json
