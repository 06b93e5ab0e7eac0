"""Several days: which errand on which day, before each day is planned for itself.

`errands` are the values, `choosing` the choice by CP-SAT, `checking` the judge that shares only the values with it,
`estimates` what a day is taken to hold. Importing the values or the judge loads no solver.
"""

from routing.horizon.checking import horizon_faults
from routing.horizon.errands import (
    Cap,
    Choice,
    Errand,
    Horizon,
    Later,
    LaterReason,
    Prices,
    Room,
)

__all__ = [
    "Cap",
    "Choice",
    "Errand",
    "Horizon",
    "Later",
    "LaterReason",
    "Prices",
    "Room",
    "horizon_faults",
]
