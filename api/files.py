"""Files: scanned papers and portraits, handed out by links that live for minutes. Who looked is kept."""

import uuid
from typing import Any

import sqlalchemy as sa
from flask import Response

from api.addresses import public_address
from api.auth import actor
from api.context import now, request_id, runtime, settings
from api.db import session
from api.endpoints import endpoint
from api.openapi import Blueprint
from api.paging import Keyset
from api.roles import PUBLIC, Permission
from api.schemas.files import FileAccessOut
from fieldvisit import files
from fieldvisit.evidence_looks import note_opening
from fieldvisit.finding import get_by_id
from fieldvisit.models import FileAccess, StoredFile

bp = Blueprint("files", __name__, url_prefix="/files", description=__doc__)
# Whatever a file holds, it runs nothing and loads nothing where it is looked at.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; sandbox"


@bp.get("/<string:token>")
@endpoint(may=PUBLIC, sees_all=True, media="application/octet-stream")
def open_file(token: str) -> Response:
    """The file behind a link that was asked for a moment ago; its opening is recorded."""
    opened = files.open_link(session(), runtime().files, token, key=settings().token_key, now=now())
    note_opening(session(), opened.file.id, opened.account_id, request_id=request_id(), now=now())
    response = Response(opened.content, mimetype=opened.media)
    shown = "inline" if opened.file.kind in files.IMAGES else "attachment"
    response.headers["Content-Disposition"] = f'{shown}; filename="{opened.file.id}.{opened.file.kind}"'
    response.headers["Content-Security-Policy"] = CONTENT_POLICY
    return response


@bp.get("/<uuid:file_id>/accesses")
@endpoint(
    may=Permission.READ_AUDIT,
    returns=FileAccessOut(),
    order=Keyset(FileAccess.at, FileAccess.id, descending=True),
)
def list_file_accesses(file_id: uuid.UUID) -> sa.Select[FileAccess]:
    """Who looked at a file, and when; the newest first."""
    return files.accesses_of(get_by_id(session(), StoredFile, file_id).id)


def link_to(file: StoredFile) -> dict[str, Any]:
    """What the caller opens the file with."""
    return link_for(file.id)


def link_for(file_id: uuid.UUID) -> dict[str, Any]:
    """The same for a file that is only known by its id: a lender's, of the agency that went."""
    link = files.link_to(file_id, key=settings().token_key, account_id=actor().account_id, now=now())
    return {"url": public_address(f"/files/{link.token}"), "expires_at": link.expires_at}
