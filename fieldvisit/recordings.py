"""How much of a visit was recorded, where it had to be: from the arrival to the leaving, and what is missing of it."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.compliance.conduct_parameters import RecordingNeed
from fieldvisit.compliance.recording import demanded
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.door_notes import terms_at
from fieldvisit.models import Case, Evidence, Visit, VisitReport
from fieldvisit.vocabulary import Channel, EvidenceState, RecordingGap


@dataclass(frozen=True)
class Span:
    from_at: dt.datetime
    until_at: dt.datetime

    @property
    def seconds(self) -> int:
        return round((self.until_at - self.from_at).total_seconds())


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """`needs`: what the policies at the place want recorded; none where nothing has to be, or where the case was called
    back. `missing_files`: recordings whose bytes have not come, or are others than were announced."""

    needs: tuple[RecordingNeed, ...]
    visit_s: int
    covered_s: int
    gaps: tuple[Span, ...]
    reason: RecordingGap | None
    missing_files: tuple[uuid.UUID, ...]


def gaps_of(whole: Span, recorded: Iterable[Span]) -> tuple[Span, ...]:
    """What of the whole no recording covers, in order."""
    found, at = [], whole.from_at
    for span in sorted(recorded, key=lambda each: (each.from_at, each.until_at)):
        if span.from_at > at:
            found.append(Span(at, min(span.from_at, whole.until_at)))
        at = max(at, span.until_at)
        if at >= whole.until_at:
            break
    if at < whole.until_at:
        found.append(Span(at, whole.until_at))
    return tuple(each for each in found if each.from_at < each.until_at)


def coverage_of(session: Session, report: VisitReport) -> Coverage | None:
    """None where nobody arrived at the door, so that there was nothing to record."""
    visit = session.get_one(Visit, report.visit_id)
    if visit.arrived_at is None or visit.arrived_at >= report.left_at:
        return None
    made = report.door.recordings if report.door else []
    whole = Span(visit.arrived_at, report.left_at)
    spans = [Span(*(dt.datetime.fromisoformat(each[name]) for name in ("from_at", "until_at"))) for each in made]
    gaps = gaps_of(whole, spans)
    return Coverage(
        needs=_needs(session, visit, report),
        visit_s=whole.seconds,
        covered_s=whole.seconds - sum(each.seconds for each in gaps),
        gaps=gaps,
        reason=report.door.recording_gap if report.door else None,
        missing_files=_missing(session, {uuid.UUID(each["recording_id"]): each["sha256"] for each in made}),
    )


def _missing(session: Session, announced: dict[uuid.UUID, str]) -> tuple[uuid.UUID, ...]:
    if not announced:
        return ()
    rows = sa.select(Evidence.id, Evidence.sha256).where(
        Evidence.id.in_(announced), Evidence.state == EvidenceState.ACCEPTED
    )
    came = {row[0]: row[1] for row in session.execute(rows)}
    return tuple(id_ for id_, sha256 in announced.items() if came.get(id_) != sha256)


def _needs(session: Session, visit: Visit, report: VisitReport) -> tuple[RecordingNeed, ...]:
    known: Case | None = visit.case
    if known is None:
        return ()
    organisations = organisations_by_id(session, (visit.org_id, visit.lender_id))
    terms = terms_at(organisations, visit, local_day(report.left_at, visit.place.zone))
    rules = terms.recording if terms else ()
    return _strictest_first({rule.need for rule in rules if Channel.VISIT in rule.channels and demanded(rule)})


def _strictest_first(needs: Collection[RecordingNeed]) -> tuple[RecordingNeed, ...]:
    return tuple(need for need in reversed(RecordingNeed) if need in needs)
