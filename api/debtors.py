"""Debtors: who they are, how and where to reach them, when they do not wish it."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission, allowed
from api.schemas.answers import Stored, stored
from api.schemas.debtors import DebtorFileOut, DebtorIn, DebtorOut, DebtorsQueryIn, WishIn, WishOut
from api.showing import Shows
from fieldvisit import debtors
from fieldvisit.debtor_files import DebtorFile, read_debtor_file
from fieldvisit.finding import get_by_id
from fieldvisit.models import Debtor, Wish

bp = Blueprint("debtors", __name__, url_prefix="/debtors", description=__doc__)


@bp.get("")
@endpoint(
    may=Permission.READ_DEBTORS, query=DebtorsQueryIn(), returns=DebtorOut(), order=Keyset(Debtor.id), shows=Shows.WORK
)
def list_debtors(query: dict[str, Any]) -> sa.Select[Debtor]:
    """Debtors of one's own, and of the cases placed with one's organisation."""
    return sa.select(Debtor).filter_by(**query)


@bp.put("")
@endpoint(may=Permission.CHANGE_DEBTORS, body=DebtorIn(), returns=stored(DebtorOut()))
def put_debtor(body: debtors.DebtorDraft) -> Stored:
    """Add a debtor, or change the one with this external id.

    What is left out stays as it is; contact points and places are added to, never taken away.
    """
    return Stored.of(debtors.upsert_debtor(session(), body))


@bp.get("/<uuid:debtor_id>")
@endpoint(may=Permission.READ_DEBTORS, returns=DebtorFileOut(), shows=Shows.FILE)
def get_debtor(debtor_id: uuid.UUID) -> DebtorFile:
    """The file of one debtor.

    Numbers are shown in full to dispatchers, supervisors and integrators. Every reading is in the audit trail.
    """
    unmasked = allowed(Permission.SEE_CONTACT_POINTS, actor().roles)
    return read_debtor_file(session(), debtor_id, unmasked=unmasked)


@bp.get("/<uuid:debtor_id>/wishes")
@endpoint(may=Permission.READ_DEBTORS, returns=WishOut(), order=Keyset(Wish.id), shows=Shows.WORK)
def list_wishes(debtor_id: uuid.UUID) -> sa.Select[Wish]:
    """The times that a debtor stated."""
    return sa.select(Wish).where(Wish.debtor_id == get_by_id(session(), Debtor, debtor_id).id)


@bp.put("/<uuid:debtor_id>/wishes")
@endpoint(may=Permission.RECORD_WISHES, body=WishIn(), returns=stored(WishOut()), edits=Edited(list_wishes))
def put_wish(debtor_id: uuid.UUID, body: dict[str, Any]) -> Stored:
    """Record a time that the debtor stated. The same one again changes its note at most."""
    debtor = get_by_id(session(), Debtor, debtor_id)
    draft = debtors.WishDraft(debtor_id=debtor.external_id, **body)
    return Stored.of(debtors.state_wish_of(session(), debtor, draft, now(), origin="api"))
