"""Judging everything ahead in the background, a batch at a time, with progress: after a policy changed, or before.

A run may be cut short at any moment: each batch commits with how far it came, and whoever takes the run up again goes
on from there, with what was counted so far.
"""

import datetime as dt
import gc
import itertools
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import procrastinate
import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.compliance.decision import Decision, plain
from fieldvisit.compliance.evaluate import evaluate
from fieldvisit.database import acting_for
from fieldvisit.decisions import organisations_by_id
from fieldvisit.errors import NotFound
from fieldvisit.models import PolicyVersion, Rejudging, Visit
from fieldvisit.own_policies import PolicyDraft, draft_version
from fieldvisit.policies import policies_of
from fieldvisit.rejudging import judge_ahead, read_ahead, rejudge, visits_ahead
from fieldvisit.vocabulary import RejudgingState, Verdict

BATCH = 500
MOST_TOLD = 200
"""Visits that a preview names; all of them are counted."""
QUEUE, TASK = "upkeep", "rejudge"

PREVIEW = "preview"
CAME_TO = "came_to"
"""In the detail of a run: the last visit of the last batch that was committed."""

# Never opened and without a task: it only writes into the caller's own transaction.
_queue = procrastinate.App(connector=procrastinate.SyncPsycopgConnector())


def ask_rejudging(
    session: Session,
    org_id: uuid.UUID,
    *,
    reason: str,
    subject: str | None = None,
    detail: dict[str, Any] | None = None,
) -> Rejudging:
    """Have a worker judge every visit ahead of the organisation anew; if, and only if, this transaction commits."""
    row = Rejudging(org_id=org_id, reason=reason, subject=subject, detail=detail or {})
    session.add(row)
    session.flush()
    connection = session.connection().connection.driver_connection
    job = _queue.configure_task(TASK, queue=QUEUE, connection=connection)
    job.defer(org_id=str(org_id), rejudging_id=str(row.id))
    return row


def preview_version(session: Session, org_id: uuid.UUID, draft: PolicyDraft, *, now: dt.datetime) -> Rejudging:
    """Have a worker find out which visits ahead would become unlawful, or lawful, under the draft. Nothing changes."""
    draft_version(session, org_id, draft, now=now)
    until = draft.effective_to.isoformat() if draft.effective_to else None
    detail = {"text": draft.text, "effective_from": draft.effective_from.isoformat(), "effective_to": until}
    return ask_rejudging(session, org_id, reason=PREVIEW, detail=detail)


def get_rejudging(session: Session, rejudging_id: uuid.UUID, *, lock: bool = False) -> Rejudging:
    query = sa.select(Rejudging).where(Rejudging.id == rejudging_id)
    row = session.scalars(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(what="re-judging", id=rejudging_id)
    return row


def run_rejudging(
    sessions: sessionmaker[Session],
    clock: Callable[[], dt.datetime],
    org_id: uuid.UUID,
    rejudging_id: uuid.UUID,
    *,
    size: int = BATCH,
) -> None:
    """Do what was asked, a batch a transaction, from where an earlier run came to. Done before: nothing happens."""
    with acting_for(sessions, org_id) as session:
        row = get_rejudging(session, rejudging_id, lock=True)
        if row.state is RejudgingState.DONE:
            return
        look = _previewed(row) if row.reason == PREVIEW else None
        ids = _still_to_do(session, row)
        if row.state is RejudgingState.WAITING:
            row.state, row.total = RejudgingState.RUNNING, len(ids)
            row.detail = {**row.detail, "unlawful": [], "lawful": []} if look else row.detail
    for batch in itertools.batched(ids, size):
        with _left_alone(), acting_for(sessions, org_id) as session:
            row = get_rejudging(session, rejudging_id, lock=True)
            if look:
                _preview(session, row, batch, look, now=clock())
            else:
                _judge(session, row, batch, clock())
            row.detail = {**row.detail, CAME_TO: str(batch[-1])}
    with acting_for(sessions, org_id) as session:
        row = get_rejudging(session, rejudging_id, lock=True)
        row.state, row.finished_at = RejudgingState.DONE, clock()


@contextmanager
def _left_alone() -> Iterator[None]:
    """The garbage collector rests: it would walk again and again through the many rows of a batch, and through all that
    the process holds besides, and find nothing. That was a fifth of the time."""
    rested = not gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if not rested:
            gc.enable()


def _still_to_do(session: Session, row: Rejudging) -> list[uuid.UUID]:
    """The visits ahead that no earlier run of this row came to, in the order of their ids."""
    ids = session.scalars(visits_ahead(row.org_id)).all()
    came_to = row.detail.get(CAME_TO)
    return [each for each in ids if came_to is None or each > uuid.UUID(came_to)]


def _judge(session: Session, row: Rejudging, ids: Sequence[uuid.UUID], now: dt.datetime) -> None:
    found = rejudge(session, ids, now=now, code=row.reason)
    row = get_rejudging(session, row.id)
    row.note(
        {
            "done": len(ids),
            "cancelled": len(found.cancelled),
            "taken_back": len(found.taken_back),
            "flagged": len(found.flagged),
        }
    )


def _previewed(row: Rejudging) -> PolicyDraft:
    detail = row.detail
    until = dt.date.fromisoformat(detail["effective_to"]) if detail["effective_to"] else None
    return PolicyDraft(
        text=detail["text"], effective_from=dt.date.fromisoformat(detail["effective_from"]), effective_to=until
    )


def _preview(
    session: Session, row: Rejudging, ids: Sequence[uuid.UUID], draft: PolicyDraft, *, now: dt.datetime
) -> None:
    """Judge each under the policies as they are and as they would be; what differs is noted. Seen are the visits that
    the organisation makes: of those made for it, only whoever makes them knows the crews."""
    trial = draft_version(session, row.org_id, draft, now=now)
    visits = session.scalars(sa.select(Visit).where(Visit.id.in_(ids), Visit.org_id == row.org_id).order_by(Visit.id))
    unlawful, lawful = list(row.detail["unlawful"]), list(row.detail["lawful"])
    for visit, before, after in _both(session, visits.all(), trial, now):
        if before.verdict is Verdict.ALLOWED and after.verdict is not Verdict.ALLOWED:
            row.flagged += 1
            unlawful.append({"visit_id": str(visit.id), "clauses": plain([each.clause_id for each in after.deciding])})
        elif before.verdict is not Verdict.ALLOWED and after.verdict is Verdict.ALLOWED:
            row.taken_back += 1
            lawful.append({"visit_id": str(visit.id), "clauses": plain([each.clause_id for each in before.deciding])})
    row.done += len(ids)
    row.detail = {**row.detail, "unlawful": unlawful[:MOST_TOLD], "lawful": lawful[:MOST_TOLD]}


def _both(
    session: Session, visits: Sequence[Visit], trial: PolicyVersion, now: dt.datetime
) -> list[tuple[Visit, Decision, Decision]]:
    ids = {org_id for visit in visits for org_id in (visit.org_id, visit.lender_id)}
    organisations = organisations_by_id(session, ids)
    found = []
    for one, question, before in judge_ahead(session, read_ahead(session, visits, now), now):
        involved = (organisations[one.visit.org_id], organisations[one.visit.lender_id])
        after = evaluate(question, one.facts, policies_of(involved, trial=trial), now)
        found.append((one.visit, before, after))
    return found
