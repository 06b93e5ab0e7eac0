"""A server as operators start it, and phones that speak to it: registered, logged in, each with a safety session."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psutil
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.clock import Clock
from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.demo.processes import usable_port
from fieldvisit.devices import DeviceDraft, register_device
from fieldvisit.settings import Settings
from fieldvisit.tokens import begin_family, sign_access
from fieldvisit.vocabulary import Role
from tests.load.wire import Wire, answers
from tests.processes import running, wait_until
from tests.safety.worlds import make_account
from tests.worlds import World, make_visitor


@dataclass(frozen=True, kw_only=True)
class Phone:
    """Who holds it and what it sends with; `session_id` is the safety session that it keeps alive."""

    visitor_id: uuid.UUID
    account_id: uuid.UUID
    device_id: uuid.UUID
    link_id: uuid.UUID
    session_id: str
    wire: Wire


@dataclass
class Office:
    """A server that runs, and its database."""

    url: str
    process: psutil.Popen
    sessions: sessionmaker[Session]
    settings: Settings
    clock: Clock
    world: World
    connections: ExitStack

    def phones(self, number: int) -> list[Phone]:
        """Phones of new visitors, each with a safety session that has begun."""
        with acting_for_all(self.sessions) as session:
            people = [make_visitor(session, self.world).id for _ in range(number)]
        return [self.phone(visitor_id) for visitor_id in people]

    def phone(self, visitor_id: uuid.UUID) -> Phone:
        now, device = self.clock(), DeviceDraft(id=uuid.uuid4(), name="phone", app_version="1")
        with acting_for(self.sessions, self.world.agency) as session:
            account = make_account(session, self.world, Role.VISITOR, visitor_id=visitor_id)
            register_device(session, account, device, now)
            login = begin_family(session, account, now, lifetime_s=36_000, device_id=device.id)
            belongs = {"device_id": device.id, "family_id": login.family_id, "link_id": login.link_id}
            token = sign_access(account, key=self.settings.token_key, now=now, lifetime_s=36_000, **belongs)
        phone = Phone(
            visitor_id=visitor_id,
            account_id=account.id,
            device_id=device.id,
            link_id=login.link_id,
            session_id=str(uuid.uuid4()),
            wire=Wire(self.url, token),
        )
        self.connections.callback(phone.wire.close)
        self.send(phone, [start(phone.session_id, now)])
        return phone

    def check_in(self, phone: Phone) -> float:
        """One check-in, now; how many seconds it took."""
        return self.send(phone, [check_in(phone.session_id, self.clock())])

    def send(self, phone: Phone, events: Sequence[dict[str, Any]]) -> float:
        return phone.wire.send(self.clock().isoformat(), events)

    def memory(self) -> float:
        """MB of the server's processes; what they share is counted for each."""
        return sum(float(one.memory_info().rss) for one in self._processes()) / 1e6

    def processor_s(self) -> float:
        """Seconds of processor that the server's processes have had."""
        times = [one.cpu_times() for one in self._processes()]
        return sum(float(one.user + one.system) for one in times)

    def processes(self) -> int:
        """How many of them answer."""
        return len(self.process.children())

    def _processes(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]


@contextmanager
def opened(settings: Settings, engine: sa.Engine, sessions: sessionmaker[Session], world: World) -> Iterator[Office]:
    """`fieldvisit serve` on a port of its own; killed at the end."""
    # What is measured is the work, and no caller's patience.
    settings, port = dataclasses.replace(settings, rate_limit="10000000/minute"), usable_port(0)
    told = {"RATE_LIMIT": settings.rate_limit, "LOG_LEVEL": "warning"}
    with running(settings, "serve", "--port", str(port), **told) as process:
        wait_until(lambda: answers(port))
        with ExitStack() as connections:
            yield Office(f"http://127.0.0.1:{port}", process, sessions, settings, Clock(engine), world, connections)


def check_in(session_id: str, at: dt.datetime) -> dict[str, Any]:
    return {"event_id": str(uuid.uuid4()), "kind": "check_in", "session_id": session_id, "device_at": at.isoformat()}


def start(session_id: str, at: dt.datetime) -> dict[str, Any]:
    return {"event_id": session_id, "kind": "safety_start", "planned_s": 14_400, "device_at": at.isoformat()}
