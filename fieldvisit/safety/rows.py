"""Many rows in one statement: as one JSON document, which PostgreSQL unpacks by `jsonb_to_recordset`.

A statement a row would cost more than what it does: a thousand alarms may be due in one second.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Mapping


def packed(rows: Iterable[Mapping[str, object]]) -> str:
    """The rows as JSON: instants to the microsecond, ids as text, bytes as hexadecimal digits."""
    return json.dumps([*rows], default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, uuid.UUID):
        return str(value)
    raise TypeError(type(value).__name__)
