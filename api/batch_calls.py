"""A call for help among the events of a batch that is refused as a whole: too large, cut off, packed, no JSON, beyond
the limit of requests, or met by a database that does not answer. What can be read of it still calls.

The body is overheard while it goes by, in a window of a fixed size: nothing is kept of it but the calls.
"""

import io
import json
import re
import time
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

import structlog
from flask import Response, after_this_request, request

from api.auth import read_bearer
from api.calls import NO_LIMIT, Call, call_in
from api.context import now_for_a_call, settings
from api.inflating import PACKED, Inflating
from api.sos import raise_call
from fieldvisit.errors import FieldVisitError

HEADER = "Calls-For-Help"
"""In the answer of a batch that was refused: how many calls were heard in it."""
MOST_CALLS = 20
WINDOW, PIECE = 64 * 1024, 64 * 1024
MOST_BYTES, MOST_S, SILENCE_S = 64 * 2**20, 30.0, 5.0
"""What is read of a body that is refused already, how long that may take, and how long nothing may come."""
LONGEST_SILENCE_S = 20.0
"""So long a phone may say nothing in the middle of its batch; then it is cut off."""
SAYS_SOS = re.compile(rb'"kind"\s*:\s*"sos"')
SENT_AT = re.compile(rb'"sent_at"\s*:\s*"([^"\\]{10,40})"')
ENDINGS = ("}", "}}", '"}', '"}}')
NEAREST = 64
MOST_WORK, EACH_TRY = 4 * 2**20, 1024
"""So much is tried to read the calls of one batch, in characters gone over, and what a try counts for by itself. A body
that was made to be hard to read is no way to keep the server busy: what is not read by then calls all the same."""

log = structlog.get_logger("fieldvisit.emergency")


class Overheard(io.RawIOBase):
    """A body as it is read, by whomever; the calls for help in it are picked up on the way."""

    def __init__(self, stream: Any, *, packed: bool) -> None:
        self._stream = stream
        self._inflating = Inflating(MOST_BYTES) if packed else None
        self._window = b""
        self._from = 0
        self._work = Work(MOST_WORK)
        self.bodies: dict[str, Mapping[str, Any]] = {}
        self.sent_at: str | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        some = self._stream.read(len(into))
        into[: len(some)] = some
        for plain in self._inflating.feed(some) if self._inflating else (some,):
            self._hear(plain)
        return len(some)

    def end(self) -> None:
        """No more will come: what was waited for is read as far as it goes."""
        self._look(ended=True)

    def _hear(self, some: bytes) -> None:
        self._window += some
        if self.sent_at is None and (found := SENT_AT.search(self._window)):
            self.sent_at = found.group(1).decode(errors="replace")
        self._look(ended=False)
        gone = max(0, len(self._window) - 2 * WINDOW)
        self._window, self._from = self._window[gone:], max(0, self._from - gone)

    def _look(self, *, ended: bool) -> None:
        """Each event that says that it is a call, once all of it is here, or nothing more comes."""
        for found in SAYS_SOS.finditer(self._window, self._from):
            if len(self.bodies) >= MOST_CALLS:
                return
            waits = len(self._window) - found.end() < WINDOW
            body = _event_around(self._window, found.start(), self._work, cut=ended or not waits)
            if body is None and waits and not ended:
                return
            self._from = found.end()
            self.bodies.setdefault(json.dumps(body or {}, sort_keys=True), body or {})


class Work:
    """How much more may be tried."""

    def __init__(self, left: int) -> None:
        self.left = left

    def read[Read](self, text: str, reader: Callable[[str], Read]) -> Read | None:
        """What `reader` makes of the text; None where it makes nothing of it, or too much was tried already."""
        if self.left <= 0:
            return None
        self.left -= EACH_TRY
        try:
            return reader(text)
        except json.JSONDecodeError as error:
            self.left -= error.pos
        except (ValueError, RecursionError):
            self.left -= len(text)
        return None


def _event_around(text: bytes, at: int, work: Work, *, cut: bool) -> Mapping[str, Any] | None:
    """The object whose member stands there. One that was cut off is read up to its last whole member, if `cut`."""
    begins = at
    for _ in range(NEAREST):
        begins = text.rfind(b"{", 0, begins)
        if begins < 0:
            break
        found = _object(text[begins : begins + WINDOW].decode(errors="replace"), work, cut=cut)
        if found is not None and found.get("kind") == "sos":
            return found
    return {"kind": "sos"} if cut or work.left <= 0 else None


def _object(text: str, work: Work, *, cut: bool) -> dict[str, Any] | None:
    whole = work.read(text, json.JSONDecoder().raw_decode)
    if whole is not None:
        return _mapping(whole[0])
    ends = len(text)
    for _ in range(NEAREST if cut and work.left > 0 else 0):
        for ending in ENDINGS:
            read = work.read(text[:ends] + ending, json.loads)
            if read is not None:
                return _mapping(read)
        ends = text.rfind(",", 0, ends)
        if ends < 0:
            break
    return None


def _mapping(found: Any) -> dict[str, Any] | None:
    return found if isinstance(found, dict) else None


def hears_calls[View: Callable[..., Any]](view: View) -> View:
    """The view of a batch; where it takes none of it, the calls for help in it are raised before it says so."""

    @wraps(view)
    def heard(**path: Any) -> Any:
        packed = request.headers.get("Content-Encoding", "").strip().lower() in PACKED
        overheard = Overheard(request.environ["wsgi.input"], packed=packed)
        request.environ["wsgi.input"] = overheard
        connection = request.environ.get("gunicorn.socket")
        if connection is not None:
            connection.settimeout(LONGEST_SILENCE_S)
        try:
            return view(**path)
        except Exception:
            _call_for(overheard, connection)
            raise
        finally:
            if connection is not None:
                connection.settimeout(None)

    return heard  # type: ignore[return-value]  # wrapped


def _call_for(overheard: Overheard, connection: Any) -> None:
    """Whatever else was wrong: who called is heard. Raises nothing, for the answer is the refusal's."""
    try:
        claims = read_bearer(settings().token_key, now=now_for_a_call(), even_expired=True)
    except FieldVisitError:
        return
    if claims.visitor_id is None:
        return
    _hear_to_the_end(overheard, connection)
    raised = 0
    for body in overheard.bodies.values():
        try:
            call: Call = call_in(body, sent_at=overheard.sent_at, account_id=claims.account_id)
            raise_call(claims, call.told(claims, claims.visitor_id))
        except Exception as error:
            log.critical("call_in_batch_not_raised", error=type(error).__name__)
        else:
            raised += 1
    if raised:
        log.warning("calls_in_refused_batch", calls=raised)

        @after_this_request
        def tell(response: Response) -> Response:
            response.headers[HEADER] = str(raised)
            return response


def _hear_to_the_end(overheard: Overheard, connection: Any) -> None:
    request.max_content_length = NO_LIMIT
    if connection is not None:
        connection.settimeout(SILENCE_S)
    until, heard = time.monotonic() + MOST_S, 0
    try:
        while heard < MOST_BYTES and time.monotonic() < until and (some := overheard.read(PIECE)):
            heard += len(some)
    except (OSError, ValueError):
        # Silence, or a connection that broke off.
        pass
    overheard.end()
