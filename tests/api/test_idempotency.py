"""A write that is sent again under its key: the same bytes, nothing twice, whoever else asks at the same moment."""

import base64
import datetime as dt
import json
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session, sessionmaker

from api.contracts import contract_of
from api.db import db
from api.idempotency import HEADER, REPLAYED
from api.openapi import operations
from api.roles import PUBLIC
from fieldvisit.answers import KEPT_FOR, Answer, Asked, earlier_answer, forget_answers, keep_answer
from fieldvisit.database import Urls, acting_for
from fieldvisit.models import Account, Evidence, KeptAnswer
from fieldvisit.vocabulary import Role
from tests.api.conftest import PASSWORD, ClientFor
from tests.conftest import NOW
from tests.phone.test_late_and_together import wait_until_somebody_waits
from tests.phone.worlds import make_morning
from tests.worlds import World

KEY = {HEADER: "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69"}


def account(username: str = "dialer") -> dict[str, Any]:
    return {"username": username, "password": PASSWORD, "roles": ["integrator"]}


@pytest.fixture
def admin(client_for: ClientFor, world: World) -> FlaskClient:
    return client_for(Role.ADMIN, org=world.agency)


def opened(sessions: sessionmaker[Session], world: World) -> list[str]:
    """The names of the accounts that the admin opened."""
    with acting_for(sessions, world.agency) as session:
        names = session.scalars(sa.select(Account.username).order_by(Account.username))
        return [name for name in names if not name.startswith("somebody")]


def test_the_same_again_gets_the_same_bytes_and_changes_nothing(
    admin: FlaskClient, sessions: sessionmaker[Session], world: World
) -> None:
    first, again = (admin.post("/accounts", json=account(), headers=KEY) for _ in range(2))
    assert (first.status_code, again.status_code, again.data) == (201, 201, first.data)
    assert (first.headers.get(REPLAYED), again.headers[REPLAYED], again.mimetype) == (None, "true", first.mimetype)
    assert opened(sessions, world) == ["dialer"]


def test_an_answer_without_a_body_is_replayed_too(admin: FlaskClient) -> None:
    account_id = admin.post("/accounts", json=account()).json["id"]
    first, again = (admin.post(f"/accounts/{account_id}/closure", headers=KEY) for _ in range(2))
    assert (first.status_code, first.data) == (again.status_code, again.data)
    assert again.headers[REPLAYED] == "true"


def test_what_was_changed_under_a_key_is_changed_again_by_the_tag_of_the_first_answer(
    client_for: ClientFor, world: World
) -> None:
    supervisor = client_for(Role.SUPERVISOR, org=world.agency)
    rules = {"order_rule": "allow", "may_reject": True, "undo_minutes": 5}
    first = supervisor.put("/field-rules", json=rules, headers=KEY)
    again = supervisor.put("/field-rules", json=rules, headers=KEY | {"If-Match": first.headers["ETag"]})
    assert (again.headers[REPLAYED], again.headers["ETag"]) == ("true", first.headers["ETag"])
    next_one = supervisor.put(
        "/field-rules", json=rules | {"undo_minutes": 9}, headers={"If-Match": again.headers["ETag"]}
    )
    assert (next_one.status_code, next_one.json["undo_minutes"]) == (200, 9)


def test_a_file_in_parts_is_told_its_address_and_its_offset_again(
    client_for: ClientFor, sessions: sessionmaker[Session]
) -> None:
    """They are the whole answer. The same bytes for another place in the file are another request."""
    morning = make_morning(sessions, visits=1)
    phone = client_for(Role.VISITOR, org=morning.world.agency, visitor_id=morning.ilta)
    said = {"id": str(uuid.uuid4()), "visit_id": str(morning.visit), "kind": "photo", "captured_at": NOW.isoformat()}
    pairs = ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
    file = {"Tus-Resumable": "1.0.0", "Upload-Length": "10", "Upload-Metadata": pairs}
    made, again = (phone.post("/phone/evidence", headers=file | KEY) for _ in range(2))
    going_on = ("Location", "Upload-Offset", "Tus-Resumable")
    assert [again.headers[name] for name in going_on] == [made.headers[name] for name in going_on]
    assert (again.status_code, again.headers[REPLAYED]) == (201, "true")
    larger = phone.post("/phone/evidence", headers=file | KEY | {"Upload-Length": "11"})
    assert (larger.status_code, larger.json["code"]) == (422, "idempotency_key_reused")

    part = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream", HEADER: "the-first-five"}
    answers = [
        phone.patch(urlsplit(made.headers["Location"]).path, data=b"abcde", headers=part | {"Upload-Offset": at})
        for at in ("0", "0", "5")
    ]
    assert [each.headers.get("Upload-Offset") for each in answers] == ["5", "5", None]
    assert [each.status_code for each in answers] == [204, 204, 422]
    with acting_for(sessions, morning.world.agency) as session:
        assert session.scalars(sa.select(Evidence.received_bytes)).all() == [5]


def test_an_answer_that_was_kept_without_headers_is_replayed_without_them(
    admin: FlaskClient, sessions: sessionmaker[Session], world: World
) -> None:
    first = admin.post("/accounts", json=account(), headers=KEY)
    with acting_for(sessions, world.agency) as session:
        session.execute(sa.update(KeptAnswer).values(headers=None))
    again = admin.post("/accounts", json=account(), headers=KEY)
    assert (again.status_code, again.data, again.headers[REPLAYED]) == (201, first.data, "true")


def test_the_order_of_names_in_a_body_does_not_make_another_request(admin: FlaskClient) -> None:
    first = admin.post("/accounts", json=account(), headers=KEY)
    again = admin.post("/accounts", json=dict(reversed(account().items())), headers=KEY)
    assert again.data == first.data


@pytest.mark.parametrize(
    ("path", "body"),
    [("/accounts", account("other")), ("/accounts/018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69/closure", None)],
)
def test_another_request_under_the_same_key_is_refused_and_says_so(
    admin: FlaskClient, path: str, body: dict[str, Any] | None
) -> None:
    admin.post("/accounts", json=account(), headers=KEY)
    refused = admin.post(path, json=body, headers=KEY)
    assert (refused.status_code, refused.json["code"]) == (422, "idempotency_key_reused")
    assert KEY[HEADER] in refused.json["detail"]


def test_a_refusal_uses_up_no_key(admin: FlaskClient) -> None:
    admin.post("/accounts", json=account())
    refused = admin.post("/accounts", json=account(), headers=KEY)
    taken = admin.post("/accounts", json=account("other"), headers=KEY)
    assert (refused.status_code, taken.status_code) == (409, 201)


def test_two_accounts_may_use_the_same_key(admin: FlaskClient, client_for: ClientFor, world: World) -> None:
    other = client_for(Role.ADMIN, org=world.agency)
    names = [asker.post("/accounts", json=account(name), headers=KEY).json["username"] for asker, name in
             ((admin, "first"), (other, "second"))]  # fmt: skip
    assert names == ["first", "second"]


@pytest.mark.parametrize("key", ["", "k" * 256, "two words", "schl\xfcssel"])
def test_a_key_of_the_wrong_form_is_refused(admin: FlaskClient, key: str) -> None:
    refused = admin.post("/accounts", json=account(), headers={HEADER: key})
    assert (refused.status_code, refused.json["details"]["path"]) == (422, HEADER)


@pytest.fixture
def holder(sessions: sessionmaker[Session], world: World) -> Iterator[Session]:
    """A transaction of the agency that a test holds open."""
    with sessions(info={"org": world.agency}) as session:
        yield session


def asked(account_id: uuid.UUID, digest: bytes = b"one") -> Asked:
    return Asked(account_id=account_id, key="twin", digest=digest)


def test_the_second_of_two_waits_and_gets_the_answer_of_the_first(
    holder: Session, sessions: sessionmaker[Session], world: World
) -> None:
    twin, answer = asked(uuid.uuid4()), Answer(status=201, media="application/json", body="{}")

    def second() -> Answer | None:
        with acting_for(sessions, world.agency) as session:
            return earlier_answer(session, twin)

    with ThreadPoolExecutor(1) as pool:
        assert earlier_answer(holder, twin) is None
        waiting = pool.submit(second)
        wait_until_somebody_waits(sessions)
        keep_answer(holder, twin, answer)
        holder.commit()
        assert waiting.result() == answer


def test_where_the_first_of_two_leaves_nothing_behind_the_second_does_the_work(
    holder: Session, sessions: sessionmaker[Session], world: World
) -> None:
    twin = asked(uuid.uuid4())

    def second() -> Answer | None:
        with acting_for(sessions, world.agency) as session:
            return earlier_answer(session, twin)

    with ThreadPoolExecutor(1) as pool:
        assert earlier_answer(holder, twin) is None
        waiting = pool.submit(second)
        wait_until_somebody_waits(sessions)
        holder.rollback()
        assert waiting.result() is None


def test_twins_over_http_get_one_answer(
    app: Flask, admin: FlaskClient, sessions: sessionmaker[Session], world: World
) -> None:
    together = threading.Barrier(4)

    def ask(_: int) -> tuple[int, bytes]:
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = admin.environ_base["HTTP_AUTHORIZATION"]
        together.wait()
        answer = client.post("/accounts", json=account(), headers=KEY)
        return answer.status_code, answer.data

    with ThreadPoolExecutor(4) as pool:
        answers = set(pool.map(ask, range(4)))
    with app.app_context():
        db.session.remove()
    assert [status for status, _ in answers] == [201]
    assert opened(sessions, world) == ["dialer"]


def test_answers_are_kept_as_long_as_a_phone_may_be_without_signal(
    sessions: sessionmaker[Session], world: World
) -> None:
    twin = asked(uuid.uuid4())
    with acting_for(sessions, world.agency) as session:
        earlier_answer(session, twin)
        kept_at = session.scalars(sa.select(KeptAnswer.recorded_at)).one()
    forgotten = []
    for passed in (dt.timedelta(days=30), KEPT_FOR + dt.timedelta(seconds=1)):
        with acting_for(sessions, world.agency) as session:
            forgotten.append(forget_answers(session, kept_at + passed))
    assert (forgotten, kept_at.date()) == ([0, 1], NOW.date())


def test_what_was_answered_is_not_readable_in_the_database(admin: FlaskClient, urls: Urls) -> None:
    admin.post("/accounts", json=account("readable"), headers=KEY)
    engine = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    with engine.begin() as connection:
        connection.execute(sa.text("select set_config('app.sees_all', 'on', true)"))
        (body,) = connection.scalars(sa.text("select body from kept_answers")).all()
    assert b"readable" not in bytes(body)


def test_a_password_that_was_sent_under_a_key_cannot_be_guessed_by_what_is_kept(
    admin: FlaskClient, sessions: sessionmaker[Session], world: World
) -> None:
    """Who reads the table knows all of a request but its password, and a hash without a key is tried at any speed."""
    admin.post("/accounts", json=account(), headers=KEY)
    guessed = sha256(json.dumps(["POST", "/accounts?", account()], sort_keys=True).encode()).digest()
    with acting_for(sessions, world.agency) as session:
        (kept,) = session.scalars(sa.select(KeptAnswer.request_digest)).all()
        assert bytes(kept) != guessed
        # As it was kept before.
        session.execute(sa.update(KeptAnswer).values(request_digest=guessed))
    assert admin.post("/accounts", json=account(), headers=KEY).headers[REPLAYED] == "true"
    with acting_for(sessions, world.agency) as session:
        assert forget_answers(session, NOW) == 0
        (keyed,) = session.scalars(sa.select(KeptAnswer.request_digest)).all()
    assert bytes(keyed) == bytes(kept)
    assert admin.post("/accounts", json=account(), headers=KEY).headers[REPLAYED] == "true"


TAKINGS = {"acknowledge_alert", "accept_alert", "offer_alert", "take_duty", "offer_duty", "withdraw_duty_offer"}
"""Who holds an alert or a shift is so or not, however often it is said, and an answer that was kept may be untrue."""


def test_every_write_with_a_token_takes_a_key_but_those_of_safety_with_an_id_or_that_take(
    app: Flask, client: FlaskClient
) -> None:
    contracts = {view.__name__: contract for view in app.view_functions.values() if (contract := contract_of(view))}
    taking, meant = set(), set()
    for _, method, operation in operations(client.get("/openapi.json").json):
        name = operation["operationId"]
        if HEADER in {each.get("name") for each in operation.get("parameters", ())}:
            taking.add(name)
        contract = contracts.get(name)
        has_id = contract and contract.body and {"id", "event_id"} & {*contract.body.fields}
        done_once = name in TAKINGS or (contract and contract.safety and has_id)
        if contract and method != "get" and contract.may is not PUBLIC and not done_once:
            meant.add(name)
        if name in taking and contract and contract.safety and contract.returns:
            assert contract.afresh, f"{name} is answered as things stood."
    assert taking == meant
    assert {"set_out", "create_account", "extend_for_visitor", "note_alert", "set_pins"} <= taking
    assert not {"send_sos", "call_for_somebody", "check_in", "start_safety_session"} & taking
