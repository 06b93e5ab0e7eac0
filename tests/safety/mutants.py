"""Ways to lose an alarm, each put into a copy of the product: a named test has to notice.

python -m tests.safety.mutants [NAME ...]     prints the table; exit 0 when every mutant was noticed
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
PATIENCE_S = 1_800
EVERY_STATE = "tests/safety/test_every_state.py::test_no_state_that_can_be_reached_forgets_anybody"


@dataclass(frozen=True)
class Mutant:
    """`file` is changed from `right` to `wrong`; `tests` have to turn red."""

    name: str
    file: str
    right: str
    wrong: str
    tests: tuple[str, ...]
    environ: tuple[tuple[str, str], ...] = ()


MUTANTS = (
    Mutant(
        "no generation guard",
        "fieldvisit/safety/firing.py",
        "    and s.generation = given.generation\n",
        "    and given.generation > 0\n",
        ("tests/safety/test_engine.py::test_a_decision_read_before_a_check_in_comes_too_late",),
    ),
    Mutant(
        "the transaction split in two",
        "fieldvisit/safety/firing.py",
        "        open_alerts(session, [",
        "        session.commit()\n        open_alerts(session, [",
        ("tests/safety/test_atomic.py",),
    ),
    Mutant(
        "marked as sent before it is sent",
        "fieldvisit/safety/sending.py",
        "        handed = self._channels.hand_over(job.letter, last=job.claimed.last)\n",
        "        from fieldvisit.outgoing.gateways import Handed\n"
        '        self.record([Sent(job.claimed, Handed(provider="early"), 2)])\n'
        "        handed = self._channels.hand_over(job.letter, last=job.claimed.last)\n",
        (
            "tests/safety/test_atomic.py",
            "tests/safety/test_outbox.py::test_nothing_is_given_up_while_the_alert_is_open",
        ),
    ),
    Mutant(
        "three attempts and no more",
        "fieldvisit/outgoing/leases.py",
        "            table.c.next_try_at <= now,\n",
        "            table.c.next_try_at <= now,\n            table.c.attempts < 3,\n",
        ("tests/safety/test_outbox.py::test_a_message_that_was_refused_many_times_is_still_tried",),
    ),
    Mutant(
        "an acknowledgement that never lapses",
        "fieldvisit/safety/alerts.py",
        "            next_action_at=until,\n",
        "            next_action_at=sa.null(),\n",
        (f"{EVERY_STATE}[two officers and an alert]",),
        (("EXPLORE", "30"),),
    ),
    Mutant(
        "no generation guard, among all states",
        "fieldvisit/safety/firing.py",
        "    and s.generation = given.generation\n",
        "    and given.generation > 0\n",
        (f"{EVERY_STATE}[silence: check-ins against two engines]",),
        (("EXPLORE", "250"),),
    ),
    Mutant(
        "the clock of the process decides",
        "fieldvisit/clock.py",
        "    return sa.func.fieldvisit_now(type_=sa.DateTime(timezone=True))\n",
        "    return sa.func.to_timestamp(sa.literal(__import__('time').time()), type_=sa.DateTime(timezone=True))\n",
        ("tests/safety/test_engine.py::test_a_missed_check_in_is_raised_when_the_grace_runs_out_and_not_before",),
    ),
)


def noticed(mutant: Mutant) -> list[str]:
    """The tests that turned red over this mutant."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        copy = Path(folder)
        for name in ("fieldvisit", "api", "routing", "tests", "docs"):
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", "*.pbf"))
        for name in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / name, copy / name)
        changed = copy / mutant.file
        text = changed.read_text()
        if text.count(mutant.right) != 1:
            raise SystemExit(f"{mutant.name}: what it would change is not there any more, or not only once")
        changed.write_text(text.replace(mutant.right, mutant.wrong))
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rfE", *mutant.tests],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), **dict(mutant.environ)},
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
    red = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return [line.split("::")[-1] for line in red]


def main() -> int:
    survived = 0
    print("| mutant | noticed by |\n|---|---|")
    for mutant in [each for each in MUTANTS if not sys.argv[1:] or each.name in sys.argv[1:]]:
        red = noticed(mutant)
        survived += not red
        said = "<br>".join(f"`{name}`" for name in red) if red else "**nobody**"
        print(f"| {mutant.name} | {said} |", flush=True)
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
