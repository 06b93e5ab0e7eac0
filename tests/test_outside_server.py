"""What the database has to do with runs the same on a server that is not our own, with other defaults than ours."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from fieldvisit import embedded

ROOT = Path(__file__).parent.parent
# Where the database decides something: rights, races, zones, partitions, locks.
DECIDED_THERE = (
    "tests/test_migrations.py",
    "tests/test_row_level_security.py",
    "tests/test_gate.py",
    "tests/test_blocks.py",
    "tests/test_across_organisations.py",
    "tests/test_placements.py",
    "tests/phone",
    "tests/reports",
    "tests/planning/test_publishing.py",
    "tests/safety/test_engine.py",
)


@pytest.mark.long
def test_the_same_tests_pass_on_a_server_with_foreign_defaults() -> None:
    folder = Path(tempfile.mkdtemp(prefix="fieldvisit-outside-"))
    folder.chmod(0o755)
    server = embedded.start(folder, forgetful=True)
    try:
        with server.connect() as connection:
            connection.execute("alter system set timezone = 'Asia/Shanghai'")
            connection.execute("alter system set datestyle = 'German, DMY'")
            connection.execute("alter system set default_transaction_isolation = 'repeatable read'")
            connection.execute("select pg_reload_conf()")
        url = server.url("postgres", "postgres").replace("+psycopg", "")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *DECIDED_THERE],
            cwd=ROOT,
            env=os.environ | {"TEST_DATABASE_URL": url},
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        embedded.stop(folder)
        shutil.rmtree(folder, ignore_errors=True)
    assert done.returncode == 0, done.stdout[-3_000:]
