"""Contact attempts: recorded once under the sender's id, in any order and as late as they come, and never changed."""

import datetime as dt
import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from fieldvisit.blocks import BlockDraft, file_block
from fieldvisit.cases import AMBIGUOUS, find_cases
from fieldvisit.debtor_visits import Touched, lock_touched
from fieldvisit.debtors import ContactPointDraft, contact_digest
from fieldvisit.drafts import LONGEST_ID, Change, Refusal, check_text, relation, unseen
from fieldvisit.errors import InvalidValue
from fieldvisit.languages import Message
from fieldvisit.late_contacts import HAS_ITS_DAY, judge_after_contacts
from fieldvisit.models import Case, ContactAttempt, ContactAttemptKey, ContactPoint
from fieldvisit.vocabulary import AttemptResult, BlockTrigger, Channel, ContactPointKind, ReachedDetail

EARLIEST_AT = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
# Clocks of dialers run ahead a little; what lies further ahead has not happened.
CLOCK_SLACK = dt.timedelta(minutes=5)

OUR_SOURCE = "visit"
"""The source of the attempts that reported visits are. Nobody else may use it: whoever took the key of a visit before
its report came would keep the report out."""

KIND_BY_CHANNEL = {
    Channel.CALL: ContactPointKind.PHONE,
    Channel.SMS: ContactPointKind.PHONE,
    Channel.EMAIL: ContactPointKind.EMAIL,
    Channel.LETTER: ContactPointKind.POST,
    Channel.VISIT: ContactPointKind.POST,
}
# What was said on the phone and stops the contact, until a person lifts it.
STOPPED_BY: Mapping[ReachedDetail | None, BlockTrigger] = {
    ReachedDetail.ASKED_TO_STOP: BlockTrigger.CEASE_REQUEST,
    ReachedDetail.DISPUTED: BlockTrigger.DISPUTE,
}
ONLY_OF = {AttemptResult.NOBODY_HOME: (Channel.VISIT,), AttemptResult.NUMBER_INVALID: (Channel.CALL, Channel.SMS)}


@dataclass(frozen=True, kw_only=True)
class AttemptDraft:
    """One try, under the id that `source` (the dialer, the post room) gave it. `case_id` is the lender's own id.

    `at` is aware. A contact point that is not yet known becomes one of the debtor's.
    """

    external_id: str
    source: str
    case_id: str
    channel: Channel
    at: dt.datetime
    result: AttemptResult
    detail: ReachedDetail | None = None
    contact_point: ContactPointDraft | None = None

    def __post_init__(self) -> None:
        check_text("external_id", self.external_id, longest=LONGEST_ID)
        check_text("source", self.source, longest=LONGEST_ID)
        if self.source == OUR_SOURCE:
            raise InvalidValue(path="source", reason="is kept for the attempts that reported visits are")
        if self.at.tzinfo is None:
            raise InvalidValue(path="at", reason="needs its offset from UTC, such as +02:00")
        if self.at < EARLIEST_AT:
            raise InvalidValue(path="at", reason="lies before the year 2000")
        if self.detail is not None and self.result is not AttemptResult.REACHED:
            raise InvalidValue(path="detail", reason="belongs to the result reached alone")
        if self.channel not in ONLY_OF.get(self.result, Channel):
            raise InvalidValue(path="result", reason="cannot come of this channel")
        if self.contact_point and self.contact_point.kind is not KIND_BY_CHANNEL[self.channel]:
            raise InvalidValue(path="contact_point", reason="is of another kind than the channel")
        if self.contact_point is None and self.result is AttemptResult.NUMBER_INVALID:
            raise InvalidValue(path="contact_point", reason="must be named where the result speaks of the number")


@dataclass(frozen=True)
class RecordResult:
    """What became of each draft, in the order given."""

    outcomes: tuple[Change | Refusal, ...]

    @property
    def added(self) -> int:
        return self.outcomes.count(Change.ADDED)

    @property
    def refused(self) -> int:
        return sum(isinstance(outcome, Refusal) for outcome in self.outcomes)


@dataclass(frozen=True)
class _Attempt:
    """A draft that found its case and its contact point: one row to be."""

    case: Case
    draft: AttemptDraft
    contact_point_id: uuid.UUID | None

    @property
    def key(self) -> tuple[uuid.UUID, str, str]:
        return self.case.org_id, self.draft.source, self.draft.external_id

    @property
    def content(self) -> tuple[object, ...]:
        """Everything that is stored, for telling a repetition from a contradiction."""
        draft = self.draft
        return self.case.id, draft.at, draft.channel, draft.result, draft.detail, self.contact_point_id


DIFFERS = Refusal("attempt_id", Message("is recorded already, with different values"))


def record_attempts(
    session: Session, drafts: Sequence[AttemptDraft], now: dt.datetime, *, told_by_id: uuid.UUID | None = None
) -> RecordResult:
    """Record what is new; the same again changes nothing, the same id with something else in it is refused.

    The rows belong to the owner of the case; a case that is neither one's own nor placed with the acting organisation
    is refused. A new attempt in which the debtor disputed, or asked to stop, files its contact block and cancels the
    visits it stops; whatever has its day already is judged anew with what is known now, whoever makes it. A few
    statements for any number of the others: meant to be called with thousands.
    """
    cases = find_cases(session, (draft.case_id for draft in drafts))
    refusals = {place: fault for place, draft in enumerate(drafts) if (fault := _fault(draft, cases, now))}
    accepted = {place: (cases[draft.case_id][0], draft) for place, draft in enumerate(drafts) if place not in refusals}
    # Before anything is written: making a month waits for those who write what its rows refer to.
    ensure_months(session, (draft.at for _, draft in accepted.values()))
    points = _contact_points(session, accepted)
    attempts = {place: _Attempt(case, draft, points.get(place)) for place, (case, draft) in accepted.items()}
    changes, touched = _store(session, attempts, told_by_id=told_by_id, now=now)
    judge_after_contacts(session, touched, now=now)
    return RecordResult(tuple(refusals.get(place) or changes[place] for place in range(len(drafts))))


def ensure_months(session: Session, instants: Iterable[dt.datetime]) -> None:
    """Make the partitions in which these attempts belong. Does nothing, and locks nothing, where they are there."""
    for month in sorted({at.astimezone(dt.UTC).date().replace(day=1) for at in instants}):
        session.execute(sa.select(sa.func.ensure_partition("contact_attempts", month)))


def _fault(draft: AttemptDraft, cases: Mapping[str, Sequence[Case]], now: dt.datetime) -> Refusal | None:
    if draft.at > now + CLOCK_SLACK:
        return Refusal("at", Message("lies in the future"))
    if not cases[draft.case_id]:
        return Refusal("case_id", unseen("case", draft.case_id))
    if len(cases[draft.case_id]) > 1:
        return Refusal("case_id", Message(AMBIGUOUS))
    return None


def _contact_points(session: Session, accepted: Mapping[int, tuple[Case, AttemptDraft]]) -> dict[int, uuid.UUID]:
    """The contact point of each draft that names one; those that are new are added."""
    keys: dict[int, tuple[uuid.UUID, bytes]] = {}
    rows = {}
    for place, (case, draft) in accepted.items():
        if point := draft.contact_point:
            keys[place] = key = (case.debtor_id, contact_digest(session, point))
            rows[key] = {
                "org_id": case.org_id,
                "debtor_id": case.debtor_id,
                "digest": key[1],
                "kind": point.kind,
                "value": point.value,
            }
    known = _known_points(session, rows)
    if missing := [row for key, row in rows.items() if key not in known]:
        session.execute(insert(ContactPoint).on_conflict_do_nothing(), missing)
        known = _known_points(session, rows)
    return {place: known[key] for place, key in keys.items()}


def _known_points(
    session: Session, keys: Collection[tuple[uuid.UUID, bytes]]
) -> dict[tuple[uuid.UUID, bytes], uuid.UUID]:
    point = ContactPoint
    columns = (point.debtor_id, point.digest)
    asked = relation(keys, columns)
    rows = session.execute(
        sa.select(*columns, point.id).join(asked, sa.and_(*(column == asked.c[column.key] for column in columns)))
    )
    return {(debtor_id, bytes(digest)): point_id for debtor_id, digest, point_id in rows}


def _store(
    session: Session, attempts: Mapping[int, _Attempt], *, told_by_id: uuid.UUID | None, now: dt.datetime
) -> tuple[dict[int, Change | Refusal], Touched]:
    """Insert what is new: the key table decides, since no partitioned table can promise that an id is unique."""
    if not attempts:
        return {}, Touched()
    first = {attempt.key: attempt for attempt in reversed(list(attempts.values()))}
    new = _claim_keys(session, first.values())
    rows = [(attempt_id, first[key]) for key, attempt_id in new.items()]
    _insert(session, rows)
    touched = lock_touched(session, {attempt.case.debtor_id for _, attempt in rows}, states=HAS_ITS_DAY)
    _stop(session, rows, told_by_id=told_by_id, now=now)
    recorded = _recorded(session, [attempt for key, attempt in first.items() if key not in new])
    recorded |= {key: first[key].content for key in new}
    outcomes: dict[int, Change | Refusal] = {}
    for place, attempt in attempts.items():
        if attempt.key in new and attempt is first[attempt.key]:
            outcomes[place] = Change.ADDED
        else:
            outcomes[place] = Change.UNCHANGED if recorded.get(attempt.key) == attempt.content else DIFFERS
    return outcomes, touched


def _claim_keys(session: Session, attempts: Iterable[_Attempt]) -> dict[tuple[uuid.UUID, str, str], uuid.UUID]:
    """The ids of the attempts whose key nobody has claimed before."""
    key = ContactAttemptKey
    columns = (key.org_id, key.made_by_id, key.source, key.external_id, key.case_id, key.attempt_at)
    # In one order for all senders: two who send the same ids in turn would wait for each other for ever.
    rows = [
        (
            attempt.case.org_id,
            session.info["org"],
            attempt.draft.source,
            attempt.draft.external_id,
            attempt.case.id,
            attempt.draft.at,
        )
        for attempt in sorted(attempts, key=lambda attempt: attempt.key)
    ]
    claimed = session.execute(
        insert(key)
        .from_select([*columns, key.attempt_id], sa.select(*relation(rows, columns).c, sa.func.uuidv7()))
        .on_conflict_do_nothing()
        .returning(key.org_id, key.source, key.external_id, key.attempt_id)
    )
    return {(org_id, source, external_id): attempt_id for org_id, source, external_id, attempt_id in claimed}


def _insert(session: Session, attempts: Iterable[tuple[uuid.UUID, _Attempt]]) -> None:
    row = ContactAttempt
    columns = (
        row.id,
        row.org_id,
        row.case_id,
        row.debtor_id,
        row.contact_point_id,
        row.made_by_id,
        row.channel,
        row.at,
        row.result,
        row.detail,
    )
    rows = [
        (
            attempt_id,
            attempt.case.org_id,
            attempt.case.id,
            attempt.case.debtor_id,
            attempt.contact_point_id,
            session.info["org"],
            attempt.draft.channel,
            attempt.draft.at,
            attempt.draft.result,
            attempt.draft.detail,
        )
        for attempt_id, attempt in attempts
    ]
    session.execute(sa.insert(row).from_select(columns, sa.select(*relation(rows, columns).c)))


def _recorded(session: Session, attempts: Sequence[_Attempt]) -> dict[tuple[uuid.UUID, str, str], tuple[object, ...]]:
    """What is stored under the keys of these attempts."""
    if not attempts:
        return {}
    key, attempt = ContactAttemptKey, ContactAttempt
    columns = (key.org_id, key.source, key.external_id)
    asked = relation([each.key for each in attempts], columns)
    rows = session.execute(
        sa.select(
            *columns,
            attempt.case_id,
            attempt.at,
            attempt.channel,
            attempt.result,
            attempt.detail,
            attempt.contact_point_id,
        )
        .join(asked, sa.and_(*(column == asked.c[column.key] for column in columns)))
        # Both columns: the month is what tells PostgreSQL which partition to open.
        .join(attempt, sa.and_(attempt.id == key.attempt_id, attempt.at == key.attempt_at))
        .where(key.made_by_id == session.info["org"])
    )
    return {(org_id, source, external_id): tuple(content) for org_id, source, external_id, *content in rows}


def _stop(
    session: Session, new: Iterable[tuple[uuid.UUID, _Attempt]], *, told_by_id: uuid.UUID | None, now: dt.datetime
) -> None:
    """File the contact blocks that follow from what was said: a wish is of the debtor, a dispute of the one case."""
    said = [(each, attempt.case, detail) for each, attempt in new if (detail := attempt.draft.detail) in STOPPED_BY]
    for attempt_id, case, detail in said:
        block = BlockDraft(
            debtor_id=case.debtor_id,
            trigger=STOPPED_BY[detail],
            case_id=case.id if detail is ReachedDetail.DISPUTED else None,
            external_id=f"attempt {attempt_id}",
        )
        file_block(session, block, filed_by_id=told_by_id, now=now)
