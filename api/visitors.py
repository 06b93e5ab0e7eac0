"""The people who go out, their papers and their shifts."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.editing import Edited, row_named
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.answers import Stored, stored
from api.schemas.people import (
    CredentialIn,
    CredentialOut,
    ShiftIn,
    ShiftOut,
    ShiftsQueryIn,
    VisitorIn,
    VisitorOut,
    VisitorsQueryIn,
)
from fieldvisit import people
from fieldvisit.finding import get_by_id
from fieldvisit.models import Credential, Shift, Visitor

bp = Blueprint("visitors", __name__, description=__doc__)


@bp.get("/visitors")
@endpoint(may=Permission.READ_STAFF, query=VisitorsQueryIn(), returns=VisitorOut(), order=Keyset(Visitor.id))
def list_visitors(query: dict[str, Any]) -> sa.Select[Visitor]:
    """The visitors of one's organisation."""
    return sa.select(Visitor).filter_by(**query)


@bp.get("/visitors/<uuid:visitor_id>")
@endpoint(may=Permission.READ_STAFF, returns=VisitorOut())
def get_visitor(visitor_id: uuid.UUID) -> Visitor:
    """One visitor."""
    return get_by_id(session(), Visitor, visitor_id)


VISITOR = Edited(
    get_visitor,
    found=row_named("visitor_id", lambda body: people.visitor_called(actor().org_id, body.external_id)),
    named=lambda body: body.external_id,
)


@bp.put("/visitors")
@endpoint(may=Permission.CHANGE_STAFF, body=VisitorIn(), returns=stored(VisitorOut()), edits=VISITOR)
def put_visitor(body: people.VisitorDraft) -> Stored:
    """Add a visitor, or change the one with this external id."""
    kept = people.upsert_visitor(session(), body)
    if body.active is False:
        people.let_go(session())
    return Stored.of(kept)


@bp.get("/visitors/<uuid:visitor_id>/credentials")
@endpoint(may=Permission.READ_STAFF, returns=CredentialOut(), order=Keyset(Credential.valid_until, Credential.id))
def list_credentials(visitor_id: uuid.UUID) -> sa.Select[Credential]:
    """A visitor's papers, the first to expire first."""
    return sa.select(Credential).where(Credential.visitor_id == get_by_id(session(), Visitor, visitor_id).id)


@bp.get("/credentials/<uuid:credential_id>")
@endpoint(may=Permission.READ_STAFF, returns=CredentialOut())
def get_credential(credential_id: uuid.UUID) -> Credential:
    """One paper."""
    return get_by_id(session(), Credential, credential_id)


CREDENTIAL = Edited(
    get_credential,
    found=row_named("credential_id", lambda body: people.credential_called(actor().org_id, body.external_id)),
    named=lambda body: body.external_id,
)


@bp.put("/credentials")
@endpoint(may=Permission.CHANGE_STAFF, body=CredentialIn(), returns=stored(CredentialOut()), edits=CREDENTIAL)
def put_credential(body: people.CredentialDraft) -> Stored:
    """Add a paper, or change the one with this external id."""
    return Stored.of(people.upsert_credential(session(), body))


@bp.post("/credentials/<uuid:credential_id>/revocation")
@endpoint(may=Permission.CHANGE_STAFF, returns=CredentialOut())
def revoke_credential(credential_id: uuid.UUID) -> Credential:
    """Take a paper back, from now on. Doing it again changes nothing."""
    return people.revoke_credential(session(), credential_id, now())


@bp.get("/shifts")
@endpoint(
    may=Permission.READ_SHIFTS, query=ShiftsQueryIn(), returns=ShiftOut(), order=Keyset(Shift.starts_at, Shift.id)
)
def list_shifts(query: dict[str, Any]) -> sa.Select[Shift]:
    """Who works when, in which crew."""
    return sa.select(Shift).filter_by(**query)


@bp.get("/shifts/<uuid:work_shift_id>")
@endpoint(may=Permission.READ_SHIFTS, returns=ShiftOut())
def get_shift(work_shift_id: uuid.UUID) -> Shift:
    """One visitor's shift of one day."""
    return get_by_id(session(), Shift, work_shift_id)


SHIFT = Edited(
    get_shift,
    found=row_named("work_shift_id", lambda body: people.shift_on(actor().org_id, body.visitor_id, body.works_on)),
    named=lambda body: (body.visitor_id, body.works_on),
)


@bp.put("/shifts")
@endpoint(may=Permission.CHANGE_SHIFTS, body=ShiftIn(), returns=stored(ShiftOut()), edits=SHIFT)
def put_shift(body: people.ShiftDraft) -> Stored:
    """Set a visitor's shift of one day."""
    return Stored.of(people.upsert_shift(session(), body))
