"""Promises to pay: which are due, which were kept, and what is to follow where they were not."""

from typing import Any

import sqlalchemy as sa

from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.promises import PromisesQueryIn, PromiseStandingOut
from api.showing import Shows
from fieldvisit import promises
from fieldvisit.models import Promise

bp = Blueprint("promises", __name__, description=__doc__)


@bp.get("/promises")
@endpoint(
    may=Permission.READ_REPORTS,
    query=PromisesQueryIn(),
    returns=PromiseStandingOut(),
    order=Keyset(Promise.due_on, Promise.id),
    shows=Shows.WORK,
)
def list_promises(query: dict[str, Any]) -> sa.Select[Promise]:
    """The promises that were made at doors, the earliest due first."""
    return promises.promises_where(**query)
