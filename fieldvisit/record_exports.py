"""A record as a table, for whoever reads tables."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fieldvisit.visit_records import VisitRecord

HEADERS = ("path", "value")
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A spreadsheet takes what begins so for a formula, in Chinese the wide signs too, and a debtor's words may."""


def record_as_csv(record: VisitRecord) -> str:
    """One line for each value: ``report.promises.0.due_on,2026-03-20``. The last line is the hash of the JSON form."""
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\r\n")
    lines.writerow(HEADERS)
    lines.writerows((path, _shown(value)) for path, value in leaves(record.content))
    lines.writerow(("sha256", record.sha256))
    return out.getvalue()


def leaves(content: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in it that holds no others, with its path; an empty list or object is a value too."""
    inner: Mapping[Any, Any] | None = None
    if isinstance(content, Mapping):
        inner = content
    elif isinstance(content, Sequence) and not isinstance(content, str):
        inner = dict(enumerate(content))
    if not inner:
        yield path, content
        return
    for name, value in inner.items():
        yield from leaves(value, f"{path}.{name}" if path else str(name))


def _shown(value: Any) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(FORMULA) else text
