"""Who rides with whom today. People and the day's demands in; crews, what each of them takes on, and reasons out.

`roster` are the values, `forming` the search by CP-SAT, `checking` the judge that shares only the values with it.
Importing the values or the judge loads no solver.
"""

from routing.crews.checking import crew_faults
from routing.crews.roster import (
    Demand,
    Duty,
    FormedCrew,
    Forming,
    HomeReason,
    LeftDemand,
    LeftReason,
    Person,
    Rules,
    Staff,
    StayingHome,
)

__all__ = [
    "Demand",
    "Duty",
    "FormedCrew",
    "Forming",
    "HomeReason",
    "LeftDemand",
    "LeftReason",
    "Person",
    "Rules",
    "Staff",
    "StayingHome",
    "crew_faults",
]
