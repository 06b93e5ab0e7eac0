"""Days, weeks and crews as they are planned."""

from enum import StrEnum


class UnservedReason(StrEnum):
    """Why a visit is not in a day plan: the reasons of the planning format, and those the day itself adds."""

    UNREACHABLE = "unreachable"
    NO_CREW_OFFERS = "no_crew_offers"
    NO_CREW_LARGE_ENOUGH = "no_crew_large_enough"
    OUTSIDE_EVERY_SHIFT = "outside_every_shift"
    WINDOW_TOO_SHORT = "window_too_short"
    OVER_LIMIT = "over_limit"
    PIN_CONTRADICTS = "pin_contradicts"
    GROUP_TAKEN = "group_taken"
    QUOTA_FULL = "quota_full"
    NO_ROOM = "no_room"
    NOT_WORTH_ITS_COST = "not_worth_its_cost"
    NOT_PERMITTED = "not_permitted"
    PLACE_UNKNOWN = "place_unknown"
    TAKEN_MEANWHILE = "taken_meanwhile"


class DayPlanState(StrEnum):
    REQUESTED = "requested"
    SOLVING = "solving"
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    DROPPED = "dropped"
    FAILED = "failed"


class CrewSource(StrEnum):
    """Who named the crew of a shift."""

    FILE = "file"
    PROPOSED = "proposed"
    DISPATCHER = "dispatcher"


class FormingState(StrEnum):
    REQUESTED = "requested"
    FORMING = "forming"
    FORMED = "formed"
    FAILED = "failed"


class WeekState(StrEnum):
    REQUESTED = "requested"
    PLANNING = "planning"
    PLANNED = "planned"
    FAILED = "failed"


class PartState(StrEnum):
    WAITING = "waiting"
    SOLVING = "solving"
    SOLVED = "solved"
    FAILED = "failed"
