"""A server that answers each request in a process of its own, which is gone at the statement that the request names.

Its processes are forked from one that has answered such requests itself: what is loaded and compiled at the first of a
kind is there already. It has opened no connection, or none any more.
"""

import gc
import logging
import os
import signal
from typing import Any

import sqlalchemy as sa
from werkzeug.serving import make_server

from api import db
from api.app import create_app
from fieldvisit.settings import Settings

DIE_AT = "X-Die-At"
"""The number of the point, from 1 on, before which kill -9 comes: before a statement, before a commit, after it."""
FORK = "/fork"
"""Asked for, it ends the time in which requests are answered by the first process."""


def serve(settings: Settings, port: int) -> None:
    """Answer until killed, from the request for `FORK` on each in a process with connections of its own."""
    logging.disable()
    app = create_app(settings)
    doomed = _Doomed(app.wsgi_app)
    for name in ("before_cursor_execute", "commit", "checkin"):
        sa.event.listen(sa.Engine if name != "checkin" else sa.pool.Pool, name, lambda *_: doomed.point())
    app.wsgi_app = doomed  # type: ignore[method-assign]
    alone = make_server("127.0.0.1", port, app)
    while not doomed.forks:
        alone.handle_request()
    with app.app_context():
        db.db.engine.dispose()
    # What is here is copied into no child only because somebody counted it.
    gc.collect()
    gc.freeze()
    make_server("127.0.0.1", port, app, processes=8, fd=alone.fileno()).serve_forever()


class _Doomed:
    def __init__(self, app: Any) -> None:
        self._app = app
        self._left = 0
        self.forks = False

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self._left = int(environ.get("HTTP_X_DIE_AT", "0"))
        if environ["PATH_INFO"] == FORK:
            self.forks = True
            start_response("204 No Content", [])
            return []
        return self._app(environ, start_response)

    def point(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
