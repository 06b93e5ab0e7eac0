"""All that follows a state, and what of it may never be: invariants 1 to 5, and what no single move may do."""

import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field, replace

from fieldvisit.safety.engine import watch_once
from fieldvisit.safety.invariants import INVARIANTS
from tests.safety.exploring.moves import Cast, Move
from tests.safety.exploring.search import Step
from tests.safety.exploring.stage import Dead, Document
from tests.safety.exploring.states import UNWATCHED, State, faults, is_stale, moment, passed, translated

OF_HANDS = ("decide", "die")
CLOSES = ("close", "agree", "take back")
BEGUN = defaultdict(tuple[str, ...], start=("active",), cancel=("cancelled",), call=("alarm",))
"""What a move may make of a session that nobody has begun."""
PATIENCE_S = 11
"""The auditor gives the engine ten seconds."""


@dataclass(frozen=True)
class Known:
    """What was found out about what stands in the database, whatever engines hold in their hands beside it."""

    document: Document
    wrong: list[str]
    steps: list[tuple[str, Step[State]]]
    """By the verb of the move."""


@dataclass(frozen=True)
class Judge:
    """`cuts`: the verbs in whose midst the power may go, at every statement that writes.

    What anybody does but an engine with something in its hands depends on the database alone: that is tried once for
    all states in which the database is the same, and told of the others (`tried` says how often something was)."""

    cast: Cast
    key: Callable[[State], Hashable]
    cuts: frozenset[str] = frozenset()
    keeps_resolved: bool = True
    known: dict[Hashable, Known] = field(default_factory=dict)
    tried: Counter[str] = field(default_factory=Counter)

    def steps(self, state: State) -> tuple[list[str], list[Step[State]]]:
        bare = replace(state, held=())
        name = self.key(bare)
        if name not in self.known:
            self.known[name] = self._find_out(bare)
        known = self.known[name]
        if known.wrong:
            return known.wrong, []
        state = translated(state, known.document)
        return [], [*self._told(state, known), *self._of_hands(state)]

    def _find_out(self, bare: State) -> Known:
        wrong = list(faults(bare))
        if wrong:
            return Known(bare.document, wrong, [])
        with self.cast.stage.put(bare.document):
            wrong = list(self._healed(bare))
            steps = [(move.verb, step) for move in self.cast.moves(bare) for step in self._taken(bare, move)]
        return Known(bare.document, wrong, steps)

    def _told(self, state: State, known: Known) -> Iterator[Step[State]]:
        for verb, step in known.steps:
            if verb != "read" or len(state.held) < self.cast.engines:
                yield replace(step, after=replace(step.after, held=(*state.held, *step.after.held)))

    def _of_hands(self, state: State) -> Iterator[Step[State]]:
        if not state.held:
            return
        with self.cast.stage.put(state.document):
            for move in self.cast.moves(state):
                if move.verb in OF_HANDS:
                    yield from self._taken(state, move)

    def _taken(self, state: State, move: Move) -> Iterator[Step[State]]:
        self.tried[move.verb] += 1
        found, answer = self.cast.stage.attempt(move.act)
        after = self._after(state, found)
        # One whose transaction the database refused has its hands empty as well, and reads again.
        if move.held is not None and (move.verb != "read" or not isinstance(answer, Exception)):
            after = replace(after, held=move.held(answer))
        yield Step(move.name, after, tuple(self._wrong(state, move, after)))
        if move.verb in self.cuts:
            yield from self._cut(state, move)

    def _after(self, state: State, found: Document | None) -> State:
        return state if found is None else state.after(found, forget_messages=True, keep_resolved=self.keeps_resolved)

    def _cut(self, state: State, move: Move) -> Iterator[Step[State]]:
        for written in itertools.count():
            self.tried["cut"] += 1
            found, answer = self.cast.stage.attempt(move.act, cut_after=written)
            if not isinstance(answer, Dead):
                return
            # The engine is gone, and what it held.
            after = replace(self._after(state, found), held=move.held(()) if move.held else state.held)
            torn = move.verb == "decide" and self.key(replace(after, held=())) != self.key(replace(state, held=()))
            wrong = ("a decision was written in part",) if torn else ()
            yield Step(f"{move.name}, dead after {written} writings", after, wrong)

    def _wrong(self, state: State, move: Move, after: State) -> Iterator[str]:
        if move.verb == "decide":
            (held,) = (each for each in state.held if each not in after.held)
            stale = all(is_stale(held.about, row, state) for row in held.rows)
            if stale and self.key(replace(after, held=())) != self.key(replace(state, held=())):
                yield "a decision about what has changed since it was read did something"
        if move.verb not in CLOSES:
            still = {each["id"] for each in after.unresolved()}
            if any(each["id"] not in still for each in state.unresolved()):
                yield "an alert was closed by nobody who may"
        before = {each["id"]: each for each in state.sessions}
        for row in after.sessions:
            was = before.get(row["id"])
            if was is not None and was["state"] in UNWATCHED and row["state"] not in (was["state"], *BEGUN[move.verb]):
                yield f"a session that was {was['state']} is {row['state']}"
            if was is None or was["state"] != "active":
                continue
            if row["state"] == "active" and move.verb not in ("turn", "danger"):
                for name in ("grace_until", "end_at"):
                    if row[name] < was[name]:
                        yield f"{name} was moved earlier"
            if row["state"] == "alarm" and move.verb in ("decide", "turn") and not passed(was, state.now):
                kinds = {each["kind"] for each in after.unresolved(row["id"])}
                if kinds != {"partner_calls"}:
                    yield "an alert was raised before anything was due"

    def _healed(self, state: State) -> Iterator[str]:
        """Whatever has happened: one turn of a healthy engine, and the auditor finds nothing; every open alert has gone
        on to somebody, and has a next step."""
        waiting = {each["id"]: each for each in state.unresolved() if each["parent_id"] is None}
        due_s = [(moment(each["next_action_at"]) - state.now).total_seconds() for each in waiting.values()]
        seconds = max([PATIENCE_S, *(each + 1 for each in due_s)])

        with self.cast.stage.forgotten():
            self.cast.pass_s(state, seconds)
            if watch_once(self.cast.stage.sessions, name="healthy").failed:
                yield "a healthy engine could not decide about a row"
            found = State(self.cast.stage.found())
            for invariant in INVARIANTS[:5]:
                for row in self.cast.stage.connection.exec_driver_sql(invariant.sql):
                    yield f"invariant {invariant.number}: {invariant.name} ({row[2]})"
        now = {each["id"]: each for each in found.unresolved()}
        for each in waiting.values():
            yield from _stands_still(each, now.get(each["id"]), found)


def _stands_still(before: dict[str, object], after: dict[str, object] | None, found: State) -> Iterator[str]:
    if after is None:
        yield "an alert was closed by an engine"
        return
    if after["state"] not in ("notifying", "exhausted"):
        yield f"an alert whose time was over is {after['state']}"
    begins = before["state"] in ("pre", "open")
    if not begins and (after["round"], after["step"]) <= (before["round"], before["step"]):  # type: ignore[operator]
        yield "an alert whose time was over stands still"
    step = (after["id"], after["step"], after["round"])
    if step not in {(each["alert_id"], each["step"], each["round"]) for each in found.document["messages"]}:
        yield "a step of an alert calls nobody"
