"""One table out of all runs: each family, each solver, against the best known or the best of the peers."""

from collections.abc import Callable, Iterable
from statistics import fmean, median

from routing.benchmark.results import Run

OURS = "fieldvisit"


def table(runs: Iterable[Run]) -> str:
    """A Markdown table: a row for each family, and a column for each solver."""
    found = list(runs)
    solvers = [OURS, *sorted({run.solver for run in found} - {OURS})]
    lines = [
        "| family | cases | seconds | " + " | ".join(solvers) + " | ours / best peer |",
        "|" + "---|" * (len(solvers) + 4),
    ]
    for family in dict.fromkeys(run.family for run in found):
        mine = [run for run in found if run.family == family]
        names = list(dict.fromkeys(run.case for run in mine))
        seconds = sorted({run.limit_s for run in mine})
        cells = [_cell(mine, solver) for solver in solvers]
        told = "/".join(f"{each:g}" for each in seconds)
        lines.append(f"| {family} | {len(names)} | {told} | {' | '.join(cells)} | {_ratio(mine, names)} |")
    return "\n".join([*lines, "", *_warnings(found)])


def medians(runs: Iterable[Run]) -> dict[tuple[str, str], float]:
    """The median cost over seeds by (case, solver), of lawful runs."""
    costs: dict[tuple[str, str], list[int]] = {}
    for run in runs:
        if run.lawful and run.cost is not None:
            costs.setdefault((run.case, run.solver), []).append(run.cost)
    return {key: median(found) for key, found in costs.items()}


def _cell(runs: list[Run], solver: str) -> str:
    """The mean gap to the best known, or the mean cost where nobody knows a best."""
    mine = [run for run in runs if run.solver == solver]
    if not mine:
        return ""
    if all(run.refused for run in mine):
        return "–"
    costs, known = medians(mine), {run.case: run.best_known for run in mine}
    gaps = [100 * (cost / best - 1) for (case, _), cost in costs.items() if (best := known[case])]
    unlawful = sum(not run.lawful and not run.refused for run in mine)
    told = f"{fmean(gaps):.2f} %" if gaps else f"{fmean(costs.values()):,.0f}" if costs else "none"
    return told + (f" ({unlawful} unlawful)" if unlawful else "")


def _ratio(runs: list[Run], names: list[str]) -> str:
    """Ours against the best of the peers case by case; the mean and the worst."""
    costs, ratios = medians(runs), []
    for name in names:
        peers = [cost for (case, solver), cost in costs.items() if case == name and solver != OURS]
        if (name, OURS) in costs and peers:
            ratios.append(costs[name, OURS] / min(peers))
    return f"{fmean(ratios):.3f} (worst {max(ratios):.3f})" if ratios else ""


def _warnings(runs: list[Run]) -> list[str]:
    seen: dict[str, list[str]] = {}
    for run in runs:
        if run.refused:
            seen.setdefault(f"{run.solver}: {run.refused}", []).append(run.case)
    faulty = [f"- FAULTY: {run.solver} on {run.case}, seed {run.seed}: {run.faults[0]}" for run in runs if run.faults]
    return [f"- {says} ({len(cases)} cases)" for says, cases in seen.items()] + faulty


def detail(runs: Iterable[Run], show: Callable[[str], None]) -> None:
    """A line for each run."""
    for run in runs:
        gap = "" if run.cost is None or not run.best_known else f"{100 * (run.cost / run.best_known - 1):7.2f} %"
        cost = "refused" if run.cost is None else f"{run.cost:,}"
        show(
            f"{run.case:32} {run.solver:10} seed {run.seed} {cost:>12} {gap:>9} left {run.left:4} {run.seconds:6.1f} s"
            f" cpu {run.cpu_s:6.1f} {run.peak_mb:5} MB load {run.load:4} {run.note} {run.refused}"
        )
