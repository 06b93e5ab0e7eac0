"""A lane of its own for calls for help: one process of the server answers nothing else.

The thread of a process that accepts connections looks at how the first request of each begins, and hands one that
calls for help over to that process, with its socket. So such a call waits neither for a thread nor for a connection to
the database nor for the interpreter of a process that is busy with everybody's check-ins. One that comes later on a
connection that was kept takes its turn like any other request.
"""

import mmap
import selectors
import socket
import struct
import threading
import time
from contextlib import suppress
from functools import partial
from typing import Any

import structlog
from flask import Flask
from gunicorn.workers.gthread import TConn

from api.ready_threads import ReadyThreads
from api.sos import stay_ready

CALL = b"POST /safety/sos"
STALE_S = 3.0
"""A process that said nothing for longer gets no calls: each other one answers its own."""
FIRST_WORDS_S = 10.0
READY_S = 10.0
MOST_AT_ONCE = 200
"""Calls that are being answered, each by a thread of its own. Who comes beyond that is answered like anybody."""
ANSWERED_S = 60.0
"""By then a call was answered, whatever was in its way; what has not even come by then is let go."""
NOBODY = "", 0
MOMENT, NUMBER = struct.Struct("d"), struct.Struct("q")

log = structlog.get_logger("fieldvisit.serve")


class Lane:
    """What the processes of one server share, made before they are: at which place the one is that takes calls, the way
    by which connections come to it, when it last said that it lives, and how many it answers just now."""

    def __init__(self, place: int) -> None:
        self.place = place
        # A stream, of which the system queues hundreds; of datagrams ten.
        self._giving, self._taking = socket.socketpair()
        for each in (self._giving, self._taking):
            each.setblocking(False)
        self._sign = mmap.mmap(-1, MOMENT.size + NUMBER.size)

    def __del__(self) -> None:
        self._giving.close()
        self._taking.close()

    def fileno(self) -> int:
        return self._taking.fileno()

    def beat(self) -> None:
        MOMENT.pack_into(self._sign, 0, time.monotonic())

    def leave(self) -> None:
        MOMENT.pack_into(self._sign, 0, 0.0)

    def answers(self, calls: int) -> None:
        NUMBER.pack_into(self._sign, MOMENT.size, calls)

    def give(self, connection: socket.socket) -> bool:
        """Hand it over; False where nobody would take it."""
        (last,), (calls,) = MOMENT.unpack_from(self._sign), NUMBER.unpack_from(self._sign, MOMENT.size)
        if time.monotonic() - last > STALE_S or calls >= MOST_AT_ONCE:
            return False
        try:
            socket.send_fds(self._giving, [b"."], [connection.fileno()])
        except OSError:
            return False
        return True

    def take(self) -> socket.socket | None:
        try:
            _, handed, *_ = socket.recv_fds(self._taking, 1, 1)
        except BlockingIOError:
            return None
        return socket.socket(fileno=handed[0]) if handed else None


class LanedThreads(ReadyThreads):
    """Ready threads, of one process for calls for help alone. What is here runs in the thread that accepts."""

    def init_process(self) -> None:
        self._lane: Lane = self.app.lane  # type: ignore[attr-defined]  # `Server` has it
        self.calls_only = self.place == self._lane.place
        self._arriving: dict[socket.socket, TConn] = {}
        """Connections that have said nothing yet, the oldest first."""
        self._answering: dict[TConn, float] = {}
        """In the process for calls, since when."""
        super().init_process()

    def run(self) -> None:
        if self.calls_only:
            # The next request of the same connection is an ordinary one, and belongs elsewhere.
            self.max_keepalived = 0
            self.poller.register(self._lane, selectors.EVENT_READ, self._take)
            threading.Thread(target=self._stay_ready, name="ready", daemon=True).start()
        super().run()

    def notify(self) -> None:
        super().notify()
        if self.calls_only and self.alive and self.has_room:
            self._lane.beat()

    def handle_exit(self, sig: int, frame: Any) -> None:
        super().handle_exit(sig, frame)
        if self.calls_only:
            self._lane.leave()

    def set_accept_enabled(self, enabled: bool | None) -> None:
        super().set_accept_enabled(bool(enabled) and not self.calls_only)

    def _lay_back(self, conn: TConn, *, new: bool = False) -> None:
        if not new or self.calls_only:
            super()._lay_back(conn, new=new)
            return
        # What it says first is waited for here, not by a thread that others wait for as well.
        conn.timeout = time.monotonic() + FIRST_WORDS_S
        self._arriving[conn.sock] = conn
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._first_words, conn))

    def _first_words(self, conn: TConn, _: object) -> None:
        self._forget(conn)
        if _calls(conn.sock) and self._lane.give(conn.sock):
            # Only this process's end of it.
            self._close(conn)
        else:
            super()._lay_back(conn, new=True)

    def _forget(self, conn: TConn) -> None:
        del self._arriving[conn.sock]
        self.poller.unregister(conn.sock)

    def _let_go_silent(self, *, until: float | None = None) -> None:
        super()._let_go_silent(until=until)
        now = time.monotonic()
        for conn in [each for each, since in list(self._answering.items()) if now - since > ANSWERED_S]:
            # Its thread reads no more, and closes it.
            with suppress(OSError):
                conn.sock.shutdown(socket.SHUT_RDWR)
        for conn in [each for each in self._arriving.values() if (each.timeout or now) <= now]:
            self._forget(conn)
            self._close(conn)

    def _finish(self) -> None:
        for conn in list(self._arriving.values()):
            self._forget(conn)
            super()._lay_back(conn, new=True)
        if self.calls_only:
            # Given over before the others knew that this one ends: nobody else would ever answer them.
            self._take(self._lane)
        super()._finish()

    def _counted(self, more: int) -> None:
        super()._counted(more)
        if self.calls_only:
            # Nobody makes way for it.
            self.places.leave(self.place)
            self._lane.answers(self.nr_conns)

    def _take(self, lane: Lane) -> None:
        while (taken := lane.take()) is not None:
            conn = TConn(self.cfg, taken, *_ends(taken))
            conn.data_ready = True
            self._counted(1)
            try:
                # A thread for each: half a call that never ends holds up no other one.
                threading.Thread(target=self._call, args=(conn,), name="call", daemon=True).start()
            except RuntimeError:
                # The host has none left: then one of those that were there from the start takes it.
                self._lay_back(conn, new=True)
            if not self.has_room:
                # A socket for which it has no room is lost on the way: until it has, each other answers its own.
                lane.leave()

    def _call(self, conn: TConn) -> None:
        self._answering[conn] = time.monotonic()
        try:
            self._serve(conn)
        finally:
            del self._answering[conn]

    def _stay_ready(self) -> None:
        """Whom to call without a database is known, and a first call finds everything loaded."""
        while self.alive:
            try:
                assert isinstance(self.wsgi, Flask)
                with self.wsgi.app_context():
                    stay_ready()
            except Exception as error:
                log.error("emergency_not_ready", error=type(error).__name__)
            time.sleep(READY_S)


def _calls(connection: socket.socket) -> bool:
    with suppress(OSError):
        seen = connection.recv(len(CALL) + 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        return seen.startswith(CALL) and seen[len(CALL) :] in (b" ", b"?", b"/")
    return False


def _ends(connection: socket.socket) -> tuple[Any, Any]:
    """Who calls, and where; nobody where the caller has hung up already: the call counts all the same."""
    try:
        return connection.getpeername(), connection.getsockname()
    except OSError:
        return NOBODY, NOBODY
