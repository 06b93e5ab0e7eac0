"""A dispatcher's own hand: try a change of the day, keep it as a draft, and go back.

A draft made by hand holds the visits in place of the one it was made from. What it breaks is named, all of it, by the
judge; what the policy does not allow, by its clauses; a draft that breaks anything is not kept.
"""

import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from fieldvisit.compliance.inquiry import joined
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.languages import Message
from fieldvisit.models import DayPlan, Route
from fieldvisit.planning.edit_wishes import PlanChange, edits_of, meaningless, two_meet
from fieldvisit.planning.effects import Effects, effects_of
from fieldvisit.planning.faults import WORDS
from fieldvisit.planning.holding import hand_over
from fieldvisit.planning.joining import joined_by
from fieldvisit.planning.judging import MOST_TOLD
from fieldvisit.planning.latest import (
    OPEN_TO_CHANGE,
    PlanOutdated,
    demand_current,
    demand_no_colleagues_draft,
    latest_of,
)
from fieldvisit.planning.plans import DayIsOver, get_plan, lock_plan, planned_in, release_drafts, take_turn, today_of
from fieldvisit.planning.rest import Rest, Standing, rest_of, standing_of
from fieldvisit.planning.restoring import NothingToUndo, restore_version_before
from fieldvisit.planning.rewriting import Rewritten, new_row, write_plan
from fieldvisit.planning.sharing import PersonShares, shares_of
from fieldvisit.planning.stops import JudgedStop, judge_stops, refusals
from fieldvisit.visits import lock_visits
from fieldvisit.vocabulary import CheckMoment, DayPlanState
from routing.checking import Fault, faults
from routing.edits import Edited, edited
from routing.errors import InvalidProblem


class PlanNotReady(FieldVisitError):
    code, kind = "plan_not_ready", Kind.CONFLICT
    says = "This day plan is {state}; there is nothing to change yet."


class ChangeBreaksRules(FieldVisitError):
    """The details carry the first faults in words, and how many there are."""

    code, kind = "change_breaks_rules", Kind.CONFLICT
    says = "This would break rules: {faults}"


class ChangeNotPermitted(FieldVisitError):
    code, kind = "change_not_permitted", Kind.CONFLICT
    says = "The policy does not permit this. {clauses}"


@dataclass(frozen=True, kw_only=True)
class Trial:
    """What a change would do. Costs in seconds of travel. `refused`: why the policy does not allow it, asked only once
    no rule of the plan is broken. `effects`: against what the phones show, else against the plan. `shares`: of the day
    as the plan has it, and as it would be."""

    standing: Standing
    worked: Edited
    cost_before: int
    faults: tuple[Fault, ...]
    refused: tuple[Message, ...] = ()
    effects: Effects | None = None
    shares: tuple[PersonShares, ...] | None = None

    @property
    def cost_after(self) -> int:
        return self.worked.plan.cost

    def words(self, fault: Fault) -> Message:
        """What is wrong, for people: visits by the names that they know."""
        return Message(WORDS[fault.code].text, {"task": self.reference(fault.task), "crew": fault.crew})

    def reference(self, visit_id: str | None) -> str | None:
        """What people call the visit."""
        return None if visit_id is None else self.standing.references.get(visit_id, visit_id)


def try_changes(session: Session, plan_id: uuid.UUID, changes: Sequence[PlanChange], *, now: dt.datetime) -> Trial:
    """What these changes, one after the other, would cost, break and mean for people. Nothing stays.

    Raises NotFound, PlanOutdated, PlanNotReady, DayIsOver, VisitHasBegun, NotToBePlanned and InvalidValue.
    """
    trial = _worked_out(session, _open_plan(session, plan_id, now), changes, now)
    if trial.faults:
        return trial
    made = session.begin_nested()
    row, refused = _write(session, trial, changes, by=None, now=now)
    session.flush()
    changed = get_plan(session, row.id)
    tried = replace(
        trial,
        refused=tuple(refusals(session, refused)),
        effects=_effects(session, trial.standing, changed),
        shares=shares_of(session, trial.standing.row, changed),
    )
    made.rollback()
    return tried


def keep_changes(
    session: Session,
    plan_id: uuid.UUID,
    changes: Sequence[PlanChange],
    *,
    by: uuid.UUID | None,
    now: dt.datetime,
) -> DayPlan:
    """The changed day as a new draft, in place of every other draft of the day but a colleague's. The plan it was made
    from stays as it is if it is published, and is dropped, to be found again by `undo`, if it is a draft.

    Raises what `try_changes` raises, and ChangeBreaksRules and ChangeNotPermitted.
    """
    take_turn(session)
    demand_no_colleagues_draft(session, lock_plan(session, plan_id), by)
    trial = _worked_out(session, _open_plan(session, plan_id, now), changes, now)
    if trial.faults:
        told = [trial.words(fault) for fault in trial.faults[:MOST_TOLD]]
        raise ChangeBreaksRules(faults=joined(told, "; "), count=len(trial.faults))
    row, refused = _write(session, trial, changes, by=by, now=now)
    if refused:
        raise ChangeNotPermitted(clauses=refusals(session, refused))
    session.flush()
    return row


def undo(session: Session, plan_id: uuid.UUID, *, by: uuid.UUID | None, now: dt.datetime) -> DayPlan:
    """Drop a draft made by hand, and bring back the plan that it was made from; or, of the published plan, make the
    version before it the day's draft, to be published as the next version. What is no longer to be had is left out
    there. Raises NotFound, PlanOutdated, NothingToUndo and DayIsOver."""
    take_turn(session)
    row = lock_plan(session, plan_id)
    if row.state is DayPlanState.PUBLISHED:
        return restore_version_before(session, plan_id, by=by, now=now)
    if row.based_on_id is None:
        raise NothingToUndo
    if row.state is not DayPlanState.DRAFT:
        raise PlanOutdated(latest=latest_of(session, row))
    before = lock_plan(session, row.based_on_id)
    if before.state not in (DayPlanState.DROPPED, DayPlanState.PUBLISHED):
        raise PlanOutdated(latest=latest_of(session, row))
    if before.state is DayPlanState.PUBLISHED:
        lock_visits(session, planned_in(session, [row]))
        release_drafts(session, [row], now)
        return before
    row.state, before.state = DayPlanState.DROPPED, DayPlanState.DRAFT
    session.flush()
    hand_over(session, row, get_plan(session, before.id), now)
    return before


def open_standing(session: Session, plan_id: uuid.UUID, now: dt.datetime) -> Standing:
    """The plan as it stands, if it may still be changed."""
    return standing_of(session, _open_plan(session, plan_id, now), now)


def _open_plan(session: Session, plan_id: uuid.UUID, now: dt.datetime) -> DayPlan:
    row = get_plan(session, plan_id)
    demand_current(session, row)
    if row.state not in OPEN_TO_CHANGE or row.problem is None or row.plan is None:
        raise PlanNotReady(state=row.state)
    if row.planned_on < today_of(session, row.org_id, now):
        raise DayIsOver(planned_on=row.planned_on)
    return row


def _worked_out(session: Session, row: DayPlan, changes: Sequence[PlanChange], now: dt.datetime) -> Trial:
    standing = standing_of(session, row, now)
    for change in changes:
        if change.adds is not None:
            standing = joined_by(session, standing, change.adds, now)
    changes = _with_partners(standing, changes)
    rest = rest_of(standing, _concerned(standing, changes))
    worked = _edited(rest, changes)
    return Trial(
        standing=standing,
        worked=worked,
        cost_before=rest.plan.cost,
        faults=tuple(faults(worked.problem, worked.plan)),
    )


def _edited(rest: Rest, changes: Sequence[PlanChange]) -> Edited:
    try:
        return edited(rest.problem, rest.plan, edits_of(rest, changes))
    except InvalidProblem as error:
        raise meaningless(error) from None


def _with_partners(standing: Standing, changes: Sequence[PlanChange]) -> Sequence[PlanChange]:
    """The changes with the crews named that come along: it is looked for among all, at the present moment."""
    problem = standing.problem
    if not any(change.puts and change.partner is None and two_meet(problem, change) for change in changes):
        return changes
    rest = rest_of(standing, problem.crew_by_id)
    crews: dict[str, set[str]] = defaultdict(set)
    for route in _edited(rest, changes).plan.routes:
        for stop in route.stops:
            crews[stop.task].add(route.crew)
    return [_with_partner(change, crews) if two_meet(problem, change) else change for change in changes]


def _with_partner(change: PlanChange, crews: Mapping[str, set[str]]) -> PlanChange:
    both = crews[str(change.visit_id)]
    if not change.puts or change.partner is not None or change.crew not in both:
        return change
    return replace(change, partner=next(iter(both - {change.crew}), None))


def _concerned(standing: Standing, changes: Iterable[PlanChange]) -> set[str]:
    """The crews that are named, and those that have the visits which are named."""
    visits = {visit_id for change in changes for visit_id in change.visits}
    crews = {crew for change in changes for crew in change.crews}
    having = {code for code, route in standing.routes.items() if visits & {stop.visit_id for stop in route.stops}}
    return crews | having


def _write(
    session: Session, trial: Trial, changes: Sequence[PlanChange], *, by: uuid.UUID | None, now: dt.datetime
) -> tuple[DayPlan, list[JudgedStop]]:
    """The draft with its rows, holding its visits; and the stops of the changed crews that the policy refuses."""
    standing = trial.standing
    base = standing.row
    row = new_row(base, by=by, repairs=None if standing.published is None else standing.published.id, now=now)
    session.add(row)
    session.flush()
    rewritten = Rewritten(
        standing=standing,
        problem=trial.worked.problem,
        plan=trial.worked.plan,
        crews=trial.worked.crews,
        taken_out={str(change.visit_id) for change in changes if change.takes_out},
    )
    routes = write_plan(session, row, rewritten)
    if base.state is DayPlanState.DRAFT:
        base.state = DayPlanState.DROPPED
    session.flush()
    full = get_plan(session, row.id)
    hand_over(session, base, full, now)
    return row, _refused(session, standing, [route for route in routes if route.crew_code in trial.worked.crews], now)


def _refused(session: Session, standing: Standing, routes: Sequence[Route], now: dt.datetime) -> list[JudgedStop]:
    """Judge what is still to come of these routes, and store each decision."""
    frozen = {stop.visit_id for route in routes for stop in standing.frozen(route.crew_code)}
    visits = lock_visits(session, (stop.visit_id for route in routes for stop in route.stops))
    judged = judge_stops(session, routes, visits, moment=CheckMoment.PLANNING, now=now, but=frozen)
    return [one for one in judged if not one.allowed]


def _effects(session: Session, standing: Standing, row: DayPlan) -> Effects:
    shown = standing.published if standing.published is not None else standing.row
    return effects_of(session, shown, row)
