"""A day too large for one search: cut into parts that any worker solves, mended across the borders, joined to one plan.

Whoever has the plan puts the parts down, calls the other workers, and solves parts like everybody else until there are
none: so one worker alone gets there too, and more of them sooner.
"""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import structlog

from fieldvisit.database import acting_for
from fieldvisit.planning.asking import NoAnswer, ask
from fieldvisit.planning.failures import PlanFailure
from fieldvisit.planning.jobs import enqueue_help
from fieldvisit.planning.parts import (
    ClaimedPart,
    RoundState,
    answer_part,
    answers_of,
    claim_part,
    clear_parts,
    put_down,
    round_state,
    still_wanted,
)
from fieldvisit.planning.plans import Claimed
from fieldvisit.planning.search import Tell, search
from fieldvisit.planning.tools import Tools
from fieldvisit.planning.work import Answer, Work
from fieldvisit.settings import Settings

ROUNDS = 2
SHARES = (0.7, 0.3)
"""The share of a plan's seconds that each part has in each round."""
JOINING_S = 120
LOOK_S = 0.5

log = structlog.get_logger(__name__)


async def solve_in_parts(tools: Tools, claimed: Claimed, tell: Tell) -> Answer:
    """The answer of the whole, or why there is none."""
    plans: list[Any] = []
    try:
        for number in range(ROUNDS):
            works = await _works(tools, claimed, plans)
            if not await asyncio.to_thread(_put_down, tools, claimed, number, works):
                return Answer(called_off=True)
            failure = await _round(tools, claimed, number, tell)
            if failure is not None:
                return failure
            answers = await asyncio.to_thread(_answers, tools, claimed, number)
            plans = [answer["plan"] for answer in answers]
        question = {**_question(claimed), "works": [{"places": work["places"]} for work in works], "answers": answers}
        whole = await ask("join", question, seconds=JOINING_S, memory_mb=tools.settings.solve_memory_mb)
    except NoAnswer as error:
        return Answer(failure=error.failure, says=str(error))
    await asyncio.to_thread(_clear, tools, claimed)
    return Answer(
        problem=whole["problem"],
        plan=whole["plan"],
        travel_source=_source(answers),
        paths={crew: path for answer in answers for crew, path in answer["paths"].items()},
        set_aside={task: why for answer in answers for task, why in answer["set_aside"].items()},
    )


async def help_with_parts(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID) -> int:
    """Solve parts of the plan until none waits; how many."""
    done = 0
    while (part := await asyncio.to_thread(_claim, tools, org_id, plan_id)) is not None:
        await _solve_part(tools, org_id, part)
        done += 1
    return done


async def _round(tools: Tools, claimed: Claimed, number: int, tell: Tell) -> Answer | None:
    """Until every part of the round is solved; why not where one is given up, or the plan is called off."""
    while True:
        await help_with_parts(tools, claimed.org_id, claimed.plan_id)
        state = await asyncio.to_thread(_state, tools, claimed, number)
        if not await tell({"round": number + 1, "parts": state.parts, "solved": state.solved}):
            return Answer(called_off=True)
        if state.failure is not None:
            return Answer(failure=PlanFailure(state.failure["code"]), says=state.failure["says"])
        if state.over:
            return None
        await asyncio.sleep(LOOK_S)


async def _solve_part(tools: Tools, org_id: uuid.UUID, part: ClaimedPart) -> None:
    async def tell(_: Mapping[str, Any]) -> bool:
        return await asyncio.to_thread(_wanted, tools, org_id, part)

    answer = await search(_work(part, tools.settings), tell)
    if answer.called_off:
        return
    log.info("part_solved", plan_id=str(part.plan_id), part_id=str(part.part_id), failure=answer.failure)
    with acting_for(tools.sessions, org_id) as session:
        answer_part(session, part, asdict(answer))


def _work(part: ClaimedPart, settings: Settings) -> Work:
    warm = part.work["orders"] is not None
    share = SHARES[1 if warm else 0]
    return Work(
        document=part.work["document"],
        points=part.work["points"],
        map_file=str(settings.map_file) if settings.map_file else None,
        graph_folder=str(settings.data_folder / "roads"),
        seconds=max(1, round(part.seconds * share)),
        iterations=None if part.iterations is None else max(1, round(part.iterations * share)),
        threads=settings.solve_threads,
        seed=part.seed,
        memory_mb=settings.solve_memory_mb,
        road_server=settings.road_server,
        busy_hours=list(settings.busy_hours),
        orders=part.work["orders"],
    )


async def _works(tools: Tools, claimed: Claimed, plans: Sequence[Any]) -> list[dict[str, Any]]:
    question = {**_question(claimed), "plans": list(plans), "most_visits": tools.settings.part_visits}
    answer = await ask("parts", question, seconds=JOINING_S, memory_mb=tools.settings.solve_memory_mb)
    works: list[dict[str, Any]] = answer["works"]
    return works


def _question(claimed: Claimed) -> dict[str, Any]:
    return {"document": claimed.draft.document, "points": [list(point) for point in claimed.draft.points]}


def _source(answers: Sequence[Mapping[str, Any]]) -> str:
    """Where the times of the parts come from; where they differ, the one that is least to be trusted."""
    sources = sorted({answer["travel_source"] for answer in answers}, key=lambda source: ("geodesic" in source, source))
    return str(sources[-1])


def _put_down(tools: Tools, claimed: Claimed, number: int, works: Sequence[Mapping[str, Any]]) -> bool:
    with acting_for(tools.sessions, claimed.org_id) as session:
        if not put_down(session, claimed, number, works):
            return False
        # One for each other part: whoever comes when all are taken goes again at once.
        for _ in works[1:]:
            enqueue_help(session, claimed.org_id, claimed.plan_id)
    return True


def _claim(tools: Tools, org_id: uuid.UUID, plan_id: uuid.UUID) -> ClaimedPart | None:
    with acting_for(tools.sessions, org_id) as session:
        return claim_part(session, plan_id, tools.clock())


def _wanted(tools: Tools, org_id: uuid.UUID, part: ClaimedPart) -> bool:
    with acting_for(tools.sessions, org_id) as session:
        return still_wanted(session, part)


def _state(tools: Tools, claimed: Claimed, number: int) -> RoundState:
    with acting_for(tools.sessions, claimed.org_id) as session:
        return round_state(session, claimed, number)


def _answers(tools: Tools, claimed: Claimed, number: int) -> list[dict[str, Any]]:
    with acting_for(tools.sessions, claimed.org_id) as session:
        return answers_of(session, claimed, number)


def _clear(tools: Tools, claimed: Claimed) -> None:
    with acting_for(tools.sessions, claimed.org_id) as session:
        clear_parts(session, claimed)
