"""The words of the tus protocol (1.0.0, resumable uploads): its headers, read and written. No rule of ours is here."""

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from flask import Response, request

from fieldvisit.errors import FieldVisitError, InvalidValue, Kind

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,checksum"
ALGORITHMS = ("sha256", "sha1")
PARTS = "application/offset+octet-stream"
RESUMABLE, OFFSET, LENGTH, METADATA = "Tus-Resumable", "Upload-Offset", "Upload-Length", "Upload-Metadata"
CHECKSUM = "Upload-Checksum"
LOCATION = "Location"

SAID: Mapping[str, str] = {
    RESUMABLE: "the version of the protocol: 1.0.0",
    OFFSET: "where the part begins",
    LENGTH: "bytes of the whole file",
    METADATA: "pairs of a name and its value in base64, with commas between them",
    CHECKSUM: "of the part: sha256 or sha1, and the digest in base64",
}
TOLD: Mapping[str, Mapping[str, Any]] = {
    RESUMABLE: {"description": SAID[RESUMABLE], "schema": {"type": "string"}, "example": VERSION},
    LOCATION: {
        "description": "where the file is sent to",
        "schema": {"type": "string", "format": "uri"},
        "example": "https://visits.example.org/phone/evidence/018f2c5e-7c1a-7d3e-9b0a-3f5d1c2b4a69",
    },
    OFFSET: {
        "description": "so many bytes of the file are here",
        "schema": {"type": "integer", "minimum": 0},
        "example": 262144,
    },
    LENGTH: {"description": SAID[LENGTH], "schema": {"type": "integer", "minimum": 1}, "example": 1048576},
}

CUSTOMARY = frozenset({"filename", "filetype", "name", "type", "contentType", "relativePath"})
"""What tus clients tell of every file, whether anybody asks or not: names by which nothing here is ever called."""


def named(*names: str) -> tuple[Mapping[str, Any], ...]:
    """These headers, as the document names them. Each is judged when it is read, so none is called needed here."""
    return tuple(
        {"in": "header", "name": name, "required": False, "description": SAID[name], "schema": {"type": "string"}}
        for name in names
    )


def telling(*names: str) -> Mapping[str, Mapping[str, Any]]:
    """These headers of an answer, as the document names them."""
    return {name: TOLD[name] for name in names}


class ChecksumDiffers(FieldVisitError):
    """The protocol has a number of its own for it."""

    code, kind = "checksum_differs", Kind.INVALID
    says = "The part is not what its checksum says. Nothing of it was kept: send it again."
    status: ClassVar[int] = 460


class TusVersion(FieldVisitError):
    code, kind = "tus_version", Kind.INVALID
    says = "This server speaks version {version} of the tus protocol; say so in the header Tus-Resumable."
    status: ClassVar[int] = 412


def demand_version() -> None:
    if request.headers.get(RESUMABLE) != VERSION:
        raise TusVersion(version=VERSION)


def number(name: str) -> int:
    """A header that is a whole number."""
    given = request.headers.get(name, "")
    if not given.isascii() or not given.isdigit() or len(given) > 15:
        raise InvalidValue(path=name, reason="is empty, but needed" if not given else "must be a whole number")
    return int(given)


def metadata(*, besides: Collection[str] = ()) -> Mapping[str, str]:
    """The pairs of Upload-Metadata, decoded; of those `besides` nothing is read. A name without a value is empty."""
    found = {}
    for pair in request.headers.get(METADATA, "").split(","):
        name, _, value = pair.strip().partition(" ")
        if not name or name in besides:
            continue
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError) as error:
            raise InvalidValue(path=METADATA, reason="must be pairs of a name and a value in base64") from error
    return found


def demand_checksum(content: bytes) -> None:
    """Raise ChecksumDiffers for a part that is not what its header says, InvalidValue for an algorithm not known."""
    given = request.headers.get(CHECKSUM)
    if given is None:
        return
    algorithm, _, stated = given.partition(" ")
    if algorithm not in ALGORITHMS:
        raise InvalidValue(path=CHECKSUM, reason="must be sha256 or sha1")
    found = hashlib.new(algorithm, content, usedforsecurity=False).digest()
    if base64.b64encode(found).decode() != stated.strip():
        raise ChecksumDiffers()


def answer(status: int, **headers: object) -> Response:
    """`Upload_Offset=5` becomes the header Upload-Offset."""
    response = Response(status=status)
    response.headers[RESUMABLE] = VERSION
    response.headers["Cache-Control"] = "no-store"
    for name, value in headers.items():
        response.headers[name.replace("_", "-")] = str(value)
    return response
