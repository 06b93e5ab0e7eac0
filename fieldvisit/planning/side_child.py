"""A short-lived process for the smaller questions: ``python -m fieldvisit.planning.side_child``.

One line of JSON in, ``{"kind": ..., "ask": ...}``; one line out. It knows no database, and ends with its parent.
"""

import json
import resource
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from fieldvisit.planning.child import MEBIBYTE, end_with_parent

type Document = Mapping[str, Any]


def main() -> None:
    """Answer one question."""
    asked = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=end_with_parent, daemon=True).start()
    resource.setrlimit(resource.RLIMIT_AS, (asked["memory_mb"] * MEBIBYTE,) * 2)
    print(json.dumps(answer(asked["kind"], asked["ask"])), flush=True)


def answer(kind: str, ask: Document) -> dict[str, Any]:
    """The answer to one question. A refusal of ours ends the process with its sentence last."""
    return KINDS[kind](ask)


def _crews(ask: Document) -> dict[str, Any]:
    from fieldvisit.planning.crew_question import answer_crews

    return answer_crews(ask)


def _week(ask: Document) -> dict[str, Any]:
    from fieldvisit.planning.week_question import answer_week

    return answer_week(ask)


def _parts(ask: Document) -> dict[str, Any]:
    from fieldvisit.planning.part_question import answer_parts

    return answer_parts(ask)


def _join(ask: Document) -> dict[str, Any]:
    from fieldvisit.planning.part_question import answer_join

    return answer_join(ask)


KINDS: Mapping[str, Callable[[Document], dict[str, Any]]] = {
    "crews": _crews,
    "week": _week,
    "parts": _parts,
    "join": _join,
}


if __name__ == "__main__":
    main()
