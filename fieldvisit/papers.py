"""The files of a visitor's papers: the scan of each, and the portrait."""

import uuid

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import NotFound
from fieldvisit.files import IMAGES, FileStore, keep_file, terms_for
from fieldvisit.finding import get_by_id
from fieldvisit.models import Credential, StoredFile, Visitor
from fieldvisit.photos import TAKES, portrait
from fieldvisit.vocabulary import FileKind

SCANS = terms_for(IMAGES | {FileKind.PDF}, most_mb=5)


def put_photo(session: Session, store: FileStore, visitor_id: uuid.UUID, content: bytes) -> StoredFile:
    """Make a portrait of the photo and show it from now on. Raises FileTooLarge, FileNotTaken, PhotoUnusable."""
    visitor = get_by_id(session, Visitor, visitor_id)
    file = keep_file(session, store, portrait(content), TAKES)
    before, visitor.photo_id = visitor.photo_id, file.id
    _let_go(session, before, file)
    return file


def remove_photo(session: Session, visitor_id: uuid.UUID) -> None:
    visitor = get_by_id(session, Visitor, visitor_id)
    before, visitor.photo_id = visitor.photo_id, None
    _let_go(session, before, None)


def put_paper(session: Session, store: FileStore, credential_id: uuid.UUID, content: bytes) -> StoredFile:
    """Keep the scan of a paper. Raises FileTooLarge, FileNotTaken."""
    credential = get_by_id(session, Credential, credential_id)
    file = keep_file(session, store, content, SCANS)
    before, credential.file_id = credential.file_id, file.id
    _let_go(session, before, file)
    return file


def _let_go(session: Session, before: uuid.UUID | None, after: StoredFile | None) -> None:
    """Another took its place: from now on its days are counted, unless it is in use elsewhere."""
    session.flush()
    if before is not None and (after is None or after.id != before):
        session.get_one(StoredFile, before).unused_since = sa.func.fieldvisit_now()
        session.flush()


def file_of(session: Session, owner: type[Visitor] | type[Credential], owner_id: uuid.UUID) -> StoredFile:
    """The portrait of a visitor, or the scan of a paper. Raises NotFound for one that is not there, or has none."""
    found = get_by_id(session, owner, owner_id)
    file_id = found.photo_id if isinstance(found, Visitor) else found.file_id
    if file_id is None:
        raise NotFound(what="stored file", id=owner_id)
    return get_by_id(session, StoredFile, file_id)
