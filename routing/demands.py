"""The checks that values make of themselves. Each refuses with the path of the field and a reason."""

from collections.abc import Hashable, Iterable, Sequence

from routing.errors import InvalidProblem

LARGEST = 10**9

Matrix = tuple[tuple[int | None, ...], ...]


def demand(holds: bool, path: str, reason: str) -> None:
    if not holds:
        raise InvalidProblem(path, reason)


def demand_whole(value: object, path: str, *, least: int = -LARGEST, most: int = LARGEST) -> None:
    """A whole number in range. A boolean is no number here, and `7.0` is no whole one."""
    demand(type(value) is int, path, f"must be a whole number, not {_shown(value)}")
    demand(least <= value <= most, path, f"must be from {least} to {most}, not {value}")  # type: ignore[operator]


def demand_whole_or_none(value: object, path: str, *, least: int = -LARGEST) -> None:
    if value is not None:
        demand_whole(value, path, least=least)


def demand_text(value: object, path: str) -> None:
    demand(isinstance(value, str) and value != "", path, f"must be a text that is not empty, not {_shown(value)}")


def demand_flag(value: object, path: str) -> None:
    demand(isinstance(value, bool), path, f"must be true or false, not {_shown(value)}")


def demand_texts(values: Iterable[object], path: str) -> None:
    for index, value in enumerate(values):
        demand_text(value, f"{path}[{index}]")


def demand_wholes(values: Iterable[object], path: str, *, least: int) -> None:
    for index, value in enumerate(values):
        demand_whole(value, f"{path}[{index}]", least=least)


def demand_span(span: Sequence[object], path: str) -> None:
    """Two whole numbers in order, both included; they may be equal."""
    demand(len(span) == 2, path, "must be a pair [from, to]")
    for index, value in enumerate(span):
        demand_whole(value, f"{path}[{index}]")
    demand(span[0] <= span[1], path, "must not end before it begins")  # type: ignore[operator]


def demand_distinct(values: Iterable[Hashable], path: str, *, field: str = "id") -> None:
    seen: set[Hashable] = set()
    for index, value in enumerate(values):
        demand(value not in seen, f"{path}[{index}].{field}", f"{value!r} is there twice")
        seen.add(value)


def demand_matrix(matrix: Sequence[Sequence[object]], path: str, *, size: int | None = None) -> None:
    """A square of whole numbers from 0, or None where there is no way, with zeros on the diagonal."""
    wanted = len(matrix) if size is None else size
    demand(len(matrix) == wanted, path, f"must have {wanted} rows, not {len(matrix)}")
    for i, row in enumerate(matrix):
        demand(len(row) == wanted, f"{path}[{i}]", f"must have {wanted} columns, not {len(row)}")
        _demand_row(row, f"{path}[{i}]")
        demand(row[i] == 0, f"{path}[{i}][{i}]", "must be 0: the way from a place to itself")


def _demand_row(row: Sequence[object], path: str) -> None:
    # A million cells are usual, so a row is looked at as a whole and taken apart only where something is wrong.
    numbers = [cell for cell in row if cell is not None]
    if set(map(type, numbers)) <= {int} and (not numbers or (min(numbers) >= 0 and max(numbers) <= LARGEST)):  # type: ignore[type-var, operator]
        return
    for index, cell in enumerate(row):
        demand_whole_or_none(cell, f"{path}[{index}]", least=0)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
