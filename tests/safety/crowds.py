"""Thousands of visitors who are out at once, made of one by copying rows; and what became of their deadlines."""

import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import OutboxMessage, SafetyAlert
from fieldvisit.safety import alerts, closing
from fieldvisit.safety.drafts import Resolution
from fieldvisit.vocabulary import AlertOutcome, AlertState, ResolutionProof
from tests.safety.worlds import Door

COPIED = """
insert into {table} select (jsonb_populate_record({table}, jsonb_build_object({values}))).* from {table} {what}
"""
DAY = "fieldvisit_now() + interval '20 hours'"
FIGURES = sa.text("""
with first as (
    select a.id, a.session_id, extract(epoch from a.opened_at - a.deadline_at) as late_s,
           (select extract(epoch from min(o.sent_at) - a.opened_at)
            from safety_outbox o where o.alert_id = a.id) as sent_s
    from safety_alerts a where a.kind = 'missed_checkin'
)
select count(*), count(distinct session_id), count(sent_s),
       percentile_cont(array[0.5, 0.99, 1]) within group (order by late_s),
       percentile_cont(array[0.5, 0.99, 1]) within group (order by sent_s)
from first
""")


@dataclass(frozen=True)
class Raised:
    """How many alerts, of how many sessions, how many of them told to anybody; median, 99th percentile and worst of how
    late they were raised and how soon told, in seconds."""

    alerts: int
    sessions: int
    told: int
    late_s: list[float]
    told_s: list[float]

    def __str__(self) -> str:
        late, told = (" / ".join(f"{each:.2f}" for each in found or ()) for found in (self.late_s, self.told_s))
        return (
            f"{self.alerts} alerts of {self.sessions} sessions, {self.told} told to somebody; median / p99 / worst: "
            f"late {late} s, first message {told} s after the alert"
        )


def make_crowd(door: Door, live: int) -> None:
    """So many sessions are running, one of each visitor, and nothing is due for hours."""
    door.start()
    with acting_for_all(door.sessions) as session:
        values = "'id', gen_random_uuid(), 'staff_number', 'L' || n, 'external_id', 'L' || n"
        visitors = COPIED.format(table="visitors", values=values, what="cross join generate_series(2, :live) n")
        session.execute(sa.text(visitors), {"live": live})
        values, what = "'id', gen_random_uuid(), 'visitor_id', v.id", "join visitors v on v.id <> visitor_id"
        session.execute(sa.text(COPIED.format(table="safety_sessions", values=values, what=what)))
        session.execute(
            sa.text(
                f"update safety_sessions set remind_at = {DAY}, due_at = {DAY}, grace_until = {DAY}, end_at = {DAY},"
                f" lost_at = {DAY}"
            )
        )
    with door.sessions.kw["bind"].connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("analyze"))


def fall_silent(door: Door, many: int, *, within_s: float) -> None:
    """So many of them miss a check-in, each at a moment of its own within these seconds from five seconds on."""
    with acting_for_all(door.sessions) as session:
        session.execute(
            sa.text(
                "with drawn as (select id, fieldvisit_now() + (5 + :within * random()) * interval '1 second' as at"
                " from safety_sessions where state = 'active' and grace_until > fieldvisit_now() + interval '10 hours'"
                " limit :many)"
                " update safety_sessions s set remind_at = drawn.at, due_at = drawn.at, grace_until = drawn.at"
                " from drawn where s.id = drawn.id"
            ),
            {"within": within_s, "many": many},
        )


def raised(door: Door) -> Raised:
    with acting_for_all(door.sessions) as session:
        return Raised(*session.execute(FIGURES).one())


@contextmanager
def officer_at_work(door: Door) -> Iterator[None]:
    """Somebody who takes what is told and closes it, one after the other."""
    stop = threading.Event()
    thread = threading.Thread(target=_work, args=(door, stop), name="officer")
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _work(door: Door, stop: threading.Event) -> None:
    how = Resolution(outcome=AlertOutcome.FALSE_FORGOT, proof=ResolutionProof.VOICE_CONTACT, resume=False)
    while not stop.wait(0.2):
        for alert_id in _told(door):
            try:
                with acting_for(door.sessions, door.world.agency) as session:
                    alerts.acknowledge(session, alert_id, door.officer)
                    closing.resolve(session, alert_id, door.officer, how)
            except FieldVisitError:
                continue
            if stop.is_set():
                return


def _told(door: Door) -> list[uuid.UUID]:
    told = sa.select(OutboxMessage.id).where(
        OutboxMessage.alert_id == SafetyAlert.id, OutboxMessage.sent_at.is_not(None)
    )
    waiting = sa.select(SafetyAlert.id).where(SafetyAlert.state == AlertState.NOTIFYING, told.exists())
    with acting_for_all(door.sessions) as session:
        return list(session.scalars(waiting.order_by(SafetyAlert.opened_at).limit(20)))
