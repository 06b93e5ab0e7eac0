"""What is explored: who is on the stage, what they may do, and the timers, in units, small enough to come to an end."""

import datetime as dt
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from fieldvisit.database import Urls, acting_for, acting_for_all
from fieldvisit.safety.drafts import SessionDraft
from fieldvisit.safety.opening import Beginning, insert_session
from fieldvisit.safety.pins import set_pins
from fieldvisit.safety.timers import Ladder, Timers
from fieldvisit.vocabulary import DutyRank, RiskLevel, SessionCover
from tests.phone.worlds import make_plan, make_visit_on_evidence
from tests.safety.exploring.judging import Judge
from tests.safety.exploring.moves import DURESS_PIN, PIN, Cast
from tests.safety.exploring.search import Searched, search
from tests.safety.exploring.stage import open_stage
from tests.safety.exploring.states import UNIT_S, State, key_of
from tests.safety.worlds import Door, another_door

BEGINS = dt.datetime(2026, 3, 3, 7, 0, tzinfo=dt.UTC)
LADDER = Ladder(waits_s=(UNIT_S,), joins=((DutyRank.DUTY,),), repeat_s=UNIT_S, ack_s=UNIT_S)
TIMERS = Timers(
    level=RiskLevel.NORMAL,
    check_in_s=2 * UNIT_S,
    remind_s=UNIT_S,
    grace_s=0,
    lost_s=2 * UNIT_S,
    lost_raises=True,
    extend_cap_s=UNIT_S,
    silent=LADDER,
    sos=LADDER,
)
PAIRED = replace(TIMERS, level=RiskLevel.HIGH, lost_s=60 * UNIT_S, check_in_s=4 * UNIT_S, lost_raises=False)
QUIET = replace(TIMERS, check_in_s=60 * UNIT_S, lost_s=60 * UNIT_S, lost_raises=False)
"""Nobody falls silent."""
SHOWN = replace(TIMERS, lost_raises=False, lost_s=UNIT_S, check_in_s=4 * UNIT_S)
"""Who is not heard of is shown as lost, long before a check-in is missed."""
AWAY = 1_000
"""Units: never, in this scene."""
ENGINES = frozenset({"time", "read", "decide", "die", "turn"})


@dataclass(frozen=True)
class Scene:
    """`verbs` are those of `tests.safety.exploring.moves`. `planned` units is the session's length."""

    name: str
    verbs: frozenset[str]
    timers: Timers = TIMERS
    planned: int = 3
    visitors: int = 1
    to_come: bool = False
    """Nobody has set out yet: the session is planned for a visit."""
    at_a_visit: bool = False
    """The session is about one, also where one visitor is alone there."""
    pin: bool = False
    engines: int = 1
    begins_with: tuple[str, ...] = ()
    """Moves, by their names, that have been made when it begins."""
    cuts: frozenset[str] = field(default=frozenset({"decide"}))


SCENES = {
    scene.name: scene
    for scene in (
        Scene(
            "silence: check-ins against two engines",
            ENGINES | {"check in", "late check in", "end", "take", "close"},
        ),
        Scene(
            "two officers and an alert",
            ENGINES | {"take", "note", "offer", "accept", "close", "check in"},
            replace(TIMERS, silent=replace(LADDER, ack_s=2 * UNIT_S), sos=replace(LADDER, ack_s=2 * UNIT_S)),
            begins_with=("time passes", "time passes", "an engine makes a turn"),
            planned=AWAY,
        ),
        Scene(
            "an alert that two close, or that is opened again",
            frozenset({"time", "turn", "take", "duress word", "close", "agree", "reopen", "check in"}),
            begins_with=("time passes", "time passes", "an engine makes a turn"),
            planned=AWAY,
        ),
        Scene(
            "silence, contact lost is shown only, and nobody watches for a while",
            ENGINES | {"check in", "beat", "extend", "outage", "take", "close"},
            replace(TIMERS, lost_raises=False, lost_s=UNIT_S, grace_s=UNIT_S),
        ),
        # The house's own timers hold from then on, whose ladders are long: one story for the engines, one for officers.
        Scene(
            "contact lost is shown only, until a danger at the door is known",
            ENGINES | {"check in", "beat", "danger"},
            SHOWN,
            planned=AWAY,
            at_a_visit=True,
        ),
        Scene(
            "a danger at the door is known before or after officers act",
            frozenset({"time", "turn", "check in", "beat", "danger", "take", "close"}),
            SHOWN,
            planned=AWAY,
            at_a_visit=True,
        ),
        Scene(
            "a call for help that is taken back, before or after silence",
            frozenset({"time", "turn", "check in", "call", "take back", "take", "close"}),
            pin=True,
            planned=AWAY,
        ),
        Scene(
            "a call for help, open, covert or both, that is taken back",
            frozenset({"time", "turn", "call", "covert call", "take back", "take", "close"}),
            QUIET,
            pin=True,
            planned=AWAY,
        ),
        Scene(
            "a phone calls by itself, and the end by PIN under duress",
            frozenset({"time", "turn", "man down", "end by PIN", "take back", "take", "close", "agree"}),
            QUIET,
            pin=True,
            planned=AWAY,
        ),
        Scene(
            "a call for help under duress",
            frozenset({"time", "turn", "call", "covert call", "end by PIN", "take", "close", "agree"}),
            QUIET,
            pin=True,
            planned=AWAY,
        ),
        Scene(
            "a pair, one of whom ends or falls silent",
            frozenset({"time", "turn", "check in", "end", "take", "close"}),
            PAIRED,
            visitors=2,
            planned=AWAY,
        ),
        Scene(
            "a pair, one of whom calls",
            frozenset({"time", "turn", "call", "covert call", "take", "close"}),
            QUIET,
            visitors=2,
            planned=AWAY,
        ),
        Scene(
            "planned, started, cancelled, or in alarm without a start",
            frozenset({"time", "outage", "turn", "start", "cancel", "check in", "end", "call", "take", "close"}),
            # The strictest level: what is known of the visit by its start makes it no stricter.
            replace(TIMERS, level=RiskLevel.HIGH, lost_raises=False, lost_s=60 * UNIT_S),
            to_come=True,
        ),
    )
}


@contextmanager
def set_up(scene: Scene, door: Door, engine: sa.Engine, urls: Urls) -> Iterator[tuple[Judge, State]]:
    """The judge of this scene, and the state with which it begins."""
    doors = [door, *(another_door(door) for _ in range(scene.visitors - 1))]
    of_visit = scene.visitors > 1 or scene.to_come or scene.at_a_visit
    visit_id = _visit(doors, planned=not scene.to_come) if of_visit else None
    if scene.pin:
        with acting_for(door.sessions, door.world.agency) as session:
            for each in doors:
                set_pins(session, each.visitor_id, PIN, DURESS_PIN)
    with open_stage(engine, urls) as stage:
        acting = tuple(replace(each, sessions=stage.sessions) for each in doors)
        cast = Cast(stage, acting, scene.verbs, scene.engines)
        stage.set_clock(BEGINS)
        acting[0].somebody_watches()
        with stage.forgotten():
            for each in acting:
                _start(scene, each, visit_id)
            first = State(stage.found())
        key = key_of({str(each.visitor_id): number for number, each in enumerate(doors, start=1)})
        judge = Judge(cast, key, scene.cuts, keeps_resolved="reopen" in scene.verbs)
        yield judge, _led(first, judge, scene.begins_with)


def explore(scene: Scene, door: Door, engine: sa.Engine, urls: Urls, *, limit: int) -> Searched:
    """Every state of this scene, or the first so many. Raises Fault."""
    with set_up(scene, door, engine, urls) as (judge, first):
        seen = search([first], key=judge.key, steps=judge.steps, limit=limit)
        return replace(seen, tried=sum(judge.tried.values()), different=len(judge.known))


def _start(scene: Scene, door: Door, visit_id: uuid.UUID | None) -> None:
    session_id = uuid.uuid4()
    draft = SessionDraft(
        visitor_id=door.visitor_id,
        actor_id=door.account_id,
        event_id=session_id,
        planned_s=scene.planned * UNIT_S,
        visit_id=visit_id,
    )
    cover = SessionCover.NONE if visit_id else SessionCover.SOLO
    with acting_for(door.sessions, door.world.agency) as session:
        beginning = Beginning(scene.timers, cover=cover, planned=scene.to_come)
        insert_session(session, draft, beginning, session_id=session_id)


def _visit(doors: list[Door], *, planned: bool) -> uuid.UUID:
    """A visit, which stands in these visitors' plan if there is one."""
    door = doors[0]
    with acting_for_all(door.sessions) as session:
        visit = make_visit_on_evidence(session, door.world)
        if planned:
            make_plan(session, door.world, [each.visitor_id for each in doors], [visit])
        return visit.id


def _led(first: State, judge: Judge, names: tuple[str, ...]) -> State:
    state = first
    for name in names:
        _, steps = judge.steps(state)
        state = next(step.after for step in steps if step.move == name)
    return state
