"""Reports: one a visit, taken whenever it comes, settled as one contact attempt, amended by addition only.

What happened, happened. A report is taken from a visit on its way or at the door, from one that was never told to have
begun, and from one that was given back, planned anew, cancelled or called back while the phone had no signal. That of a
cancelled visit is marked as such; its attempt is counted, its promises and blocks are kept like any other's.
"""

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fieldvisit.debtor_visits import lock_live_visits
from fieldvisit.door_notes import flag_notes
from fieldvisit.door_records import DoorDraft, door_in_words
from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.following_up import follow_up
from fieldvisit.models import ReportAddition, Visit, VisitEvent, VisitReport
from fieldvisit.phone.arrivals import arrival_of
from fieldvisit.phone.clocks import LATEST, on_our_clock, stated_at
from fieldvisit.phone.notes import about_sending
from fieldvisit.phone.routes import get_told_stop
from fieldvisit.phone.telling import EventDraft, EventIdReused, Receipt, Teller, Telling, take
from fieldvisit.promises import lock_plans_heard
from fieldvisit.receipts import book_money
from fieldvisit.repayment_standing import lock_plans
from fieldvisit.repayments import withdraw_unheard
from fieldvisit.report_demands import demand_reportable, demand_tellable
from fieldvisit.report_drafts import AbortDraft, AdditionDraft, ReportDraft
from fieldvisit.report_ranks import about_report, added_as, has_reported, stands_instead, take_over
from fieldvisit.report_rows import in_words, proposals, report_row
from fieldvisit.settlement import books_of, settle, settle_instead, stop
from fieldvisit.stays import flag_stay
from fieldvisit.together import together, write
from fieldvisit.told_stops import ToldStop
from fieldvisit.visits import get_own_visit, get_visit, move, note_event
from fieldvisit.vocabulary import AdditionReason, VisitOutcome, VisitState

type Outcome = tuple[VisitState, Mapping[str, Any]]


@dataclass(frozen=True)
class _Words:
    """What is added to a report, and why; `about`: what the history says of it besides."""

    reason: AdditionReason
    text: str
    about: Mapping[str, object] = field(default_factory=dict)


class VisitAlreadyReported(FieldVisitError):
    code, kind = "visit_already_reported", Kind.CONFLICT
    says = "Visit {reference} was reported by you before, as {report_id}. Add to that report instead."


def report_visit(session: Session, visit_id: uuid.UUID, draft: ReportDraft, *, by: Teller, now: dt.datetime) -> Receipt:
    """Report how a visit went. The receipt names the report, or the addition that a crew mate's report became, or one's
    own after an abort.

    Raises VisitAlreadyReported for a second, different report of the same visitor, IdentityNotConfirmed, InvalidValue
    for promises and times that cannot be, WrongState and NotFound.
    """
    telling = Telling(kind="report", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)
    left_at = on_our_clock(draft.left_at, draft, now)
    ours = replace(draft, left_at=left_at, door=draft.door and draft.door.moved(left_at - draft.left_at))
    return take(
        session,
        telling,
        now=now,
        find=lambda: get_told_stop(session, by.visitor_id, visit_id).visit,
        act=lambda: _report(session, visit_id, ours, by=by, now=now),
    )


def abort_visit(session: Session, visit_id: uuid.UUID, draft: AbortDraft, *, by: Teller, now: dt.datetime) -> Receipt:
    """Leave at once: one call, never refused for a clock. After a report it is added to that, and stops what it stops.
    Raises VisitAlreadyReported for a second one of the same visitor."""
    telling = Telling(kind="abort", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)
    told_at = stated_at(draft, now) or now
    report = ReportDraft(
        event_id=draft.event_id,
        device_at=draft.device_at,
        outcome=VisitOutcome.ABORTED,
        left_at=max(told_at, now - LATEST) if draft.sent_at or told_at >= now - LATEST else now,
        note=draft.note,
        abort_reason=draft.reason,
        met=draft.met,
        one_tap=True,
    )
    return take(
        session,
        telling,
        now=now,
        find=lambda: get_told_stop(session, by.visitor_id, visit_id).visit,
        act=lambda: _report(session, visit_id, report, by=by, now=now),
    )


def add_to_report(
    session: Session, visit_id: uuid.UUID, draft: AdditionDraft, *, by: Teller, now: dt.datetime
) -> Receipt:
    """Add to the visit's report, with money that was taken and is not in it: that counts as told by a report. Raises
    NotFound where there is none yet."""
    telling = Telling(kind="addition", visit_id=visit_id, by=by, event_id=draft.event_id, body=draft)

    def act() -> Outcome:
        visit = get_visit(session, visit_id, lock=True)
        reason = draft.reason or AdditionReason.FURTHER
        report = get_report(session, visit_id)
        paid = door_in_words(DoorDraft(payment=draft.payment)) if draft.payment else []
        if draft.payment is not None:
            at = max(stated_at(draft, now) or now, now - LATEST)
            book_money(session, visit, draft.payment, event_id=draft.event_id, at=at, by=by, now=now)
        words = _Words(reason, "\n".join([draft.text, *paid]))
        return _add(session, report, visit, draft, words=words, by=by, now=now)

    return take(session, telling, now=now, find=lambda: get_told_stop(session, by.visitor_id, visit_id).visit, act=act)


def add_from_office(
    session: Session, visit_id: uuid.UUID, draft: AdditionDraft, *, by: uuid.UUID, now: dt.datetime
) -> VisitReport:
    """The office adds to a report, or corrects it: what was said, by whom and why stands beside the first words.

    The same id again changes nothing. Raises NotFound where there is no report yet, NotYourVisit, and EventIdReused for
    an id under which something else was added."""
    visit = get_own_visit(session, visit_id)
    report = get_report(session, visit_id)
    reason = draft.reason or AdditionReason.FURTHER
    said = {"report_id": report.id, "account_id": by, "visitor_id": None, "reason": reason, "text": draft.text}
    earlier = session.get(ReportAddition, draft.event_id)
    if earlier is not None:
        if said != {name: getattr(earlier, name) for name in said}:
            raise EventIdReused(event_id=draft.event_id)
        return report
    addition = ReportAddition(id=draft.event_id, org_id=visit.org_id, lender_id=visit.lender_id, **said)
    detail = {"report_id": str(report.id), "addition_id": str(addition.id), "reason": reason.value}
    event = note_event(visit, "report_added_to", now=now, **detail)
    event.actor_id = by
    write(session, addition, event)
    return get_report(session, visit_id)


def get_report(session: Session, visit_id: uuid.UUID) -> VisitReport:
    """The visit's report with its promises and additions; NotFound where there is none that one may see."""
    report = _find_report(session, visit_id)
    if report is None:
        raise NotFound(what="report of visit", id=visit_id)
    return report


def _report(session: Session, visit_id: uuid.UUID, draft: ReportDraft, *, by: Teller, now: dt.datetime) -> Outcome:
    visit = _lock(session, visit_id, promised=bool(draft.promises))
    earlier = _find_report(session, visit_id)
    if earlier is not None and has_reported(session, visit, draft, by=by):
        raise VisitAlreadyReported(reference=visit.reference, report_id=earlier.id)
    stop_told = get_told_stop(session, by.visitor_id, visit_id)
    demand_tellable(session, visit, draft, at=stop_told, now=now)
    if earlier is not None:
        return _report_again(session, visit, earlier, draft, at=stop_told, by=by, now=now)
    row = report_row(visit, draft, by, form=demand_reportable(session, visit, draft))
    _keep(session, visit, draft, row=row, by=by, now=now)
    state = visit.state
    with books_of(session, visit):
        facts = {
            "report_id": str(draft.event_id),
            "addition_id": None,
            "attempt_id": settle(session, visit, draft, now=now),
            "block_ids": stop(session, visit, draft, by=by, now=now),
        }
        follow_up(session, visit, promised_since=draft.left_at if draft.promises else None, now=now)
    return state, facts


def _report_again(
    session: Session,
    visit: Visit,
    earlier: VisitReport,
    draft: ReportDraft,
    *,
    at: ToldStop,
    by: Teller,
    now: dt.datetime,
) -> Outcome:
    """Take a report where one stands: in its place, or as an addition to it, with its money and what it stops."""
    if stands_instead(session, earlier, draft, at=at, by=by):
        row = report_row(visit, draft, by, form=demand_reportable(session, visit, draft))
        return _report_instead(session, visit, earlier, draft, row=row, by=by, now=now)
    words = _Words(added_as(earlier, by.visitor_id), in_words(draft, met=draft.met), about_report(draft))
    _book_money(session, visit, draft, by=by, now=now)
    state, facts = _add(session, earlier, visit, draft, words=words, by=by, now=now)
    heard = proposals(visit, draft, by)
    for each in heard:
        each.report_id = earlier.id
    write(session, *heard)
    with books_of(session, visit):
        return state, {**facts, "block_ids": stop(session, visit, draft, by=by, now=now)}


def _report_instead(
    session: Session,
    visit: Visit,
    earlier: VisitReport,
    draft: ReportDraft,
    *,
    row: VisitReport,
    by: Teller,
    now: dt.datetime,
) -> Outcome:
    """The lead reports after another of the crew, or somebody in full after an abort: theirs is the report of the
    visit, as if it had come first, and the other an addition. What was heard first stops what it stops."""
    # Whoever decides on a plan holds it, and is not overtaken.
    lock_plans(session, {visit.case_id})
    earlier.replaced_by_id = draft.event_id
    withdraw_unheard(earlier.plan, now=now)
    # It makes room first: one report of a visit stands.
    session.flush()
    row.after_cancellation = earlier.after_cancellation
    _flag(session, visit, draft, now)
    event = _reported(visit, draft, row, by=by, now=now)
    event.detail |= {"instead_of": str(earlier.id)}
    _book_money(session, visit, draft, by=by, now=now)
    write(session, row, event)
    session.flush()
    take_over(session, earlier, row)
    visit.outcome, visit.ended_at = draft.outcome, min(draft.left_at, now)
    session.flush()
    # What counted for a promise of the other may count for another's now.
    promised = bool(draft.promises or earlier.promises)
    state, since = visit.state, min(draft.left_at, earlier.left_at)
    with books_of(session, visit):
        facts = {
            "report_id": str(row.id),
            "addition_id": None,
            "attempt_id": settle_instead(session, visit, draft, own=earlier.visitor_id == by.visitor_id, now=now),
            "block_ids": stop(session, visit, draft, by=by, now=now),
        }
        follow_up(session, visit, promised_since=since if promised else None, now=now)
    return state, facts


def _keep(
    session: Session, visit: Visit, draft: ReportDraft, *, row: VisitReport, by: Teller, now: dt.datetime
) -> None:
    """Store the report, and bring the visit to where it says that it went."""
    row.after_cancellation = visit.state is VisitState.CANCELLED
    _flag(session, visit, draft, now)
    write(session, row)
    _book_money(session, visit, draft, by=by, now=now)
    visit.outcome, visit.ended_at = draft.outcome, min(draft.left_at, now)
    visit.arrived_at = visit.arrived_at or arrival_of(session, visit)
    move(session, visit, VisitState.REPORTED, now=now, event=_reported(visit, draft, row, by=by, now=now))


def _flag(session: Session, visit: Visit, draft: ReportDraft, now: dt.datetime) -> None:
    """What was left at the door and should not have been, and a stay that was too long."""
    sealed = [each.sealed for each in draft.door.notes_left] if draft.door is not None else []
    flag_notes(session, visit, sealed, left_at=draft.left_at, now=now)
    flag_stay(session, visit, left_at=draft.left_at, now=now)


def _book_money(session: Session, visit: Visit, draft: ReportDraft, *, by: Teller, now: dt.datetime) -> None:
    """Money counts for whoever took it, whosever report stands."""
    if draft.door is not None and draft.door.payment is not None:
        at = min(draft.left_at, now)
        book_money(session, visit, draft.door.payment, event_id=draft.event_id, at=at, by=by, now=now)


def _reported(visit: Visit, draft: ReportDraft, row: VisitReport, *, by: Teller, now: dt.datetime) -> VisitEvent:
    detail: dict[str, Any] = {"report_id": str(row.id), **about_report(draft), **about_sending(draft, now)}
    if draft.met is not None:
        detail["met"] = draft.met.value
    if row.after_cancellation:
        detail["after_cancellation"] = True
    event = note_event(visit, "reported", now=now, **detail)
    event.visitor_id, event.actor_id, event.device_at = by.visitor_id, by.account_id, draft.device_at
    return event


def _lock(session: Session, visit_id: uuid.UUID, *, promised: bool) -> Visit:
    """The visit and every live one of its debtor, in order: a block that follows from the report may cancel those, and
    two reports of one debtor's visits would wait for each other for ever."""
    gathered = together(session)
    if gathered is not None and visit_id in gathered.visits:
        return gathered.visits[visit_id]
    # Before the visits, as whoever decides on a plan takes them.
    lock_plans_heard(session, {visit_id}, promised=promised)
    visit = get_visit(session, visit_id)
    debtor_id = visit.debtor_id
    with books_of(session, visit):
        lock_live_visits(session, {debtor_id}, also={visit_id})
    return get_visit(session, visit_id)


def _find_report(session: Session, visit_id: uuid.UUID) -> VisitReport | None:
    gathered = together(session)
    if gathered is not None and visit_id in gathered.visits:
        return gathered.reports.get(visit_id)
    return session.scalars(
        sa.select(VisitReport)
        .where(VisitReport.visit_id == visit_id, VisitReport.replaced_by_id.is_(None))
        .options(
            selectinload(VisitReport.promises),
            selectinload(VisitReport.additions),
            selectinload(VisitReport.door),
            selectinload(VisitReport.contact_changes),
            selectinload(VisitReport.plan),
            selectinload(VisitReport.form),
        )
        .execution_options(populate_existing=True)
    ).one_or_none()


def _add(
    session: Session,
    report: VisitReport,
    visit: Visit,
    draft: EventDraft,
    *,
    words: _Words,
    by: Teller,
    now: dt.datetime,
) -> Outcome:
    addition = ReportAddition(
        id=draft.event_id,
        org_id=visit.org_id,
        lender_id=visit.lender_id,
        report_id=report.id,
        visitor_id=by.visitor_id,
        account_id=by.account_id,
        reason=words.reason,
        text=words.text,
    )
    ids = {"report_id": str(report.id), "addition_id": str(addition.id)}
    detail = {**ids, **words.about, **about_sending(draft, now)}
    event = note_event(visit, "report_added_to", now=now, **detail)
    event.visitor_id, event.actor_id, event.device_at = by.visitor_id, by.account_id, draft.device_at
    write(session, addition, event)
    return visit.state, {
        "report_id": str(report.id),
        "addition_id": str(addition.id),
        "attempt_id": None,
        "block_ids": [],
    }
