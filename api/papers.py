"""What belongs to a visitor's papers as a file: the scanned paper, and the portrait that a debtor is shown."""

import uuid
from typing import Any

from api.context import runtime
from api.db import session
from api.editing import Edited
from api.endpoints import endpoint
from api.files import link_to
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.files import FileIn, FileLinkOut, StoredFileOut
from api.visitors import get_credential, get_visitor
from fieldvisit import papers
from fieldvisit.models import Credential, StoredFile, Visitor

bp = Blueprint("papers", __name__, description=__doc__)


@bp.put("/visitors/<uuid:visitor_id>/photo")
@endpoint(may=Permission.CHANGE_STAFF, body=FileIn(), returns=StoredFileOut(), edits=Edited(get_visitor))
def put_photo(visitor_id: uuid.UUID, body: dict[str, Any]) -> StoredFile:
    """Set a visitor's portrait: JPEG, PNG or WebP, at least 120 pixels each way.

    It is made small and freed from what the camera wrote beside it; only that is kept.
    """
    return papers.put_photo(session(), runtime().files, visitor_id, body["content"])


@bp.delete("/visitors/<uuid:visitor_id>/photo")
@endpoint(may=Permission.CHANGE_STAFF, status=204, edits=Edited(get_visitor))
def remove_photo(visitor_id: uuid.UUID) -> None:
    """Show no portrait of the visitor any more."""
    papers.remove_photo(session(), visitor_id)


@bp.post("/visitors/<uuid:visitor_id>/photo/links")
@endpoint(may=Permission.READ_STAFF, returns=FileLinkOut(), status=201)
def link_photo(visitor_id: uuid.UUID) -> dict[str, object]:
    """A link that shows the portrait, for five minutes."""
    return link_to(papers.file_of(session(), Visitor, visitor_id))


@bp.put("/credentials/<uuid:credential_id>/file")
@endpoint(may=Permission.CHANGE_STAFF, body=FileIn(), returns=StoredFileOut(), edits=Edited(get_credential))
def put_paper(credential_id: uuid.UUID, body: dict[str, Any]) -> StoredFile:
    """Keep the scanned paper: PDF, JPEG, PNG or WebP. Another one takes its place; the earlier content stays kept."""
    return papers.put_paper(session(), runtime().files, credential_id, body["content"])


@bp.post("/credentials/<uuid:credential_id>/file/links")
@endpoint(may=Permission.READ_STAFF, returns=FileLinkOut(), status=201)
def link_paper(credential_id: uuid.UUID) -> dict[str, object]:
    """A link that shows the scanned paper, for five minutes."""
    return link_to(papers.file_of(session(), Credential, credential_id))
