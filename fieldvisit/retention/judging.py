"""What is to become of a record: kept, held, purged, or told to a person."""

import datetime as dt
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from fieldvisit.compliance.facts import Scope
from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.retention import Kept, kept
from fieldvisit.compliance.terms import Terms
from fieldvisit.retention.files import CaseFile, Record, RecordKind


class Fate(StrEnum):
    """`NOT_ASKED`: it may go, and no policy nor the debtor asks for it. `CONFLICT`: it has to go and must be kept at
    once: the policies contradict each other, and it stays until a person has settled that."""

    IN_USE = "in_use"
    HELD = "held"
    UNDER_MINIMUM = "under_minimum"
    CONFLICT = "conflict"
    NOT_ASKED = "not_asked"
    DUE = "due"


@dataclass(frozen=True)
class Judged:
    record: Record
    fate: Fate
    kept: Kept


def judge(file: CaseFile, today: dt.date, *, erased: Collection[object] = ()) -> list[Judged]:
    """The fate of every record of the case. `erased`: debtors whose request to be forgotten was granted: what may go of
    their closed cases goes, without waiting for a longest time."""
    terms = terms_for(file.policies, file.place, today, scope=Scope(product=file.clocks.product))
    asked = file.closed and file.debtor_id in erased
    found = list(_each(file, terms, today, asked=asked))
    # A case is the last of its records: it stays while anything of it does.
    if any(one.fate is not Fate.DUE for one in found if one.record.kind is not RecordKind.CASE):
        found = [one if one.record.kind is not RecordKind.CASE else _stays(one) for one in found]
    return found


def _each(file: CaseFile, terms: Terms | None, today: dt.date, *, asked: bool) -> Iterator[Judged]:
    for record in file.records:
        limits = kept(terms, record.kind.record_type, file.of(record)) if terms else Kept(None, None)
        yield Judged(record, _fate(file, record, limits, today, asked=asked), limits)


def _fate(file: CaseFile, record: Record, limits: Kept, today: dt.date, *, asked: bool) -> Fate:
    if file.clocks.held:
        return Fate.HELD
    if record.in_use:
        return Fate.IN_USE
    has_to = limits.not_after is not None and limits.not_after <= today
    if not limits.may_go(today):
        return Fate.CONFLICT if has_to else Fate.UNDER_MINIMUM
    return Fate.DUE if has_to or asked else Fate.NOT_ASKED


def _stays(one: Judged) -> Judged:
    return Judged(one.record, Fate.IN_USE, one.kept) if one.fate is Fate.DUE else one
