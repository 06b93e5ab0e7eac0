"""What the owner of a phone does in a day, as the events that the phone tells: most of it hours ago."""

import datetime as dt
import uuid
from collections.abc import Iterator
from random import Random
from typing import Any

from fieldvisit_client.models.abort_event_in import AbortEventIn
from fieldvisit_client.models.abort_reason import AbortReason
from fieldvisit_client.models.addition_event_in import AdditionEventIn
from fieldvisit_client.models.addition_reason import AdditionReason
from fieldvisit_client.models.arrival_event_in import ArrivalEventIn
from fieldvisit_client.models.briefing_out import BriefingOut
from fieldvisit_client.models.credential_shown_event_in import CredentialShownEventIn
from fieldvisit_client.models.datum import Datum
from fieldvisit_client.models.identity_check_event_in import IdentityCheckEventIn
from fieldvisit_client.models.identity_method import IdentityMethod
from fieldvisit_client.models.identity_result import IdentityResult
from fieldvisit_client.models.next_step import NextStep
from fieldvisit_client.models.outside_reason import OutsideReason
from fieldvisit_client.models.position_in import PositionIn
from fieldvisit_client.models.report_event_in import ReportEventIn
from fieldvisit_client.models.set_out_event_in import SetOutEventIn
from fieldvisit_client.models.visit_outcome import VisitOutcome

MINUTE = dt.timedelta(minutes=1)
AT_A_DOOR, LASTING = 40 * MINUTE, 8 * MINUTE
OUTSIDE_DEGREES = 0.009
"""A kilometre to the north."""


class Door:
    """One visit of the day, begun at `at` by the phone's own clock."""

    def __init__(self, chance: Random, visit_id: uuid.UUID, briefing: BriefingOut, *, at: dt.datetime) -> None:
        self._chance, self._visit_id, self._briefing, self._at = chance, visit_id, briefing, at

    def led(self) -> Iterator[dict[str, Any]]:
        """Whoever leads: on the way, there, and the report or the end."""
        far = self._chance.random() < 0.2
        yield SetOutEventIn(kind="set_out", **self._said(0)).to_dict()
        yield ArrivalEventIn(kind="arrival", position=self._position(far=far), **self._said(2)).to_dict()
        if self._chance.random() < 0.1:
            reason = self._chance.choice([AbortReason.ASKED_TO_LEAVE, AbortReason.SAFETY])
            yield AbortEventIn(kind="abort", reason=reason, **self._said(4)).to_dict()
            return
        papers = [each.credential_id for each in self._briefing.to_show if each.credential_id is not None]
        yield CredentialShownEventIn(kind="credential_shown", credential_ids=papers, **self._said(3)).to_dict()
        if self._chance.random() < 0.6:
            method, result = IdentityMethod.DOCUMENT_SEEN, IdentityResult.CONFIRMED
            yield IdentityCheckEventIn(kind="identity_check", method=method, result=result, **self._said(4)).to_dict()
            met: dict[str, Any] = {"outcome": VisitOutcome.MET_DEBTOR, "disclosed": True, "willing": True}
            yield self._report(**met, able=self._chance.random() < 0.5, next_step=NextStep.CALL)
        else:
            yield self._report(outcome=self._chance.choice([VisitOutcome.NOBODY, VisitOutcome.MET_OTHER]))
        if self._chance.random() < 0.3:
            yield self._addition()

    def accompanied(self) -> Iterator[dict[str, Any]]:
        """Whoever rides along arrives too, and has something to add."""
        yield ArrivalEventIn(kind="arrival", position=self._position(far=False), **self._said(2)).to_dict()
        if self._chance.random() < 0.5:
            yield self._addition()

    def _report(self, **facts: Any) -> dict[str, Any]:
        return ReportEventIn(kind="report", left_at=self._at + 6 * MINUTE, **facts, **self._said(6)).to_dict()

    def _addition(self) -> dict[str, Any]:
        reason, text = AdditionReason.FURTHER, "The bell does not ring."
        return AdditionEventIn(kind="addition", reason=reason, text=text, **self._said(7)).to_dict()

    def _said(self, minute: int) -> dict[str, Any]:
        # To the microsecond no two are alike: by it the office's history is compared with what was done.
        at = self._at + minute * MINUTE + dt.timedelta(microseconds=self._chance.randrange(1, 1_000_000))
        return {"event_id": new_id(self._chance), "visit_id": self._visit_id, "device_at": at}

    def _position(self, *, far: bool) -> PositionIn:
        point = self._briefing.point
        lat, lon = (point.lat, point.lon) if point is not None else (0.0, 0.0)
        lat += OUTSIDE_DEGREES if far else self._chance.uniform(-0.0002, 0.0002)
        return PositionIn(lat=lat, lon=lon, datum=Datum.WGS84, accuracy_m=self._chance.randint(5, 40))


def put_right(arrival: dict[str, Any]) -> dict[str, Any]:
    """The same arrival with what was asked for: why one is so far away."""
    return arrival | {"outside_reason": OutsideReason.POINT_WRONG.value}


def new_id(chance: Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128), version=4)
