"""Announcing visits: whoever publishes a day tells the debtors for whom a policy demands it, in time and again when the
visit moves; and whoever was told of a visit that nobody makes any more, or waited for one in vain, is told so."""

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session

from fieldvisit.compliance.intervals import Interval, common
from fieldvisit.compliance.notices import demanded_of_visit
from fieldvisit.compliance.parameters import NoticeAbout
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.decisions import organisations_by_id
from fieldvisit.errors import FieldVisitError
from fieldvisit.facts import facts_of, subject_of
from fieldvisit.models import Notice, NoticeTemplate, Stop, Visit
from fieldvisit.notices.filing import fill, put_out
from fieldvisit.notices.matters import Matter, NoTemplateFits, Way, choose, matter_of, stopped_by
from fieldvisit.notices.standing import LIVE
from fieldvisit.notices.writing import write, write_called_off, write_missed
from fieldvisit.policies import policies_of
from fieldvisit.visits import note_event
from fieldvisit.vocabulary import NoticeState, VisitOutcome, VisitState

AROUND = dt.timedelta(hours=1)
"""So long before and after its planned begin a visit is announced for: a day is allowed to move a little."""
QUARTER = dt.timedelta(minutes=15)
NOT_FILED = "notice_not_filed"
"""The event of a visit whose notice could not be written; its detail says why."""
OFF = (VisitState.CANCELLED, VisitState.EXPIRED)
IN_NO_PLAN = (VisitState.REQUESTED, VisitState.ELIGIBLE)
UNKEPT = dt.timedelta(hours=1)
"""A visit that is in no plan so long before its announced hours will not be made in them."""
MISSED_FOR = dt.timedelta(days=3)
"""Whoever waited in vain longer ago than this is not reminded of it."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Appointment:
    """A visit and when it is to begin and end."""

    visit: Visit
    span: Interval


def announce(session: Session, appointments: Sequence[Appointment], *, now: dt.datetime) -> None:
    """Put a notice out for each that a policy wants announced and whose debtor was not told of that hour. Where it
    cannot be written, the visit's history says why; it is refused at its door until somebody has seen to it."""
    for one, matter in demanding(session, appointments, now=now):
        if tells_of(matter, one.span.begins_at):
            continue
        window = hours_to_tell(one, matter)
        try:
            template, way = choose(session, replace(matter, announced=window))
            put_out(session, replace(matter, announced=window), template, way, made_by_id=None, now=now)
        except FieldVisitError as error:
            session.add(note_event(one.visit, NOT_FILED, now=now, code=error.code))
    session.flush()


def demanding(
    session: Session, appointments: Sequence[Appointment], *, now: dt.datetime
) -> list[tuple[Appointment, Matter]]:
    """Those of which a policy wants their debtor told, with what it wants. Where no policy speaks of it, one query."""
    ids = {org_id for one in appointments for org_id in (one.visit.org_id, one.visit.lender_id)}
    organisations = organisations_by_id(session, ids)
    policies = {
        one.visit.id: policies_of((organisations[one.visit.org_id], organisations[one.visit.lender_id]))
        for one in appointments
    }
    asked = [one for one in appointments if _speaks_of_visits(policies[one.visit.id])]
    known = facts_of(session, [subject_of(one.visit) for one in asked], now)
    found = []
    for one, facts in zip(asked, known, strict=True):
        day = local_day(one.span.begins_at, one.visit.place.zone)
        rules = demanded_of_visit(str(one.visit.id), facts, policies[one.visit.id], day=day, now=now)
        if rules:
            matter = Matter(
                about=NoticeAbout.VISIT,
                sender=organisations[one.visit.org_id],
                lender=organisations[one.visit.lender_id],
                case=one.visit.case,
                place=one.visit.place,
                facts=facts,
                policies=policies[one.visit.id],
                rules=rules,
                visit=one.visit,
            )
            found.append((one, matter))
    return found


def tells_of(matter: Matter, begins_at: dt.datetime) -> bool:
    """Whether the debtor was told, in the form and with the contents asked for, of hours in which this lies."""
    for notice in matter.facts.notices:
        hours = notice.announced
        if notice.about is NoticeAbout.VISIT and hours is not None and hours.begins_at <= begins_at < hours.ends_at:
            return all(rule.contents <= notice.contents and rule.form in ("any", notice.form) for rule in matter.rules)
    return False


def hours_to_tell(one: Appointment, matter: Matter) -> Interval:
    """An hour around the planned begin, in quarters of an hour, as far as it is lawful."""
    begins = _floor(one.span.begins_at - AROUND)
    ends = _floor(max(one.span.begins_at + AROUND, one.span.ends_at) + QUARTER)
    day = local_day(one.span.begins_at, matter.place.zone)
    lawful = common(lawful_windows(matter.facts, matter.policies, day), (Interval(begins, ends),))
    return next((span for span in lawful if span.begins_at <= one.span.begins_at < span.ends_at), one.span)


def called_off(now: dt.datetime) -> sa.Select[Notice]:
    """The notices of visits that nobody makes any more, of which their debtors were not told. For the worker, which
    sees all."""
    return (
        sa.select(Notice)
        .join(Visit, Visit.id == Notice.visit_id)
        .where(
            Notice.about == NoticeAbout.VISIT,
            Notice.state.in_(LIVE),
            Notice.announced_until > now,
            sa.or_(
                Notice.called_off_at.is_not(None),
                Visit.state.in_(OFF),
                sa.and_(Visit.state.in_(IN_NO_PLAN), Notice.announced_from <= now + UNKEPT),
            ),
        )
        .order_by(Notice.id)
    )


def call_off(session: Session, row: Notice, now: dt.datetime) -> None:
    """Tell this debtor that nobody comes, where it is known that the notice, locked by the caller, may have been read.

    What had not gone out yet does not have to.
    """
    # A letter that nobody handed over, and what is on its way this moment, are not known to have been read.
    unsent = row.sent_at is None and row.lease is None
    row.state, row.reason, row.next_try_at = NoticeState.WITHDRAWN, "called_off", None
    row.called_off_at = row.called_off_at or now
    if not unsent:
        _tell_off(session, row, now)


def missed(now: dt.datetime) -> sa.Select[Notice]:
    """The notices whose announced hours passed without anybody coming, of which their debtors were not told.

    Told is what is known: as long as a visit may have been made by a phone without signal, it is not in no plan.
    """
    return (
        sa.select(Notice)
        .join(Visit, Visit.id == Notice.visit_id)
        .where(
            Notice.about == NoticeAbout.VISIT,
            Notice.state.in_(LIVE),
            Notice.announced_until.between(now - MISSED_FOR, now),
            Notice.called_off_at.is_(None),
            Notice.sent_at.is_not(None),
            Visit.arrived_at.is_(None),
            sa.or_(Visit.state.in_((*OFF, *IN_NO_PLAN)), Visit.outcome == VisitOutcome.NOT_REACHED),
        )
        .order_by(Notice.id)
    )


def tell_missed(session: Session, row: Notice, now: dt.datetime) -> None:
    """Tell this debtor, once, that nobody came. The notice, locked by the caller, stays on file as sent: the debtor was
    told, and it did not come true."""
    row.called_off_at = now
    _tell_off(session, row, now, missed=True)


def stops_of(stops: Iterable[Stop], visits: Mapping[uuid.UUID, Visit]) -> list[Appointment]:
    """The appointments that these stops are."""
    return [Appointment(visits[stop.visit_id], Interval(stop.begin_at, stop.end_at)) for stop in stops]


def _tell_off(session: Session, told: Notice, now: dt.datetime, *, missed: bool = False) -> None:
    """By the way, and in the language, in which the visit was announced."""
    visit = session.get_one(Visit, told.visit_id)
    sender = organisations_by_id(session, [told.sender_id])[told.sender_id]
    matter = matter_of(session, NoticeAbout.CALLED_OFF, visit.case, sender=sender, now=now, visit=visit)
    if told.announced_from is not None and told.announced_until is not None:
        matter = replace(matter, announced=Interval(told.announced_from, told.announced_until))
    row = _answering(told)
    way = Way(told.channel, contact_point_id=told.contact_point_id, place_id=told.place_id)
    # A house's own words say that nobody will come, which is not what happened.
    own = None if missed else _own_words(session, matter, told)
    if own is not None:
        text, row.template_id = write(own, matter.known), own.id
    else:
        text = (write_missed if missed else write_called_off)(told.channel, told.language, matter.known)
    fill(row, matter, way, text, now=now)
    stopped = stopped_by(matter, told.channel, now)
    if stopped is not None:
        # Somebody with a lawyer, or in mourning, is not written to, not even this: a person decides.
        row.state, row.reason, row.next_try_at = NoticeState.HELD_BACK, stopped[0].value, None
    session.add(row)
    session.flush()
    session.add(note_event(visit, "notice_filed", now=now, notice_id=str(row.id), about=row.about.value))
    log.info(
        "visit_missed" if missed else "visit_called_off",
        visit_id=str(visit.id),
        notice_id=str(row.id),
        held_back=row.reason,
    )


def _answering(told: Notice) -> Notice:
    """A notice that what this one announced does not come, unwritten yet: to the same debtor by the same way."""
    return Notice(
        org_id=told.org_id,
        case_id=told.case_id,
        debtor_id=told.debtor_id,
        visit_id=told.visit_id,
        sender_id=told.sender_id,
        about=NoticeAbout.CALLED_OFF,
        channel=told.channel,
        form=told.form,
        language=told.language,
        contents=[],
        announced_from=told.announced_from,
        announced_until=told.announced_until,
    )


def _own_words(session: Session, matter: Matter, told: Notice) -> NoticeTemplate | None:
    try:
        return choose(session, matter, channel=told.channel)[0]
    except NoTemplateFits:
        return None


def _speaks_of_visits(policies: Iterable[Policy]) -> bool:
    return any(rule.about is NoticeAbout.VISIT and rule.binds for policy in policies for rule in policy.notices)


def _floor(at: dt.datetime) -> dt.datetime:
    seconds = QUARTER.total_seconds()
    return dt.datetime.fromtimestamp(at.timestamp() // seconds * seconds, dt.UTC)
