"""A small fleet with a bad connection against a real server: nothing lost, nothing doubled."""

import dataclasses
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.accounts import AccountDraft, Passwords, create_account
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.demo.client import Client
from fieldvisit.demo.fleet.comparing import compare
from fieldvisit.demo.fleet.line import Weather
from fieldvisit.demo.fleet.outbox import Outbox
from fieldvisit.demo.fleet.phone import Owner
from fieldvisit.demo.fleet.running import Run, live
from fieldvisit.demo.processes import usable_port
from fieldvisit.models import Device, RefreshToken
from fieldvisit.settings import Settings
from fieldvisit.vocabulary import DutyRank, Role
from tests.api.conftest import PASSWORD
from tests.load.wire import answers
from tests.phone.worlds import Morning, make_morning
from tests.processes import running, wait_until
from tests.safety.worlds import make_account, put_on_duty

PHONES = ("ilta", "aava", "oona")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return dataclasses.replace(settings, rate_limit="10000000/minute")


@pytest.fixture
def morning(sessions: sessionmaker[Session]) -> Morning:
    """Ilta and Oona ride together, Aava alone; an officer is there."""
    morning = make_morning(sessions, visits=3)
    with acting_for_all(sessions) as session:
        put_on_duty(session, make_account(session, morning.world, Role.SAFETY_OFFICER), DutyRank.DUTY)
    people = dict(zip(PHONES, (morning.ilta, morning.outsider, morning.oona), strict=True))
    with acting_for(sessions, morning.world.agency) as session:
        passwords = Passwords(environment="test")
        for name, visitor_id in people.items():
            draft = AccountDraft(username=name, password=PASSWORD, roles=(Role.VISITOR,), visitor_id=visitor_id)
            create_account(session, morning.world.agency, draft, passwords)
        draft = AccountDraft(username="boss", password=PASSWORD, roles=(Role.DISPATCHER, Role.ADMIN))
        create_account(session, morning.world.agency, draft, passwords)
    return morning


@pytest.fixture
def url(settings: Settings) -> Iterator[str]:
    port = usable_port(0)
    with running(settings, "serve", "--port", str(port), RATE_LIMIT=settings.rate_limit, LOG_LEVEL="warning"):
        wait_until(lambda: answers(port))
        yield f"http://127.0.0.1:{port}"


@pytest.mark.long
def test_what_the_phones_did_is_what_the_server_holds(
    url: str, morning: Morning, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    with closing(Client(url, "boss", PASSWORD)) as office:
        lived(office, url, morning, sessions, tmp_path)


def lived(office: Client, url: str, morning: Morning, sessions: sessionmaker[Session], folder: Path) -> None:
    run = Run(
        base_url=url,
        folder=folder,
        weather=Weather(request_lost=0.2, answer_lost=0.3, twice=0.1),
        revoked=1,
        revoke=lambda device_id: office.post(f"/devices/{device_id}/revocation", reason="lost"),
    )
    notes, meter = live([Owner(username=name, password=PASSWORD, seed=1) for name in PHONES], run)
    with acting_for(sessions, morning.world.agency) as session:
        compared = compare(office, session, notes)
    assert compared.holds, compared
    assert sum(len(each.done) for each in notes) > 15
    assert meter.answers_lost > 0


@pytest.mark.long
def test_a_phone_that_the_server_has_forgotten_tells_its_day_again(
    url: str, morning: Morning, sessions: sessionmaker[Session], tmp_path: Path
) -> None:
    def forget(device_id: str) -> None:
        """As a restore to before its login has it."""
        with acting_for_all(sessions) as session:
            session.execute(sa.delete(RefreshToken).where(RefreshToken.device_id == uuid.UUID(device_id)))
            session.execute(sa.delete(Device).where(Device.id == uuid.UUID(device_id)))

    weather = Weather(request_lost=0.2, answer_lost=0.3, twice=0.1)
    run = Run(base_url=url, folder=tmp_path, weather=weather, revoked=len(PHONES), revoke=forget)
    notes, _ = live([Owner(username=name, password=PASSWORD, seed=1) for name in PHONES], run)
    with closing(Client(url, "boss", PASSWORD)) as office, acting_for(sessions, morning.world.agency) as session:
        compared = compare(office, session, notes)
    assert compared.holds, compared
    worked = [each for each in notes if each.done]
    assert [(each.forgotten > 0, each.revoked) for each in worked] == [(True, False)] * len(worked)
    assert worked


def test_an_outbox_that_is_opened_again_has_lost_nothing(tmp_path: Path) -> None:
    box = Outbox(tmp_path / "box.jsonl")
    for event_id in ("a", "b", "c"):
        box.put({"event_id": event_id, "kind": "set_out"})
    box.tick("b", "taken")
    box.tick("c", "taken")
    box.put({"event_id": "c", "kind": "set_out", "outside_reason": "point_wrong"})
    again = Outbox(tmp_path / "box.jsonl")
    assert [each["event_id"] for each in again.waiting()] == ["a", "c"]
    assert [each["event_id"] for each in again.told()] == ["b"]
    again.wipe()
    assert Outbox(tmp_path / "box.jsonl").waiting() == []
