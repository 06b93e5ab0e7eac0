"""What a report has to be before it is taken: of a moment that may be, by somebody who knew whom they spoke to, with
what the house's form, its policy and the case demand."""

import datetime as dt

from sqlalchemy.orm import Session

from fieldvisit.compliance.wallclock import local_day, whole_day
from fieldvisit.contacts import CLOCK_SLACK
from fieldvisit.drafts import acting_organisation
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind
from fieldvisit.form_versions import judge
from fieldvisit.identity import confirmed_by_crew
from fieldvisit.models import Case, FormVersion, Visit
from fieldvisit.phone.clocks import LATEST
from fieldvisit.record_duties import demand_recorded
from fieldvisit.repayments import demand_fitting
from fieldvisit.report_drafts import ReportDraft, ReportIncomplete
from fieldvisit.told_stops import ToldStop


class IdentityNotConfirmed(FieldVisitError):
    code, kind = "identity_not_confirmed", Kind.CONFLICT
    says = "The debt may be spoken of only after a confirmed identity check; visit {reference} has none."


def demand_tellable(session: Session, visit: Visit, draft: ReportDraft, *, at: ToldStop, now: dt.datetime) -> None:
    """What every account of a visit has to be, whether it becomes the report or is added to another's. Raises
    InvalidValue for a time that cannot be, IdentityNotConfirmed."""
    if draft.left_at > now + CLOCK_SLACK:
        raise InvalidValue(path="left_at", reason="lies in the future")
    if draft.left_at < now - LATEST:
        raise InvalidValue(path="left_at", reason="lies more than thirty days back")
    if (draft.disclosed or draft.promises or draft.plan) and not confirmed_by_crew(session, visit, at, now=now):
        raise IdentityNotConfirmed(reference=visit.reference)


def demand_reportable(session: Session, visit: Visit, draft: ReportDraft) -> FormVersion | None:
    """What the report itself has to be besides. The version of the house's form that was filled in. Raises what
    `report_visit` raises."""
    case: Case | None = visit.case
    # The place of a case that was called back is no longer there for us.
    zone = visit.place.zone if case is not None else acting_organisation(session).zone
    left_on = local_day(draft.left_at, zone)
    if case is not None:
        for promise in draft.promises:
            if promise.currency != case.currency:
                raise InvalidValue(path="promises.currency", reason="is not the currency of the case")
            if promise.due_on <= left_on:
                raise InvalidValue(path="promises.due_on", reason="must lie after the day of the visit")
        if draft.plan is not None:
            demand_fitting(case, draft.plan, after=left_on, within="plan.")
    # Whoever has a visit of this day has asked for it on this day, and for the form with it.
    fetched_at = whole_day(left_on, zone)[0].begins_at
    form, missing = judge(
        session,
        draft.form,
        draft.outcome,
        visit_id=visit.id,
        said=lambda name: getattr(draft, name) is not None,
        known_since=fetched_at,
    )
    if missing:
        raise ReportIncomplete(outcome=draft.outcome, missing=", ".join(missing))
    demand_recorded(session, visit, draft)
    return form
