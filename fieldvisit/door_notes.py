"""What may be left at a door: what the policies say of a note, and what of one that was left they do not allow."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldvisit.compliance.merging import terms_for
from fieldvisit.compliance.terms import Terms
from fieldvisit.compliance.wallclock import local_day
from fieldvisit.decisions import organisations_by_id
from fieldvisit.facts import place_facts, scope_of
from fieldvisit.languages import Message
from fieldvisit.models import Case, Organisation, Visit
from fieldvisit.policies import policies_of
from fieldvisit.visits import note_event
from fieldvisit.vocabulary import NoteBreach


@dataclass(frozen=True, kw_only=True)
class DoorNote:
    """The strictest of all that apply. That a note tells no debt and poses as nothing else holds under every policy."""

    allowed: bool
    sealed: bool
    identify_sender: bool
    no_public_posting: bool
    clause_ids: tuple[str, ...]

    @property
    def lines(self) -> tuple[Message, ...]:
        """The same in words, for whoever stands at the door."""
        if not self.allowed:
            return (Message("Leave no note."),)
        said = [
            Message("A note names no debt, no amount and no court, and poses as nothing else."),
            Message("Leave a note in a sealed envelope only.") if self.sealed else None,
            Message("A note says from whom it is.") if self.identify_sender else None,
            Message("Never put a note up where others see it.") if self.no_public_posting else None,
        ]
        return tuple(line for line in said if line is not None)


def door_note(terms: Terms | None) -> DoorNote:
    """What may be left at a door under these rules."""
    rules = [rule for rule in (terms.notes if terms else ()) if rule.binds]
    return DoorNote(
        allowed=all(rule.allowed for rule in rules),
        sealed=any(rule.sealed for rule in rules),
        identify_sender=any(rule.identify_sender for rule in rules),
        no_public_posting=any(rule.no_public_posting for rule in rules),
        clause_ids=tuple(rule.id for rule in rules),
    )


def breaches(rules: DoorNote, sealed: Sequence[bool]) -> list[NoteBreach]:
    """What is wrong with notes that were left, each sealed or not. It is flagged, never refused: what happened,
    happened."""
    if not sealed:
        return []
    if not rules.allowed:
        return [NoteBreach.NOT_ALLOWED]
    if rules.sealed and not all(sealed):
        return [NoteBreach.NOT_SEALED]
    return []


def flag_notes(
    session: Session, visit: Visit, sealed: Sequence[bool], *, left_at: dt.datetime, now: dt.datetime
) -> None:
    """Write into the visit's history what is wrong with the notes that were left, with the clauses. Of a case that was
    called back the place is no longer known here, and nothing is said."""
    known: Case | None = visit.case
    if not sealed or known is None:
        return
    organisations = organisations_by_id(session, (visit.org_id, visit.lender_id))
    rules = door_note(terms_at(organisations, visit, local_day(left_at, visit.place.zone)))
    if found := breaches(rules, sealed):
        codes = [each.value for each in found]
        session.add(note_event(visit, "note_flagged", now=now, codes=codes, clause_ids=list(rules.clause_ids)))


def terms_at(organisations: Mapping[uuid.UUID, Organisation], visit: Visit, day: dt.date) -> Terms | None:
    """What holds at the visit's place on the local date, for its product and for who goes, under the policies of those
    and of the lender."""
    policies = policies_of((organisations[visit.org_id], organisations[visit.lender_id]))
    return terms_for(policies, place_facts(visit.place), day, scope=scope_of(visit))
