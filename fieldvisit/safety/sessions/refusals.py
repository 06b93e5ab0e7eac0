"""Why a session is not started, moved or ended."""

from fieldvisit.errors import FieldVisitError, Kind


class SessionAlreadyOpen(FieldVisitError):
    """A visitor is in one place at a time."""

    code, kind = "session_already_open", Kind.CONFLICT
    says = "You have another safety session open. End that one first."


class SessionNotActive(FieldVisitError):
    code, kind = "session_not_active", Kind.CONFLICT
    says = "The safety session is not running; its state is {state}."


class SessionNotPlanned(FieldVisitError):
    """What was started is ended, and what was cancelled stays so."""

    code, kind = "session_not_planned", Kind.CONFLICT
    says = "The safety session is not only planned any more; its state is {state}."


class VisitIsOver(FieldVisitError):
    code, kind = "visit_is_over", Kind.CONFLICT
    says = "Nobody sets out to this visit any more: it is over, or was cancelled."


class StartIsStale(FieldVisitError):
    """What was true a minute ago at the phone says nothing of who is there now."""

    code, kind = "start_is_stale", Kind.CONFLICT
    says = "This start was pressed {age_s} s ago and came only now: your phone was not heard. Press it again."


class AlertStillOpen(FieldVisitError):
    code, kind = "alert_still_open", Kind.CONFLICT
    says = "An alert is open. The safety officer speaks with you first and closes it; then the session ends."


class ExtensionTooLong(FieldVisitError):
    code, kind = "extension_too_long", Kind.CONFLICT
    says = "A session may be extended by {cap_s} s in all; {used_s} s are used."
