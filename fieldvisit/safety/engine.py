"""The watcher: looks at every deadline and every open alert again and again, and never trusts that it did so before.

Several may run; each row is decided by one of them. Python's clock decides nothing here: it only says how long to rest.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Event
from typing import Protocol

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.models import SafetyAlert, SafetySession
from fieldvisit.safety.batteries import claim_low, note_low
from fieldvisit.safety.beats import SHORTEST_REST_S, beat, engine_transaction, find_outage, keep_up, rest_s
from fieldvisit.safety.climbing import Rise, claim_waiting, climb
from fieldvisit.safety.epochs import Witness, ask_again, claim_unasked, notice
from fieldvisit.safety.events import or_unwritten
from fieldvisit.safety.firing import Outage, claim_due, fire
from fieldvisit.safety.hints import Hint
from fieldvisit.safety.nudging import claim_unreminded, remind
from fieldvisit.safety.outage_notes import PATIENT_MS
from fieldvisit.safety.outages import note_outage
from fieldvisit.safety.overtaking import claim_overtaken, tighten_overtaken
from fieldvisit.safety.pairs import claim_called, claim_uncovered, raise_partners, settle_cover
from fieldvisit.safety.police import claim_undecided, name_undecided
from fieldvisit.safety.unwatched import Unwatched, claim_unwatched, raise_unwatched

BATCH = 50
"""Sessions locked at a time: a visitor who checks in waits for no more than these."""
RETRY_S = 1.0
REMINDING_MS = 1_000
UPKEEP_S, UPKEEP_RETRY_S = 3_600.0, 15.0

log = structlog.get_logger("fieldvisit.watch")


@dataclass(frozen=True)
class Fired:
    """What one turn did. `raised` counts alerts, `lost` contacts that were only marked, `climbed` alerts that went up
    their ladder, `failed` rows that raised an error and are tried again on the next turn, `reminded` sessions whose
    visitors were reminded of a deadline, `sent` attempts to send where the turn sends for itself."""

    raised: int = 0
    lost: int = 0
    climbed: int = 0
    failed: int = 0
    reminded: int = 0
    sent: int = 0

    def __add__(self, other: "Fired") -> "Fired":
        mine, others = asdict(self), asdict(other)
        return Fired(**{name: mine[name] + others[name] for name in mine})


NOTHING = Fired()


class _Row(Protocol):
    @property
    def id(self) -> uuid.UUID: ...


def watch_once(sessions: sessionmaker[Session], *, name: str = "once", witness: Witness | None = None) -> Fired:
    """One turn: raise what is due, let unanswered alerts climb, beat, then tighten what a marker overtook, and remind
    whom a deadline nears. What fails for one row stops no other, and what fails of one kind no other kind: the first
    such fault is raised at the end, and where it came before the beat there is none."""
    outage, faults = _look_back(sessions)
    kinds: tuple[Callable[[], Fired], ...] = (
        lambda: _look_which(sessions, name, witness or Witness()),
        lambda: _each(sessions, claim_due, lambda session, rows: _raise(session, rows, outage)),
        lambda: _each(sessions, claim_called, _raise_partners),
        lambda: _each(sessions, claim_unwatched, _raise_unwatched),
        lambda: _each(sessions, claim_unasked, _ask_again),
        lambda: _each(sessions, claim_waiting, _climb),
        lambda: _each(sessions, claim_undecided, _name_undecided),
        lambda: _each(sessions, claim_uncovered, _settle_covers),
    )
    fired = _all_of(kinds, faults)
    # Only now: a beat says that everything before it was looked at. An engine killed before this line leaves the
    # outage to be found again, so that what it did not reach is still raised as unverified.
    with engine_transaction(sessions) as session:
        beat(session, name, fired=fired.raised)
    afterwards: tuple[Callable[[], Fired], ...] = (
        lambda: _afterwards(sessions, claim_overtaken, _tighten_overtaken),
        lambda: _afterwards(sessions, claim_unreminded, _remind),
        lambda: _afterwards(sessions, claim_low, _note_batteries),
    )
    return fired + _all_of(afterwards, ())


def watch(sessions: sessionmaker[Session], stop: Event, *, name: str, hint: Hint | None = None) -> None:
    """Turn after turn until `stop` is set. Errors are logged and survived: nobody would start us again in time."""
    hint = hint or Hint()
    upkeep, witness = _Upkeep(sessions, name), Witness()
    while not stop.is_set():
        wait_s = RETRY_S
        try:
            wait_s = _turn(sessions, name, (upkeep, witness), hint)
        except DBAPIError as error:
            log.error("database_unavailable", engine=name, error=type(error.orig).__name__)
        except Exception:
            log.exception("turn_failed", engine=name)
        # After the turn, and failing for itself: no alarm waits for what may be done an hour later.
        upkeep.do_when_due()
        if not stop.is_set():
            hint.rest(wait_s)


def _look_back(sessions: sessionmaker[Session]) -> tuple[Outage | None, list[Exception]]:
    """The outage that ends with this turn, written down; and what kept it from being found or written down, which keeps
    no alarm waiting. A server that does not answer does: each kind would wait for it anew."""
    outage = None
    try:
        with engine_transaction(sessions) as session:
            outage = find_outage(session)
        if outage:
            log.error("nobody_watched", since=str(outage.from_at), until=str(outage.until_at))
            with engine_transaction(sessions, lock_ms=PATIENT_MS) as session:
                note_outage(session, outage)
    except Exception as error:
        if isinstance(error, OperationalError) and _is_unanswered(error):
            raise
        return outage, [error]
    return outage, []


def _is_unanswered(error: OperationalError) -> bool:
    """Whether it is not the server that says so."""
    return getattr(error.orig, "sqlstate", None) is None


def _all_of(kinds: Sequence[Callable[[], Fired]], before: Sequence[Exception]) -> Fired:
    """What these did; then the first fault of any is raised, those from `before` them first. A table that somebody
    holds, say, on which one kind rests, keeps no alarm of another from being raised or from climbing."""
    total, faults = NOTHING, [*before]
    for kind in kinds:
        try:
            total += kind()
        except Exception as error:
            faults.append(error)
    if faults:
        log.error("kinds_failed", kinds=len(faults), of=len(kinds) + 1)
        raise faults[0]
    return total


class _Upkeep:
    """What has to be done now and then. Where it fails it is tried again later and later, up to its usual pace."""

    def __init__(self, sessions: sessionmaker[Session], name: str) -> None:
        self._sessions = sessions
        self._name = name
        self._due = self._soonest = time.monotonic()
        self._retry_s = UPKEEP_RETRY_S

    def bring_forward(self) -> None:
        """It may be what a failed turn lacked: a partition, after the clock was set."""
        self._due = min(self._due, self._soonest)

    def do_when_due(self) -> None:
        if time.monotonic() < self._due:
            return
        done = self._do()
        now = time.monotonic()
        self._retry_s = UPKEEP_RETRY_S if done else min(2 * self._retry_s, UPKEEP_S)
        self._due, self._soonest = now + (UPKEEP_S if done else self._retry_s), now + self._retry_s

    def _do(self) -> bool:
        try:
            return keep_up(self._sessions)
        except Exception as error:
            log.error("upkeep_failed", engine=self._name, error=type(error).__name__)
            return False


def _turn(sessions: sessionmaker[Session], name: str, kept: tuple[_Upkeep, Witness], hint: Hint) -> float:
    """One turn; the seconds to rest after it. `kept`: what the engine remembers from one to the next."""
    upkeep, witness = kept
    fired = watch_once(sessions, name=name, witness=witness)
    if fired != NOTHING:
        hint.give()
        log.info("turn", engine=name, **asdict(fired))
    if fired.failed:
        upkeep.bring_forward()
        return RETRY_S
    if fired.reminded >= BATCH:
        # There may be more to remind; whoever fell silent meanwhile comes before them.
        return SHORTEST_REST_S
    with engine_transaction(sessions) as session:
        return rest_s(session)


def _afterwards(
    sessions: sessionmaker[Session],
    claim: Callable[[Session, int], Sequence[SafetySession]],
    act: "Act[SafetySession]",
) -> Fired:
    """One batch and no more, in no more than a second: alarms are looked at again before the next. The beat is written
    by then, so that nothing that fails here can be taken for a time in which nobody watched."""
    with _told_after() as faults, engine_transaction(sessions) as session:
        session.execute(sa.select(sa.func.set_config("statement_timeout", str(REMINDING_MS), True)))
        rows = claim(session, BATCH)
        return sum(_guarded(session, rows, act, faults).values(), NOTHING) if rows else NOTHING


def _look_which(sessions: sessionmaker[Session], name: str, witness: Witness) -> Fired:
    """A transaction of its own: a server that does not say which it is keeps no alarm waiting."""
    try:
        with engine_transaction(sessions) as session:
            notice(session, name, witness)
    except ProgrammingError as error:
        log.error("epoch_not_told", engine=name, error=type(error.orig).__name__)
    return NOTHING


def _ask_again(session: Session, rows: Sequence[SafetySession]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, rows):
        return dict.fromkeys(ask_again(session, rows), NOTHING)


def _raise(session: Session, rows: Sequence[SafetySession], outage: Outage | None) -> dict[uuid.UUID, Fired]:
    done = {}
    with or_unwritten(session, rows):
        decisions = fire(session, rows, outage)
    for row_id, decision in decisions.items():
        said = "alert_opened" if decision.raised else "contact_lost"
        lateness_s = round(decision.lateness.total_seconds(), 3)
        log.warning(said, session_id=str(row_id), kind=decision.kind.value, lateness_s=lateness_s)
        done[row_id] = Fired(raised=1) if decision.raised else Fired(lost=1)
    return done


def _climb(session: Session, alerts: Sequence[SafetyAlert]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, [alert.session for alert in alerts]):
        risen = climb(session, [(alert.session, Rise.of(alert)) for alert in alerts])
    return dict.fromkeys(risen, Fired(climbed=1))


def _name_undecided(session: Session, alerts: Sequence[SafetyAlert]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, [alert.session for alert in alerts]):
        return dict.fromkeys(name_undecided(session, alerts), NOTHING)


def _raise_partners(session: Session, rows: Sequence[SafetySession]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, rows):
        return dict.fromkeys(raise_partners(session, rows), Fired(raised=1))


def _raise_unwatched(session: Session, found: Sequence[Unwatched]) -> dict[uuid.UUID, Fired]:
    with session.begin_nested():
        return dict.fromkeys(raise_unwatched(session, found), Fired(raised=1))


def _tighten_overtaken(session: Session, rows: Sequence[SafetySession]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, rows):
        return dict.fromkeys(tighten_overtaken(session, rows), NOTHING)


def _settle_covers(session: Session, rows: Sequence[SafetySession]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, rows):
        settle_cover(session, rows)
    return {}


def _remind(session: Session, rows: Sequence[SafetySession]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, rows):
        return dict.fromkeys(remind(session, rows), Fired(reminded=1))


def _note_batteries(session: Session, rows: Sequence[SafetySession]) -> dict[uuid.UUID, Fired]:
    with or_unwritten(session, rows):
        return dict.fromkeys(note_low(session, rows), NOTHING)


type Act[R] = Callable[[Session, Sequence[R]], dict[uuid.UUID, Fired]]
"""What is done with claimed rows behind a savepoint; what came of it by row, without those where nothing was due."""


def _each[R: _Row](sessions: sessionmaker[Session], claim: Callable[..., Sequence[R]], act: Act[R]) -> Fired:
    """Claim and act, batch by batch, a transaction each, until nothing is left that was not tried on this turn."""
    total, left = NOTHING, set[uuid.UUID]()
    while True:
        with _told_after() as faults, engine_transaction(sessions) as session:
            rows = claim(session, BATCH, but=left)
            ids = [row.id for row in rows]
            done = _guarded(session, rows, act, faults) if rows else {}
        total = sum(done.values(), total)
        left |= {row_id for row_id in ids if row_id not in done or done[row_id].failed}
        if not rows:
            return total


type Faults = list[tuple[uuid.UUID, Exception]]


@contextmanager
def _told_after() -> Iterator[Faults]:
    """What could not be decided is logged when the transaction is over: a slow log holds no rows, and an engine that is
    idle in a transaction for long loses it."""
    faults: Faults = []
    try:
        yield faults
    finally:
        for row_id, error in faults:
            log.error("row_failed", row_id=str(row_id), exc_info=error)


def _guarded[R: _Row](session: Session, rows: Sequence[R], act: Act[R], faults: Faults) -> dict[uuid.UUID, Fired]:
    """Act on all of them; where that fails on each half, until it is known which row it is about that nobody can
    decide: it must not stand in the way of the others."""
    try:
        return act(session, rows)
    except Exception as error:
        if isinstance(error, DBAPIError) and error.connection_invalidated:
            raise
        if len(rows) == 1:
            faults.append((rows[0].id, error))
            return {rows[0].id: Fired(failed=1)}
    half = len(rows) // 2
    return _guarded(session, rows[:half], act, faults) | _guarded(session, rows[half:], act, faults)
