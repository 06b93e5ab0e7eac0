"""The demo's processes: what they are told, whatever the terminal they are started from was told."""

from pathlib import Path

import pytest
from limits import parse

from fieldvisit.demo.processes import demo_environ

MALFORMED_REQUESTS = 1_000


@pytest.fixture
def environ(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Made in a terminal that is set up for an installation of its own."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@elsewhere/real")
    monkeypatch.setenv("RATE_LIMIT", "1/hour")
    return demo_environ(Path("/day"), Path("/day/city.osm.pbf"), 8000)


def test_the_demo_touches_no_database_but_its_own(environ: dict[str, str]) -> None:
    assert ("DATABASE_URL" in environ, environ["DATA_FOLDER"]) == (False, "/day")


def test_a_thousand_malformed_requests_are_answered_each_for_itself(environ: dict[str, str]) -> None:
    limit = parse(environ["RATE_LIMIT"])
    assert (limit.amount > MALFORMED_REQUESTS, limit.get_expiry()) == (True, 60)
