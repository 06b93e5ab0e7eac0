"""The whole record of one visit, in one value: what a court, a regulator or the debtor may ask to see.

Where each part is stored is told in `docs/compliance.md`. Times are told on the clock of the place, with its offset
from UTC. Ids stand for people and papers; words are those that were written down at the time.
"""

import datetime as dt
import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from fieldvisit.compliance.conduct_parameters import RecordField
from fieldvisit.compliance.decision import plain
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.facts import place_facts
from fieldvisit.models import (
    Base,
    Case,
    Consent,
    ContactBlock,
    CredentialCheck,
    DayPlan,
    DoorRecord,
    IdentityCheck,
    Override,
    Place,
    Route,
    SafetyAlert,
    SafetySession,
    Stop,
    StoredDecision,
    Visit,
    VisitEvent,
    VisitReport,
)
from fieldvisit.notices.proof import notices_around, proof_of
from fieldvisit.policies import policies_of
from fieldvisit.visits import get_visit, history_of
from fieldvisit.vocabulary import AlertState, CheckMoment, DayPlanState, PointSource, VisitOutcome

FORMAT = 1
"""Of the record's own shape, so that whoever reads an old export knows which one it has."""
PLAN_SAID = ("id", "currency", "method", "instalments", "total_minor", "grace_days", "state")
ZONE_FROM = {PointSource.NONE: "organisation"}
"""How the time zone of a place was found, by how its point was: from the point, or, without one, by those who go."""


@dataclass(frozen=True)
class Hashed:
    """`content` is plain JSON; `sha256` is of its canonical form, so that anybody can tell a copy that was changed."""

    content: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        return hashlib.sha256(canonical(self.content)).hexdigest()


@dataclass(frozen=True)
class VisitRecord(Hashed):
    visit: Visit


def canonical(content: Mapping[str, Any]) -> bytes:
    """The bytes that the hash is of: keys in order, no spaces, UTF-8."""
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def read_record(session: Session, visit_id: uuid.UUID) -> VisitRecord:
    """The record of a visit as it stands. Raises NotFound for one that may not be seen."""
    visit = get_visit(session, visit_id)
    sources = _Sources(session, visit)
    report, door = sources.report, sources.report.door if sources.report else None
    content = {
        "format": FORMAT,
        "visit": _visit(visit),
        "decisions": [_decision(each) for each in sources.decisions],
        "overrides": [columns_of(each, "id", "clause_id", "on_day", "role", "reason") for each in sources.overrides],
        "times": _times(sources),
        "place": {
            "id": str(visit.place_id),
            "kind": visit.place.kind.value,
            "point_from": visit.place.found_by.value,
            "zone": visit.place.zone,
            "zone_from": ZONE_FROM.get(visit.place.found_by, "point"),
        },
        "staff": _staff(sources),
        "credentials": [
            columns_of(each, "id", "visitor_id", "moment", "passed", "credential_ids", "faults")
            | {"at": sources.local(each.at)}
            for each in sources.papers
        ],
        "notices": [proof_of(each, sources.local) for each in sources.notices],
        "consents": [_consent(each) for each in sources.consents],
        "identity": [
            columns_of(each, "id", "visitor_id", "method", "result") | {"at": sources.local(each.at)}
            for each in sources.checks
        ],
        "report": _report(sources) if report else None,
        "door": _door(door, sources) if door else None,
        "blocks": [columns_of(each, "id", "trigger", "scope", "since_at", "until_at") for each in sources.blocks],
        "safety": sources.safety,
        "history": [
            columns_of(each, "id", "kind", "actor_id", "visitor_id", "device_at") | {"at": sources.local(each.at)}
            for each in sources.history
        ],
    }
    return VisitRecord(content | {"missing": _missing(sources, content)}, visit)


class _Sources:
    """The rows that a record is made of."""

    def __init__(self, session: Session, visit: Visit) -> None:
        self.session, self.visit = session, visit
        self.zone = ZoneInfo(visit.place.zone)
        self.report = session.scalars(
            sa.select(VisitReport)
            .where(VisitReport.visit_id == visit.id, VisitReport.replaced_by_id.is_(None))
            .options(
                selectinload(VisitReport.promises),
                selectinload(VisitReport.plan),
                selectinload(VisitReport.form),
                selectinload(VisitReport.additions),
                selectinload(VisitReport.door),
            )
        ).one_or_none()
        self.decisions = self._of(StoredDecision, StoredDecision.decided_at)
        self.overrides = self._of(Override, Override.asked_at)
        self.papers = self._of(CredentialCheck, CredentialCheck.at)
        self.checks = self._of(IdentityCheck, IdentityCheck.at)
        self.history: Sequence[VisitEvent] = history_of(session, visit.id)
        self.notices = notices_around(session, visit)
        self.consents = session.scalars(
            sa.select(Consent)
            .where(
                Consent.debtor_id == visit.debtor_id,
                sa.or_(Consent.visit_id.is_(None), Consent.visit_id == visit.id),
                Consent.given_at <= (visit.ended_at or visit.updated_at),
            )
            .order_by(Consent.given_at, Consent.id)
        ).all()
        self.blocks = session.scalars(
            sa.select(ContactBlock)
            .where(ContactBlock.debtor_id == visit.debtor_id, ContactBlock.external_id.startswith(f"visit {visit.id} "))
            .order_by(ContactBlock.id)
        ).all()
        self.safety = self._safety()
        self.stop = self._stop()

    def local(self, at: dt.datetime | None) -> str | None:
        """The instant on the clock of the place, with its offset."""
        return None if at is None else at.astimezone(self.zone).isoformat()

    def _of[T: Base](self, model: type[T], order: Any) -> Sequence[T]:
        rows: Any = sa.select(model).where(model.visit_id == self.visit.id)  # type: ignore[attr-defined]  # of a visit
        return list(self.session.scalars(rows.order_by(order, model.id)))  # type: ignore[attr-defined]

    def _safety(self) -> list[dict[str, Any]]:
        """That something was raised, and when. What it was is told to those who read safety; that it was, of an alert
        that was covert from the first, to nobody else before it is closed. One that turned covert was told before."""
        from_the_first = sa.and_(SafetyAlert.covert, SafetyAlert.covert_since.is_(None))
        secret = sa.and_(from_the_first, SafetyAlert.state != AlertState.RESOLVED)
        rows = self.session.execute(
            sa.select(SafetySession.id, SafetySession.started_at, SafetyAlert.id, SafetyAlert.opened_at)
            .outerjoin(SafetyAlert, sa.and_(SafetyAlert.session_id == SafetySession.id, ~secret))
            .where(SafetySession.visit_id == self.visit.id)
            .order_by(SafetySession.started_at, SafetyAlert.opened_at)
        )
        return [
            {
                "session_id": str(session_id),
                "started_at": self.local(started_at),
                "alert_id": None if alert_id is None else str(alert_id),
                "raised_at": self.local(opened_at),
            }
            for session_id, started_at, alert_id, opened_at in rows
        ]

    def _stop(self) -> Stop | None:
        """Where it last stood in a plan that phones saw."""
        return self.session.scalars(
            sa.select(Stop)
            .join(Route, Route.id == Stop.route_id)
            .join(DayPlan, DayPlan.id == Route.plan_id)
            .where(
                Stop.visit_id == self.visit.id,
                DayPlan.state.in_((DayPlanState.PUBLISHED, DayPlanState.SUPERSEDED)),
            )
            .order_by(DayPlan.planned_on.desc(), DayPlan.version.desc())
            .limit(1)
        ).first()

    @property
    def present(self) -> list[str]:
        """Who was at the door, as their phones told."""
        arrivals = (event.detail.get("present", ()) for event in self.history if event.kind == "arrived")
        return sorted({visitor_id for present in arrivals for visitor_id in present})


def columns_of(row: Base, *names: str) -> dict[str, Any]:
    """These columns as JSON knows them."""
    return {name: _plain(getattr(row, name)) for name in names}


def _plain(value: Any) -> Any:
    if isinstance(value, uuid.UUID):
        return str(value)
    return [_plain(each) for each in value] if isinstance(value, list) else plain(value)


def _visit(visit: Visit) -> dict[str, Any]:
    case: Case | None = visit.case
    columns = ("id", "reference", "state", "case_id", "debtor_id", "lender_id", "requested_reason", "evidence")
    return columns_of(visit, *columns) | {
        "case_external_id": case.external_id if case else None,
        "made_by_id": str(visit.org_id),
    }


def _decision(row: StoredDecision) -> dict[str, Any]:
    told = columns_of(row, "id", "moment", "verdict", "decided_at", "begins_at", "ends_at", "inputs_hash")
    return told | {
        "policies": [{"id": name, "version": version} for name, version in row.policies],
        "clause_ids": [clause["clause_id"] for clause in row.clauses],
    }


def _times(sources: _Sources) -> dict[str, Any]:
    visit, stop, report = sources.visit, sources.stop, sources.report
    return {
        "planned_on": plain(visit.planned_on),
        "planned_begin_at": sources.local(stop.begin_at if stop else None),
        "planned_end_at": sources.local(stop.end_at if stop else None),
        "under_way_at": sources.local(visit.under_way_at),
        "arrived_at": sources.local(visit.arrived_at),
        "left_at": sources.local(report.left_at if report else None),
        "ended_at": sources.local(visit.ended_at),
    }


def _staff(sources: _Sources) -> dict[str, Any]:
    present = sources.present
    return {"visitor_ids": present, "count": len(present)}


def _consent(row: Consent) -> dict[str, Any]:
    names = ("id", "about", "purpose", "form", "given_at", "revoked_at", "visit_id", "place_id", "recorded_by_id")
    return columns_of(row, *names) | {"revocable": True}


def _report(sources: _Sources) -> dict[str, Any]:
    report = sources.report
    assert report is not None
    told = [event.detail for event in sources.history if event.detail.get("report_id") == str(report.id)]
    met = next((detail["met"] for detail in told if "met" in detail), None)
    said = (
        *("id", "visitor_id", "outcome", "abort_reason", "disclosed", "willing", "able", "reason_for_arrears"),
        *("hardship", "vulnerable", "disputed", "note", "next_step", "after_cancellation"),
    )
    return columns_of(report, *said) | {
        "met": met,
        # Of the debt nobody is told but the debtor, and only where the identity check was confirmed.
        "disclosed_to": "debtor" if report.disclosed else None,
        "recorded_at": sources.local(report.recorded_at),
        "signed_off_at": sources.local(_closed_at(sources.history)),
        "promises": [
            columns_of(each, "id", "amount_minor", "currency", "due_on", "method", "state") for each in report.promises
        ],
        "form": {"version": report.form.version, "answers": json.loads(report.answers)}
        if report.form and report.answers
        else None,
        "plan": report.plan and columns_of(report.plan, *PLAN_SAID),
        "additions": [
            columns_of(each, "id", "visitor_id", "account_id", "text") | {"at": sources.local(each.recorded_at)}
            for each in report.additions
        ],
    }


def _closed_at(history: Sequence[VisitEvent]) -> dt.datetime | None:
    return next((event.at for event in history if event.kind == "closed"), None)


def _door(door: DoorRecord, sources: _Sources) -> dict[str, Any]:
    said = ("represented", "complaint", "wishes", "spoken_to", "notes_left", "paid_minor", "paid_currency")
    told = columns_of(door, *said, "receipt_number", "recordings", "recording_gap")
    return told | {"asked_to_leave_at": sources.local(door.asked_to_leave_at)}


def _missing(sources: _Sources, content: Mapping[str, Any]) -> list[str]:
    """What the policies of the visit's day and place want a record to hold, and this one does not."""
    visit, report = sources.visit, sources.report
    if report is None:
        return []
    organisations = organisations_by_id(sources.session, (visit.org_id, visit.lender_id))
    place: Place = visit.place
    terms = terms_for(policies_of(organisations.values()), place_facts(place), local_day(report.left_at, place.zone))
    rules = terms.record_fields if terms else ()
    wanted = {each for rule in rules if report.outcome in rule.outcomes for each in rule.fields}
    return sorted(each.value for each in wanted if not _holds(each, content))


def _holds(wanted: RecordField, content: Mapping[str, Any]) -> bool:
    report, door, times = content["report"], content["door"] or {}, content["times"]
    asked_to_leave = VisitOutcome.ASKED_TO_LEAVE.value in (report["outcome"], report["abort_reason"])
    not_there = report["outcome"] == VisitOutcome.NOT_REACHED.value
    at_the_door = [each for each in content["credentials"] if each["moment"] == CheckMoment.DOOR.value]
    said_at_the_door = bool(door)
    return {
        RecordField.DECISION: bool(content["decisions"]),
        RecordField.PLANNED_TIMES: times["planned_begin_at"] is not None,
        RecordField.ACTUAL_TIMES: not_there or times["arrived_at"] is not None,
        RecordField.STAFF: bool(content["staff"]["count"]),
        RecordField.CREDENTIALS_SHOWN: bool(at_the_door),
        RecordField.NOTICE_PROOF: bool(content["notices"]),
        RecordField.CONSENT: bool(content["consents"]),
        RecordField.IDENTITY: bool(content["identity"]),
        RecordField.ASKED_TO_LEAVE_AT: not asked_to_leave or bool(door.get("asked_to_leave_at")),
        RecordField.NOTES_LEFT: said_at_the_door,
        RecordField.WISHES: said_at_the_door,
        RecordField.PAYMENT: said_at_the_door,
        RecordField.COMPLAINT: said_at_the_door,
        RecordField.RECORDING: bool(door.get("recordings") or door.get("recording_gap")),
    }.get(wanted, True)
