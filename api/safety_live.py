"""The wall of the safety officers: as it stands, and as a stream of what changes on it."""

import json
import threading
import uuid
from collections.abc import Generator, Iterator
from typing import Any

from flask import Flask, Response, current_app, request

from api.auth import actor
from api.context import settings
from api.db import db, session
from api.endpoints import endpoint
from api.feed import Feed
from api.openapi import Blueprint
from api.roles import Permission
from api.schemas.live import LiveWallOut, StreamIn
from fieldvisit.database import acting_for, session_factory
from fieldvisit.errors import FieldVisitError, Kind
from fieldvisit.safety.live import Wall, read_wall
from fieldvisit.safety.looks import record_looks
from fieldvisit.tokens import Claims

KEY = "fieldvisit walls"
MEDIA = "text/event-stream"
ONE_IN = 4
"""Of the server's threads this share may be held by streams; the others stay free for requests."""

bp = Blueprint("safety_live", __name__, url_prefix="/safety", description=__doc__)


class TooManyStreams(FieldVisitError):
    """Every thread that may be held by a stream is."""

    code, kind = "too_many_streams", Kind.UNAVAILABLE
    says = "No more streams can be served just now. Ask for the wall itself each few seconds instead."


class Walls:
    """The feeds of this process, one for each organisation, and how many follow any of them."""

    def __init__(self) -> None:
        self._sessions = session_factory(db.engine)
        self._feeds: dict[uuid.UUID, Feed] = {}
        self._free = threading.Semaphore(max(1, settings().threads // ONE_IN))
        self._lock = threading.Lock()

    def follow(self, by: Claims, last_id: str | None, for_s: float) -> Iterator[str]:
        """What is told to this account, which is kept. Raises TooManyStreams before anything is sent."""
        org_id = by.org_id
        with self._lock:
            feed = self._feeds.setdefault(org_id, Feed(self._sessions, org_id))
        if not self._free.acquire(blocking=False):
            raise TooManyStreams()
        return _released(self._free, self._kept(by, feed.follow(last_id, for_s)))

    def close(self) -> None:
        with self._lock:
            for feed in self._feeds.values():
                feed.close()

    def _kept(self, by: Claims, events: Generator[str]) -> Iterator[str]:
        shown: set[uuid.UUID] = set()
        try:
            for event in events:
                fresh = _shown(event) - shown
                if fresh:
                    with acting_for(self._sessions, by.org_id) as session:
                        record_looks(session, by.account_id, stream_live.__name__, fresh)
                    shown |= fresh
                yield event
        finally:
            events.close()


def _shown(event: str) -> set[uuid.UUID]:
    """The sessions of which an event brings a position: what shows none is kept by nobody as a look."""
    said = json.loads(event.partition("data: ")[2])
    return {uuid.UUID(tile["id"]) for tile in said.get("tiles", ()) if tile["last_lat"] is not None}


class _released(Iterator[str]):
    """The same events; the place is given back when they end or nobody reads on, also where nobody has read at all."""

    def __init__(self, free: threading.Semaphore, events: Iterator[str]) -> None:
        self._free, self._events, self._held = free, events, True

    def __next__(self) -> str:
        try:
            return next(self._events)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """What a server calls when the connection is gone."""
        if self._held:
            self._held = False
            self._free.release()
        getattr(self._events, "close", lambda: None)()


@bp.get("/live")
@endpoint(may=Permission.READ_SAFETY, returns=LiveWallOut(), safety=True)
def read_live() -> Wall:
    """The wall as it stands: everybody who is out, alarms first, then by risk."""
    return read_wall(session())


@bp.get("/stream")
@endpoint(may=Permission.READ_SAFETY, query=StreamIn(), media=MEDIA, safety=True)
def stream_live(query: dict[str, Any]) -> Response:
    """The wall as server-sent events: `wall` with everything, then `change` with what changed and which sessions ended.

    Each has an id; with it in the header Last-Event-ID a stream that broke off is taken up where it ended. `heartbeat`
    comes when nothing else has for 5 seconds, `stale` instead of it while the wall itself cannot be read. Whoever has
    heard nothing for 15 seconds shows that the wall is old.
    """
    events = _walls().follow(actor(), request.headers.get("Last-Event-ID"), query["for_s"])
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response(events, mimetype=MEDIA, headers=headers)


def close_walls(app: Flask) -> None:
    """End what looks at the walls beside the requests, where anybody has followed one."""
    walls: Walls | None = app.extensions.get(KEY)
    if walls is not None:
        walls.close()


def _walls() -> Walls:
    """Made at the first need and not at the start: a worker process has its own threads."""
    found: Walls = current_app.extensions.setdefault(KEY, Walls())
    return found
