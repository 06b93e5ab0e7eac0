"""Strict reading of parsed JSON: every value knows its path, every key must be known."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from routing.demands import LARGEST, demand, demand_flag, demand_text, demand_whole
from routing.errors import InvalidProblem, joined


def parsed(text: str | bytes) -> object:
    """The JSON value of a text; a key that is there twice, NaN and infinities are refused."""
    try:
        return json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_no_constant)
    except InvalidProblem:
        raise
    except (ValueError, RecursionError) as error:
        raise InvalidProblem("", f"is not JSON: {error}") from error


def _without_repeats(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    demand(len(found) == len(pairs), "", f"has a key twice among {[key for key, _ in pairs][:20]}")
    return found


def _no_constant(name: str) -> object:
    raise InvalidProblem("", f"is not JSON: {name}")


@dataclass(frozen=True)
class Node:
    """A JSON value and the path that leads to it."""

    value: object
    path: str = ""

    def keys(self, required: str, optional: str = "") -> "Node":
        """This node, an object with all the required keys and no unknown one (names separated by spaces)."""
        demand(isinstance(self.value, dict), self.path, "must be an object")
        assert isinstance(self.value, dict)
        needed = required.split()
        for key in needed:
            demand(key in self.value, joined(self.path, key), "is missing")
        known = {*needed, *optional.split()}
        for key in self.value:
            demand(key in known, joined(self.path, key), "is not a key of this format")
        return self

    def at(self, key: str) -> "Node":
        assert isinstance(self.value, dict)
        return Node(self.value[key], joined(self.path, key))

    def items(self) -> Iterator["Node"]:
        demand(isinstance(self.value, list), self.path, "must be a list")
        assert isinstance(self.value, list)
        return (Node(value, f"{self.path}[{index}]") for index, value in enumerate(self.value))

    def whole(self, *, least: int = -LARGEST, most: int = LARGEST) -> int:
        demand_whole(self.value, self.path, least=least, most=most)
        assert isinstance(self.value, int)
        return self.value

    def text(self) -> str:
        demand_text(self.value, self.path)
        return str(self.value)

    def flag(self) -> bool:
        demand_flag(self.value, self.path)
        return bool(self.value)

    def pair(self) -> tuple[int, int]:
        values = [item.whole() for item in self.items()]
        demand(len(values) == 2, self.path, "must be a pair of whole numbers")
        return values[0], values[1]


def made[Made](node: Node, kind: Callable[..., Made], **fields: object) -> Made:
    """A value made of fields already read; where it refuses itself, the refusal is told with the node's path."""
    try:
        return kind(**fields)
    except InvalidProblem as fault:
        raise fault.below(node.path) from None


def given(node: Node, **readers: Callable[[Node], object]) -> dict[str, Any]:
    """The values of those keys that are present, read; a null is handed to the reader, which may refuse it."""
    assert isinstance(node.value, dict)
    return {key: read(node.at(key)) for key, read in readers.items() if key in node.value}


def optional[Read](read: Callable[[Node], Read]) -> Callable[[Node], Read | None]:
    """A reader for a key whose default is null."""
    return lambda node: None if node.value is None else read(node)


def whole(node: Node) -> int:
    return node.whole()


def text(node: Node) -> str:
    return node.text()


def flag(node: Node) -> bool:
    return node.flag()


def texts(node: Node) -> tuple[str, ...]:
    return tuple(item.text() for item in node.items())


def text_set(node: Node) -> frozenset[str]:
    return frozenset(texts(node))


def wholes(node: Node) -> tuple[int, ...]:
    return tuple(item.whole() for item in node.items())
