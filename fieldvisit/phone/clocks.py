"""The phone's clock against ours. A phone says with each sending what its own clock shows; the difference is its drift.

What happened while there was no signal is dated by the phone's own time, put right by the drift. A phone that does not
say when it sends is believed nothing: what it tells happens when it is heard.
"""

import datetime as dt
from typing import Protocol

from fieldvisit.errors import InvalidValue

LATEST = dt.timedelta(days=30)
"""So long a phone may be without signal. What is older has the wrong clock."""
LIVE_FOR = dt.timedelta(minutes=15)
"""What happened so lately is happening still: it can be refused. What is older is a fact."""


class Clocked(Protocol):
    """What was told: when it happened and when it was sent, both by the phone's own clock."""

    @property
    def device_at(self) -> dt.datetime | None: ...
    @property
    def sent_at(self) -> dt.datetime | None: ...


def drift_of(told: Clocked, now: dt.datetime) -> dt.timedelta:
    """How far the phone's clock is behind ours, in whole seconds; nothing where not said. The time that the sending
    took is in it, unless the phone's quicker ones have shown it to be slow (see `fieldvisit.devices`)."""
    return dt.timedelta(seconds=0 if told.sent_at is None else round((now - told.sent_at).total_seconds()))


def on_our_clock(moment: dt.datetime, told: Clocked, now: dt.datetime) -> dt.datetime:
    """A time of the phone's clock as it was on ours."""
    return moment + drift_of(told, now)


def stated_at(told: Clocked, now: dt.datetime) -> dt.datetime | None:
    """When it happened as far as the phone says so, believed or not, and never later than now."""
    return None if told.device_at is None else min(on_our_clock(told.device_at, told, now), now)


def happened_at(told: Clocked, now: dt.datetime) -> dt.datetime:
    """When it happened. Raises InvalidValue for what lies too far back to be meant."""
    stated = stated_at(told, now)
    if stated is None or told.sent_at is None:
        return now
    if stated < now - LATEST:
        raise InvalidValue(path="device_at", reason="lies more than thirty days back")
    return stated


def is_live(told: Clocked, now: dt.datetime) -> bool:
    """Whether it is happening still, as far as the phone says so. What lies too far back to be meant is not, and may
    have been taken when it did not yet."""
    stated = stated_at(told, now)
    return stated is None or told.sent_at is None or stated >= now - LIVE_FOR


def is_late(told: Clocked, now: dt.datetime) -> bool:
    """Whether it is a fact by now, that no answer of ours can change. Raises what `happened_at` raises."""
    return happened_at(told, now) < now - LIVE_FOR
