"""The statements that a running server really sends for one request, with their values, as its database logs them."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from fieldvisit import embedded
from tests.processes import wait_until

RECORD = re.compile(
    r"^\S+ \S+ \S+ \[\d+\] (?P<role>\S+)@(?P<database>\S+) (?P<kind>[A-Z]+):  (?P<said>.*)\Z", re.DOTALL
)
EXECUTED = re.compile(r"(?:statement|execute [^:]+): (?P<text>.*)\Z", re.DOTALL)
VALUE = re.compile(r"\$(\d+) = (NULL|'(?:[^']|'')*')")
PREFIX = "%m [%p] %u@%d "


@dataclass
class Statement:
    """`values` are those of $1, $2 and so on; None is null."""

    text: str
    values: list[str | None]


def transaction_of(server: embedded.Server, app_url: str, *, told: Callable[[], object]) -> list[Statement]:
    """What is asked of the database between begin and commit while `told` is called, once it was called before.

    The connections of the role are ended at both ends, since only new ones learn that they are logged: whoever holds
    some has to make new ones by themselves, as the product does.
    """
    database = make_url(app_url).database or ""
    log = Path(server.folder) / "cluster" / "server.log"
    with server.connect() as superuser, logged(superuser, database):
        told()
        wait_until(lambda: _ended(_records(log.read_text(), database)))
        before = len(log.read_text())
        told()
        wait_until(lambda: _ended(_records(log.read_text()[before:], database)))
        found = _records(log.read_text()[before:], database)
    begins = [place for place, one in enumerate(found) if one.text.upper().startswith("BEGIN")]
    assert len(begins) == 1, [one.text for one in found]
    return found[begins[0] + 1 : next(place for place, one in enumerate(found) if one.text.upper() == "COMMIT")]


@contextmanager
def logged(superuser: psycopg.Connection, database: str) -> Iterator[None]:
    """Let every statement of the application's role in this database be logged."""
    role = sql.SQL("alter role {} in database {} ").format(sql.Identifier(embedded.APP), sql.Identifier(database))
    superuser.execute(sql.SQL("alter system set log_line_prefix = {}").format(sql.Literal(PREFIX)))
    superuser.execute(role + sql.SQL("set log_statement = 'all'"))
    _begin_anew(superuser, database)
    try:
        yield
    finally:
        superuser.execute(role + sql.SQL("reset log_statement"))
        superuser.execute("alter system reset log_line_prefix")
        _begin_anew(superuser, database)


def _begin_anew(superuser: psycopg.Connection, database: str) -> None:
    superuser.execute("select pg_reload_conf()")
    superuser.execute(
        "select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = %s and usename = %s",
        (database, embedded.APP),
    )


def _ended(found: list[Statement]) -> bool:
    return any(one.text.upper() == "COMMIT" for one in found)


def _records(text: str, database: str) -> list[Statement]:
    found: list[Statement] = []
    for part in re.split(r"^(?=\d{4}-\d\d-\d\d )", text, flags=re.MULTILINE):
        record = RECORD.match(part.rstrip("\n").replace("\n\t", "\n"))
        if record is None or (record["role"], record["database"]) != (embedded.APP, database):
            continue
        if record["kind"] == "LOG" and (executed := EXECUTED.match(record["said"])):
            found.append(Statement(executed["text"].strip(), []))
        elif record["kind"] == "DETAIL" and found:
            values = sorted((int(number), value) for number, value in VALUE.findall(record["said"]))
            found[-1].values = [None if value == "NULL" else value[1:-1].replace("''", "'") for _, value in values]
    return found
