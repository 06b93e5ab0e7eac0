"""Under duress nobody beside the phone learns of it: neither from the answer, nor from anything that may be asked."""

import os
import re
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from random import Random
from statistics import median
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.openapi import operations
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.models import Account, SafetyAlert, SafetySession
from fieldvisit.safety.pins import set_pins
from fieldvisit.settings import Settings
from fieldvisit.tokens import sign_access
from fieldvisit.vocabulary import AlertOutcome, DutyRank, ResolutionProof, Role
from tests.api.bodies import query_for
from tests.api.conftest import ClientFor
from tests.api.foreign import make_foreign_rows
from tests.conftest import NOW
from tests.safety.worlds import make_account, put_on_duty
from tests.worlds import TODAY, World, make_case, make_visit, make_visitor

PIN, DURESS = "4711", "4862"
CALLS = int(os.environ.get("DURESS_CALLS", "100"))
"""Of each kind, in the long test; 2,000 in the full one."""
AT_ONCE = 8
WITHIN_S, ENOUGH = 0.002, 1_000
# Streams go on for as long as they are asked to; a file of tus and metrics are no answers in JSON.
UNASKED = {"stream_safety", "stream_wall", "describe_uploads", "read_evidence_offset"}
WHAT_DIFFERS = (
    (r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", "id"),
    (r"[0-9a-f]{32}", "id"),
    (r"\d{4}-\d\d-\d\d(T[0-9:.]+(Z|[+-][0-9:]+))?", "time"),
    (r"\d+", "number"),
)


class Ids(dict[str, Any]):
    """What is not there has an id that nobody has."""

    def __missing__(self, name: str) -> str:
        return "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69"


class Phone:
    """Somebody's phone with a PIN, and what may be asked with it."""

    def __init__(self, app: Flask, settings: Settings, account: Account) -> None:
        self.visitor_id = account.visitor_id
        self._token = sign_access(account, key=settings.token_key, now=NOW, lifetime_s=3_600 * 24)
        self.client = app.test_client()
        self.client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {self._token}"

    def start(self, **given: Any) -> str:
        session_id = str(uuid.uuid4())
        position = {"lat": 60.17, "lon": 24.94, "datum": "wgs84"}
        body = {"id": session_id, "planned_s": 1_800, "position": position} | given
        answer = self.client.post("/safety/sessions", json=body)
        assert answer.status_code == 201, answer.text
        return session_id

    def tell(self, session_id: str) -> tuple[int, str]:
        """What the phone is told when it tells on: a check-in, that it is there, and that it has ended."""
        events = [
            {"kind": kind, "event_id": str(uuid.uuid4()), "session_id": session_id, "device_at": NOW.isoformat()}
            for kind in ("check_in", "beat", "safety_end")
        ]
        answer = self.client.post("/phone/events", json={"sent_at": NOW.isoformat(), "events": events})
        return answer.status_code, answer.text

    def end(self, session_id: str, pin: str) -> Any:
        return self.client.post(f"/safety/sessions/{session_id}/end", json={"event_id": str(uuid.uuid4()), "pin": pin})


@pytest.fixture
def officer(client_for: ClientFor, world: World, sessions: sessionmaker[Session]) -> FlaskClient:
    officer = client_for(Role.SAFETY_OFFICER, org=world.agency)
    with acting_for_all(sessions) as session:
        account = session.scalars(sa.select(Account).where(Account.roles == ["safety_officer"])).one()
        put_on_duty(session, account, DutyRank.DUTY)
    return officer


def make_phones(
    app: Flask, settings: Settings, sessions: sessionmaker[Session], world: World, count: int
) -> list[Phone]:
    with acting_for(sessions, world.agency) as session:
        accounts = []
        for _ in range(count):
            visitor = make_visitor(session, world, papers=False, name="Ilta Virtanen")
            set_pins(session, visitor.id, PIN, DURESS)
            accounts.append(make_account(session, world, Role.VISITOR, visitor_id=visitor.id))
    return [Phone(app, settings, account) for account in accounts]


def everything(client: FlaskClient, document: dict[str, Any], ids: dict[str, Any]) -> dict[str, tuple[int, str]]:
    """What each address answers that can be read, with these ids wherever it asks for some."""
    found = {}
    for path, method, operation in operations(document):
        if method == "get" and operation["operationId"] not in UNASKED:
            answer = client.get(path.format_map(Ids(ids)), query_string=query_for(operation, ids))
            found[operation["operationId"]] = answer.status_code, answer.text
    return found


def alike(answers: dict[str, tuple[int, str]]) -> dict[str, tuple[int, str]]:
    """Without what differs between any two people: ids, moments, numbers."""

    def plain(text: str) -> str:
        for form, name in WHAT_DIFFERS:
            text = re.sub(form, name, text)
        return text

    return {name: (status, plain(text)) for name, (status, text) in answers.items()}


def differing(one: dict[str, tuple[int, str]], other: dict[str, tuple[int, str]]) -> dict[str, Any]:
    first, second = alike(one), alike(other)
    return {name: (first[name], second[name]) for name in first if first[name] != second[name]}


def test_nothing_that_can_be_asked_tells_of_duress_until_it_is_over(
    app: Flask, settings: Settings, sessions: sessionmaker[Session], world: World, officer: FlaskClient, client_for: Any
) -> None:
    """Two visitors at one door each with a partner; one ends as usual, the other under duress, and officers look on."""
    document = dict(app.test_client().get("/openapi.json").json)
    ids = make_foreign_rows(sessions, world)
    calm, calm_partner, forced, partner = make_phones(app, settings, sessions, world, 4)
    with acting_for_all(sessions) as session:
        doors = [str(make_visit(session, world, make_case(session, world), planned_on=TODAY).id) for _ in range(2)]
    calm_partner.start(visit_id=doors[0])
    partner.start(visit_id=doors[1])
    calm_id, forced_id = calm.start(visit_id=doors[0]), forced.start(visit_id=doors[1])
    usual = calm.end(calm_id, PIN)
    covert = forced.end(forced_id, DURESS)
    with acting_for_all(sessions) as session:
        alert_id = str(session.scalars(sa.select(SafetyAlert.id).where(SafetyAlert.kind == "duress")).one())
        assert session.get_one(SafetySession, uuid.UUID(forced_id)).duress
    assert (usual.status_code, _names(usual), len(usual.data)) == (
        covert.status_code,
        _names(covert),
        len(covert.data),
    )
    assert differing({"events": forced.tell(forced_id)}, {"events": calm.tell(calm_id)}) == {}
    for path in ("/safety/sessions", "/safety/alerts", "/safety/live", f"/safety/alerts/{alert_id}"):
        assert "duress" in officer.get(path).text

    asked = ids | {"session_id": forced_id, "alert_id": alert_id, "visit_id": doors[1]}
    as_usual = ids | {"session_id": calm_id, "visit_id": doors[0]}
    theirs = everything(forced.client, document, asked)
    assert differing(theirs, everything(calm.client, document, as_usual)) == {}
    beside = everything(partner.client, document, asked)
    assert differing(beside, everything(calm_partner.client, document, as_usual)) == {}
    readers = {
        "visitor": theirs,
        "partner": beside,
        "integrator": everything(client_for(Role.INTEGRATOR, org=world.agency), document, asked),
        "dispatcher": everything(client_for(Role.DISPATCHER, org=world.agency), document, asked),
    }
    documented = {"openapi_json", "read_openapi"}
    traces = [
        (who, name)
        for who, answers in readers.items()
        for name, (_, text) in answers.items()
        if name not in documented and any(word in text for word in ("duress", "covert", alert_id))
    ]
    assert traces == []

    with acting_for_all(sessions) as session:
        other = make_account(session, world, Role.SAFETY_OFFICER)
    second = app.test_client()
    second.environ_base["HTTP_AUTHORIZATION"] = (
        f"Bearer {sign_access(other, key=settings.token_key, now=NOW, lifetime_s=3_600)}"
    )
    assert officer.post(f"/safety/alerts/{alert_id}/acknowledgement").status_code == 200
    closing = {
        "outcome": AlertOutcome.GENUINE_THREAT.value,
        "proof": ResolutionProof.SEEN_IN_PERSON.value,
        "resume": False,
    }
    officer.post(f"/safety/alerts/{alert_id}/resolution", json=closing)
    assert forced.client.get("/safety/looks").json["items"] == calm.client.get("/safety/looks").json["items"] == []
    assert second.post(f"/safety/alerts/{alert_id}/resolution/agreement").status_code == 200
    assert len(forced.client.get("/safety/looks").json["items"]) > 0, "afterwards it is told who looked"


def _names(answer: Any) -> tuple[list[str], list[str]]:
    """Of the fields and of the headers."""
    return sorted(answer.json), sorted(answer.headers.keys())


@pytest.fixture
def timed(
    app: Flask, settings: Settings, sessions: sessionmaker[Session], world: World, officer: FlaskClient
) -> Iterator[list[tuple[str, float, Any]]]:
    """The PIN, the seconds until the answer, and the answer, of as many ends as are asked for, in a mixed order."""
    phones = make_phones(app, settings, sessions, world, 2 * CALLS)
    calls = [(phone, phone.start(), pin) for phone, pin in zip(phones, (PIN, DURESS) * CALLS, strict=True)]
    Random(7).shuffle(calls)

    def end(phone: Phone, session_id: str, pin: str) -> tuple[str, float, Any]:
        began = time.perf_counter()
        answer = phone.end(session_id, pin)
        return pin, time.perf_counter() - began, answer

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield list(pool.map(lambda call: end(*call), calls))


@pytest.mark.long
def test_the_answer_under_duress_takes_the_time_of_any_other(timed: list[tuple[str, float, Any]]) -> None:
    """The difference of the medians lies within 2 ms, in a full run with its interval of confidence (95 %)."""
    shapes = {
        pin: {(a.status_code, len(a.data), *map(tuple, _names(a))) for p, _, a in timed if p == pin}
        for pin in (PIN, DURESS)
    }
    assert shapes[PIN] == shapes[DURESS]
    took = {pin: [seconds for p, seconds, _ in timed if p == pin] for pin in (PIN, DURESS)}
    draw = Random(11)
    drawn = sorted(
        median(draw.choices(took[DURESS], k=CALLS)) - median(draw.choices(took[PIN], k=CALLS)) for _ in range(1_000)
    )
    low, high = drawn[25], drawn[974]
    apart = median(took[DURESS]) - median(took[PIN])
    print(
        f"{CALLS} of each, {AT_ONCE} at a time: medians {median(took[PIN]):.4f} s and {median(took[DURESS]):.4f} s; "
        f"apart by {1_000 * apart:.2f} ms, 95 %: {1_000 * low:.2f} to {1_000 * high:.2f} ms"
    )
    assert abs(apart) <= WITHIN_S
    assert CALLS < ENOUGH or -WITHIN_S <= low <= high <= WITHIN_S
