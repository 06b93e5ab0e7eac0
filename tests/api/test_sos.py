"""A call for help is taken from whoever once had a token, whatever its body, and also when the database refuses."""

import gzip
import io
import json
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session, sessionmaker

from api.app import close_app, create_app
from api.batch_calls import EACH_TRY, Work
from api.sos import KEY, Emergency, stay_ready
from fieldvisit import embedded
from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.models import Account, DutyShift, Organisation, SafetyAlert, SafetyEvent, SafetySession, Visitor
from fieldvisit.safety.drafts import Sos
from fieldvisit.safety.emergency import BOOK, Book, Line
from fieldvisit.safety.emergency_calls import Caller
from fieldvisit.safety.emergency_list import DutyList
from fieldvisit.safety.epochs import Witness, current_epoch, notice
from fieldvisit.safety.rules import ExternalLine, RulesDraft, set_rules
from fieldvisit.sealing import Cipher
from fieldvisit.settings import Settings, read_settings
from fieldvisit.tokens import sign_access
from fieldvisit.vocabulary import AlertKind, DutyRank, Role
from tests.conftest import NOW
from tests.processes import wait_until
from tests.safety.providers import Providers, fake_providers
from tests.safety.worlds import make_account, put_on_duty
from tests.worlds import World, make_visitor

UNKEPT = uuid.UUID("018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a70")


@pytest.fixture
def providers(tmp_path: Path) -> Iterator[Providers]:
    with fake_providers(tmp_path) as found:
        yield found


@pytest.fixture
def app(settings: Settings, providers: Providers) -> Iterator[Flask]:
    app = create_app(
        read_settings(
            {
                "ENVIRONMENT": "test",
                "DATA_FOLDER": str(settings.data_folder),
                "DATABASE_URL": settings.database_url or "",
                "DATABASE_OWNER_URL": settings.database_owner_url or "",
                "ALARM_PROVIDERS": json.dumps(providers.as_json()),
            }
        )
    )
    yield app
    found: Emergency | None = app.extensions.get(KEY)
    if found is not None:
        found.caller.join(30)
        found.pool.shutdown()
        found.channels.close()
    close_app(app)


@pytest.fixture
def caller(app: Flask, sessions: sessionmaker[Session], world: World, settings: Settings) -> FlaskClient:
    """Ilta's phone; one officer is on duty."""
    with acting_for_all(sessions) as session:
        visitor = make_visitor(session, world)
        account = make_account(session, world, Role.VISITOR, visitor_id=visitor.id)
        put_on_duty(session, make_account(session, world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    client = app.test_client()
    token = sign_access(account, key=settings.token_key, now=NOW, lifetime_s=86_400)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def alerts(sessions: sessionmaker[Session]) -> list[AlertKind]:
    with acting_for_all(sessions) as session:
        return list(session.scalars(sa.select(SafetyAlert.kind)))


def pressed(sessions: sessionmaker[Session]) -> list[dict[str, Any]]:
    with acting_for_all(sessions) as session:
        found = session.scalars(
            sa.select(SafetyEvent).where(SafetyEvent.kind == "sos_pressed").order_by(SafetyEvent.at)
        )
        return [{name: said for name, said in event.detail.items() if name != "event_id"} for event in found]


BROKEN = {
    "nothing": b"",
    "half a body": b'{"event_id": "018f2c5e-7c1a-7d3e-9b0a',
    "no JSON": b"\xff\xfe\x00",
    "a list": b"[]",
    "deep": b"[" * 50_000,
    "oversize": b'{"event_id": "' + b"x" * 3_000_000,
    "more than any request may hold": b"x" * (8 * 1024 * 1024 + 1),
    "fields of a later version": b'{"event_id": "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69", "mood": 7, "version": "9.0"}',
    "wrong values": b'{"event_id": 7, "age_s": "old", "position": {"lat": 900}, "device_at": "soon", "covert": "x"}',
    "packed": gzip.compress(b'{"event_id": "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69"}'),
    "packed gigabytes": gzip.compress(b"{" + b" " * 50_000_000),
    "half of what was packed": gzip.compress(json.dumps({"note": "x" * 9_000}).encode())[:40],
    "a clock off by years": b'{"device_at": "2031-01-01T00:00:00Z"}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN.keys())
def test_a_body_that_is_broken_calls_for_help_all_the_same_and_once(
    caller: FlaskClient, sessions: sessionmaker[Session], body: bytes
) -> None:
    answers = [caller.post("/safety/sos", data=body, content_type="application/json") for _ in range(2)]
    assert [(each.status_code, each.json["state"]) for each in answers] == [(201, "alarm")] * 2
    assert alerts(sessions) == [AlertKind.SOS]
    assert len(pressed(sessions)) == 1


class CutOff(io.RawIOBase):
    """What a server reads from a connection that breaks off in the middle of a body."""

    def readinto(self, _: object, /) -> int:
        raise ConnectionResetError


@pytest.mark.parametrize(
    ("path", "words", "status"), [("/safety/sos", "", 201), ("/phone/events", '{"events": [{"kind": "sos"', 400)]
)
def test_the_same_few_words_call_again_once_the_first_alarm_is_closed(
    caller: FlaskClient, sessions: sessionmaker[Session], path: str, words: str, status: int
) -> None:
    for calls in (1, 2):
        for _ in range(2):
            answer = caller.post(path, data=words, content_type="application/json")
            assert (answer.status_code, len(alerts(sessions))) == (status, calls)
        with acting_for_all(sessions) as session:
            how = {"outcome": "false_accidental", "proof": "voice_contact", "resolved_at": sa.func.fieldvisit_now()}
            session.execute(sa.update(SafetyAlert).values(state="resolved", **how))
            session.execute(sa.update(SafetySession).values(state="ended", ended_at=sa.func.fieldvisit_now()))


def test_a_connection_that_breaks_off_has_called_for_help(caller: FlaskClient, sessions: sessionmaker[Session]) -> None:
    told = {"CONTENT_LENGTH": "100", "wsgi.input": CutOff()}
    answer = caller.post("/safety/sos", content_type="application/json", environ_overrides=told)
    assert (answer.status_code, alerts(sessions)) == (201, [AlertKind.SOS])


def test_what_can_be_made_out_of_a_broken_body_is_used(caller: FlaskClient, sessions: sessionmaker[Session]) -> None:
    said = {"event_id": "?", "age_s": 60, "man_down": True, "position": {"lat": 60.17, "lon": 24.94, "datum": "wgs84"}}
    caller.post("/safety/sos", json=said | {"unheard": 1})
    assert alerts(sessions) == [AlertKind.MAN_DOWN]
    assert pressed(sessions) == [{"age_s": 60}]


def test_whose_account_was_closed_is_heard_and_the_officer_is_told(
    caller: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    with acting_for_all(sessions) as session:
        session.execute(sa.update(Account).values(active=False))
    assert caller.post("/safety/sos", json={"event_id": str(uuid.uuid4())}).status_code == 201
    assert pressed(sessions) == [{"age_s": 0, "account_closed": True}]


def test_an_id_that_was_used_for_something_else_hinders_nobody(
    caller: FlaskClient, sessions: sessionmaker[Session], app: Flask, world: World, settings: Settings
) -> None:
    event_id = str(uuid.uuid4())
    caller.post("/safety/sos", json={"event_id": event_id})
    with acting_for_all(sessions) as session:
        other = make_account(session, world, Role.VISITOR, visitor_id=make_visitor(session, world).id)
    token = sign_access(other, key=settings.token_key, now=NOW, lifetime_s=86_400)
    headers = {"Authorization": f"Bearer {token}"}
    assert app.test_client().post("/safety/sos", json={"event_id": event_id}, headers=headers).status_code == 201
    assert alerts(sessions) == [AlertKind.SOS, AlertKind.SOS]


@pytest.mark.parametrize("token", ["", "Bearer x.y.z", "Bearer"])
def test_who_never_had_a_token_is_refused(app: Flask, sessions: sessionmaker[Session], token: str) -> None:
    answer = app.test_client().post("/safety/sos", json={}, headers={"Authorization": token})
    assert answer.status_code == 401
    assert alerts(sessions) == []


CALL = {"kind": "sos", "event_id": "018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a71", "device_at": "2026-03-03T06:59:00+00:00"}
SENT = '{"sent_at": "2026-03-03T07:00:00+00:00", "events": ['
WORDS = json.dumps({"kind": "addition", "text": "x" * 4_000_000})
FAR_FROM_CHINA = {"lat": 60.17, "lon": 24.94, "datum": "bd09"}
BATCHES = {
    "oversize, at its beginning": f"{SENT}{json.dumps(CALL)}, {WORDS}, {WORDS}, {WORDS}]}}",
    "oversize, at its end": f"{SENT}{WORDS}, {WORDS}, {WORDS}, {json.dumps(CALL)}]}}",
    "oversize, in its middle": f"{SENT}{WORDS}, {WORDS}, {json.dumps({**CALL, 'position': {}})}, {WORDS}]}}",
    "no JSON": f'{SENT}{json.dumps(CALL)}, {{"kind": }}]}}',
    "cut off after it": f'{SENT}{WORDS[:70_000]}"}}, {json.dumps(CALL)}, ',
    "cut off in it": f"{SENT}{json.dumps(CALL)[:-9]}",
    "without a time": f'{{"events": [{json.dumps(CALL)}]}}',
    "of a phone that names the datum of China": f"{SENT}{json.dumps(CALL | {'position': FAR_FROM_CHINA})}, ",
}


@pytest.mark.parametrize("batch", BATCHES.values(), ids=BATCHES.keys())
def test_a_call_in_a_batch_that_is_refused_is_heard_once(
    caller: FlaskClient, sessions: sessionmaker[Session], batch: str
) -> None:
    answers = [caller.post("/phone/events", data=batch, content_type="application/json") for _ in range(2)]
    assert [(each.status_code >= 400, each.headers["Calls-For-Help"]) for each in answers] == [(True, "1")] * 2
    assert alerts(sessions) == [AlertKind.SOS]
    alone = caller.post("/safety/sos", json={"event_id": CALL["event_id"]})
    assert (alone.status_code, len(pressed(sessions))) == (201, 1)


PACKED = {
    "whole": gzip.compress(f"{SENT}{json.dumps(CALL)}]}}".encode()),
    "behind gigabytes": gzip.compress(f"{SENT}{json.dumps(CALL)}, ".encode() + b" " * 90_000_000),
    "cut off": gzip.compress(f"{SENT}{json.dumps(CALL)}, {uuid.uuid4().hex}".encode())[:-30],
}


@pytest.mark.parametrize("batch", PACKED.values(), ids=PACKED.keys())
def test_a_call_in_a_batch_that_came_packed_is_heard(
    caller: FlaskClient, sessions: sessionmaker[Session], batch: bytes
) -> None:
    answer = caller.post(
        "/phone/events", data=batch, content_type="application/json", headers={"Content-Encoding": "gzip"}
    )
    assert (answer.status_code, answer.headers["Calls-For-Help"]) == (415, "1")
    assert alerts(sessions) == [AlertKind.SOS]


def test_a_batch_of_which_nothing_can_be_read_names_no_call_so_that_the_phone_calls_by_itself(
    caller: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    for encoding in ("gzip", "br"):
        answer = caller.post(
            "/phone/events", data=b"\x8b\x0f", content_type="application/json", headers={"Content-Encoding": encoding}
        )
        assert (answer.status_code, "Calls-For-Help" in answer.headers, alerts(sessions)) == (415, False, [])


def test_the_answer_to_a_call_names_the_epoch_as_every_other_does(
    caller: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    assert "Database-Epoch" not in caller.post("/safety/sos", json={"event_id": str(uuid.uuid4())}).headers
    with acting_for_all(sessions) as session:
        notice(session, "one", Witness())
        epoch = current_epoch(session)
    answer = caller.post("/safety/sos", json={"event_id": str(uuid.uuid4())})
    assert (answer.status_code, answer.headers["Database-Epoch"]) == (201, str(epoch))


class BreaksOff(io.RawIOBase):
    """A body that ends in the middle, and with it the connection."""

    def __init__(self, body: bytes) -> None:
        self._rest = io.BytesIO(body)

    def read(self, size: int = -1, /) -> bytes:
        some = self._rest.read(size)
        if not some:
            raise ConnectionResetError
        return some


def test_a_connection_that_breaks_off_behind_a_call_in_a_batch_has_called(
    caller: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    told = {"CONTENT_LENGTH": "4000000", "wsgi.input": BreaksOff(f"{SENT}{json.dumps(CALL)}, ".encode())}
    answer = caller.post("/phone/events", content_type="application/json", environ_overrides=told)
    assert (answer.status_code, alerts(sessions)) == (400, [AlertKind.SOS])


def test_a_batch_that_is_hard_to_read_calls_all_the_same_and_is_not_tried_for_ever(
    caller: FlaskClient, sessions: sessionmaker[Session]
) -> None:
    """Each of sixty-four beginnings may end at each of thirty thousand commas: a minute of a processor, once."""
    hard = '{"x":' * 64 + '{"kind":"sos","l":[' + "1," * 32_000
    answer = caller.post("/phone/events", data=hard, content_type="application/json")
    assert (answer.status_code, answer.headers["Calls-For-Help"]) == (400, "1")
    assert alerts(sessions) == [AlertKind.SOS]
    tried: list[str] = []
    work = Work(10 * EACH_TRY)
    for _ in range(100):
        work.read("", lambda text: tried.append(text))
    assert len(tried) == 10


def test_a_text_that_speaks_of_calls_is_none(caller: FlaskClient, sessions: sessionmaker[Session]) -> None:
    quoted = json.dumps({"kind": "addition", "text": json.dumps(CALL)})
    answer = caller.post("/phone/events", data=f"{SENT}{quoted}", content_type="application/json")
    assert (answer.status_code, "Calls-For-Help" in answer.headers, alerts(sessions)) == (400, False, [])


@pytest.fixture
def refusing(urls: Urls, server: embedded.Server) -> Iterator[Callable[[bool], None]]:
    """Make the database read-only, as a full disk does; or writable again."""
    name = make_url(urls.app).database
    with server.connect(database=name or "") as connection:

        def refuse(on: bool) -> None:
            connection.execute(f'alter database "{name}" set default_transaction_read_only = {"on" if on else "off"}')
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid() and usename = 'fieldvisit_app'"
            )

        yield refuse
        refuse(False)


def test_when_the_database_refuses_the_officer_is_called_from_the_list_and_one_alert_is_made_later(
    caller: FlaskClient,
    app: Flask,
    sessions: sessionmaker[Session],
    providers: Providers,
    settings: Settings,
    refusing: Callable[[bool], None],
) -> None:
    caller.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 3_600})
    close_app(app)
    refusing(True)
    event_id = str(uuid.uuid4())
    for _ in range(2):
        answer = caller.post("/safety/sos", json={"event_id": event_id})
        assert (answer.status_code, answer.json["state"]) == (201, "alarm")
    assert (settings.data_folder / BOOK).stat().st_size > 0
    wait_until(lambda: len({each["channel"] for each in providers.heard()}) == 2)
    heard = providers.heard()
    assert all("emergency line" in each["text"] and "Ilta Example" in each["text"] for each in heard)
    refusing(False)
    wait_until(lambda: not app.extensions[KEY].book.waits())
    assert alerts(sessions) == [AlertKind.SOS]
    assert len(pressed(sessions)) == 1
    caller.post("/safety/sos", json={"event_id": event_id})
    assert alerts(sessions) == [AlertKind.SOS]


def test_a_covert_call_that_the_database_refuses_shows_nothing_and_the_officer_does_not_ring_the_visitor(
    caller: FlaskClient, app: Flask, providers: Providers, refusing: Callable[[bool], None]
) -> None:
    caller.post("/safety/sessions", json={"id": str(uuid.uuid4()), "planned_s": 3_600})
    close_app(app)
    refusing(True)
    answer = caller.post("/safety/sos", json={"event_id": str(uuid.uuid4()), "covert": True})
    assert (answer.status_code, answer.json["state"], answer.json["shown"]) == (201, "active", "ok")
    assert answer.json["server_at"] < answer.json["remind_at"] < answer.json["due_at"] < answer.json["grace_until"]
    wait_until(lambda: len({each["channel"] for each in providers.heard()}) == 2)
    refusing(False)
    assert all("Do not call the visitor" in each["text"] for each in providers.heard())


def test_a_call_for_somebody_else_is_taken_when_the_database_refuses_too(
    caller: FlaskClient,
    app: Flask,
    sessions: sessionmaker[Session],
    world: World,
    settings: Settings,
    providers: Providers,
    refusing: Callable[[bool], None],
) -> None:
    with acting_for_all(sessions) as session:
        visitor_id = session.scalars(sa.select(Visitor.id)).one()
        dispatcher = make_account(session, world, Role.DISPATCHER)
        debtor_desk = make_account(session, world, Role.AUDITOR)
    with app.app_context():
        stay_ready()
    headers = {
        account.id: {
            "Authorization": "Bearer " + sign_access(account, key=settings.token_key, now=NOW, lifetime_s=86_400)
        }
        for account in (dispatcher, debtor_desk)
    }
    said = {"event_id": str(uuid.uuid4()), "note": "She rang and was cut off."}
    refusing(True)
    try:
        path = f"/safety/visitors/{visitor_id}/sos"
        taken = caller.post(path, json=said, headers=headers[dispatcher.id])
        nobody = caller.post(f"/safety/visitors/{uuid.uuid4()}/sos", json=said, headers=headers[dispatcher.id])
        others = caller.post(path, json=said, headers=headers[debtor_desk.id])
        wait_until(lambda: len({each["channel"] for each in providers.heard()}) == 2)
    finally:
        refusing(False)
    assert [each.status_code for each in (taken, nobody, others)] == [201, 404, 403]
    wait_until(lambda: not app.extensions[KEY].book.waits())
    assert alerts(sessions) == [AlertKind.SOS]
    assert [each["on_behalf"] for each in pressed(sessions)] == [True]
    assert caller.post(path, json=said, headers=headers[dispatcher.id]).status_code == 201
    assert alerts(sessions) == [AlertKind.SOS]


def test_the_number_outside_is_called_by_the_emergency_line_after_the_house(
    app: Flask,
    caller: FlaskClient,
    sessions: sessionmaker[Session],
    world: World,
    settings: Settings,
    providers: Providers,
) -> None:
    line = ExternalLine(name="Pohja Guard", number="+358401234567", sms=True)
    with acting_for(sessions, world.agency) as session:
        draft = RulesDraft(positions_days=30, sessions_days=730, external=line, reason="By contract.")
        set_rules(session, draft, session.scalars(sa.select(Account.id).limit(1)).one())
        visitor_id = session.scalars(sa.select(Visitor.id)).one()
    with app.app_context():
        stay_ready()
        ready = app.extensions[KEY]
    told = Sos(visitor_id=visitor_id, actor_id=None, event_id=uuid.uuid4(), lat=60.17, lon=24.94, covert=True)
    call = Line(org_id=world.agency, told=told, at=NOW.timestamp())
    ready.caller.call_people(call, False, "first")
    assert line.number not in {each["to"] for each in providers.heard()}
    ready.caller.call_people(call, True, "second")
    outside = [each for each in providers.heard() if each["to"] == line.number]
    assert sorted(each["channel"] for each in outside) == ["sms", "voice"]
    with acting_for_all(sessions) as session:
        house = session.get_one(Organisation, world.agency).name
        assert all(f"ALARM of {house}, by its emergency line" in each["text"] for each in outside)
        assert all("Do not call the visitor" in each["text"] for each in outside)
        session.execute(sa.delete(DutyShift))
    fresh = DutyList(settings.data_folder, Cipher(settings.data_key))
    fresh.keep_fresh(sessions)
    Caller(ready.book, fresh, ready.channels, sessions).call_people(call, False, "third")
    assert len([each for each in providers.heard() if each["to"] == line.number]) == 4, "nobody of the house: at once"


def test_a_process_that_has_never_reached_its_database_hears_a_call(
    caller: FlaskClient, sessions: sessionmaker[Session], settings: Settings, providers: Providers, app: Flask
) -> None:
    """As the one for calls alone is, when the database goes away before anybody has called."""
    with app.app_context():
        stay_ready()
    nowhere = "postgresql://nobody:x@127.0.0.1:1/none"
    told = {"DATA_FOLDER": str(settings.data_folder), "DATABASE_URL": nowhere, "DATABASE_OWNER_URL": nowhere}
    told |= {"ENVIRONMENT": "test", "ALARM_PROVIDERS": json.dumps(providers.as_json())}
    alone = create_app(read_settings(told))
    client = alone.test_client()
    client.environ_base |= caller.environ_base
    try:
        assert client.post("/safety/sos", json={"event_id": str(uuid.uuid4())}).status_code == 201
        wait_until(lambda: len({each["channel"] for each in providers.heard()}) == 2)
    finally:
        Book(settings.data_folder, Cipher(settings.data_key)).reconcile(sessions)
        alone.extensions[KEY].caller.join(30)
        alone.extensions[KEY].channels.close()
        close_app(alone)
    assert alerts(sessions) == [AlertKind.SOS]


def test_who_cannot_be_watched_over_is_told_what_to_do_by_telephone(
    caller: FlaskClient, refusing: Callable[[bool], None]
) -> None:
    path = f"/safety/sessions/{uuid.uuid4()}/check-ins"
    refusing(True)
    told = [
        caller.post(path, json={"event_id": str(uuid.uuid4())}, headers={"Accept-Language": language})
        for language in ("en", "zh-CN")
    ]
    refusing(False)
    assert [(each.status_code, each.json["code"]) for each in told] == [(503, "database_unavailable")] * 2
    assert "Ring your safety officer" in told[0].json["detail"]
    assert "请致电安全员" in told[1].json["detail"]


def test_a_call_in_a_batch_that_the_database_refuses_goes_the_same_way(
    caller: FlaskClient,
    app: Flask,
    sessions: sessionmaker[Session],
    providers: Providers,
    refusing: Callable[[bool], None],
) -> None:
    with app.app_context():
        stay_ready()
    batch = {"sent_at": NOW.isoformat(), "events": [{"kind": "addition"}, CALL]}
    refusing(True)
    answer = caller.post("/phone/events", json=batch)
    refusing(False)
    assert (answer.status_code, answer.headers["Calls-For-Help"]) == (503, "1")
    wait_until(lambda: not app.extensions[KEY].book.waits())
    assert caller.post("/phone/events", json=batch).json["taken"] == 1
    assert (alerts(sessions), len(pressed(sessions))) == ([AlertKind.SOS], 1)


def test_where_the_disk_takes_it_neither_the_officer_is_called_once_and_the_phone_told_to_tell_it_again(
    caller: FlaskClient,
    app: Flask,
    sessions: sessionmaker[Session],
    providers: Providers,
    settings: Settings,
    refusing: Callable[[bool], None],
) -> None:
    with app.app_context():
        stay_ready()
    (settings.data_folder / BOOK).unlink(missing_ok=True)
    (settings.data_folder / BOOK).symlink_to(settings.data_folder / "no such folder" / "book")
    refusing(True)
    try:
        answers = [caller.post("/safety/sos", json={"event_id": str(UNKEPT)}) for _ in range(2)]
    finally:
        refusing(False)
        (settings.data_folder / BOOK).unlink()
    assert [each.status_code for each in answers] == [503, 503]
    app.extensions[KEY].caller.join(30)
    assert sorted(each["channel"] for each in providers.heard()) == ["sms", "voice"]
    assert caller.post("/safety/sos", json={"event_id": str(UNKEPT)}).status_code == 201
    assert alerts(sessions) == [AlertKind.SOS]


def test_half_a_line_in_the_book_spoils_no_other(tmp_path: Path) -> None:
    book = Book(tmp_path, Cipher(b"k" * 32))
    lines = [
        Line(
            org_id=uuid.uuid4(),
            told=Sos(visitor_id=uuid.uuid4(), actor_id=None, event_id=uuid.uuid4(), device_at=NOW, lat=1.0, lon=2.0),
            at=float(number),
        )
        for number in range(2)
    ]
    book.append(lines[0])
    with (tmp_path / BOOK).open("ab") as file:
        file.write(b"half a li")
    book.append(lines[1])
    assert book.lines() == lines


def test_the_list_is_kept_on_the_disk_sealed(
    caller: FlaskClient, sessions: sessionmaker[Session], world: World, tmp_path: Path
) -> None:
    cipher = Cipher(b"k" * 32)
    DutyList(tmp_path, cipher).keep_fresh(sessions)
    read = DutyList(tmp_path, cipher).of(world.agency)
    assert sorted(each.channel.value for each in read.addresses) == ["sms", "voice"]
    (stored,) = [path.read_bytes() for path in tmp_path.glob("emergency.list")]
    assert read.addresses[0].to.encode() not in stored
