"""How dangerous a visit is follows from what is known of it."""

from typing import Any

import pytest

from fieldvisit.safety.risk import Circumstances, Reason, Risk, judge
from fieldvisit.vocabulary import RiskLevel

LOW, NORMAL, RAISED, HIGH, DRILL = (
    RiskLevel.LOW,
    RiskLevel.NORMAL,
    RiskLevel.RAISED,
    RiskLevel.HIGH,
    RiskLevel.DRILL,
)


@pytest.mark.parametrize(
    ("known", "risk"),
    [
        ({"asked": LOW}, Risk(LOW, (Reason.ASKED,))),
        ({"asked": HIGH, "marked": (RAISED,)}, Risk(HIGH, (Reason.ASKED,))),
        ({"asked": NORMAL, "marked": (RAISED, HIGH)}, Risk(HIGH, (Reason.MARKER,))),
        ({"asked": NORMAL, "marker_expired": True}, Risk(RAISED, (Reason.MARKER_EXPIRED,))),
        ({"asked": NORMAL, "incident": True, "first_visit": True}, Risk(HIGH, (Reason.INCIDENT,))),
        ({"asked": NORMAL, "first_visit": True, "hour": 19}, Risk(RAISED, (Reason.FIRST_VISIT, Reason.EVENING))),
        ({"asked": NORMAL, "hour": 8}, Risk(NORMAL, (Reason.ASKED,))),
        ({"asked": NORMAL, "hour": 7}, Risk(RAISED, (Reason.EVENING,))),
        ({"asked": NORMAL, "hour": 18}, Risk(RAISED, (Reason.EVENING,))),
        ({"asked": DRILL, "marked": (HIGH,)}, Risk(DRILL)),
    ],
)
def test_the_strictest_level_that_anything_speaks_for_is_the_level(known: dict[str, Any], risk: Risk) -> None:
    assert judge(Circumstances(**known)) == risk
