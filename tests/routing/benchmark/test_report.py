"""What was measured is kept in slices, and told in one table and one picture."""

from pathlib import Path
from xml.etree import ElementTree

from routing.benchmark.__main__ import main
from routing.benchmark.picture import picture
from routing.benchmark.report import table
from routing.benchmark.results import Results, Run


def run(solver: str, cost: int | None, **fields: object) -> Run:
    known = {
        "case": "day1",
        "family": "field day",
        "seed": 1,
        "limit_s": 2.0,
        "threads": 2,
        "trace": [(0.5, 120), (1.0, 99)],
    }
    return Run(**(known | {"solver": solver, "cost": cost} | fields))  # type: ignore[arg-type]


def test_ours_is_told_against_the_best_peer_by_medians_over_seeds() -> None:
    mine = [run("fieldvisit", cost, seed=seed) for seed, cost in enumerate((90, 99, 300))]
    told = table([*mine, run("slow", 200), run("good", 110)])
    assert "| field day | 1 | 2 | 163 | 110 | 200 |" not in told
    assert told.splitlines()[2] == "| field day | 1 | 2 | 99 | 110 | 200 | 0.900 (worst 0.900) |"


def test_a_gap_is_told_where_a_best_is_known() -> None:
    told = table([run("fieldvisit", 102, best_known=100), run("peer", 105, best_known=100)])
    assert told.splitlines()[2] == "| field day | 1 | 2 | 2.00 % | 5.00 % | 0.971 (worst 0.971) |"


def test_a_plan_with_faults_counts_for_nothing_and_is_told() -> None:
    told = table([run("fieldvisit", 100), run("peer", 1, faults=["late: routes[0]"])])
    assert told.splitlines()[2] == "| field day | 1 | 2 | 100 | none (1 unlawful) |  |"
    assert "- FAULTY: peer on day1, seed 1: late: routes[0]" in told


def test_a_refusal_is_told_with_its_reason() -> None:
    assert "- peer: cannot model breaks (1 cases)" in table([run("peer", None, refused="cannot model breaks")])


def test_runs_come_back_from_their_file_and_a_second_run_replaces_the_first(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    first, second = run("fieldvisit", 120), run("fieldvisit", 100)
    for each in (first, run("peer", 110), second):
        Results(path).keep(each)
    assert list(Results(path).runs.values()) == [second, run("peer", 110)]


def test_the_picture_is_a_document_with_a_line_for_each_solver(tmp_path: Path) -> None:
    drawn = ElementTree.fromstring(picture([run("fieldvisit", 99), run("peer", 99), run("deaf", 5, trace=[])]))
    lines = drawn.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == 2
    assert [text.text for text in drawn.iter("{http://www.w3.org/2000/svg}text")].count("fieldvisit") == 1


def test_a_slice_that_has_no_time_measures_nothing_and_says_what_is_left(tmp_path: Path, capsys: object) -> None:
    path = tmp_path / "results.json"
    assert main(["run", "--profile", "quick", "--minutes", "0", "--results", str(path)]) == 0
    assert "12 runs are left for the next slice" in capsys.readouterr().out  # type: ignore[attr-defined]
