"""A process that takes the gate of an organisation and is stopped while it has it, as a worker may be. Arguments: the
organisation, whether it is sent `an_answer` then or `nothing`, and the seconds that it may be idle."""

import os
import signal
import sys
import uuid

from fieldvisit.database import Limits, acting_for, app_engine, database_urls, session_factory
from fieldvisit.gate import open_visits
from fieldvisit.settings import read_settings
from tests.conftest import NOW

ANSWER = b"select repeat('x', 1000000) from generate_series(1, 50)"
"""More than lies in the buffers of a connection: a server gets rid of it only where somebody takes it."""


def run(org_id: str, sent: str, idle_s: str) -> None:
    settings = read_settings()
    engine = app_engine(database_urls(settings).app, settings, limits=Limits(idle_s=float(idle_s)))
    with acting_for(session_factory(engine), uuid.UUID(org_id)) as session:
        open_visits(session, uuid.UUID(org_id), NOW)
        if sent == "an_answer":
            raw = session.connection().connection.driver_connection
            assert raw is not None
            raw.pgconn.send_query(ANSWER)
            raw.pgconn.flush()
        print("held", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)


if __name__ == "__main__":
    run(*sys.argv[1:])
