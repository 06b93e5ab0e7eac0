"""A process that imports attempts and says how far it is; made to be killed. Arguments: organisation, file."""

import sys
import uuid
from pathlib import Path

from fieldvisit.database import app_engine, database_urls, session_factory
from fieldvisit.imports import import_file
from fieldvisit.settings import read_settings
from tests.conftest import NOW


def run(org_id: str, path: str) -> None:
    settings = read_settings()
    sessions = session_factory(app_engine(database_urls(settings).app, settings))
    import_file(
        sessions,
        uuid.UUID(org_id),
        "contacts",
        Path(path),
        now=NOW,
        geocoder=None,
        on_progress=lambda done, total: print(done, flush=True),
    )


if __name__ == "__main__":
    run(*sys.argv[1:])
