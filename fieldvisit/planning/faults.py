"""What the judge finds, in words for people: `routing` tells its faults in plain English, to programmers."""

from collections.abc import Mapping

from fieldvisit.languages import Message
from routing.checking import Fault

LINE = Message("{path}: {says} [{code}]")
WORDS: Mapping[str, Message] = {
    # Who serves what
    "unknown_crew": Message("There is no crew {crew}."),
    "unknown_task": Message("There is no visit {task}."),
    "crew_listed_twice": Message("Crew {crew} has more than one route."),
    "served_twice": Message("Visit {task} is made more than once."),
    "needs_two_crews": Message("Visit {task} needs two different crews."),
    "crews_begin_apart": Message("The two crews of visit {task} do not begin at the same time."),
    "crew_too_small": Message("Visit {task} needs more people than go there."),
    "pinned_to_another_crew": Message("Visit {task} belongs to another crew."),
    "requires_missing": Message("Crew {crew} lacks what visit {task} needs."),
    "group_served_twice": Message("Of visits of which only one may be made, several are."),
    "quota_passed": Message("More visits are planned than there may be in one day."),
    "task_forgotten": Message("Visit {task} is neither planned nor left out."),
    "unserved_twice": Message("Visit {task} is left out twice."),
    "served_and_unserved": Message("Visit {task} is planned and left out at once."),
    "reason_untrue": Message("The reason why visit {task} is left out is not true."),
    # The clock of a route
    "route_without_stops": Message("The route of crew {crew} has no stop."),
    "departs_before_shift": Message("Crew {crew} leaves before its shift."),
    "returns_after_shift": Message("Crew {crew} returns too late."),
    "return_wrong": Message("The return of crew {crew} is not the end of its last visit."),
    "begins_before_arrival": Message("Crew {crew} begins visit {task} before it is there."),
    "end_wrong": Message("The end of visit {task} does not follow from its begin and its length."),
    "outside_window": Message("Visit {task} lies outside the hours in which it may be made."),
    "outside_pin": Message("Visit {task} does not begin when it has to."),
    # Drives
    "no_way": Message("There is no way for crew {crew} to drive."),
    "drive_does_not_fit": Message("A drive of crew {crew} does not fit between what lies before and after it."),
    "travel_wrong": Message("The travel time of crew {crew} is not what its drives make."),
    "wait_wrong": Message("The waiting time of crew {crew} is not what its route makes."),
    # The break
    "break_unknown": Message("Crew {crew} has a break on its route that its shift does not have."),
    "break_missing": Message("Crew {crew} gets no break."),
    "break_outside_window": Message("The break of crew {crew} lies outside its hours."),
    "break_outside_route": Message("The break of crew {crew} lies before its departure or after its return."),
    "break_overlaps_drive": Message("Crew {crew} drives during its break."),
    "break_overlaps_service": Message("Crew {crew} makes a visit during its break."),
    # Limits and costs
    "over_max_tasks": Message("Crew {crew} has more visits than it may have."),
    "over_max_work": Message("Crew {crew} works longer than it may."),
    "over_max_travel": Message("Crew {crew} travels longer than it may."),
    "over_capacity": Message("Crew {crew} carries more than it can."),
    "mandatory_left_wrong": Message("The count of mandatory visits left out is wrong."),
    "cost_wrong": Message("The cost is not what the plan costs."),
    "bound_wrong": Message("The plan costs less than the bound that it claims."),
}


def fault_words(fault: Fault) -> Message:
    """Where, what and the code, as one line."""
    says = Message(WORDS[fault.code].text, {"task": fault.task, "crew": fault.crew})
    return Message(LINE.text, {"path": fault.path, "says": says, "code": fault.code})
