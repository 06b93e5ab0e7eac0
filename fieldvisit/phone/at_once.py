"""Taking all events of a sending in one go, where none of them fails: one savepoint, one reading, one writing.

It does what taking them one after another does, in the same order. Where one fails, nothing of it stays, and the caller
takes the others without it, or each by itself.
"""

import datetime as dt
import uuid
from collections.abc import Callable, Sequence
from itertools import groupby

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind, Refused
from fieldvisit.phone.gathering import Wanted, gather
from fieldvisit.phone.kinds import ENDS, SHOWS, Event, EventKind, SafetyTold, StepEvent, take_run
from fieldvisit.phone.telling import Teller, ToldMeanwhile, keep_ids
from fieldvisit.together import taken_together


class NotAtOnce(Exception):
    """These are to be taken one by one."""


class Stumbled(Exception):
    """One of them came to nothing, for this reason; `place` is its place among those to be taken."""

    def __init__(self, place: int, error: FieldVisitError) -> None:
        super().__init__(place)
        self.place, self.error = place, error


def take_at_once(
    session: Session,
    events: Sequence[Event],
    *,
    by: Teller,
    now: dt.datetime,
    translate: Callable[[DBAPIError], FieldVisitError | None],
) -> list[object]:
    """Take these, in this order; the answer of each. Raises Stumbled or NotAtOnce, with nothing taken then."""
    try:
        with session.begin_nested():
            gathered = gather(session, _wanted(events, by), now=now)
            if gathered is None:
                raise NotAtOnce
            with taken_together(session, gathered):
                answers = _take_all(session, events, by)
                session.flush()
            keep_ids(session, gathered)
            return answers
    except ToldMeanwhile as error:
        raise NotAtOnce from error
    except DBAPIError as error:
        known = translate(error)
        if known is None or known.kind is Kind.UNAVAILABLE:
            raise
        raise NotAtOnce from error


def _take_all(session: Session, events: Sequence[Event], by: Teller) -> list[object]:
    answers: list[object] = []
    for (place, _), group in groupby(enumerate(events), key=lambda placed: _run_of(*placed)):
        run = [event for _, event in group]
        try:
            answers += take_run(session, run, by) if place is None else [run[0].take(session, by)]
        except FieldVisitError as error:
            if error.kind is Kind.UNAVAILABLE:
                raise
            if len(run) > 1:
                raise NotAtOnce from error
            raise Stumbled(len(answers), error) from error
        if any(isinstance(answer, Refused) for answer in answers[-len(run) :]):
            # Of a refusal something stays, and what comes after it sees that.
            raise NotAtOnce
    return answers


def _run_of(place: int, event: Event) -> tuple[int | None, uuid.UUID | None]:
    """What is the same for events that follow each other and are one in what they do; else differs."""
    together = isinstance(event, SafetyTold) and event.kind in (EventKind.CHECK_IN, EventKind.BEAT)
    return (None, event.subject_id) if together else (place, None)


def _wanted(events: Sequence[Event], by: Teller) -> Wanted:
    steps = [event for event in events if isinstance(event, StepEvent)]
    kinds = {event.kind for event in steps}
    return Wanted(
        visitor_id=by.visitor_id,
        visit_ids=frozenset(event.visit_id for event in steps),
        event_ids=frozenset(event.event_id for event in steps),
        judged=frozenset(event.visit_id for event in steps if event.kind is EventKind.ARRIVAL),
        reported=frozenset(event.visit_id for event in steps if event.kind in ENDS),
        promised=any(getattr(event.draft, "promises", ()) for event in steps),
        shows_papers=bool(kinds & SHOWS),
    )
