"""A call for help for somebody else: by the office, which heard of it by telephone, or by a buddy."""

import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from fieldvisit.errors import FieldVisitError, Kind, NotFound
from fieldvisit.models import SafetySession, Visitor
from fieldvisit.safety.crews import went_out_together
from fieldvisit.safety.drafts import Officer, Sos, check_note
from fieldvisit.safety.opening import find_open
from fieldvisit.safety.sos import call_under_any_id
from fieldvisit.safety.standing import Standing
from fieldvisit.vocabulary import Role

OFFICE = frozenset({Role.SAFETY_OFFICER, Role.SUPERVISOR, Role.DISPATCHER})


class NotTheirBuddy(FieldVisitError):
    """Visitors call for whoever named them, or went out with them; for others they call the office."""

    code, kind = "not_their_buddy", Kind.FORBIDDEN
    says = "You call for help for who named you as their buddy or is of your crew today. For others call the office."


@dataclass(frozen=True, kw_only=True)
class CallFor:
    """For whom, under an id of the caller's: told twice, done once. `note`: what was heard or seen. `covert`: nothing
    of it may show on the visitor's phone."""

    visitor_id: uuid.UUID
    event_id: uuid.UUID
    note: str
    covert: bool = False

    def __post_init__(self) -> None:
        check_note(self.note)


def call_for(session: Session, call: CallFor, by: Officer, roles: Collection[Role]) -> Standing:
    """Open an SOS alert about this visitor at once, or join the one that is open; with no session one is made. Who
    called and why stands in the record. Raises NotFound, NotTheirBuddy."""
    visitor = session.get(Visitor, call.visitor_id)
    if visitor is None:
        raise NotFound(what="visitor", id=call.visitor_id)
    if not OFFICE & set(roles):
        _demand_buddy(session, call.visitor_id, by)
    told = Sos(
        visitor_id=visitor.id,
        actor_id=by.account_id,
        event_id=call.event_id,
        covert=call.covert,
        on_behalf=True,
        note=call.note,
    )
    return call_under_any_id(session, told)


def _demand_buddy(session: Session, visitor_id: uuid.UUID, by: Officer) -> None:
    open_id = find_open(session, visitor_id)
    row = session.get(SafetySession, open_id) if open_id else None
    if row is None or by.visitor_id is None or by.visitor_id == visitor_id:
        raise NotTheirBuddy()
    if row.buddy_id != by.visitor_id and not went_out_together(session, row, by.visitor_id):
        raise NotTheirBuddy()
