"""Engines of one test process compile each statement once: a new engine for each test would compile all of them anew,
which was a fifth of the time of every test with a database."""

import sqlalchemy as sa

from fieldvisit.sealing import cipher_of

_first: dict[bytes, sa.Engine] = {}


def sharing_statements(engine: sa.Engine) -> sa.Engine:
    """Let this engine use the dialect, and the statements compiled so far, of the first one with the same cipher."""
    first = _first.setdefault(cipher_of(engine.dialect).digest(""), engine)
    if first is engine:
        # Before others use it: a dialect learns from its first connection what the server is.
        engine.connect().close()
    else:
        engine.dialect, engine.pool._dialect = first.dialect, first.dialect
        engine._compiled_cache = first._compiled_cache
    return engine
