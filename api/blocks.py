"""Contact blocks: reasons to leave somebody alone. Filing one cancels, at once, every visit that it stops."""

import uuid
from typing import Any

import sqlalchemy as sa

from api.auth import actor
from api.context import now
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import Permission
from api.schemas.blocks import BlockIn, BlockOut, BlocksQueryIn, FiledOut, LiftIn
from api.showing import Shows
from fieldvisit import blocks
from fieldvisit.finding import get_by_id
from fieldvisit.models import ContactBlock, Debtor

bp = Blueprint("blocks", __name__, url_prefix="/blocks", description=__doc__)


@bp.post("")
@endpoint(may=Permission.FILE_BLOCKS, body=BlockIn(), returns=FiledOut(), status=201)
def file_block(body: blocks.BlockDraft) -> dict[str, Any]:
    """File a contact block; the visits it cancelled are named.

    The same external id for the same again changes nothing while that block stands; for something else, or once the
    block is over, it is refused.
    """
    block, cancelled = blocks.file_block(session(), body, filed_by_id=actor().account_id, now=now())
    return {"block": block, "cancelled_visit_ids": [visit.id for visit in cancelled]}


@bp.get("")
@endpoint(
    may=Permission.READ_BLOCKS,
    query=BlocksQueryIn(),
    returns=BlockOut(),
    order=Keyset(ContactBlock.since_at, ContactBlock.id, descending=True),
    shows=Shows.WORK,
)
def list_blocks(query: dict[str, Any]) -> sa.Select[ContactBlock]:
    """Every block of a debtor, lifted ones too, newest first."""
    return blocks.blocks_of(get_by_id(session(), Debtor, query["debtor_id"]).id)


@bp.post("/<uuid:block_id>/lift")
@endpoint(may=Permission.LIFT_BLOCKS, body=LiftIn(), returns=BlockOut(), shows=Shows.WORK)
def lift_block(block_id: uuid.UUID, body: dict[str, Any]) -> ContactBlock:
    """End a block, as one whose role may lift blocks of its reason. The visits it cancelled stay cancelled.

    The gate opens new ones if the policy lets it.
    """
    lifter = blocks.Lifter(account_id=actor().account_id, roles=actor().roles, reason=body["reason"])
    return blocks.lift_block(session(), block_id, now=now(), by=lifter)


@bp.post("/<uuid:block_id>/renewal")
@endpoint(may=Permission.FILE_BLOCKS, returns=BlockOut(), shows=Shows.WORK)
def renew_block(block_id: uuid.UUID) -> ContactBlock:
    """Let the rest after an occasion begin anew at its end, as often as the policy lets it."""
    return blocks.renew_block(session(), block_id, now=now())
