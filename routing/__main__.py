"""`python -m routing solve | check | explain | options | warm`: the solver and the judge over the interchange format.

solve: 0 with a plan written, 2 on an invalid problem or a request that cannot be met, 3 when the solver failed.
check: 0 without faults, 1 with faults, 2 when a file cannot be read.
explain, options: 0 with the answer written, 1 where the plan has faults, 2 on what cannot be read.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from routing.checking import Fault, faults
from routing.errors import InvalidProblem, RoutingError, Unsupported
from routing.explain import explained
from routing.format import plan_from_json, plan_to_json, problem_from_json
from routing.options import MOST, options_for

DEFAULT_SECONDS = 10.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    asked = _parser().parse_args(arguments)
    try:
        return int(asked.run(asked))
    except (InvalidProblem, Unsupported, OSError) as refused:
        print(refused, file=sys.stderr)
        return 2
    except RoutingError as failed:
        print(failed, file=sys.stderr)
        return 3


def _solve(asked: argparse.Namespace) -> int:
    problem = problem_from_json(asked.problem.read_bytes())
    # Numba and OR-Tools take a second to load: only a problem that can be read is worth it.
    from routing.solver import Limits, solve

    seconds = asked.seconds if asked.seconds or asked.iterations else DEFAULT_SECONDS
    limits = Limits(
        seconds=seconds, iterations=asked.iterations, threads=asked.threads, seed=asked.seed, engine=asked.engine
    )
    _write(asked, plan_to_json(explained(problem, solve(problem, limits))))
    return 0


def _write(asked: argparse.Namespace, text: str) -> None:
    if asked.output is None:
        sys.stdout.write(text + "\n")
    else:
        asked.output.write_text(text + "\n")


def _check(asked: argparse.Namespace) -> int:
    found = faults(problem_from_json(asked.problem.read_bytes()), plan_from_json(asked.plan.read_bytes()))
    for fault in found:
        print(fault)
    return 1 if found else 0


def _explain(asked: argparse.Namespace) -> int:
    """The plan with a reason, a detail and a remedy for each visit left out."""
    problem, plan = problem_from_json(asked.problem.read_bytes()), plan_from_json(asked.plan.read_bytes())
    if _told_faults(faults(problem, plan)):
        return 1
    _write(asked, plan_to_json(explained(problem, plan)))
    return 0


def _options(asked: argparse.Namespace) -> int:
    """A line an option: the crew or two, the begin, what the plan costs then and how much more, what falls out."""
    problem, plan = problem_from_json(asked.problem.read_bytes()), plan_from_json(asked.plan.read_bytes())
    if _told_faults(faults(problem, plan)):
        return 1
    for option in options_for(problem, plan, asked.task, most=asked.most):
        out = ", ".join(option.displaces) or "-"
        crews = option.crew if option.partner is None else f"{option.crew}+{option.partner}"
        print(f"{crews}\t{option.begin_s}\t{option.cost}\t{option.cost - plan.cost:+}\t{out}")
    return 0


def _told_faults(found: Sequence[Fault]) -> bool:
    for fault in found:
        print(fault, file=sys.stderr)
    return bool(found)


def _warm(_: argparse.Namespace) -> int:
    began = time.monotonic()
    from routing import warm

    print(f"The kernel is ready: {warm.TOOK_S:.1f} s, with imports {time.monotonic() - began:.1f} s.")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m routing", description="Plan a day, or judge a plan.")
    commands = parser.add_subparsers(required=True)
    solve = commands.add_parser("solve", help="write the best plan found")
    solve.add_argument("problem", type=Path)
    solve.add_argument("--seconds", type=float, help=f"on the clock; {DEFAULT_SECONDS:g} if no limit is given")
    solve.add_argument("--iterations", type=int, help="rounds for each thread; then the plan repeats exactly")
    solve.add_argument("--threads", type=int, default=2)
    solve.add_argument("--seed", type=int, default=1)
    solve.add_argument("--engine", choices=("ruin", "ortools"), default="ruin")
    solve.add_argument("-o", "--output", type=Path, help="where to write the plan; standard output if left out")
    solve.set_defaults(run=_solve)
    check = commands.add_parser("check", help="print the faults of a plan, one a line")
    check.add_argument("problem", type=Path)
    check.add_argument("plan", type=Path)
    check.set_defaults(run=_check)
    explain = commands.add_parser(
        "explain", help="write the plan again, with why each visit is left out and what helps"
    )
    options = commands.add_parser("options", help="print where one task could go, cheapest first")
    for command in (explain, options):
        command.add_argument("problem", type=Path)
        command.add_argument("plan", type=Path)
    explain.add_argument("-o", "--output", type=Path, help="where to write the plan; standard output if left out")
    explain.set_defaults(run=_explain)
    options.add_argument("task")
    options.add_argument("--most", type=int, default=MOST)
    options.set_defaults(run=_options)
    commands.add_parser("warm", help="compile the kernel into its cache").set_defaults(run=_warm)
    return parser


if __name__ == "__main__":
    sys.exit(main())
