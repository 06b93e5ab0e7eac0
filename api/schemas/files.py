"""Files on the wire: their content in base64 on the way in, a short-lived link on the way out."""

from marshmallow import fields

from api.schemas.base import In, Out
from api.schemas.fields import Base64, Choice, Id, Instant
from fieldvisit.vocabulary import FileKind

MOST_BYTES = 5 * 2**20


class FileIn(In):
    """The content itself; what it is is judged by its bytes."""

    content = Base64(most_bytes=MOST_BYTES, required=True)


class StoredFileOut(Out):
    """A file that is kept. `digest` is the SHA-256 of what was sent, or for a photo of what was made of it."""

    id = Id(required=True)
    digest = fields.String(required=True)
    kind = Choice(FileKind, required=True)
    size_bytes = fields.Integer(required=True)
    created_at = Instant(required=True)


class FileLinkOut(Out):
    """Opened without a token until it expires; whoever has it can open it."""

    url = fields.String(required=True)
    expires_at = Instant(required=True)


class FileAccessOut(Out):
    id = Id(required=True)
    account_id = Id(required=True, metadata={"description": "to whom the link had been given"})
    at = Instant(required=True)
