"""A server that answers each request in a process of its own, which is gone at the statement that the request names."""

import logging
import os
import signal
from typing import Any

import sqlalchemy as sa
from werkzeug.serving import make_server

from api.app import create_app
from fieldvisit.settings import Settings

DIE_AT = "X-Die-At"
"""The number of the point, from 1 on, before which kill -9 comes: before a statement, before a commit, after it."""


def serve(settings: Settings, port: int) -> None:
    """Answer until killed. Nothing is connected here: each child makes its own connections."""
    logging.disable()
    app = create_app(settings)
    doomed = _Doomed(app.wsgi_app)
    for name in ("before_cursor_execute", "commit", "checkin"):
        sa.event.listen(sa.Engine if name != "checkin" else sa.pool.Pool, name, lambda *_: doomed.point())
    app.wsgi_app = doomed  # type: ignore[method-assign]
    make_server("127.0.0.1", port, app, processes=8).serve_forever()


class _Doomed:
    def __init__(self, app: Any) -> None:
        self._app = app
        self._left = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self._left = int(environ.get("HTTP_X_DIE_AT", "0"))
        return self._app(environ, start_response)

    def point(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
