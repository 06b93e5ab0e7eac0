"""Accesses: who looked at a debtor's data, when and why."""

from typing import Any

import sqlalchemy as sa

from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.accesses import AccessesQueryIn, AccessOut
from fieldvisit import accesses
from fieldvisit.models import DebtorAccess

bp = Blueprint("accesses", __name__, description=__doc__)


@bp.get("/debtor-accesses")
@endpoint(
    may=Permission.READ_ACCESSES,
    query=AccessesQueryIn(),
    returns=AccessOut(),
    order=Keyset(DebtorAccess.at, DebtorAccess.id, descending=True),
)
def list_debtor_accesses(query: dict[str, Any]) -> sa.Select[DebtorAccess]:
    """Who looked, the latest first: one's own people at anybody's debtors, and anybody at one's own debtors.

    Every answer that shows a debtor's data is in it, the phones' as well.
    """
    return accesses.accesses(**query)
