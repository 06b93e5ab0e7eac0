"""`python -m routing.benchmark run | report | day`: measure in slices, tell what was measured, write a made-up day."""

import argparse
import sys
import time
from collections.abc import Sequence
from fnmatch import fnmatch
from pathlib import Path

from routing.benchmark.cases import PROFILES, Case, cases
from routing.benchmark.days import LANDS, DayShape, field_day
from routing.benchmark.picture import picture
from routing.benchmark.report import detail, table
from routing.benchmark.results import Results, Run
from routing.format import problem_to_json


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = _parser().parse_args(arguments)
    return int(asked.run(asked))


def _run(asked: argparse.Namespace) -> int:
    # The solvers take a second to load: not for a report.
    from routing.benchmark.running import Cores, measure

    results = Results(asked.results)
    wanted = _wanted(asked, results)
    print(f"{len(wanted)} runs, {sum(case.seconds for case, *_ in wanted) / 60:.0f} minutes of search")

    def keep(run: Run) -> None:
        results.keep(run)
        detail([run], lambda line: print(line, flush=True))

    until = None if asked.minutes is None else time.monotonic() + 60 * asked.minutes
    done = measure(wanted, Cores(asked.threads, asked.processor), keep, until)
    if done < len(wanted):
        print(f"{len(wanted) - done} runs are left for the next slice")
    return _report(asked)


def _wanted(asked: argparse.Namespace, results: Results) -> list[tuple[Case, str, int]]:
    """What is not measured yet, one solver right after the other, so that each case meets the same load."""
    return [
        (case, solver, seed)
        for case in cases(asked.profile, asked.instances)
        for seed in case.seeds
        for solver in case.solvers
        if (asked.case is None or fnmatch(case.name, asked.case))
        and (asked.solver is None or solver in asked.solver)
        and (asked.again or (case.name, solver, seed, case.seconds) not in results.runs)
    ]


def _report(asked: argparse.Namespace) -> int:
    runs = list(Results(asked.results).runs.values())
    if asked.detail:
        detail(runs, print)
    print(table(runs))
    if asked.picture is not None:
        asked.picture.write_text(picture(runs))
    return 0


def _day(asked: argparse.Namespace) -> int:
    shape = DayShape(
        style=asked.style,
        visits=asked.visits,
        seed=asked.seed,
        breaks=asked.breaks,
        pairs=asked.pairs,
        split=asked.split,
    )
    sys.stdout.write(problem_to_json(field_day(shape)) + "\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m routing.benchmark", description="Measure the solver.")
    commands = parser.add_subparsers(required=True)
    run, report = commands.add_parser("run", help="measure what is missing"), commands.add_parser("report")
    for command in (run, report):
        command.add_argument("--results", type=Path, default=Path("benchmark.json"))
        command.add_argument("--picture", type=Path, help="where to draw the gap over time (SVG)")
        command.add_argument("--detail", action="store_true", help="a line for each run")
    run.add_argument("--profile", choices=PROFILES, default="quick")
    run.add_argument("--instances", type=Path, help="a folder of public instances with its bks.csv")
    run.add_argument("--threads", type=int, default=2)
    run.add_argument("--processor", action="store_true", help="count processor seconds, on a machine that is shared")
    run.add_argument("--minutes", type=float, help="stop after this slice; run again for the next")
    run.add_argument("--case", help="only cases whose name is like this, such as city-300-*")
    run.add_argument("--solver", action="append", help="only this solver; may be given several times")
    run.add_argument("--again", action="store_true", help="measure anew what is there already")
    run.set_defaults(run=_run)
    report.set_defaults(run=_report)
    day = commands.add_parser("day", help="write a made-up day in the interchange format")
    day.add_argument("--style", choices=tuple(LANDS), default="city")
    day.add_argument("--visits", type=int, default=300)
    day.add_argument("--seed", type=int, default=1)
    day.add_argument("--breaks", action="store_true")
    day.add_argument("--pairs", type=float, default=0.0, help="share of visits for two crews")
    day.add_argument("--split", type=float, default=0.0, help="share of visits with two windows")
    day.set_defaults(run=_day)
    return parser


if __name__ == "__main__":
    sys.exit(main())
