"""What was measured, gathered in slices into one JSON file."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass(kw_only=True)
class Run:
    """One solver on one case with one seed. `cost` is None where the solver refused the case: see `refused`."""

    case: str
    family: str
    solver: str
    seed: int
    limit_s: float
    threads: int
    processor: bool = False
    cost: int | None = None
    mandatory_left: int = 0
    left: int = 0
    seconds: float = 0.0
    cpu_s: float = 0.0
    peak_mb: int = 0
    load: float = 0.0
    version: str = ""
    note: str = ""
    best_known: int | None = None
    refused: str = ""
    faults: list[str] = field(default_factory=list)
    trace: list[tuple[float, int]] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, str, int, float]:
        return self.case, self.solver, self.seed, self.limit_s

    @property
    def lawful(self) -> bool:
        return self.cost is not None and not self.faults and self.mandatory_left == 0


class Results:
    """The runs in a file; a run measured again replaces the old one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.runs: dict[tuple[str, str, int, float], Run] = {}
        if path.is_file():
            for fields in json.loads(path.read_text())["runs"]:
                run = Run(**_read(fields))
                self.runs[run.key] = run

    def keep(self, run: Run) -> None:
        """Add a run and write the file anew; a crash leaves the old file or the new one."""
        self.runs[run.key] = run
        text = json.dumps({"runs": [asdict(each) for each in self.runs.values()]}, indent=1)
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.path)


def _read(fields: dict[str, Any]) -> dict[str, Any]:
    return fields | {"trace": [(at, cost) for at, cost in fields["trace"]]}
