"""One phone of the fleet: it insists until it is answered, and forgets nothing when its app starts again."""

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
from fieldvisit_client import AuthenticatedClient, Client
from fieldvisit_client.api.devices import note_wiped
from fieldvisit_client.api.phone import read_changes, read_my_day
from fieldvisit_client.api.phone_events import send_events
from fieldvisit_client.api.safety import end_safety_session, start_safety_session
from fieldvisit_client.api.tokens import log_in, refresh_tokens
from fieldvisit_client.models.changes_out import ChangesOut
from fieldvisit_client.models.check_in_event_in import CheckInEventIn
from fieldvisit_client.models.device_in import DeviceIn
from fieldvisit_client.models.event_outcome import EventOutcome
from fieldvisit_client.models.events_in import EventsIn
from fieldvisit_client.models.events_taken_out import EventsTakenOut
from fieldvisit_client.models.login_in import LoginIn
from fieldvisit_client.models.my_day_out import MyDayOut
from fieldvisit_client.models.problem_out import ProblemOut
from fieldvisit_client.models.refresh_in import RefreshIn
from fieldvisit_client.models.safety_session_in import SafetySessionIn
from fieldvisit_client.models.safety_session_out import SafetySessionOut
from fieldvisit_client.models.tokens_out import TokensOut
from fieldvisit_client.models.with_pin_in import WithPinIn

from fieldvisit.demo.fleet.doings import AT_A_DOOR, LASTING, Door, new_id, put_right
from fieldvisit.demo.fleet.line import BadLine, Meter, Weather
from fieldvisit.demo.fleet.outbox import Event, Outbox
from fieldvisit.demo.processes import DemoStopped

WATCHED_S, MOST_TRIES, MOST_AT_ONCE = 14_400, 60, 20
BUSY = frozenset({429, 503})
REVOKED, UNKNOWN, OUTSIDE = "device_revoked", "device_unknown", "outside_geofence"
FORGOTTEN = frozenset({UNKNOWN, "refresh_token_refused"})
"""What a server answers that was restored to before the login."""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Whose phone it is, and how they log in."""

    username: str
    password: str
    seed: int


@dataclass
class Notes:
    """What this phone did and heard, kept by the simulation, which no app that starts again and no wiping reaches."""

    done: dict[str, Event] = field(default_factory=dict)
    """By its id, what was done as it was told last."""
    outcomes: dict[str, str] = field(default_factory=dict)
    answers: dict[str, Any] = field(default_factory=dict)
    told: int = 0
    """How many events were sent, each time counted."""
    held: int = 0
    restarts: int = 0
    refusals: list[str] = field(default_factory=list)
    changed_answers: list[str] = field(default_factory=list)
    device_id: str = ""
    drift_s: int = 0
    revoked: bool = False
    forgotten: int = 0
    """How often the server did not know it any more."""


class Revoked(Exception):  # no refusal of ours: what the phone hears
    """The office has taken the phone back."""


class FleetPhone:
    """A phone and whoever owns it."""

    def __init__(self, base_url: str, owner: Owner, folder: Path, meter: Meter, *, weather: Weather) -> None:
        self._base_url, self._owner, self._meter, self._weather = base_url, owner, meter, weather
        self._chance = Random(f"{owner.seed} {owner.username}")
        self._path = folder / f"{owner.username}.jsonl"
        self.notes = Notes(drift_s=self._chance.randint(-300, 300), device_id=str(new_id(self._chance)))
        self._ahead = dt.timedelta()
        self._cursor: str | None = None
        self._watch: SafetySessionIn | None = None
        self._open()

    def live(self, revoke: Callable[[str], None] | None = None) -> Notes:
        """The whole day, from the login to the last answer. Raises DemoStopped where the server goes on refusing.

        `revoke` is called with the phone's id in the middle of the day, where the office takes it back.
        """
        try:
            self._log_in()
            self._be_watched()
            self._work(revoke)
            self._tell_all()
        except Revoked:
            self._wipe()
        finally:
            self._http.close()
        return self.notes

    def _work(self, revoke: Callable[[str], None] | None) -> None:
        doings = list(self._doings())
        for place, event in enumerate(doings):
            if revoke is not None and place == len(doings) // 2:
                revoke(self.notes.device_id)
            self._do(event)
            if self._chance.random() < 0.4:
                self._tell_some()
            if self._chance.random() < 0.05:
                self._start_again()

    def _do(self, event: Event) -> None:
        self._outbox.put(event)
        self.notes.done[str(event["event_id"])] = event

    def _doings(self) -> Iterator[Event]:
        day = self._asked(lambda: read_my_day.sync_detailed(client=self._client), MyDayOut)
        stops = [(route, stop) for route in day.routes for stop in route.stops]
        for place, (route, stop) in enumerate(stops):
            if stop.visit.briefing is None:
                continue
            at = self._now() - LASTING - (len(stops) - 1 - place) * AT_A_DOOR
            door = Door(self._chance, stop.visit.visit_id, stop.visit.briefing, at=at)
            leads = any(mate.lead and mate.visitor_id == self._tokens.visitor_id for mate in route.crew)
            yield from door.led() if leads else door.accompanied()
            yield CheckInEventIn(
                kind="check_in", event_id=new_id(self._chance), session_id=self._session_id, device_at=self._now()
            ).to_dict()

    def _tell_all(self) -> None:
        self._tell_what_waits()
        # Once more, all of it: each gets the answer that it got, and nothing changes.
        told = self._outbox.told()
        for begin in range(0, len(told), MOST_AT_ONCE):
            self._send(told[begin : begin + MOST_AT_ONCE])
        # Nothing, unless the server has forgotten meanwhile.
        self._tell_what_waits()
        body = WithPinIn(event_id=new_id(self._chance))
        self._asked(
            lambda: end_safety_session.sync_detailed(self._session_id, client=self._client, body=body), SafetySessionOut
        )

    def _tell_what_waits(self) -> None:
        while self._outbox.waiting():
            self._tell_some()

    def _tell_some(self) -> None:
        """Some of what waits, in no order, and now and then something that was told already."""
        waiting, told = self._outbox.waiting(), self._outbox.told()
        some = self._chance.sample(waiting, min(len(waiting), self._chance.randint(1, MOST_AT_ONCE)))
        again = self._chance.sample(told, min(len(told), self._chance.randint(0, 2)))
        mixed = [*some, *again]
        self._chance.shuffle(mixed)
        if mixed:
            self._send(mixed)
        if self._chance.random() < 0.3:
            self._read_what_changed()

    def _read_what_changed(self) -> None:
        """Since it last asked; all of it where the app has started again meanwhile."""
        changes = self._asked(lambda: read_changes.sync_detailed(client=self._client, since=self._cursor), ChangesOut)
        self._cursor = changes.cursor

    def _send(self, events: list[Event]) -> None:
        def send() -> Any:
            self.notes.told += len(events)
            body = EventsIn.from_dict({"sent_at": self._now().isoformat(), "events": [dict(each) for each in events]})
            return send_events.sync_detailed(client=self._client, body=body)

        taken = self._asked(send, EventsTakenOut)
        for event, result in zip(events, taken.results, strict=True):
            self._note(event, result.outcome, result.problem, result.answer)
        codes = {result.problem.code for result in taken.results if result.problem is not None}
        if REVOKED in codes:
            raise Revoked
        if UNKNOWN in codes:
            self._begin_again()

    def _note(self, event: Event, outcome: EventOutcome, problem: ProblemOut | None, answer: Any) -> None:
        event_id, code = str(event["event_id"]), None if problem is None else problem.code
        if outcome is EventOutcome.REFUSED and code == OUTSIDE:
            self._do(put_right(dict(event)))
            return
        if outcome is EventOutcome.REFUSED and code not in (REVOKED, UNKNOWN):
            self.notes.refusals.append(f"{event['kind']}: {code}")
        self.notes.held += outcome is EventOutcome.HELD
        if outcome is EventOutcome.TAKEN:
            said = answer.to_dict() if answer is not None else None
            if self.notes.answers.setdefault(event_id, said) != said and "session_id" not in event:
                self.notes.changed_answers.append(event_id)
        self.notes.outcomes[event_id] = outcome.value
        self._outbox.tick(event_id, outcome.value)

    def _log_in(self) -> None:
        self._tokens = self._asked(self._ask_login, TokensOut)
        self._authorise()
        if self._tokens.wipe:
            # What is on it is its owner's alone: nothing of anybody else is there to be forgotten, and that is said.
            self._asked(partial(note_wiped.sync_detailed, client=self._client), object)

    def _ask_login(self) -> Any:
        device = DeviceIn(id=uuid.UUID(self.notes.device_id), name="Fleet phone", app_version="1")
        body = LoginIn(username=self._owner.username, password=self._owner.password, device=device)
        return log_in.sync_detailed(client=self._nobody, body=body)

    def _begin_again(self) -> None:
        """The server knows nothing of this login any more: log in again, and tell everything again."""
        self.notes.forgotten += 1
        self.notes.answers.clear()
        self._outbox.ask_again()
        self._log_in()
        if self._watch is not None:
            self._ask_to_be_watched(self._watch)

    def _be_watched(self) -> None:
        """The session of the day; its answer shows the server's clock, beside which this phone's is wrong."""
        self._watch = SafetySessionIn(id=new_id(self._chance), planned_s=WATCHED_S)
        watched = self._ask_to_be_watched(self._watch)
        self._session_id = self._watch.id
        self._ahead = watched.server_at - dt.datetime.now(dt.UTC) + dt.timedelta(seconds=self.notes.drift_s)

    def _ask_to_be_watched(self, body: SafetySessionIn) -> SafetySessionOut:
        start = partial(start_safety_session.sync_detailed, client=self._client, body=body)
        return self._asked(start, SafetySessionOut)

    def _start_again(self) -> None:
        """The app is gone and comes back: what it knew is what its disk knows. The login is renewed."""
        self.notes.restarts += 1
        self._http.close()
        self._open()

        def renew() -> Any:
            # Of the login that holds now: where this one was forgotten there is another by then.
            body = RefreshIn(refresh_token=self._tokens.refresh_token)
            return refresh_tokens.sync_detailed(client=self._nobody, body=body)

        self._tokens = self._asked(renew, TokensOut)
        self._authorise()

    def _open(self) -> None:
        self._http = httpx.Client(
            base_url=self._base_url, timeout=60, transport=BadLine(self._chance, self._weather, self._meter)
        )
        self._nobody = Client(base_url=self._base_url).set_httpx_client(self._http)
        self._client = AuthenticatedClient(base_url=self._base_url, token="").set_httpx_client(self._http)
        self._outbox = Outbox(self._path)
        self._cursor = None

    def _authorise(self) -> None:
        self._http.headers["Authorization"] = f"Bearer {self._tokens.access_token}"

    def _wipe(self) -> None:
        """What the phone still had to tell goes out once more, to be kept and not believed; nothing stays on it."""
        self.notes.revoked = True
        while waiting := self._outbox.waiting():
            with suppress(Revoked):
                self._send(waiting[:MOST_AT_ONCE])
        self._asked(lambda: note_wiped.sync_detailed(client=self._client), object)
        self._outbox.wipe()

    def _now(self) -> dt.datetime:
        """By the phone's own clock."""
        return dt.datetime.now(dt.UTC) + self._ahead

    def _asked[Answer](self, ask: Callable[[], Any], kind: type[Answer]) -> Answer:
        """Ask until there is an answer. Raises DemoStopped where it is a refusal."""
        for _ in range(MOST_TRIES):
            try:
                answer = ask()
            except httpx.TransportError:
                continue
            if answer.status_code in BUSY:
                time.sleep(float(answer.headers.get("Retry-After", 1)) * self._chance.random())
                continue
            if isinstance(answer.parsed, ProblemOut):
                if answer.parsed.code == REVOKED:
                    raise Revoked
                if answer.parsed.code in FORGOTTEN:
                    self._begin_again()
                    continue
                raise DemoStopped(what=self._owner.username, reason=f"{answer.parsed.code}: {answer.parsed.detail}")
            parsed: Answer = answer.parsed
            return parsed
        raise DemoStopped(what=self._owner.username, reason=f"no answer in {MOST_TRIES} tries")
