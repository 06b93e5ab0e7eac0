"""What every request meets: ids, logs, headers, limits, and a database that is away."""

import dataclasses
import json
import logging
from collections.abc import Iterator

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask, url_for
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker
from structlog.testing import capture_logs

from api.app import close_app, create_app
from api.auth import authenticate
from api.limiting import Limiter
from api.logs import configure_logs
from fieldvisit.database import Urls, acting_for
from fieldvisit.errors import SettingsRefused
from fieldvisit.migrating import migrate
from fieldvisit.models import AuditEvent, DebtorAccess
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import Role
from tests.api.conftest import PASSWORD, ClientFor
from tests.worlds import World, make_case

WITH_IDS = (structlog.contextvars.merge_contextvars,)


@pytest.fixture
def client(standing_integrator: FlaskClient) -> FlaskClient:
    """Nothing asked by this one leaves anything behind."""
    return standing_integrator


def test_a_request_keeps_the_id_it_came_with(client: FlaskClient) -> None:
    answer = client.get("/health/live", headers={"X-Request-Id": "dialer-00042"})
    assert answer.headers["X-Request-Id"] == "dialer-00042"


@pytest.mark.parametrize("given", ["", "short", "a b c d e f g", "x" * 65, '"><script>'])
def test_an_id_that_is_none_is_replaced(client: FlaskClient, given: str) -> None:
    answer = client.get("/health/live", headers={"X-Request-Id": given})
    assert len(answer.headers["X-Request-Id"]) == 32


def test_a_request_is_logged_by_ids_and_its_route_alone(client_for: ClientFor, world: World) -> None:
    asker = client_for(Role.DISPATCHER, org=world.agency)
    with capture_logs(WITH_IDS) as lines:
        asker.get("/debtors?external_id=Meri%20Example", headers={"X-Request-Id": "dialer-00042"})
    (line,) = lines
    assert set(line) == {
        *("event", "log_level", "request_id", "actor", "organisation", "method", "route", "status", "ms"),
    }
    assert (line["request_id"], line["organisation"], line["route"], line["status"]) == (
        "dialer-00042",
        str(world.agency),
        "/debtors",
        200,
    )


def test_no_log_holds_a_name_a_number_or_a_password(client_for: ClientFor, client: FlaskClient, world: World) -> None:
    asker = client_for(Role.INTEGRATOR, org=world.lender)
    debtor = {
        "external_id": "D-4711",
        "name": "Meri Example",
        "national_id": "010170-999X",
        "contact_points": [{"kind": "phone", "value": "+358450009999"}],
        "places": [{"address": "Aleksanterinkatu 1, Helsinki"}],
    }
    with capture_logs() as lines:
        asker.put("/debtors", json=debtor)
        asker.put("/debtors", json=debtor | {"name": 17})
        asker.get("/debtors?external_id=D-4711")
        client.post("/tokens", json={"username": "meri", "password": PASSWORD})
    said = json.dumps(lines)
    secrets = ("Meri", "010170", "0009999", "Aleksanterinkatu", "D-4711", "meri", PASSWORD)
    assert [secret for secret in secrets if secret in said] == []


def test_an_unforeseen_error_is_answered_without_and_logged_with_its_place(app: Flask) -> None:
    def broken() -> str:
        raise ZeroDivisionError("Meri Example owes 105500")

    app.add_url_rule("/broken", view_func=broken)
    with capture_logs(WITH_IDS) as lines:
        answer = app.test_client().get("/broken")
    assert (answer.status_code, answer.json["code"]) == (500, "unforeseen_error")
    assert "Meri" not in answer.text + json.dumps(lines)
    assert (lines[0]["error"], "broken" in lines[0]["frames"][-1]) == ("ZeroDivisionError", True)
    assert {answer.json["request_id"]} == {line["request_id"] for line in lines}


def test_every_line_of_a_request_says_who_asks_and_none_of_the_next(
    app: Flask, client_for: ClientFor, world: World
) -> None:
    def broken() -> str:
        authenticate()
        raise ZeroDivisionError

    app.add_url_rule("/broken", view_func=broken)
    asker = client_for(Role.DISPATCHER, org=world.agency)
    with capture_logs(WITH_IDS) as lines:
        asker.get("/broken", headers={"X-Request-Id": "dialer-00042"})
        app.test_client().get("/health/live", headers={"X-Request-Id": "dialer-00043"})
    left_behind = structlog.contextvars.get_contextvars()
    assert [(line["event"], line["request_id"], line.get("organisation")) for line in lines] == [
        ("unforeseen_error", "dialer-00042", str(world.agency)),
        ("request", "dialer-00042", str(world.agency)),
        ("request", "dialer-00043", None),
    ]
    assert [("actor" in line) for line in lines] == [True, True, False]
    assert left_behind == {}


def test_logs_are_one_json_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before = root.handlers, root.level
    try:
        configure_logs("info")
        logging.getLogger("somebody.else").warning("it rains in %s", "Helsinki")
    finally:
        root.handlers, root.level = before
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["level"], line["logger"]) == ("it rains in Helsinki", "warning", "somebody.else")


def test_answers_are_kept_in_no_cache_and_framed_by_nobody(client: FlaskClient) -> None:
    headers = client.get("/health/live").headers
    assert {name: headers[name] for name in ("Cache-Control", "X-Content-Type-Options", "Referrer-Policy")} == {
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    assert "Access-Control-Allow-Origin" not in headers


def test_what_was_read_before_is_not_sent_again(client_for: ClientFor, world: World) -> None:
    asker = client_for(Role.DISPATCHER, org=world.agency)
    first = asker.get("/areas")
    again = asker.get("/areas", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_metrics_count_by_route_and_never_by_address(client: FlaskClient) -> None:
    client.get("/health/live")
    client.get("/nothing/meri-example")
    text = client.get("/metrics").text
    assert 'fieldvisit_requests_total{method="GET",route="/health/live",status="200"}' in text
    assert 'fieldvisit_requests_total{method="GET",route="none",status="404"}' in text
    assert "meri" not in text


def test_the_page_for_people_loads_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/docs")
    assert "http" not in page.text.replace("/openapi.json", "")
    assert "script-src 'self';" in page.headers["Content-Security-Policy"]
    for asset in ("/docs/assets/swagger-ui-bundle.js", "/docs/assets/swagger-ui.css", "/docs/start.js"):
        with client.get(asset) as answer:
            assert answer.status_code == 200


def test_a_change_leaves_a_trace_and_so_does_reading_a_file(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for(sessions, world.lender) as session:
        debtor_id = make_case(session, world).debtor_id
    asker = client_for(Role.SUPERVISOR, org=world.lender)
    wish = {"only": False, "days": ["mon"], "from_time": "08:00", "until_time": "10:00"}
    asker.get(f"/debtors/{debtor_id}", headers={"X-Request-Id": "request-1"})
    asker.get("/debtors")
    asker.put(f"/debtors/{debtor_id}/wishes", json=wish, headers={"X-Request-Id": "request-2"})
    with acting_for(sessions, world.lender) as session:
        trail = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.at)).all()
        assert [(each.action, each.subject, each.subject_id, each.request_id) for each in trail] == [
            ("put_wish", "debtors", debtor_id, "request-2"),
        ]
        looked = session.scalars(sa.select(DebtorAccess).order_by(DebtorAccess.id)).all()
        assert [(each.action, each.debtor_id, each.request_id) for each in looked[:1]] == [
            ("get_debtor", debtor_id, "request-1")
        ]
        assert [each.action for each in looked] == ["get_debtor", "list_debtors"]


def test_what_is_refused_leaves_nothing_behind(
    client_for: ClientFor, sessions: sessionmaker[Session], world: World
) -> None:
    asker = client_for(Role.INTEGRATOR, org=world.agency)
    assert asker.put("/shifts", json=SHIFT_OF_NOBODY).status_code == 404
    with acting_for(sessions, world.agency) as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) == 0


SHIFT_OF_NOBODY = {
    "visitor_external_id": "nobody",
    "works_on": "2026-03-03",
    "starts_at": "2026-03-03T08:00:00+02:00",
    "ends_at": "2026-03-03T16:00:00+02:00",
    "crew_code": "A",
    "lead": True,
    "from_office": True,
}


def app_for(settings: Settings, **changed: object) -> Flask:
    return create_app(dataclasses.replace(settings, **changed))  # type: ignore[arg-type]  # names are Settings' own


@pytest.fixture
def away(settings: Settings) -> Iterator[Flask]:
    """An app whose database is a port where nobody listens."""
    app = app_for(settings, database_url="postgresql://fieldvisit_app:x@127.0.0.1:1/nowhere")
    yield app
    close_app(app)


def test_a_dead_database_is_told_as_such_with_when_to_try_again(away: Flask) -> None:
    client = away.test_client()
    with capture_logs(WITH_IDS) as lines:
        answer = client.post("/tokens", json={"username": "aino", "password": PASSWORD})
    assert (answer.status_code, answer.json["code"], answer.headers["Retry-After"]) == (
        503,
        "database_unavailable",
        "2",
    )
    assert (lines[0]["event"], lines[0]["cause"], lines[0]["request_id"]) == (
        "unavailable",
        "OperationalError",
        answer.json["request_id"],
    )


def test_health_tells_life_from_readiness(away: Flask) -> None:
    client = away.test_client()
    ready = client.get("/health/ready")
    assert client.get("/health/live").status_code == 200
    assert (ready.status_code, ready.json["ready"], ready.headers["Retry-After"]) == (503, False, "2")
    assert [part["well"] for part in ready.json["parts"] if part["name"] == "database"] == [False]


def test_a_database_that_comes_late_is_served_without_a_restart(settings: Settings, urls: Urls) -> None:
    migrate(urls, "base")
    app = app_for(settings)
    client = app.test_client()
    with capture_logs() as lines:
        early = client.post("/tokens", json={"username": "aino", "password": PASSWORD})
    migrate(urls)
    late = client.post("/tokens", json={"username": "aino", "password": PASSWORD})
    close_app(app)
    assert (early.status_code, early.json["code"], late.status_code) == (503, "not_ready", 401)
    assert (lines[0]["event"], lines[0]["code"], lines[0]["cause"]) == ("unavailable", "not_ready", "schema_behind")


def test_readiness_says_which_map_is_missing(settings: Settings) -> None:
    app = app_for(settings, map_file=settings.data_folder / "city.osm.pbf")
    parts = app.test_client().get("/health/ready").json["parts"]
    close_app(app)
    assert parts[1] == {"name": "map", "well": None, "said": "The map file city.osm.pbf is missing."}


def test_an_account_that_asks_too_often_is_told_to_wait(settings: Settings) -> None:
    app = app_for(settings, rate_limit="2/minute")
    client = app.test_client()
    answers = [client.get("/areas", headers={"Accept-Language": "zh-CN"}) for _ in range(3)]
    close_app(app)
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert (answers[2].json["details"]["limit"], "每 60 秒 2 次" in answers[2].json["detail"]) == ("2/minute", True)
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]


@pytest.mark.parametrize(("usual", "storage"), [("often", "memory://"), ("1/minute", "shelf://")])
def test_a_limit_that_is_none_is_refused_at_the_start(usual: str, storage: str) -> None:
    with pytest.raises(SettingsRefused, match="RATE_LIMIT"):
        Limiter(usual, storage)


def test_a_month_without_its_partition_is_made_and_asked_for_again(
    urls: Urls, sessions: sessionmaker[Session], client_for: ClientFor, world: World
) -> None:
    """No watcher and no worker has run for months: nothing is a contradiction, and the second try is stored."""
    asker = client_for(Role.INTEGRATOR, org=world.agency)
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with owner.begin() as connection:
        connection.execute(sa.text("drop table parts.audit_events_2026_03"))
    visitor = {"external_id": "V-77", "name": "Ilta Example", "staff_number": "77"}
    answers = [asker.put("/visitors", json=visitor) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 200]


def test_an_address_is_built_when_somebody_asks_for_it(app: Flask) -> None:
    with app.test_request_context():
        assert url_for("visits.get_visit", visit_id="7", more="8") == "/visits/7?more=8"
