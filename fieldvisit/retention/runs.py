"""A run over the cases of one lender: what would go, or what went, with the proof.

Each case is a transaction of its own: under lock it is read and judged again, its rows go, and the proof counts them. A
run that was killed has purged whole cases and proved each; the next one finds what is left. A case that cannot be
purged stops no other: it stays as it was, and the run ends as one that failed.
"""

import copy
import datetime as dt
import hashlib
import itertools
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

import sqlalchemy as sa
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.apart import Apart
from fieldvisit.database import acting_for_all
from fieldvisit.models import Case, Debtor, DebtorRequest, LegalHold, Organisation, Purge
from fieldvisit.retention.files import CaseFile, RecordKind, read_case_files
from fieldvisit.retention.judging import Fate, Judged, judge
from fieldvisit.retention.purging import purge_attempts, purge_case, purge_debtor, purge_visits
from fieldvisit.vocabulary import DebtorRequestKind, DebtorRequestState

BATCH = 100
"""Cases that are read at once to see what is due."""
DEBTOR = "debtor"
UNDONE = "undone"
"""In a proof, beside the fates: what was due and could not be taken."""


@dataclass
class Tally:
    """What a run found, or did. `ids_sha256` is over every attempt, visit and case that is due, or gone, in their order
    in the run, and then over the debtors who had no case."""

    fates: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(kind of record, fate) → how many."""
    rows: Counter[str] = field(default_factory=Counter)
    policies: set[tuple[str, int]] = field(default_factory=set)
    ids_sha256: str = hashlib.sha256(b"").hexdigest()
    undone: Counter[str] = field(default_factory=Counter)
    """How many of a kind could not be purged; each is in the log."""

    def count(self, file: CaseFile, judged: Sequence[Judged]) -> None:
        self.fates += Counter((one.record.kind.value, one.fate.value) for one in judged)
        self.policies |= {(policy.id, policy.version) for policy in file.policies}

    def chain(self, ids: Collection[str]) -> None:
        """Take these into the hash: of the hash so far and the ids, one a line."""
        for each in sorted(ids):
            self.ids_sha256 = hashlib.sha256(f"{self.ids_sha256}\n{each}".encode()).hexdigest()

    def of(self, fate: Fate) -> dict[str, int]:
        return {kind: count for (kind, what), count in sorted(self.fates.items()) if what == fate.value}

    def debtor(self, debtor_id: uuid.UUID) -> None:
        """One who has no case, and so is not counted with one."""
        self.fates[DEBTOR, Fate.DUE.value] += 1
        self.chain([f"{DEBTOR} {debtor_id}"])

    @property
    def left_as(self) -> dict[str, dict[str, int]]:
        left = {fate.value: found for fate in Fate if fate is not Fate.DUE and (found := self.of(fate))}
        return left | ({UNDONE: dict(self.undone)} if self.undone else {})


def look(sessions: sessionmaker[Session], lender_id: uuid.UUID, *, today: dt.date) -> Tally:
    """What a run would do today. Nothing changes."""
    tally = Tally()
    for file, judged in _judged(sessions, lender_id, today):
        tally.count(file, judged)
        tally.chain([str(one.record) for one in judged if one.fate is Fate.DUE])
    with acting_for_all(sessions) as session:
        for debtor_id in session.scalars(_caseless(session, lender_id)):
            tally.debtor(debtor_id)
    return tally


def purge(
    owners: sessionmaker[Session],
    lender_id: uuid.UUID,
    *,
    made_by: str,
    reason: str,
    clock: Callable[[], dt.datetime],
    apart: Apart | None = None,
) -> Purge:
    """Purge what is due; the proof, which is stored. `owners` makes sessions of the owner of the tables.

    A case that cannot be purged is told to `apart`; without it LeftUndone is raised once the proof is stored.
    """
    begun = clock()
    tally, each_apart = Tally(), apart or Apart()
    with acting_for_all(owners) as session:
        proof = Purge(org_id=lender_id, made_by=made_by, reason=reason, started_at=begun, ids_sha256=tally.ids_sha256)
        session.add(proof)
        session.flush()
        proof_id = proof.id
    today = begun.astimezone(dt.UTC).date()
    for file, judged in _judged(owners, lender_id, today):
        if not any(one.fate is Fate.DUE for one in judged):
            tally.count(file, judged)
            continue
        before = tally
        with each_apart.each("purged", case_id=file.case_id):
            tally = _proved(owners, proof_id, tally, partial(_purge_one, lender_id, file, today=today))
        tally.undone += Counter({RecordKind.CASE.value: int(tally is before)})
    with acting_for_all(owners) as session:
        caseless = session.scalars(_caseless(session, lender_id)).all()
    for debtor_id in caseless:
        before = tally
        with each_apart.each("purged", debtor_id=debtor_id):
            tally = _proved(owners, proof_id, tally, partial(_purge_caseless, lender_id, debtor_id))
        tally.undone += Counter({DEBTOR: int(tally is before)})
    with acting_for_all(owners) as session:
        proof = _prove(session, proof_id, tally)
        proof.finished_at = clock()
    if apart is None:
        each_apart.end()
    return proof


def _proved(
    owners: sessionmaker[Session], proof_id: uuid.UUID, tally: Tally, take: Callable[[Session, Tally], None]
) -> Tally:
    """The tally with what is taken here, in a transaction with its proof: what is undone with it is not counted."""
    counted = copy.deepcopy(tally)
    with acting_for_all(owners) as session:
        take(session, counted)
        _prove(session, proof_id, counted)
    return counted


def purges(org_id: uuid.UUID) -> sa.Select[Purge]:
    """Every run over an organisation's cases; the caller states the order."""
    return sa.select(Purge).where(Purge.org_id == org_id)


def lenders(session: Session) -> Sequence[Organisation]:
    """Every organisation that owns cases, or debtors of none."""
    owns = sa.or_(*(sa.exists().where(kind.org_id == Organisation.id) for kind in (Case, Debtor)))
    return session.scalars(sa.select(Organisation).where(owns).order_by(Organisation.code)).all()


def _judged(
    sessions: sessionmaker[Session], lender_id: uuid.UUID, today: dt.date
) -> Iterator[tuple[CaseFile, list[Judged]]]:
    with acting_for_all(sessions) as session:
        ids = session.scalars(sa.select(Case.id).where(Case.org_id == lender_id).order_by(Case.id)).all()
    for batch in itertools.batched(ids, BATCH):
        with acting_for_all(sessions) as session:
            erased = _erased(session, lender_id)
            found = [(file, judge(file, today, erased=erased)) for file in read_case_files(session, lender_id, batch)]
        yield from found


def _purge_one(lender_id: uuid.UUID, before: CaseFile, session: Session, tally: Tally, *, today: dt.date) -> None:
    """Take away what is due of one case. Who holds it, or a contact that comes, waits for this, or is seen by it."""
    session.execute(sa.select(Debtor.id).where(Debtor.id == before.debtor_id).with_for_update())
    erased = _erased(session, lender_id)
    for file in read_case_files(session, lender_id, [before.case_id]):
        judged = judge(file, today, erased=erased)
        due = [one.record for one in judged if one.fate is Fate.DUE]
        attempts, visits, cases = ([record.id for record in due if record.kind is kind] for kind in RecordKind)
        tally.count(file, judged)
        tally.chain([str(record) for record in due])
        if not cases:
            _remember(session, file)
        tally.rows += purge_visits(session, visits) + purge_attempts(session, lender_id, file, attempts)
        if cases:
            _purge_rest(session, lender_id, file, tally)


def _remember(session: Session, file: CaseFile) -> None:
    """Let the case say what its contacts told of its clocks: it may have to outlive them by years."""
    days = {"last_activity_on": file.clocks.last_activity_on, "last_visit_on": file.clocks.visit_on}
    session.execute(sa.update(Case).where(Case.id == file.case_id).values(**days, updated_at=Case.updated_at))


def _purge_rest(session: Session, lender_id: uuid.UUID, file: CaseFile, tally: Tally) -> None:
    """The case, and with its last case the debtor."""
    session.expunge_all()
    tally.rows += purge_case(session, file.case_id)
    if not session.scalar(sa.select(sa.exists().where(Case.debtor_id == file.debtor_id))):
        tally.rows += purge_debtor(session, lender_id, file.debtor_id)
        tally.fates[DEBTOR, Fate.DUE.value] += 1


def _purge_caseless(lender_id: uuid.UUID, debtor_id: uuid.UUID, session: Session, tally: Tally) -> None:
    """A debtor of no case, unless there is one by now, or a hold. A case that comes waits for this."""
    session.execute(sa.select(Debtor.id).where(Debtor.id == debtor_id).with_for_update())
    if session.scalar(_caseless(session, lender_id).where(Debtor.id == debtor_id)):
        tally.debtor(debtor_id)
        tally.rows += purge_debtor(session, lender_id, debtor_id)


def _caseless(session: Session, lender_id: uuid.UUID) -> sa.Select[uuid.UUID]:
    """The debtors who have no case, none on hold, and were granted to be forgotten: no least time speaks of them."""
    case = sa.exists().where(Case.debtor_id == Debtor.id)
    held = sa.exists().where(LegalHold.debtor_id == Debtor.id, LegalHold.released_at.is_(None))
    granted = Debtor.id.in_(_erased(session, lender_id))
    return sa.select(Debtor.id).where(Debtor.org_id == lender_id, granted, ~case, ~held).order_by(Debtor.id)


def _prove(session: Session, proof_id: uuid.UUID, tally: Tally) -> Purge:
    proof = session.get_one(Purge, proof_id)
    proof.records, proof.rows = tally.of(Fate.DUE), dict(sorted(tally.rows.items()))
    proof.left_as, proof.ids_sha256 = tally.left_as, tally.ids_sha256
    proof.policies = [list(each) for each in sorted(tally.policies)]
    return proof


def _erased(session: Session, lender_id: uuid.UUID) -> frozenset[uuid.UUID]:
    """The debtors whose request to be forgotten was granted."""
    granted = sa.select(DebtorRequest.debtor_id).where(
        DebtorRequest.org_id == lender_id,
        DebtorRequest.kind == DebtorRequestKind.ERASURE,
        DebtorRequest.state == DebtorRequestState.DONE,
    )
    return frozenset(session.scalars(granted))
