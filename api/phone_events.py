"""What a phone tells in one go, and what of it is held: seen by the visitor, and by the office."""

import datetime as dt
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import wraps
from typing import Any

import sqlalchemy as sa
from flask import g

from api.auth import actor, has_ended, visitor_id
from api.batch_calls import hears_calls
from api.context import now, settings
from api.db import session
from api.endpoints import endpoint
from api.errors import TooManyRequests, problem_document
from api.event_reading import calls, desk_of
from api.openapi import Blueprint
from api.paging import Keyset
from api.reading import read_body
from api.roles import Permission, refuse_unless
from api.schemas.phone_events import (
    DUMPERS,
    DismissalIn,
    DismissalsIn,
    DismissalsOut,
    EventsIn,
    EventsTakenOut,
    HeldEventFileOut,
    HeldEventOut,
    HeldEventsQueryIn,
)
from api.showing import Shows
from api.sos import emergency
from fieldvisit.database import acting_for
from fieldvisit.devices import note_seen
from fieldvisit.errors import FieldVisitError
from fieldvisit.models import HeldEvent
from fieldvisit.phone import holding
from fieldvisit.phone.events import Desk, EventOutcome, EventResult, Sent, release, take_events
from fieldvisit.phone.kinds import OF_SAFETY, EventKind, Terms
from fieldvisit.phone.telling import Teller
from fieldvisit.safety.seeming import as_shown
from fieldvisit.safety.standing import Standing

bp = Blueprint("phone-events", __name__, description=__doc__)
BY_ARRIVAL = Keyset(HeldEvent.recorded_at, HeldEvent.event_id)


def takes_safety_beyond_the_limit[View: Callable[..., Any]](view: View) -> View:
    """The view of a batch; one beyond the limit of requests is refused, but what it says of safety is taken."""

    @wraps(view)
    def taken(**path: Any) -> Any:
        try:
            return view(**path)
        except TooManyRequests:
            _take_safety_alone()
            raise

    return taken  # type: ignore[return-value]  # wrapped


def _take_safety_alone() -> None:
    """The phone sends the batch once more, and has the answers of these again."""
    if "actor" not in g:
        # Nobody that is known asks: it was the address that has asked too often.
        return
    try:
        refuse_unless(Permission.USE_PHONE, actor().roles)
        body = read_body(EventsIn())
        told = [Sent(body=event, sent_at=body["sent_at"]) for event in body["events"]]
        of_safety = [one for one in told if _is_of_safety(one)]
        if of_safety:
            with acting_for(emergency().sessions, actor().org_id) as apart:
                take_events(apart, of_safety, desk(battery_percent=body["battery_percent"]))
    except FieldVisitError:
        # What is wrong with the batch is told once it is within the limit; a call for help in it is heard all the same.
        return


@bp.post("/phone/events")
@hears_calls
@takes_safety_beyond_the_limit
@endpoint(
    may=Permission.USE_PHONE,
    body=EventsIn(),
    returns=EventsTakenOut(),
    even_expired=True,
    even_revoked=True,
    even_ended=True,
    even_unknown=True,
)
def send_events(body: dict[str, Any]) -> dict[str, Any]:
    """Tell 1 to 500 events, in any order, repeated, of any days.

    Each gets one result. Sent again, an event gets its first answer. What happened more than a quarter of an hour
    ago, by the phone's clock as put right by `sent_at`, is a fact: it is taken whatever the hour is now, and what was
    wrong with it is written down. What has to come after something that is not here yet is held.

    A call for help is heard whatever becomes of the batch: also in one that is too large, cut off or refused, as far
    as it can be read. The answer then names how many were, in the header `Calls-For-Help`. Beyond the limit of requests
    what a batch says of safety is taken too; sent again, it gets its answer.
    """
    sent = [Sent(body=event, sent_at=body["sent_at"]) for event in body["events"]]
    battery = body["battery_percent"]
    places = [place for place, one in enumerate(sent) if _is_of_safety(one)] if any(map(calls, sent)) else []
    results: dict[int, EventResult] = {}
    if places:
        # In a transaction of its own, and first: nobody who calls waits for what else the phone has to tell.
        with acting_for(emergency().sessions, actor().org_id) as apart:
            taken = take_events(apart, [sent[place] for place in places], desk(battery_percent=battery))
        results |= dict(zip(places, taken, strict=True))
    drift = note_seen(session(), actor().device_id, drift=now() - body["sent_at"], battery_percent=battery, now=now())
    # What was long on its way is dated by the clock as the quicker sendings show it.
    sent = [replace(one, sent_at=max(body["sent_at"], now() - drift)) for one in sent]
    rest = [place for place in range(len(sent)) if place not in results]
    others = take_events(session(), [sent[place] for place in rest], desk(battery_percent=battery)) if rest else []
    results |= dict(zip(rest, others, strict=True))
    return _told([results[place] for place in range(len(sent))], drift)


def _is_of_safety(sent: Sent) -> bool:
    return isinstance(sent.body, Mapping) and sent.body.get("kind") in tuple(OF_SAFETY)


@bp.get("/phone/held-events")
@endpoint(may=Permission.USE_PHONE, returns=HeldEventOut(), order=BY_ARRIVAL)
def list_my_held_events() -> sa.Select[HeldEvent]:
    """One's own events that wait for something or were refused, the oldest first."""
    return holding.held_events(actor().org_id, visitor_id=visitor_id())


@bp.get("/held-events")
@endpoint(may=Permission.READ_VISITS, query=HeldEventsQueryIn(), returns=HeldEventOut(), order=BY_ARRIVAL)
def list_held_events(query: dict[str, Any]) -> sa.Select[HeldEvent]:
    """Every phone's events that wait for something or were refused, the oldest first."""
    return holding.held_events(actor().org_id, **query)


@bp.get("/held-events/<uuid:held_event_id>")
@endpoint(may=Permission.READ_REPORTS, returns=HeldEventFileOut(), traced=True, shows=Shows.FILE)
def read_held_event(held_event_id: uuid.UUID) -> HeldEvent:
    """One event as the phone sent it. Reading it leaves a line in the audit trail."""
    return holding.get_held_event(session(), held_event_id)


@bp.post("/held-events/<uuid:held_event_id>/dismissal")
@endpoint(may=Permission.CLOSE_VISITS, body=DismissalIn(), returns=HeldEventOut())
def dismiss_held_event(held_event_id: uuid.UUID, body: dict[str, str]) -> HeldEvent:
    """Say that an event will not be taken, and why. It stays readable."""
    return holding.dismiss(session(), held_event_id, reason=body["reason"], by=actor().account_id, now=now())


@bp.post("/held-events/dismissals")
@endpoint(may=Permission.CLOSE_VISITS, body=DismissalsIn(), returns=DismissalsOut())
def dismiss_held_events(body: dict[str, Any]) -> holding.Dismissed:
    """Say of many events that they will not be taken, and why. Those that were settled meanwhile are left as they
    are."""
    ids, reason = body["event_ids"], body["reason"]
    return holding.dismiss_all(session(), ids, reason=reason, by=actor().account_id, now=now())


def release_held(subject_id: uuid.UUID, event_id: uuid.UUID) -> None:
    """This was taken: it is held no more, if a batch had it before, and what waited for something of this visit or
    safety session is taken."""
    if holding.concerns_any(session(), [event_id], {subject_id}):
        taker = desk()
        holding.settle_taken(session(), [event_id], by=taker.by, now=now())
        release(session(), {subject_id}, taker)


def desk(*, battery_percent: int | None = None) -> Desk:
    """Who takes this request's events, and how."""
    by = Teller(visitor_id=visitor_id(), account_id=actor().account_id)
    terms = Terms(
        now=now(),
        geofence_m=settings().geofence_m,
        allow_drill=not settings().is_production,
        token_expired=actor().expired,
        device_revoked=actor().revoked,
        device_unknown=actor().unknown,
        login_ended=has_ended,
    )
    return desk_of(by, terms, battery_percent=battery_percent)


def _told(results: Sequence[EventResult], drift: dt.timedelta) -> dict[str, Any]:
    outcomes = [result.outcome for result in results]
    return {
        **{outcome.value: outcomes.count(outcome) for outcome in EventOutcome},
        "server_at": now(),
        "clock_drift_s": round(drift.total_seconds()),
        "results": [_result(result) for result in results],
    }


def _result(result: EventResult) -> dict[str, Any]:
    return {
        "event_id": result.event_id,
        "kind": result.kind,
        "outcome": result.outcome,
        "answer": _answer(EventKind(result.kind), result.answer) if result.kind and result.answer else None,
        "waits_for": result.waits_for,
        "problem": problem_document(result.error) if result.error else None,
    }


def _answer(kind: EventKind, answer: object) -> Any:
    # As by its own address: what is under duress is shown to its phone as it wants it to be.
    return DUMPERS[kind].dump(as_shown(session(), answer) if isinstance(answer, Standing) else answer)
