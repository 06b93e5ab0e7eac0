"""The independent judge, between what is stored and what is shown."""

from collections.abc import Mapping
from typing import Any

from fieldvisit.compliance.inquiry import joined
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.languages import Message
from fieldvisit.models import DayPlan
from fieldvisit.planning.faults import fault_words
from routing.checking import faults
from routing.format import plan_from_document, problem_from_document
from routing.plan import Plan
from routing.problem import Problem

MOST_TOLD = 5
"""Faults in a refusal: one error in the planner makes many, and all of them can be asked for."""


class PlanFaulty(FieldVisitError):
    """The judge found faults in a stored plan: it is never shown or published."""

    code, kind = "plan_faulty", Kind.CONFLICT
    says = "The plan breaks its own rules: {faults}"


def faults_of(plan: DayPlan) -> list[Message]:
    """What the judge says of a stored plan, a line a fault. Of a plan without an answer: nothing."""
    if plan.problem is None or plan.plan is None:
        return []
    return [fault_words(fault) for fault in faults(problem_from_document(plan.problem), plan_from_document(plan.plan))]


def demand_faultless(problem: Mapping[str, Any], plan: Mapping[str, Any]) -> tuple[Problem, Plan]:
    """Both documents as values, once the judge has found nothing. Raises PlanFaulty."""
    question, answer = problem_from_document(dict(problem)), plan_from_document(dict(plan))
    found = faults(question, answer)
    if found:
        told = [fault_words(fault) for fault in found[:MOST_TOLD]]
        raise PlanFaulty(faults=joined(told, "; "), count=len(found))
    return question, answer
