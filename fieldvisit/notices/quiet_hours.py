"""When a telephone may ring for a message: the house's own hours, by the clock of the place where it lies."""

import datetime as dt
from zoneinfo import ZoneInfo

OPENS, CLOSES = dt.time(8), dt.time(20)


def ringing_from(now: dt.datetime, zone: str) -> dt.datetime:
    """Now, or when the hours for text messages begin there."""
    local = now.astimezone(ZoneInfo(zone))
    if OPENS <= local.time() < CLOSES:
        return now
    day = local.date() if local.time() < OPENS else local.date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, OPENS, ZoneInfo(zone)).astimezone(dt.UTC)
