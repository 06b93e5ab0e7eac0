"""A process that gathers its memory has huge pages where the system gives them, and goes on as before where not."""

import subprocess
import sys
from pathlib import Path

import pytest

from api.huge_pages import SIZE, free_bytes

ENABLED = SIZE.parent / "enabled"
HELD = """
from pathlib import Path
from api.huge_pages import gather_memory
held = [str(number) * 10 for number in range(500_000)]
gathered = gather_memory()
assert held[-1] == "499999" * 10
rollup = Path("/proc/self/smaps_rollup").read_text()
print("seen", gathered, rollup.split("AnonHugePages:")[1].split()[0])
"""


def given() -> bool:
    return ENABLED.exists() and "[never]" not in ENABLED.read_text()


@pytest.mark.skipif(not given(), reason="this system gives no huge pages")
def test_what_is_held_is_held_in_huge_pages() -> None:
    told = subprocess.run([sys.executable, "-c", HELD], capture_output=True, text=True, check=True, cwd=Path.cwd())
    gathered, kilobytes = map(int, told.stdout.partition("seen")[2].split())
    # Each that was gathered is one: fewer would be pages that the system has taken apart again.
    assert kilobytes * 1024 >= gathered * int(SIZE.read_text()) > 0


@pytest.mark.parametrize(
    ("limit", "taken", "free"),
    [(None, 0, 4_000_000), ("max", 9, 4_000_000), ("1500000", 1_000_000, 500_000), ("9000000", 1_000_000, 4_000_000)],
)
def test_a_container_has_no_more_than_it_is_given(tmp_path: Path, limit: str | None, taken: int, free: int) -> None:
    memory = tmp_path / "meminfo"
    memory.write_text(f"MemTotal: 1000 kB\nMemFree: 10 kB\nMemAvailable:    {4_000_000 // 1024} kB\n")
    if limit is not None:
        (tmp_path / "memory.max").write_text(limit)
        (tmp_path / "memory.current").write_text(str(taken))
    assert free_bytes(memory, tmp_path) == pytest.approx(free, abs=1024)
