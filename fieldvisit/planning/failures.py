"""Why a search left no plan, as a code for programs and in words for people."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from fieldvisit.languages import Message


class PlanFailure(StrEnum):
    SEARCH_DIED = "search_died"
    OUT_OF_MEMORY = "out_of_memory"
    SEARCH_TIMED_OUT = "search_timed_out"
    MAP_UNUSABLE = "map_unusable"
    ROADS_UNAVAILABLE = "roads_unavailable"
    PROBLEM_REFUSED = "problem_refused"
    PLAN_FAULTY = "plan_faulty"
    CREWS_TAKEN = "crews_taken"
    DAY_MOVED_ON = "day_moved_on"
    WORKER_FAILED = "worker_failed"
    WORKER_LOST = "worker_lost"


WORDS: Mapping[PlanFailure, Message] = {
    PlanFailure.SEARCH_DIED: Message("The search ended without an answer. Ask again; if it stays so, ask an operator."),
    PlanFailure.OUT_OF_MEMORY: Message(
        "The search needed more memory than it may take. Plan a smaller area, or have SOLVE_MEMORY_MB raised."
    ),
    PlanFailure.SEARCH_TIMED_OUT: Message("The search did not end in time. Ask again with more seconds."),
    PlanFailure.MAP_UNUSABLE: Message(
        "The map for road travel times cannot be read. An operator has to mend the setting MAP_FILE."
    ),
    PlanFailure.ROADS_UNAVAILABLE: Message("The road travel times cannot be looked up just now. Ask again later."),
    PlanFailure.PROBLEM_REFUSED: Message("The day could not be put to the planner. Tell an operator."),
    PlanFailure.PLAN_FAULTY: Message("The plan that was found breaks its own rules, so it is not shown. Ask again."),
    PlanFailure.CREWS_TAKEN: Message("The plan of another area took the same crews each time. Ask again."),
    PlanFailure.DAY_MOVED_ON: Message("The day moved on while its plan was searched for. Ask again."),
    PlanFailure.WORKER_FAILED: Message("The worker met an error of its own. Tell an operator."),
    PlanFailure.WORKER_LOST: Message("The worker that made this plan was lost. Ask again."),
}


def failure_words(failure: Mapping[str, Any]) -> Message | None:
    """What the stored failure of a plan says to people; None where nothing failed."""
    return WORDS[PlanFailure(failure["code"])] if failure else None
