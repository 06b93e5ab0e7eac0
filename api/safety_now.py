"""How what an officer did something with stands now: told to whoever sends the same again under its key.

What was answered then may be untrue by now: an acknowledgement that the note renewed has lapsed, and the alert is
nobody's or another's.
"""

import uuid

from api.db import session
from fieldvisit.models import SafetyAlert
from fieldvisit.safety import alerts
from fieldvisit.safety.standing import Standing, lock_session, standing


def alert_now(alert_id: uuid.UUID) -> SafetyAlert:
    """The alert, or the stronger one that has taken it over since. Raises NotFound."""
    found = alerts.get_alert(session(), alert_id)
    return alerts.get_alert(session(), found.parent_id) if found.parent_id else found


def session_now(session_id: uuid.UUID) -> Standing:
    """The session of safety. Raises NotFound."""
    return standing(session(), lock_session(session(), session_id))
