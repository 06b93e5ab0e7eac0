"""A database that is stopped and started again under an engine and a server (T6): the engine goes on by itself, nobody
is lost, and while it is away nobody is told that all is well. A database server of this test's own."""

import json
import shutil
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from fieldvisit import embedded
from fieldvisit.database import Urls, acting_for_all
from fieldvisit.migrating import migrate
from fieldvisit.settings import Settings
from tests.load.office import Office, Phone, opened
from tests.processes import wait_until
from tests.safety.crowds import fall_silent, make_crowd, raised
from tests.safety.providers import fake_providers
from tests.safety.scale import BARS, scaled_s
from tests.safety.test_steady import beats_since, engine_at_work, moment
from tests.safety.worlds import Door

AWAY_S = max(6.0, scaled_s(60))
SILENT = 20
BAR_S = 10.0


@pytest.fixture
def folder() -> Iterator[Path]:
    """Of the server that is stopped and started."""
    base = "/dev/shm" if Path("/dev/shm").is_dir() else None
    folder = Path(tempfile.mkdtemp(prefix="fieldvisit-restart-", dir=base))
    folder.chmod(0o755)
    embedded.start(folder, forgetful=True)
    yield folder
    embedded.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def urls(folder: Path) -> Urls:
    server = embedded.start(folder)
    embedded.create_database(server, "restarted")
    urls = Urls(app=server.url(embedded.APP, "restarted"), owner=server.url(embedded.OWNER, "restarted"))
    migrate(urls)
    with server.connect(embedded.OWNER, "restarted") as connection:
        connection.execute("select maintain_partitions()")
    return urls


@pytest.mark.long
def test_the_engine_goes_on_by_itself_and_nobody_is_told_that_all_is_well(
    door: Door, engine: sa.Engine, settings: Settings, folder: Path, tmp_path: Path
) -> None:
    with ExitStack() as parts:
        providers = parts.enter_context(fake_providers(tmp_path))
        office = parts.enter_context(opened(settings, engine, door.sessions, door.world))
        told = {"ALARM_PROVIDERS": json.dumps(providers.as_json())}
        parts.enter_context(engine_at_work(door, settings, "one", told))
        make_crowd(door, SILENT)
        phone, caller = office.phones(2)
        fall_silent(door, SILENT, within_s=AWAY_S)
        assert says(office, phone)[0] == 200
        embedded.stop(folder)
        answers = asked_while_away(office, phone, until=time.monotonic() + AWAY_S)
        assert answers == {503: answers.total()}, "nothing is taken, and nobody is told that it was"
        call_id = uuid.uuid4()
        assert call_for_help(office, caller, call_id) == 201
        embedded.start(folder)
        engine.dispose()
        back, begun = time.monotonic(), moment(door)
        wait_until(lambda: beats_since(door, "one", begun))
        turned_s = time.monotonic() - back
        wait_until(lambda: raised(door).told == SILENT)
        told_s = time.monotonic() - back
        wait_until(lambda: says(office, phone)[0] == 200)
        wait_until(lambda: calls(door, call_id) == (1, 1))
    print(f"\naway for {AWAY_S:.0f} s, {answers.total()} requests meanwhile, all of them answered 503")
    print(f"it was back: a turn was over after {turned_s:.1f} s, all {SILENT} were told of after {told_s:.1f} s")
    found = raised(door)
    assert (found.alerts, found.sessions) == (SILENT, SILENT)
    if BARS:
        assert turned_s <= BAR_S


def says(office: Office, phone: Phone) -> tuple[int, str]:
    """A check-in over HTTP: the status, and what the visitor reads."""
    headers = {"Authorization": f"Bearer {phone.wire.token}"}
    body = {"event_id": str(uuid.uuid4())}
    path = f"{office.url}/safety/sessions/{phone.session_id}/check-ins"
    answer = httpx.post(path, json=body, headers=headers, timeout=60)
    return answer.status_code, answer.json().get("detail", "")


def asked_while_away(office: Office, phone: Phone, *, until: float) -> Counter[int]:
    found = Counter[int]()
    while time.monotonic() < until:
        status, detail = says(office, phone)
        assert "Ring your safety officer" in detail
        found[status] += 1
        time.sleep(0.2)
    return found


def call_for_help(office: Office, phone: Phone, event_id: uuid.UUID) -> int:
    headers = {"Authorization": f"Bearer {phone.wire.token}"}
    body = {"event_id": str(event_id)}
    return httpx.post(f"{office.url}/safety/sos", json=body, headers=headers, timeout=60).status_code


def calls(door: Door, event_id: uuid.UUID) -> tuple[int, int]:
    """How many alarms there are of calls, and how often this one was taken."""
    with acting_for_all(door.sessions) as session:
        alarms = session.scalar(sa.text("select count(*) from safety_alerts where kind = 'sos'"))
        taken = session.scalar(sa.text("select count(*) from safety_keys where event_id = :id"), {"id": event_id})
        return int(alarms or 0), int(taken or 0)
