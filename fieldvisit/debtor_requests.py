"""What debtors ask about their own data: to see it, to have it corrected, to have it erased.

A person decides. To see is answered with the export; a correction is made where it is answered; an erasure that is
granted is carried out by the next purge, as far as the least times of the policies let it, and once a case is closed.
"""

import datetime as dt
import uuid
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.drafts import check_text
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.finding import get_by_id
from fieldvisit.models import Debtor, DebtorRequest
from fieldvisit.vocabulary import DebtorRequestKind, DebtorRequestState

LONGEST_WORDS = 2_000


class RequestAnswered(FieldVisitError):
    code, kind = "request_answered", Kind.CONFLICT
    says = "This request was answered before."


@dataclass(frozen=True, kw_only=True)
class RequestDraft:
    """`received_at`: when the debtor asked; the time in which the law wants an answer counts from it."""

    debtor_id: uuid.UUID
    kind: DebtorRequestKind
    received_at: dt.datetime
    words: str | None = None

    def __post_init__(self) -> None:
        if self.words is not None:
            check_text("words", self.words, longest=LONGEST_WORDS)


@dataclass(frozen=True, kw_only=True)
class Correction:
    """What is right instead; None leaves a value as it is."""

    name: str | None = None
    national_id: str | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        for field, value in self.values.items():
            check_text(f"correction.{field}", value)

    @property
    def values(self) -> dict[str, str]:
        given = {"name": self.name, "national_id": self.national_id, "language": self.language}
        return {field: value for field, value in given.items() if value is not None}


@dataclass(frozen=True, kw_only=True)
class AnswerDraft:
    """`words`: what was done, or why not, with the clause that says so: it is what the debtor is told."""

    granted: bool
    words: str
    correction: Correction | None = None

    def __post_init__(self) -> None:
        check_text("words", self.words, longest=LONGEST_WORDS)


def record_request(session: Session, draft: RequestDraft, *, by: uuid.UUID, now: dt.datetime) -> DebtorRequest:
    """Write down that it was asked. Raises NotFound and InvalidValue."""
    debtor = get_by_id(session, Debtor, draft.debtor_id)
    if draft.received_at > now:
        raise InvalidValue(path="received_at", reason="lies in the future")
    row = DebtorRequest(
        org_id=debtor.org_id,
        debtor_id=debtor.id,
        kind=draft.kind,
        words=draft.words,
        received_at=draft.received_at,
        recorded_by_id=by,
    )
    session.add(row)
    session.flush()
    return row


def answer_request(
    session: Session, request_id: uuid.UUID, draft: AnswerDraft, *, by: uuid.UUID, now: dt.datetime
) -> DebtorRequest:
    """Grant it or refuse it. Only the debtor's lender answers. Raises NotFound, RequestAnswered, InvalidValue."""
    row = session.scalars(
        sa.select(DebtorRequest)
        .where(DebtorRequest.id == request_id, DebtorRequest.org_id == session.info["org"])
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFound(what="request of a debtor", id=request_id)
    if row.state is not DebtorRequestState.OPEN:
        raise RequestAnswered()
    if draft.correction is not None:
        _correct(session, row, draft)
    row.state = DebtorRequestState.DONE if draft.granted else DebtorRequestState.REFUSED
    row.answer, row.answered_at, row.answered_by_id = draft.words, now, by
    session.flush()
    return row


def requests_where(
    *, debtor_id: uuid.UUID | None = None, state: DebtorRequestState | None = None
) -> sa.Select[DebtorRequest]:
    """The requests one may see, all or those that fit; the caller orders."""
    asked = {DebtorRequest.debtor_id: debtor_id, DebtorRequest.state: state}
    return sa.select(DebtorRequest).where(*(column == value for column, value in asked.items() if value is not None))


def _correct(session: Session, row: DebtorRequest, draft: AnswerDraft) -> None:
    correction = draft.correction
    if row.kind is not DebtorRequestKind.CORRECTION or not draft.granted or correction is None:
        raise InvalidValue(path="correction", reason="belongs to a correction that is granted")
    debtor = get_by_id(session, Debtor, row.debtor_id)
    for field, value in correction.values.items():
        setattr(debtor, field, value)
