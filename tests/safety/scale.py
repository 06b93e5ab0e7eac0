"""One factor for all that takes its time: `SAFETY_SCALE=1` is full length, `0.05` (the default) a twentieth of it.

Durations of the long tests are multiplied by it, and so are the leases and waits of a sender that a test makes itself.
A provider's own time limit is not: that is how long a machine may take, and no machine is faster for a test.
"""

import os
from dataclasses import dataclass

from fieldvisit.safety.pace import Pace

SCALE = float(os.environ.get("SAFETY_SCALE", "0.05"))
BARS = os.environ.get("BARS") == "1"
"""Whether times are held against the bars: only where the machine has nothing else to do."""


def scaled_s(seconds: float) -> float:
    return seconds * SCALE


@dataclass(frozen=True, kw_only=True)
class ScaledPace(Pace):
    """As production has it, in scaled time."""

    # Longer than a working provider takes, at any scale: only then may somebody else take a message over.
    lease_s: float = max(2.0, scaled_s(Pace.lease_s))
    receipt_s: float = scaled_s(Pace.receipt_s)

    def retry_s(self, attempts: int, providers: int) -> float:
        return scaled_s(super().retry_s(attempts, providers))
