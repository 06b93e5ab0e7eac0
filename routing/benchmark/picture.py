"""One picture: the gap over time, a panel for each family and a line for each solver, written as SVG by hand.

A line is the mean over cases of the gap to the best cost that any solver reached on the case (or to the best known).
"""

from collections.abc import Iterable, Sequence
from math import log10
from statistics import fmean
from xml.sax.saxutils import escape

from routing.benchmark.results import Run

WIDTH, HEIGHT, MARGIN = 360, 240, 44
SAMPLES = 40
COLOURS = {"fieldvisit": "#0b6e4f", "pyvrp": "#c03a2b", "vroom": "#2b5fc0", "ortools": "#8a6d1d"}
OTHER = "#555555"

type Line = list[tuple[float, float]]


def picture(runs: Iterable[Run]) -> str:
    """The SVG document."""
    found = [run for run in runs if run.lawful and run.trace]
    families = list(dict.fromkeys(run.family for run in found))
    panels = [
        _panel([run for run in found if run.family == family], family, index * WIDTH)
        for index, family in enumerate(families)
    ]
    size = f'width="{WIDTH * max(1, len(families))}" height="{HEIGHT}"'
    style = "<style>text{font:11px sans-serif;fill:#333}.t{font-weight:bold}</style>"
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{style}{"".join(panels)}</svg>\n'


def _panel(runs: Sequence[Run], family: str, left: int) -> str:
    best = {run.case: min(r.cost or 0 for r in runs if r.case == run.case) for run in runs}
    best |= {run.case: min(best[run.case], run.best_known) for run in runs if run.best_known}
    solvers = list(dict.fromkeys(run.solver for run in runs))
    until = max(run.limit_s for run in runs)
    lines = {solver: _line([run for run in runs if run.solver == solver], best, until) for solver in solvers}
    top = max(1.0, *(gap for line in lines.values() for _, gap in line), 0.0)
    top = min(top, 40.0)
    drawn = [f'<text class="t" x="{left + MARGIN}" y="16">{escape(family)}: gap in % over seconds</text>']
    drawn += [_axes(left, until, top)]
    for number, (solver, line) in enumerate(lines.items()):
        colour = COLOURS.get(solver, OTHER)
        points = " ".join(f"{_x(left, at, until):.1f},{_y(min(gap, top), top):.1f}" for at, gap in line)
        drawn.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn.append(
            f'<text x="{left + WIDTH - 84}" y="{34 + 14 * number}" style="fill:{colour}">{escape(solver)}</text>'
        )
    return "".join(drawn)


def _axes(left: int, until: float, top: float) -> str:
    x, y = left + MARGIN, HEIGHT - MARGIN
    frame = f'<path d="M{x},24V{y}H{left + WIDTH - 8}" fill="none" stroke="#999"/>'
    ticks = "".join(
        f'<text x="{left + 8}" y="{_y(top * part, top) + 4:.0f}">{top * part:.1f}</text>' for part in (0, 0.5, 1)
    )
    times = "".join(
        f'<text x="{_x(left, until / share, until) - 8:.0f}" y="{y + 16}">{until / share:.2g}</text>'
        for share in (1, 4, 16, 64)
    )
    return frame + ticks + times


def _x(left: int, at: float, until: float) -> float:
    """Time on a scale of powers, the last hundredth of the limit at the left edge."""
    share = 1 + log10(max(at / until, 0.01)) / 2
    return left + MARGIN + share * (WIDTH - MARGIN - 16)


def _y(gap: float, top: float) -> float:
    return 28 + (1 - gap / top) * (HEIGHT - MARGIN - 28)


def _line(runs: Sequence[Run], best: dict[str, int], until: float) -> Line:
    """The mean gap at moments spread evenly over the scale, from when all runs have a plan."""
    moments = [until * 10 ** (2 * (index / SAMPLES - 1)) for index in range(SAMPLES + 1)]
    line = []
    for moment in moments:
        costs = [(run, min((cost for at, cost in run.trace if at <= moment), default=None)) for run in runs]
        if all(cost is not None for _, cost in costs):
            line.append((moment, fmean(100 * (cost / best[run.case] - 1) for run, cost in costs if cost is not None)))
    return line
