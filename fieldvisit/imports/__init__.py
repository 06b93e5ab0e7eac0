"""Files from outside (CSV, XLSX): cases, contact attempts, visitors, shifts, papers, payments, wishes and consents."""

from fieldvisit.imports.importing import ImportResult, Progress, import_file
from fieldvisit.imports.kinds import KINDS, READERS
from fieldvisit.imports.rows import RowFault
from fieldvisit.imports.tables import UnusableFile

__all__ = ["KINDS", "READERS", "ImportResult", "Progress", "RowFault", "UnusableFile", "import_file"]
