"""The judge of any plan. It shares nothing with the solver but the values, and trusts no number that a plan claims.

A plan with a fault is not shown to anyone.
"""

from routing.checking.assignments import assignment_faults
from routing.checking.costs import cost_faults
from routing.checking.fault import Fault
from routing.checking.routes import RouteFacts, judged_route
from routing.plan import Plan
from routing.problem import Problem

__all__ = ["Fault", "faults"]


def faults(problem: Problem, plan: Plan) -> list[Fault]:
    """Every broken rule of the format, in the order of the plan; empty for a plan that may be shown."""
    found: list[Fault] = []
    facts: list[RouteFacts] = []
    for index, route in enumerate(plan.routes):
        if route.crew in problem.crew_by_id:
            judged, wrong = judged_route(problem, route, f"routes[{index}]")
            facts.append(judged)
            found += wrong
    found += assignment_faults(problem, plan)
    found += cost_faults(problem, plan, facts)
    return found
