"""A case as retention sees it: its records with the dates that the clocks of the policies count from."""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.orm import Session, load_only

from fieldvisit.compliance.conduct_parameters import RecordType
from fieldvisit.compliance.facts import PlaceFacts
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.retention import CaseClocks
from fieldvisit.decisions import organisations_by_id
from fieldvisit.facts import place_facts
from fieldvisit.models import (
    Case,
    ContactAttempt,
    LegalHold,
    Organisation,
    Payment,
    Place,
    Placement,
    Promise,
    RepaymentPlan,
    SafetySession,
    Visit,
    VisitReport,
)
from fieldvisit.policies import policies_of
from fieldvisit.safety.standing import LISTED
from fieldvisit.visits import LIVE
from fieldvisit.vocabulary import CaseStage, Channel, PlaceKind, PromiseState, RepaymentState


class RecordKind(StrEnum):
    """What goes as one: a contact attempt, a visit with all that belongs to it, a case with what is left of it."""

    ATTEMPT = "attempt"
    VISIT = "visit"
    CASE = "case"

    @property
    def record_type(self) -> RecordType:
        """Under which rules of retention it stands."""
        return RecordType.CASE if self is RecordKind.CASE else RecordType.CONTACT


@dataclass(frozen=True)
class Record:
    """`in_use`: something is still going on with it, whatever the policies say."""

    kind: RecordKind
    id: uuid.UUID
    created_on: dt.date
    visit_on: dt.date | None = None
    in_use: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


@dataclass(frozen=True, kw_only=True)
class CaseFile:
    """`clocks` are the case's; `of` gives those of one record. `policies`: of the lender and of every agency that had
    the case, as they are today."""

    case_id: uuid.UUID
    debtor_id: uuid.UUID
    closed: bool
    clocks: CaseClocks
    place: PlaceFacts
    policies: tuple[Policy, ...]
    records: tuple[Record, ...]

    def of(self, record: Record) -> CaseClocks:
        """A contact's own dates; the case goes by its own."""
        if record.kind is RecordKind.CASE:
            return self.clocks
        of_no_visit = record.visit_on is None
        return replace(self.clocks, created_on=record.created_on, visit_on=record.visit_on, of_no_visit=of_no_visit)


def read_case_files(session: Session, lender_id: uuid.UUID, case_ids: Collection[uuid.UUID]) -> Iterator[CaseFile]:
    """The files of these cases of a lender, in the order of their ids. A few queries, whatever their number."""
    # Nothing sealed is read: whoever purges need not be able to open it.
    dates = (Case.org_id, Case.debtor_id, Case.stage, Case.closed_on, Case.created_at, Case.product)
    remembered = (Case.last_activity_on, Case.last_visit_on)
    cases = session.scalars(
        sa.select(Case)
        .where(Case.id.in_(case_ids), Case.org_id == lender_id)
        .options(load_only(*dates, *remembered))
        .order_by(Case.id)
    ).all()
    rows = _Rows(session, lender_id, cases)
    for case in cases:
        yield rows.file_of(case)


def _watched(session: Session, case_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """The visits at whose door somebody stands, or called for help: visit and last position stay until that is over."""
    theirs = sa.select(SafetySession.visit_id).join(Visit, Visit.id == SafetySession.visit_id)
    return set(session.scalars(theirs.where(Visit.case_id.in_(case_ids), SafetySession.state.in_(LISTED))))


def _promised(session: Session, case_ids: Sequence[uuid.UUID]) -> set[uuid.UUID]:
    """The visits at which something was promised that is open still. What the lead's report replaced is never settled:
    it would stay open, and keep the visit, for ever."""
    of_reports = sa.select(VisitReport.visit_id).join(Promise, Promise.report_id == VisitReport.id)
    stands = VisitReport.replaced_by_id.is_(None)
    return set(
        session.scalars(of_reports.where(Promise.case_id.in_(case_ids), Promise.state == PromiseState.OPEN, stands))
    )


class _Rows:
    """What the files are made of, by case."""

    def __init__(self, session: Session, lender_id: uuid.UUID, cases: Sequence[Case]) -> None:
        ids, debtors = [case.id for case in cases], {case.debtor_id for case in cases}
        self.attempts: dict[uuid.UUID, list[Record]] = defaultdict(list)
        attempts = sa.select(ContactAttempt.case_id, ContactAttempt.id, ContactAttempt.at, ContactAttempt.channel)
        # Owner and debtor are what the index of each month is by.
        whose = (ContactAttempt.org_id == lender_id, ContactAttempt.debtor_id.in_(debtors))
        for case_id, attempt_id, at, channel in session.execute(
            attempts.where(*whose, ContactAttempt.case_id.in_(ids))
        ):
            self.attempts[case_id].append(_attempt(attempt_id, at, channel))
        self.visits: dict[uuid.UUID, list[Visit]] = defaultdict(list)
        for visit in session.scalars(sa.select(Visit).where(Visit.case_id.in_(ids))):
            self.visits[visit.case_id].append(visit)
        self.promised = _promised(session, ids)
        self.watched = _watched(session, ids)
        running = sa.select(RepaymentPlan.case_id, VisitReport.visit_id).outerjoin(
            VisitReport, VisitReport.id == RepaymentPlan.report_id
        )
        still = RepaymentPlan.state.in_((RepaymentState.PROPOSED, RepaymentState.RUNNING))
        plans = session.execute(running.where(RepaymentPlan.case_id.in_(ids), still)).all()
        self.promised |= {visit_id for _, visit_id in plans if visit_id}
        self.on_plan = {case_id for case_id, _ in plans}
        paid = sa.select(Payment.case_id, sa.func.max(Payment.paid_on)).group_by(Payment.case_id)
        paid_on = session.execute(paid.where(Payment.case_id.in_(ids)))
        self.paid_on: dict[uuid.UUID, dt.date] = {row[0]: row[1] for row in paid_on}
        self.placements: dict[uuid.UUID, list[Placement]] = defaultdict(list)
        for placement in session.scalars(sa.select(Placement).where(Placement.case_id.in_(ids))):
            self.placements[placement.case_id].append(placement)
        self.places = _homes(session, debtors)
        standing = sa.select(LegalHold.debtor_id, LegalHold.case_id).where(LegalHold.released_at.is_(None))
        self.holds = session.execute(standing.where(LegalHold.debtor_id.in_(debtors))).all()
        agencies = {row.agency_id for rows in self.placements.values() for row in rows}
        agencies |= {visit.org_id for visits in self.visits.values() for visit in visits}
        self.organisations = organisations_by_id(session, {lender_id, *agencies})

    def file_of(self, case: Case) -> CaseFile:
        visits, attempts = self.visits[case.id], self.attempts[case.id]
        return CaseFile(
            case_id=case.id,
            debtor_id=case.debtor_id,
            closed=case.stage is CaseStage.CLOSED,
            clocks=self._clocks(case),
            place=self._place(case),
            policies=self._policies(case),
            records=(
                *sorted(attempts, key=lambda attempt: attempt.id),
                *(self._visit(visit) for visit in sorted(visits, key=lambda visit: visit.id)),
                Record(RecordKind.CASE, case.id, _day(case.created_at), in_use=self._goes_on(case)),
            ),
        )

    def _goes_on(self, case: Case) -> bool:
        return case.stage is not CaseStage.CLOSED or case.id in self.on_plan

    def _visit(self, visit: Visit) -> Record:
        happened = visit.ended_at or visit.arrived_at or visit.updated_at
        in_use = visit.state in LIVE or visit.id in self.promised or visit.id in self.watched
        return Record(RecordKind.VISIT, visit.id, _day(happened), visit_on=_day(happened), in_use=in_use)

    def _clocks(self, case: Case) -> CaseClocks:
        days = [attempt.created_on for attempt in self.attempts[case.id]]
        days += [_day(visit.updated_at) for visit in self.visits[case.id]]
        days += [self.paid_on[case.id]] if case.id in self.paid_on else []
        days += [case.last_activity_on] if case.last_activity_on else []
        visited = [_day(visit.ended_at) for visit in self.visits[case.id] if visit.ended_at]
        visited += [case.last_visit_on] if case.last_visit_on else []
        created_on = _day(case.created_at)
        ends = [placement.until_on for placement in self.placements[case.id]]
        return CaseClocks(
            created_on=created_on,
            last_activity_on=max(days, default=created_on),
            closed_on=case.closed_on,
            visit_on=max(visited, default=None),
            contract_end_on=max((end for end in ends if end), default=None) if ends and None not in ends else None,
            held=any(of == case.debtor_id and one in (None, case.id) for of, one in self.holds),
            product=case.product,
        )

    def _place(self, case: Case) -> PlaceFacts:
        known = self.places.get(case.debtor_id)
        if known is not None:
            return place_facts(known)
        lender = self.organisations[case.org_id]
        return PlaceFacts(id="", kind=PlaceKind.HOME, zone=lender.zone, country=lender.country)

    def _policies(self, case: Case) -> tuple[Policy, ...]:
        ids = {case.org_id, *(row.agency_id for row in self.placements[case.id])}
        ids |= {visit.org_id for visit in self.visits[case.id]}
        involved: list[Organisation] = [self.organisations[org_id] for org_id in sorted(ids)]
        return policies_of(involved)


def _attempt(attempt_id: uuid.UUID, at: dt.datetime, channel: Channel) -> Record:
    visit_on = _day(at) if channel is Channel.VISIT else None
    return Record(RecordKind.ATTEMPT, attempt_id, _day(at), visit_on=visit_on)


def _day(at: dt.datetime) -> dt.date:
    return at.astimezone(dt.UTC).date()


def _homes(session: Session, debtors: Collection[uuid.UUID]) -> dict[uuid.UUID, Place]:
    """Where each debtor lives, or another place of theirs where that is not known."""
    known = (Place.debtor_id, Place.kind, Place.zone, Place.country, Place.region)
    by_kind = sa.select(Place).options(load_only(*known)).order_by(Place.kind == PlaceKind.HOME, Place.id.desc())
    return {place.debtor_id: place for place in session.scalars(by_kind.where(Place.debtor_id.in_(debtors)))}
