"""What time it is, asked once per decision at the edge and handed down as `now`.

The demo and the tests may shift the clock; the shift is stored in the database, so that every process and the
database's own `fieldvisit_now()` agree. Safety decisions use the database's function only.
"""

import datetime as dt

import sqlalchemy as sa


class Clock:
    """`clock()` is this host's time plus the stored shift, which is read once, at the first call."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._shift: dt.timedelta | None = None

    def __call__(self) -> dt.datetime:
        if self._shift is None:
            with self._engine.connect() as connection:
                self._shift = connection.execute(sa.text("select shift from clock_shift")).scalar_one()
        return dt.datetime.now(dt.UTC) + self._shift


def shift_clock_to(owner_engine: sa.Engine, instant: dt.datetime) -> None:
    """Let the product's clock show `instant` now and run on from there. Only the owner of the tables may do this."""
    with owner_engine.begin() as connection:
        connection.execute(sa.text("update clock_shift set shift = :instant - clock_timestamp()"), {"instant": instant})


def database_now() -> sa.Function[dt.datetime]:
    """The clock by which several processes agree. Each call in a statement shows another microsecond."""
    return sa.func.fieldvisit_now(type_=sa.DateTime(timezone=True))


def one_moment() -> sa.ScalarSelect[dt.datetime]:
    """The clock read once, for a statement that uses it several times. PostgreSQL runs a CTE once, however often it is
    named, and never folds a volatile one into the statement."""
    moment = sa.select(database_now().label("now")).cte("moment")
    return sa.select(moment.c.now).scalar_subquery()
