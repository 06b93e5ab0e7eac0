"""Files from outside: cases, contact attempts, visitors, shifts, credentials, payments and wishes, as CSV or XLSX."""

from fieldvisit.imports.importing import ImportResult, Progress, import_file
from fieldvisit.imports.kinds import KINDS, READERS
from fieldvisit.imports.rows import RowFault
from fieldvisit.imports.tables import UnusableFile

__all__ = ["KINDS", "READERS", "ImportResult", "Progress", "RowFault", "UnusableFile", "import_file"]
