"""Every kind of file that can be imported, by name."""

from collections.abc import Mapping
from typing import Any

from fieldvisit.imports import cases, consents, contacts, credentials, payments, shifts, visitors, wishes
from fieldvisit.imports.readers import Reader

READERS: Mapping[str, Reader[Any]] = {
    reader.kind: reader
    for reader in (
        cases.READER,
        contacts.READER,
        visitors.READER,
        shifts.READER,
        credentials.READER,
        payments.READER,
        wishes.READER,
        consents.READER,
    )
}
KINDS = tuple(READERS)
