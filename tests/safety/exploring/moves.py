"""What anybody may do in a state: a name, and the use case of the product that does it."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.database import acting_for
from fieldvisit.models import Marker, SafetyAlert, SafetySession, Visit
from fieldvisit.safety import alerts, closing, handling, sessions
from fieldvisit.safety.beats import engine_transaction, find_outage
from fieldvisit.safety.climbing import Rise, claim_waiting, climb
from fieldvisit.safety.drafts import Extension, Officer, Resolution
from fieldvisit.safety.engine import watch_once
from fieldvisit.safety.events import or_unwritten
from fieldvisit.safety.firing import claim_due, fire
from fieldvisit.safety.markers import Reader
from fieldvisit.safety.tightening import tighten_sessions
from fieldvisit.vocabulary import AlertOutcome, CallResult, ResolutionProof, RiskLevel, Role
from tests.safety.exploring.stage import Stage
from tests.safety.exploring.states import UNIT_S, Held, State
from tests.safety.worlds import Door

PIN, DURESS_PIN, WRONG_PIN = "4711", "4862", "0000"
PINS = {"the PIN": PIN, "the duress PIN": DURESS_PIN, "a wrong PIN": WRONG_PIN, "no PIN": None}


@dataclass(frozen=True)
class Move:
    """`act` runs on the stage; `held` is what the engines hold afterwards, given what it answered. `verb` is what kind
    of move it is."""

    name: str
    verb: str
    act: Callable[[], object]
    held: Callable[[object], tuple[Held, ...]] | None = None


@dataclass(frozen=True)
class Cast:
    """Who is on the stage, visitors at doors, two officers, engines, and which `verbs` there are."""

    stage: Stage
    doors: tuple[Door, ...]
    verbs: frozenset[str]
    engines: int = 1
    """So many read and dawdle; beside them one makes whole turns."""

    def moves(self, state: State) -> Iterator[Move]:
        return (move for move in self._all(state) if move.verb in self.verbs)

    def _all(self, state: State) -> Iterator[Move]:
        for number, door in enumerate(self.doors):
            yield from self._visitor(state, door, number)
        yield from self._officers(state)
        yield from self._engines(state)
        yield Move("time passes", "time", lambda: self.pass_s(state, UNIT_S))
        yield Move("time passes, nobody watches", "outage", lambda: self.pass_s(state, UNIT_S, watched=False))

    def pass_s(self, state: State, seconds: float, *, watched: bool = True) -> None:
        self.stage.set_clock(state.now + dt.timedelta(seconds=seconds))
        if watched:
            self.doors[0].somebody_watches()

    def _visitor(self, state: State, door: Door, number: int) -> Iterator[Move]:
        who = f"visitor {number + 1}"
        mine = [each for each in state.sessions if each["visitor_id"] == str(door.visitor_id)]
        row = max(mine, key=lambda each: each["started_at"] or "")
        its_id = uuid.UUID(row["id"])

        def say(what: str, verb: str, act: Callable[..., object], **given: Any) -> Move:
            told = door.told(**given)
            return Move(f"{who} {what}", verb, lambda: self._for_one(door, lambda s: act(s, its_id, told)))

        yield Move(f"{who} calls for help", "call", lambda: door.call_for_help())
        yield Move(f"{who} calls covertly", "covert call", lambda: door.call_for_help(covert=True))
        yield Move(f"the phone of {who} calls", "man down", lambda: door.call_for_help(man_down=True))
        if row["started_at"] is None:
            yield Move(f"{who} starts", "start", lambda: self._start(door, row))
            yield Move(f"{who} cancels", "cancel", lambda: self._cancel(door, its_id))
        if row["state"] == "ended":
            return
        yield say("checks in", "check in", sessions.check_in)
        yield say("has checked in a unit ago", "late check in", sessions.check_in, age_s=UNIT_S)
        yield say("has checked in long ago", "late check in", sessions.check_in, age_s=10 * UNIT_S)
        yield say("is heard of", "beat", sessions.beat)
        longer = Extension(**vars(door.told()), by_s=UNIT_S, reason="More to do")
        yield Move(
            f"{who} extends",
            "extend",
            lambda: self._for_one(door, lambda s: sessions.extend_session(s, its_id, longer)),
        )
        yield Move(f"a danger at the door of {who} is known", "danger", lambda: self._danger(door, row["visit_id"]))
        yield say("ends", "end", sessions.end_session)
        for pin, digits in PINS.items():
            yield say(f"ends with {pin}", "end by PIN", sessions.end_session, pin=digits)
            yield say(f"takes back with {pin}", "take back", sessions.cancel_call, pin=digits)

    def _start(self, door: Door, row: dict[str, Any]) -> object:
        its_id, visit_id = uuid.UUID(row["id"]), uuid.UUID(row["visit_id"])
        return door.start(event_id=its_id, visit_id=visit_id, planned_s=row["planned_s"])

    def _cancel(self, door: Door, its_id: uuid.UUID) -> object:
        who = Reader(account_id=door.account_id, roles=frozenset({Role.VISITOR}), visitor_id=door.visitor_id)
        return self._for_one(door, lambda s: sessions.cancel_session(s, its_id, uuid.uuid4(), who))

    def _danger(self, door: Door, visit_id: str) -> object:
        by = door.officer.account_id
        return self._for_one(door, lambda s: tighten_sessions(s, _marker(s, uuid.UUID(visit_id), by)))

    def _for_one(self, door: Door, act: Callable[[Session], object]) -> object:
        with acting_for(self.stage.sessions, door.world.agency) as session:
            return act(session)

    def _officers(self, state: State) -> Iterator[Move]:
        first, second = self.doors[0].officer, self.doors[0].other_officer
        yield from self._officer(state, "one officer", first, second)
        # Before either has done anything the two are alike.
        if any(each["owner_id"] or each["offered_to_id"] for each in state.unresolved()):
            yield from self._officer(state, "the other officer", second, first)

    def _officer(self, state: State, name: str, one: Officer, other: Officer) -> Iterator[Move]:
        door = self.doors[0]
        number = {str(each.visitor_id): n + 1 for n, each in enumerate(self.doors)}
        of = {each["id"]: number[each["visitor_id"]] for each in state.sessions}

        def does(what: str, verb: str, act: Callable[..., object], *given: object) -> Move:
            return Move(f"{name} {what}", verb, lambda: self._for_one(door, lambda s: act(s, *given)))

        for alert in state.alerts:
            its_id, about = uuid.UUID(alert["id"]), f"{alert['kind']} of {of[alert['session_id']]}"
            if alert["parent_id"] is None and alert["state"] == "resolved":
                yield does(f"opens {about} again", "reopen", handling.reopen, its_id, one, "Not over yet.")
            elif alert["parent_id"] is None:
                yield from _handles(its_id, about, one, other, does)
        for row in state.sessions:
            if row["state"] == "active":
                its_id, what = uuid.UUID(row["id"]), f"ends the session of {of[row['id']]}"
                yield does(what, "officer end", handling.end_for_visitor, its_id, one, "Spoke with her.")

    def _engines(self, state: State) -> Iterator[Move]:
        if len(state.held) < self.engines:
            for about, read in (("fire", self._read_due), ("climb", self._read_waiting)):
                yield Move(f"an engine reads what to {about}", "read", read, self._holding(state, about))
        for held in state.held:
            rest = _without(state.held, held)
            decide = {"fire": self._fire, "climb": self._climb}[held.about]
            yield Move(
                f"an engine decides what to {held.about}",
                "decide",
                lambda held=held, decide=decide: decide(held),  # type: ignore[misc]
                lambda _, rest=rest: rest,  # type: ignore[misc]
            )
            yield Move(f"an engine that would {held.about} dies", "die", lambda: None, lambda _, rest=rest: rest)  # type: ignore[misc]
        yield Move("an engine makes a turn", "turn", lambda: watch_once(self.stage.sessions, name="two"))

    def _holding(self, state: State, about: str) -> Callable[[object], tuple[Held, ...]]:
        def holding(read: object) -> tuple[Held, ...]:
            assert isinstance(read, tuple)
            return (*state.held, Held(about, read)) if read else state.held

        return holding

    def _read_due(self) -> tuple[dict[str, Any], ...]:
        with engine_transaction(self.stage.sessions) as session:
            ids = [row.id for row in claim_due(session, 50)]
        return self._as_found("sessions", ids)

    def _read_waiting(self) -> tuple[dict[str, Any], ...]:
        with engine_transaction(self.stage.sessions) as session:
            ids = [alert.id for alert in claim_waiting(session, 50)]
        return self._as_found("alerts", ids)

    def _as_found(self, table: str, ids: list[uuid.UUID]) -> tuple[dict[str, Any], ...]:
        found = self.stage.found()
        return tuple(each for each in found[table] if each["id"] in set(map(str, ids)))

    def _fire(self, held: Held) -> None:
        with engine_transaction(self.stage.sessions) as session:
            rows = [_row(SafetySession, each) for each in held.rows]
            fire(session, rows, find_outage(session))

    def _climb(self, held: Held) -> None:
        with engine_transaction(self.stage.sessions) as session:
            read = [_row(SafetyAlert, each) for each in held.rows]
            rows = [session.get_one(SafetySession, each.session_id) for each in read]
            with or_unwritten(session, rows):
                climb(session, [(row, Rise.of(alert)) for row, alert in zip(rows, read, strict=True)])


def _marker(session: Session, visit_id: uuid.UUID, by: uuid.UUID) -> Marker:
    """Of the highest level, at the place of this visit."""
    place_id = session.get_one(Visit, visit_id).place_id
    return Marker(id=uuid.uuid4(), level=RiskLevel.HIGH, place_id=place_id, approved_by_id=by)


def _handles(its_id: uuid.UUID, about: str, one: Officer, other: Officer, does: Callable[..., Move]) -> Iterator[Move]:
    yield does(f"takes {about}", "take", alerts.acknowledge, its_id, one)
    yield does(f"notes on {about}", "note", alerts.add_note, its_id, one, "Called.")
    yield does(f"offers {about}", "offer", handling.offer, its_id, one, other)
    yield does(f"accepts {about}", "accept", handling.accept, its_id, one)
    unfree = CallResult.DURESS_WORD
    yield does(f"hears a duress word on {about}", "duress word", handling.record_call, its_id, one, unfree)
    for resume in (True, False):
        how = Resolution(outcome=AlertOutcome.FALSE_FORGOT, proof=ResolutionProof.VOICE_CONTACT, resume=resume)
        what = f"closes {about}, {'going on' if resume else 'ending'}"
        yield does(what, "close", closing.resolve, its_id, one, how)
    yield does(f"agrees to close {about}", "agree", handling.agree_to_close, its_id, one)


def _without(held: tuple[Held, ...], one: Held) -> tuple[Held, ...]:
    at = held.index(one)
    return held[:at] + held[at + 1 :]


def _row[R: (SafetySession, SafetyAlert)](model: type[R], read: dict[str, Any]) -> R:
    """A row as it was read, that no session of the database knows."""
    values = {}
    for column in sa.inspect(model).columns:
        given = read[column.key]
        kind = column.type.impl_instance if isinstance(column.type, sa.TypeDecorator) else column.type
        if given is not None and isinstance(kind, sa.DateTime):
            given = dt.datetime.fromisoformat(given)
        elif given is not None and isinstance(kind, sa.Uuid):
            given = uuid.UUID(given)
        elif given is not None and isinstance(kind, sa.LargeBinary):
            given = bytes.fromhex(given.removeprefix("\\x"))
        elif given is not None and isinstance(kind, sa.Enum):
            given = kind.enum_class(given)
        values[column.key] = given
    return model(**values)


def acted_on(stage: Stage, door: Door) -> Door:
    """The same person, acting on the stage."""
    return replace(door, sessions=stage.sessions)
