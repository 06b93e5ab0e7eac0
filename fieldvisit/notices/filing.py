"""Filing notices: those that the product sends, and those that were given outside of it.

A notice is written when it is filed, in the transaction that makes it necessary, and sent by the worker.
"""

import datetime as dt
import uuid
from dataclasses import dataclass, replace

import sqlalchemy as sa
from sqlalchemy.orm import Session, defer

from fieldvisit.compliance.intervals import Interval, common
from fieldvisit.compliance.notices import demanded_of_visit, first_announced
from fieldvisit.compliance.parameters import NoticeAbout, NoticeContent, NoticeForm
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.compliance.windows import lawful_windows
from fieldvisit.contacts import CLOCK_SLACK
from fieldvisit.drafts import acting_organisation, check_text, find_organisation
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.finding import get_by_id
from fieldvisit.models import Case, Notice, NoticeTemplate, Organisation, Visit
from fieldvisit.notices.matters import Matter, NoticeBlocked, Way, asked_about, choose, matter_of, stopped_by
from fieldvisit.notices.quiet_hours import ringing_from
from fieldvisit.notices.standing import withdraw_announcements
from fieldvisit.notices.templates import WRITTEN
from fieldvisit.notices.writing import Written, is_about_visit, missing_values, write
from fieldvisit.visits import get_own_visit, note_event
from fieldvisit.vocabulary import Channel, NoticeState, VisitState

ANNOUNCEABLE = (VisitState.REQUESTED, VisitState.ELIGIBLE, VisitState.PLANNED, VisitState.PUBLISHED)
REPORTED = (VisitState.REPORTED, VisitState.CLOSED)
LONGEST_ANNOUNCED = dt.timedelta(hours=12)


class NotAnnounceable(FieldVisitError):
    code, kind = "not_announceable", Kind.CONFLICT
    says = "Visit {reference} is {state}: there is nothing to tell its debtor of it."


class AnnouncedTooLate(FieldVisitError):
    code, kind = "announced_too_late", Kind.CONFLICT
    says = "Announced now, the visit may begin at {earliest} at the earliest."


class NoticeValueUnknown(FieldVisitError):
    """A placeholder of the template would be empty: a telephone number that the organisation has not told, say."""

    code, kind = "notice_value_unknown", Kind.CONFLICT
    says = "The template asks for what is not on file: {names}."


class NoticeDiffers(FieldVisitError):
    code, kind = "notice_differs", Kind.CONFLICT
    says = "A notice with the id {external_id} is on file already, with other values."


@dataclass(frozen=True, kw_only=True)
class NoticeDraft:
    """A notice to be sent. Of a visit: the hours in which somebody will come. `template`: the code of one; where none
    is named, the best that fits. `agency`: the code of the organisation to which a case was given."""

    about: NoticeAbout
    case_id: uuid.UUID | None = None
    visit_id: uuid.UUID | None = None
    announced_from: dt.datetime | None = None
    announced_until: dt.datetime | None = None
    template: str | None = None
    channel: Channel | None = None
    agency: str | None = None

    def __post_init__(self) -> None:
        if self.about in (NoticeAbout.CALLED_OFF, NoticeAbout.DOOR_NOTE):
            raise InvalidValue(path="about", reason="is nothing that is sent by hand")

    @property
    def announced(self) -> Interval | None:
        return _interval(self.announced_from, self.announced_until)


@dataclass(frozen=True, kw_only=True)
class GivenDraft:
    """A notice that was given outside of the product. `contents`: what it named. `received_at` None: not known."""

    about: NoticeAbout
    channel: Channel
    sent_at: dt.datetime
    case_id: uuid.UUID | None = None
    visit_id: uuid.UUID | None = None
    announced_from: dt.datetime | None = None
    announced_until: dt.datetime | None = None
    received_at: dt.datetime | None = None
    contents: tuple[NoticeContent, ...] = ()
    agency: str | None = None
    external_id: str | None = None
    evidence: str | None = None

    def __post_init__(self) -> None:
        if self.about in (NoticeAbout.CALLED_OFF, NoticeAbout.DOOR_NOTE):
            raise InvalidValue(path="about", reason="is nothing that is sent by hand")
        if self.received_at is not None and self.received_at < self.sent_at:
            raise InvalidValue(path="received_at", reason="must not be earlier than sent_at")
        if self.evidence is not None:
            check_text("evidence", self.evidence)

    @property
    def announced(self) -> Interval | None:
        return _interval(self.announced_from, self.announced_until)


def file_notice(session: Session, draft: NoticeDraft, *, made_by_id: uuid.UUID | None, now: dt.datetime) -> Notice:
    """Write a notice and put it out. One of a visit takes the place of what its debtor was told before.

    Raises NotFound, NotYourVisit, NotAnnounceable, AnnouncedTooLate, NoTemplateFits, NoAddressOnFile, NoticeBlocked,
    NoticeValueUnknown, NoticeReveals and InvalidValue.
    """
    matter = _matter(session, draft, now)
    if matter.announced is not None and matter.visit is not None:
        demand_announceable(matter, matter.visit, matter.announced, now)
    template, way = choose(session, matter, channel=draft.channel, code=draft.template)
    return put_out(session, matter, template, way, made_by_id=made_by_id, now=now)


def record_given(session: Session, draft: GivenDraft, *, made_by_id: uuid.UUID | None, now: dt.datetime) -> Notice:
    """Keep that a notice was given outside of the product, whatever it named: the policies judge it when it is asked
    for. The same `external_id` with the same values changes nothing.

    Raises NotFound, NotYourVisit, NotAnnounceable, NoticeDiffers and InvalidValue.
    """
    for path, at in (("sent_at", draft.sent_at), ("received_at", draft.received_at)):
        if at is not None and at > now + CLOCK_SLACK:
            raise InvalidValue(path=path, reason="lies in the future")
    matter = _matter(session, draft, now)
    values = {
        "about": draft.about,
        "case_id": matter.case.id,
        "visit_id": draft.visit_id,
        "agency_id": matter.agency.id if matter.agency else None,
        "channel": draft.channel,
        "contents": sorted(each.value for each in draft.contents),
        "announced_from": draft.announced_from,
        "announced_until": draft.announced_until,
        "sent_at": draft.sent_at,
        "evidence": draft.evidence,
    }
    there = _find(session, matter.case.org_id, draft.external_id)
    if there is not None:
        if any(getattr(there, name) != value for name, value in values.items()) or _came_otherwise(there, draft):
            raise NoticeDiffers(external_id=draft.external_id)
        return there
    row = _row(matter, draft.channel, made_by_id=made_by_id)
    for name, value in values.items():
        setattr(row, name, value)
    row.external_id, row.delivered_at = draft.external_id, draft.received_at
    row.state = NoticeState.SENT if draft.received_at is None else NoticeState.DELIVERED
    _replace_earlier(session, row, now)
    session.add(row)
    session.flush()
    _note(session, row, matter.visit, now)
    return row


def notices_where(
    *, case_id: uuid.UUID | None = None, visit_id: uuid.UUID | None = None, state: NoticeState | None = None
) -> sa.Select[Notice]:
    """The notices that one may see, all or those that fit, without their words; the caller states the order."""
    asked = {Notice.case_id: case_id, Notice.visit_id: visit_id, Notice.state: state}
    fitting = (column == value for column, value in asked.items() if value is not None)
    return sa.select(Notice).where(*fitting).options(defer(Notice.subject), defer(Notice.body), defer(Notice.evidence))


def put_out(
    session: Session,
    matter: Matter,
    template: NoticeTemplate,
    way: Way,
    *,
    made_by_id: uuid.UUID | None,
    now: dt.datetime,
) -> Notice:
    """Write the notice by this template and let it wait for the worker, or a letter for whoever hands it over."""
    stopped = stopped_by(matter, way.channel, now)
    if stopped is not None:
        raise NoticeBlocked(trigger=stopped[0])
    empty = missing_values(template, matter.known)
    if empty:
        raise NoticeValueUnknown(names=", ".join(empty))
    row = _row(matter, way.channel, made_by_id=made_by_id)
    row.language, row.template_id, row.contents = template.language, template.id, list(template.contents)
    fill(row, matter, way, write(template, matter.known), now=now)
    _replace_earlier(session, row, now)
    session.add(row)
    session.flush()
    _note(session, row, matter.visit, now)
    return row


def fill(row: Notice, matter: Matter, way: Way, text: Written, *, now: dt.datetime) -> None:
    """The words, the address, and when it is tried first."""
    row.subject, row.body = text.subject, text.body
    row.contact_point_id, row.place_id = way.contact_point_id, way.place_id
    row.state = NoticeState.QUEUED
    if way.channel is not Channel.LETTER:
        begins = ringing_from(now, matter.place.zone) if way.channel is Channel.SMS else now
        # By the database's clock, as the outbox is: a host that runs ahead must not keep it waiting.
        row.next_try_at = begins if begins > now else sa.func.fieldvisit_now()


def demand_announceable(matter: Matter, visit: Visit, announced: Interval, now: dt.datetime) -> None:
    """Raise where the visit cannot be announced for these hours: too short, unlawful or too soon."""
    if visit.state not in ANNOUNCEABLE:
        raise NotAnnounceable(reference=visit.reference, state=visit.state)
    length = announced.ends_at - announced.begins_at
    if not dt.timedelta(seconds=visit.service_s) <= length <= LONGEST_ANNOUNCED:
        raise InvalidValue(path="announced_until", reason="must leave room for the visit, and twelve hours at most")
    if announced.begins_at <= now:
        raise InvalidValue(path="announced_from", reason="must lie in the future")
    day = local_day(announced.begins_at, matter.place.zone)
    lawful = common(lawful_windows(matter.facts, matter.policies, day), (announced,))
    if not any((span.ends_at - span.begins_at).total_seconds() >= visit.service_s for span in lawful):
        raise InvalidValue(path="announced_from", reason="leaves no lawful hours for the visit")
    # What was announced before does not count: this takes its place.
    unannounced = replace(matter.facts, notices=())
    earliest = first_announced(str(visit.id), unannounced, matter.policies, day=day, now=now)
    if announced.begins_at < earliest:
        raise AnnouncedTooLate(earliest=earliest.isoformat(timespec="minutes"))


def _matter(session: Session, draft: NoticeDraft | GivenDraft, now: dt.datetime) -> Matter:
    sender = acting_organisation(session)
    # First whether they are there: of what is another's nothing is said, not even that it does not fit.
    visit = get_own_visit(session, draft.visit_id) if draft.visit_id is not None else None
    case = get_by_id(session, Case, draft.case_id) if draft.case_id is not None else None
    _demand_subject(draft)
    _demand_hours(draft)
    if visit is not None:
        _demand_state(draft.about, visit)
        # The rows of a case that was called back are no longer there for us.
        case = visit.case
    if case is None:
        raise NotFound(what="case", id=visit.case_id if visit is not None else draft.case_id)
    matter = matter_of(session, draft.about, case, sender=sender, now=now, visit=visit)
    on = local_day(draft.announced.begins_at if draft.announced else now, matter.place.zone)
    matter = replace(asked_about(matter, on), announced=draft.announced, agency=_agency(session, draft, matter))
    if matter.visit is not None and draft.about is NoticeAbout.VISIT:
        rules = demanded_of_visit(str(matter.visit.id), matter.facts, matter.policies, day=on, now=now)
        return replace(matter, rules=rules)
    if matter.visit is not None and matter.visit.ended_at is not None:
        return replace(matter, held_on=local_day(matter.visit.ended_at, matter.place.zone))
    return matter


def _demand_state(about: NoticeAbout, visit: Visit) -> None:
    wanted = {NoticeAbout.RESULT: REPORTED, NoticeAbout.VISIT: ANNOUNCEABLE}.get(about)
    if wanted is not None and visit.state not in wanted:
        raise NotAnnounceable(reference=visit.reference, state=visit.state)


def _agency(session: Session, draft: NoticeDraft | GivenDraft, matter: Matter) -> Organisation | None:
    """To whom the case was given: who is named, else who is asking and is not the lender."""
    if draft.about is not NoticeAbout.ASSIGNMENT:
        return None
    if draft.agency is None:
        if matter.sender.id == matter.lender.id:
            raise InvalidValue(path="agency", reason="is needed: to whom the case was given")
        return matter.sender
    agency = find_organisation(session, draft.agency)
    if agency is None or (matter.sender.id != matter.lender.id and agency.id != matter.sender.id):
        raise NotFound(what="organisation", id=draft.agency)
    return agency


def _row(matter: Matter, channel: Channel, *, made_by_id: uuid.UUID | None) -> Notice:
    announced = matter.announced
    return Notice(
        org_id=matter.case.org_id,
        case_id=matter.case.id,
        debtor_id=matter.case.debtor_id,
        visit_id=matter.visit.id if matter.visit else None,
        sender_id=matter.sender.id,
        agency_id=matter.agency.id if matter.agency else None,
        about=matter.about,
        channel=channel,
        form=NoticeForm.WRITTEN if channel in WRITTEN else NoticeForm.ANY,
        language="en",
        contents=[],
        announced_from=announced.begins_at if announced else None,
        announced_until=announced.ends_at if announced else None,
        made_by_id=made_by_id,
    )


def _replace_earlier(session: Session, row: Notice, now: dt.datetime) -> None:
    if row.about is NoticeAbout.VISIT and row.visit_id is not None:
        withdraw_announcements(session, row.visit_id, reason="announced_anew")


def _note(session: Session, row: Notice, visit: Visit | None, now: dt.datetime) -> None:
    if visit is not None and is_about_visit(row.about):
        session.add(note_event(visit, "notice_filed", now=now, notice_id=str(row.id), about=row.about.value))
        session.flush()


def _came_otherwise(there: Notice, draft: GivenDraft) -> bool:
    """Whether it is said to have come at another time. Where nothing is said, it may have come since."""
    return draft.received_at is not None and there.delivered_at != draft.received_at


def _find(session: Session, org_id: uuid.UUID, external_id: str | None) -> Notice | None:
    if external_id is None:
        return None
    return session.scalars(
        sa.select(Notice).where(Notice.org_id == org_id, Notice.external_id == external_id)
    ).one_or_none()


def _interval(begins: dt.datetime | None, ends: dt.datetime | None) -> Interval | None:
    return Interval(begins, ends) if begins is not None and ends is not None else None


def _demand_subject(draft: NoticeDraft | GivenDraft) -> None:
    of_visit = is_about_visit(draft.about)
    if (draft.visit_id is not None) != of_visit:
        raise InvalidValue(path="visit_id", reason="is given when, and only when, the notice is about a visit")
    if (draft.case_id is not None) == of_visit:
        raise InvalidValue(path="case_id", reason="is given when, and only when, the notice is about no visit")


def _demand_hours(draft: NoticeDraft | GivenDraft) -> None:
    begins, ends = draft.announced_from, draft.announced_until
    wanted = draft.about is NoticeAbout.VISIT
    if (begins is not None, ends is not None) != (wanted, wanted):
        raise InvalidValue(path="announced_from", reason="is given, with announced_until, for a visit and for it alone")
    if begins is not None and ends is not None and begins >= ends:
        raise InvalidValue(path="announced_until", reason="must be later than announced_from")
