"""Placements: a lender gives a case to an agency, for days; and what happens to visits when that, or the case, ends."""

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.drafts import Change, acting_organisation, assign, find_organisation
from fieldvisit.errors import InvalidValue
from fieldvisit.models import Case, Organisation, Place, Placement, Visit
from fieldvisit.placed_days import today_there
from fieldvisit.visits import LIVE, CalledOff, cancel, lock_visits
from fieldvisit.vocabulary import CaseStage, OrganisationKind, VisitState

STOPPING = tuple(state for state in LIVE if state is not VisitState.ARRIVED)
"""Arrived is begun: the visitor at the door leaves by reporting."""


@dataclass(frozen=True, kw_only=True)
class PlacementDraft:
    """A case goes to the agency with this code, both days included; `until_on` None: until called back."""

    agency: str
    from_on: dt.date
    until_on: dt.date | None = None

    def __post_init__(self) -> None:
        if self.until_on is not None and self.until_on < self.from_on:
            raise InvalidValue(path="placed_until", reason="must not be earlier than the first day")


def place_case(session: Session, case: Case, draft: PlacementDraft, *, now: dt.datetime) -> Change:
    """Give the case to an agency, or change the days of a placement with it that meets these days.

    Whoever may not visit any more by this has its visits to the case cancelled. The case is locked: of two who place it
    at once the second sees what the first did.
    """
    agency = find_agency(session, draft.agency)
    session.execute(sa.select(Case.id).where(Case.id == case.id).with_for_update(key_share=True))
    meeting = session.scalars(
        sa.select(Placement)
        .where(
            Placement.case_id == case.id,
            sa.or_(Placement.until_on.is_(None), Placement.until_on >= draft.from_on),
            Placement.from_on <= (draft.until_on or dt.date.max),
        )
        .order_by(Placement.from_on)
        .execution_options(populate_existing=True)
    ).all()
    if any(placement.agency_id != agency.id for placement in meeting):
        raise InvalidValue(path="agency", reason="the case is placed with another agency on some of these days")
    if len(meeting) > 1:
        raise InvalidValue(path="placed_from", reason="these days meet more than one placement")
    if not meeting:
        session.add(
            Placement(
                org_id=case.org_id,
                case_id=case.id,
                debtor_id=case.debtor_id,
                agency_id=agency.id,
                from_on=draft.from_on,
                until_on=draft.until_on,
            )
        )
        change = Change.ADDED
    else:
        changed = assign(meeting[0], from_on=draft.from_on, until_on=draft.until_on)
        change = Change.CHANGED if changed else Change.UNCHANGED
    session.flush()
    if change is not Change.UNCHANGED:
        call_off_visits(session, now, {case.id})
    return change


def find_agency(session: Session, code: str) -> Organisation:
    """The agency with this code, another than the one that asks. Raises InvalidValue."""
    agency = find_organisation(session, code)
    if agency is None or agency.kind is not OrganisationKind.AGENCY or agency.id == acting_organisation(session).id:
        raise InvalidValue(path="agency", reason="is not the code of an agency")
    return agency


def in_force(on: dt.date | sa.ColumnElement[dt.date]) -> sa.ColumnElement[bool]:
    """Whether a placement covers the day; both its days are included."""
    return sa.and_(Placement.from_on <= on, sa.or_(Placement.until_on.is_(None), Placement.until_on >= on))


def call_off_visits(session: Session, now: dt.datetime, case_ids: Collection[uuid.UUID] | None = None) -> int:
    """Cancel the visits to this lender's cases, or to these of them, that nobody may make any more; how many.

    Called off is what is not at the door yet: of an agency whose placement is not in force, of the lender itself where
    the case is placed away, and of everybody where the case is closed or with the lawyers. What day it is, the calendar
    at the place says.
    """
    called_off = 0
    reasons = _to_call_off(session, now, case_ids)
    for visit in lock_visits(session, reasons).values():
        if visit.state in STOPPING:
            cancel(session, visit, reason=reasons[visit.id], now=now)
            called_off += 1
    return called_off


def _to_call_off(
    session: Session, now: dt.datetime, case_ids: Collection[uuid.UUID] | None
) -> dict[uuid.UUID, CalledOff]:
    held = Placement.case_id == Visit.case_id, in_force(today_there(now))
    placed = sa.select(Placement.id).where(*held).correlate(Visit, Place)
    reason = sa.case(
        (Case.stage == CaseStage.CLOSED, CalledOff.CASE_CLOSED.value),
        (Case.stage == CaseStage.LEGAL, CalledOff.LEGAL_STEP.value),
        (
            sa.and_(Visit.org_id == Visit.lender_id, placed.exists()),
            CalledOff.PLACED_AWAY.value,
        ),
        (
            sa.and_(Visit.org_id != Visit.lender_id, ~placed.where(Placement.agency_id == Visit.org_id).exists()),
            CalledOff.PLACEMENT_ENDED.value,
        ),
    )
    rows = session.execute(
        sa.select(Visit.id, reason)
        .join(Case, Case.id == Visit.case_id)
        .join(Place, Place.id == Visit.place_id)
        .where(
            Visit.lender_id == session.info["org"],
            Visit.state.in_(STOPPING),
            reason.is_not(None),
            *([] if case_ids is None else [Visit.case_id.in_(case_ids)]),
        )
    )
    return {visit_id: CalledOff(code) for visit_id, code in rows}
