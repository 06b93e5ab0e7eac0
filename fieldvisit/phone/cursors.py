"""What a phone has, as a text that it keeps for us: each thing's name and a digest of its contents.

The phone's own cursor says all that is needed to tell it what has changed since, after any gap, on any of its devices,
and nothing has to be stored or cleaned up here. A cursor that is not understood counts as none.
"""

import base64
import binascii
import hashlib
import json
import uuid
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fieldvisit.compliance.decision import plain

VERSION = 1
DIGEST_BYTES = 6
LONGEST = 3_800
"""Servers take an address of some four thousand characters."""


class ItemKind(StrEnum):
    ROUTE = "route"
    VISIT = "visit"
    HELD = "held"
    FORM = "form"


KINDS = tuple(ItemKind)
type Name = tuple[ItemKind, uuid.UUID]
type Known = Mapping[Name, bytes]
_ENTRY = 1 + 16 + DIGEST_BYTES


def digest_of(item: object, salt: str) -> bytes:
    """Of everything that the phone is told of it; `salt` is what else the wording depends on."""
    told: Any = plain(item)
    return hashlib.sha256(json.dumps([salt, told], sort_keys=True, default=str).encode()).digest()[:DIGEST_BYTES]


def written(known: Known) -> str:
    """The cursor; empty where it would be too long, so that the phone gets everything the next time."""
    entries = [bytes([KINDS.index(kind)]) + id_.bytes + digest for (kind, id_), digest in sorted(known.items())]
    text = base64.urlsafe_b64encode(bytes([VERSION]) + b"".join(entries)).decode().rstrip("=")
    return text if len(text) <= LONGEST else ""


def read(cursor: str) -> Known | None:
    """What the phone has; None for what is no cursor of ours."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    version, entries = raw[:1], raw[1:]
    if version != bytes([VERSION]) or len(entries) % _ENTRY:
        return None
    known = {}
    for start in range(0, len(entries), _ENTRY):
        kind, id_, digest = entries[start], entries[start + 1 : start + 17], entries[start + 17 : start + _ENTRY]
        if kind >= len(KINDS):
            return None
        known[KINDS[kind], uuid.UUID(bytes=id_)] = digest
    return known
