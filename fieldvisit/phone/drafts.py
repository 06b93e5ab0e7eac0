"""What a phone tells of a door, checked when made."""

import uuid
from dataclasses import dataclass

from fieldvisit.compliance.conduct_parameters import Recorded
from fieldvisit.geofence import OutsideReason, Position
from fieldvisit.phone.telling import EventDraft
from fieldvisit.vocabulary import IdentityMethod, IdentityResult, OrderReason, RejectionReason, UndoReason


@dataclass(frozen=True, kw_only=True)
class ArrivalDraft(EventDraft):
    """`present` are those of the crew who are at the door; None means all of them. `recording` is what runs already."""

    position: Position
    outside_reason: OutsideReason | None = None
    present: tuple[uuid.UUID, ...] | None = None
    order_reason: OrderReason | None = None
    recording: tuple[Recorded, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class SetOutDraft(EventDraft):
    """`order_reason`: why before an earlier one, where the house asks."""

    order_reason: OrderReason | None = None


@dataclass(frozen=True, kw_only=True)
class RejectionDraft(EventDraft):
    reason: RejectionReason


@dataclass(frozen=True, kw_only=True)
class UndoDraft(EventDraft):
    reason: UndoReason


@dataclass(frozen=True, kw_only=True)
class ShowingDraft(EventDraft):
    """Which papers were shown at the door, by their ids."""

    credential_ids: tuple[uuid.UUID, ...]


@dataclass(frozen=True, kw_only=True)
class IdentityDraft(EventDraft):
    method: IdentityMethod
    result: IdentityResult
