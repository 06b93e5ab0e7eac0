"""The interchange format, version 1: problems and plans as JSON, read strictly and written in full.

`*_from_json` and `*_to_json` speak text; `*_from_document` and `*_to_document` the parsed value, for callers that keep
JSON in a database. Unknown keys, repeated keys, booleans or floats for whole numbers and numbers out of range are
refused with their path.
"""

import json

from routing.errors import InvalidPlan, InvalidProblem
from routing.format.plans import plan_from_document, plan_to_document
from routing.format.problems import problem_from_document, problem_to_document
from routing.format.reading import parsed
from routing.plan import Plan
from routing.problem import Problem

__all__ = [
    "plan_from_document",
    "plan_from_json",
    "plan_to_document",
    "plan_to_json",
    "problem_from_document",
    "problem_from_json",
    "problem_to_document",
    "problem_to_json",
]


def problem_from_json(text: str | bytes) -> Problem:
    """The problem in a JSON text, or `InvalidProblem` with the path of what is wrong."""
    return problem_from_document(parsed(text))


def problem_to_json(problem: Problem) -> str:
    return json.dumps(problem_to_document(problem), ensure_ascii=False, separators=(",", ":"))


def plan_from_json(text: str | bytes) -> Plan:
    """The plan in a JSON text, or `InvalidPlan` with the path of what is wrong."""
    try:
        return plan_from_document(parsed(text))
    except InvalidProblem as fault:
        raise InvalidPlan(fault.path, fault.reason) from None


def plan_to_json(plan: Plan) -> str:
    return json.dumps(plan_to_document(plan), ensure_ascii=False, indent=1)
