"""What stops a contact, and how a question of law is answered."""

from enum import StrEnum


class BlockTrigger(StrEnum):
    DISPUTE = "dispute"
    COMPLAINT_OPEN = "complaint_open"
    CEASE_REQUEST = "cease_request"
    REPRESENTED = "represented"
    VULNERABILITY = "vulnerability"
    NO_CAPACITY = "no_capacity"
    MINOR = "minor"
    DECEASED = "deceased"
    BANKRUPTCY = "bankruptcy"
    MORATORIUM = "moratorium"
    HARDSHIP_PLAN = "hardship_plan"
    MEDIUM_REFUSED = "medium_refused"
    PLACE_REFUSED = "place_refused"
    TIME_BARRED = "time_barred"
    PAID = "paid"
    BEREAVEMENT = "bereavement"
    CALAMITY = "calamity"
    CELEBRATION = "celebration"
    HOSPITALISED = "hospitalised"
    LITIGATION = "litigation"
    DEADLOCK = "deadlock"
    """Talks that lead nowhere: neither side moves."""


class AgencyReviewKind(StrEnum):
    """How a lender looks at an agency that works for it: judging its work, or inspecting it on the spot."""

    EVALUATION = "evaluation"
    INSPECTION = "inspection"


class BlockScope(StrEnum):
    """What a contact block stops: everything, visits only, one channel, or one place."""

    ALL = "all"
    VISITS = "visits"
    CHANNEL = "channel"
    PLACE = "place"


class Verdict(StrEnum):
    """The answer of the policy engine."""

    ALLOWED = "allowed"
    NEEDS_OVERRIDE = "needs_override"
    BLOCKED = "blocked"


class RejudgingState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
