"""What a visitor does with a safety session: start it, check in, extend it, end it, and be heard of meanwhile.

Every change happens under the lock on the session's row and by the database's clock. The engine looks for expired
deadlines under the same lock, so a check-in and an alarm can never both win.
"""

from fieldvisit.safety.sessions.duress import raise_duress, raise_wrong_pins
from fieldvisit.safety.sessions.ending import _being_pressed, _take_back, cancel_call, end_session, extend_session
from fieldvisit.safety.sessions.hearing import TIMED, _move_deadlines, beat, check_in, hear_all
from fieldvisit.safety.sessions.own import lock_own
from fieldvisit.safety.sessions.planning import cancel_session, plan_session, planned_for_start, planned_sessions
from fieldvisit.safety.sessions.refusals import AlertStillOpen, ExtensionTooLong, SessionAlreadyOpen, SessionNotActive
from fieldvisit.safety.sessions.starting import _gate, _started_before, start_session

__all__ = [
    "TIMED",
    "AlertStillOpen",
    "ExtensionTooLong",
    "SessionAlreadyOpen",
    "SessionNotActive",
    "_being_pressed",
    "_gate",
    "_move_deadlines",
    "_started_before",
    "_take_back",
    "beat",
    "cancel_call",
    "cancel_session",
    "check_in",
    "end_session",
    "extend_session",
    "hear_all",
    "lock_own",
    "plan_session",
    "planned_for_start",
    "planned_sessions",
    "raise_duress",
    "raise_wrong_pins",
    "start_session",
]
