"""The crews of a day in words: why somebody stays at home, and why work is left."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from fieldvisit.compliance.inquiry import joined
from fieldvisit.languages import Message
from fieldvisit.models import CrewForming, Shift
from fieldvisit.planning.failures import failure_words
from fieldvisit.planning.forming import NO_PAPERS, find_forming, shifts_of
from fieldvisit.planning.needs import need_words

HOME: Mapping[str, Message] = {
    "resting": Message("has not rested since the last day"),
    "no_hours_left": Message("has no hours left this week"),
    "not_alone": Message("does not ride alone, and there is nobody to ride with"),
    "cannot_lead": Message("does not lead, and there is nobody to ride with"),
    "not_needed": Message("is not needed"),
    NO_PAPERS: Message("has papers for no visit of the day"),
}
LEFT: Mapping[str, Message] = {
    "nobody_offers": Message("nobody who works then has all it needs"),
    "too_few_people": Message("too few people work then"),
    "not_together": Message("no crew that may ride together has all it needs"),
    "no_hours": Message("all who could are busy"),
}


@dataclass(frozen=True)
class CrewsOfDay:
    """Who rides with whom on a day: the crews, and the proposal where one was asked for."""

    works_on: dt.date
    forming: CrewForming | None
    crews: tuple[tuple[Shift, ...], ...]
    """Each with the lead first."""
    unplaced: tuple[Shift, ...]
    """Those who work but ride in no crew."""

    @property
    def home(self) -> list[tuple[Shift, Message | None]]:
        """Whoever rides in no crew, and why where a proposal has looked."""
        said = self.forming.home if self.forming else {}
        return [(one, _home(said.get(str(one.visitor_id)))) for one in self.unplaced]

    @property
    def undone(self) -> list[dict[str, Any]]:
        return list(self.forming.undone) if self.forming else []

    @property
    def failure(self) -> Message | None:
        return failure_words(self.forming.failure) if self.forming else None


def crews_of_day(session: Session, org_id: uuid.UUID, on: dt.date) -> CrewsOfDay:
    """The crews as they stand."""
    shifts = shifts_of(session, org_id, on)
    placed = [shift for shift in shifts if shift.crew_code is not None]
    crews = tuple(tuple(members) for _, members in groupby(placed, key=lambda shift: shift.crew_code))
    unplaced = tuple(shift for shift in shifts if shift.crew_code is None)
    return CrewsOfDay(on, find_forming(session, org_id, on), crews, unplaced)


def undone_words(left: Mapping[str, Any]) -> Message:
    """What is left and why, in one sentence."""
    needs: Sequence[str] = left["lacks"] or left["needs"]
    values = {
        "visits": left["visits"],
        "people": left["visitors"],
        "reason": LEFT[left["reason"]],
        "needs": joined([need_words(need) for need in sorted(needs)], ", "),
    }
    return Message("{visits} visits by {people} each are not covered: {reason} ({needs}).", values)


def _home(said: Mapping[str, Any] | None) -> Message | None:
    return HOME[said["reason"]] if said else None
