"""The threads of one server process: whoever is free takes the next connection that says something.

gunicorn's own threads are handed each request by the process's main thread and hand it back afterwards. Under
Python's one lock that costs a short request, such as a check-in, a third of its time. Here the kernel wakes one waiting
thread, which reads, answers and lays the connection back; the main thread accepts, and lets go who is silent.
"""

import contextlib
import errno
import os
import select
import selectors
import socket
import struct
import threading
import time
from typing import Any

import structlog
from gunicorn.workers.gthread import TConn, ThreadWorker

from api.shared import Places

GIVE_WAY_S = 0.005
"""So long a process leaves a new connection to one that has fewer: each is kept, and so is what it asks for."""
LOOK_S, LAST_LOOK_S = 1.0, 0.02
LINGER_S = 2.0
"""So long a process that stops keeps a silent connection: somebody may be sending on it already."""
NOT_THERE = (errno.EAGAIN, errno.EWOULDBLOCK, errno.ECONNABORTED)
NOT_NOW = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
"""Nothing is left to have one more connection with, until another ends."""
HOLD_OFF_S, TELL_S = 0.2, 10.0
"""So long nobody is accepted then; told of it once in so long."""

log = structlog.get_logger("fieldvisit.serve")


class ReadyThreads(ThreadWorker):
    """`place` is this process's among its siblings, given before the fork."""

    place = 0

    def init_process(self) -> None:
        self._epoll = select.epoll()
        self._turn = threading.Lock()
        self._silent: dict[int, TConn] = {}
        """Connections that say nothing, by their socket: the longest silent first."""
        self.keepalived_conns = self._silent  # type: ignore[assignment]  # it is asked for their number alone
        self._look_at = self._accept_at = self._tell_at = 0.0
        super().init_process()

    @property
    def places(self) -> Places:
        found: Places = self.app.places  # type: ignore[attr-defined]  # `Server` has them
        return found

    @property
    def has_room(self) -> bool:
        return self.nr_conns < self.worker_connections

    def run(self) -> None:
        # What a signal wakes the main thread by.
        self.poller.register(self.method_queue, selectors.EVENT_READ, self.method_queue.run_callbacks)  # type: ignore[arg-type]
        for number in range(self.cfg.threads):
            threading.Thread(target=self._answer, name=f"answer-{number}", daemon=True).start()
        self._counted(0)
        while self.alive:
            self.notify()
            held_off = time.monotonic() < self._accept_at
            self.set_accept_enabled(self.has_room and not held_off)
            self.wait_for_and_dispatch_events(timeout=HOLD_OFF_S if held_off else LOOK_S)
            if not self.is_parent_alive():
                break
            self._let_go_silent()
        self.set_accept_enabled(False)
        self.places.leave(self.place)
        self._finish()

    def accept(self, listener: socket.socket) -> None:
        if self.places.has_freer(self.place):
            time.sleep(GIVE_WAY_S)
        try:
            connection, client = listener.accept()
        except OSError as error:
            if error.errno in NOT_NOW:
                self._hold_off(error)
            elif error.errno not in NOT_THERE:
                raise
            return
        limit_silence(connection, self.app.silence_s)  # type: ignore[attr-defined]  # `Server` has it
        conn = TConn(self.cfg, connection, client, listener.getsockname())
        # Nobody waits for its first words: they wake a thread when they come.
        conn.data_ready = True
        self._counted(1)
        self._lay_back(conn, new=True)

    def _hold_off(self, error: OSError) -> None:
        """Raised, it would end the process and everything it answers."""
        now = time.monotonic()
        self._accept_at = now + HOLD_OFF_S
        if now >= self._tell_at:
            self._tell_at = now + TELL_S
            log.error("nobody_accepted_now", reason=os.strerror(error.errno or 0), connections=self.nr_conns)

    def _answer(self) -> None:
        """One thread's work."""
        while True:
            for number, _ in self._epoll.poll(maxevents=1):
                with self._turn:
                    conn = self._silent.pop(number, None)
                if conn is not None:
                    self._serve(conn)

    def _serve(self, conn: TConn) -> None:
        """Answer what the connection says, all that is there already; then lay it back or let it go."""
        keep = False
        try:
            keep = self.handle(conn)
            while keep and _has_read_ahead(conn):
                keep = self.handle(conn)
        except BaseException:
            # Without this thread the process would have one less for ever.
            self.log.exception("Error handling a connection")
            keep = False
        if keep:
            self._lay_back(conn)
        else:
            self._close(conn, graceful=True)

    def _lay_back(self, conn: TConn, *, new: bool = False) -> None:
        conn.set_timeout()
        number = conn.sock.fileno()
        with self._turn:
            self._silent[number] = conn
        try:
            # Each sign wakes one thread, once: until it is laid back, nobody else hears of it.
            (self._epoll.register if new else self._epoll.modify)(number, select.EPOLLIN | select.EPOLLONESHOT)
        except (OSError, ValueError):
            # It was closed meanwhile: nothing will come of it.
            with self._turn:
                mine = self._silent.pop(number, None) is conn
            if mine:
                self._close(conn)

    def _let_go_silent(self, *, until: float | None = None) -> None:
        """Close those that have been silent for too long, or all that will not have spoken by then."""
        now = time.monotonic()
        if until is None and now < self._look_at:
            return
        self._look_at = now + LOOK_S
        with self._turn:
            over = [(number, conn.timeout or now) for number, conn in self._silent.items()]
            late = [number for number, at in over if min(at, until or at) <= now]
            gone = [number for number in late if not _has_spoken(self._silent[number].sock)]
            closing = [self._silent.pop(number) for number in gone]
        for conn in closing:
            self._close(conn)

    def _close(self, conn: TConn, *, graceful: bool = False) -> None:
        self._counted(-1)
        with contextlib.suppress(OSError):
            conn.close(graceful=graceful)

    def _counted(self, more: int) -> None:
        with self._turn:
            self.nr_conns += more
            self.places.take(self.place, self.nr_conns)

    def _finish(self) -> None:
        """Let running requests come to their end; who keeps a connection may be sending one already, and is waited for
        a moment."""
        for listener in self.sockets:
            # Nobody accepts any more: who comes now is refused at once and goes to the next server, instead of waiting.
            listener.close()
        begun = time.monotonic()
        while self.nr_conns > 0 and time.monotonic() - begun < self.cfg.graceful_timeout:
            self.notify()
            self._let_go_silent(until=begun + LINGER_S)
            time.sleep(LAST_LOOK_S)
        self.tpool.shutdown(wait=False)


def limit_silence(connection: socket.socket, seconds: int) -> None:
    """Whoever says nothing for so long in the middle of a request, or takes nothing of its answer, is let go: phones
    lose their signal without a word, and each would hold a thread for ever. Reading and writing raise
    BlockingIOError, or TimeoutError where the network no longer carries anything there."""
    until = struct.pack("@ll", seconds, 0)
    for of in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        connection.setsockopt(socket.SOL_SOCKET, of, until)
    # The beats of a stream are too small to fill anything: whether they arrive is all that tells of a screen that went.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, seconds * 1000)


def _has_spoken(connection: socket.socket) -> bool:
    """Whether something was said that no thread has had time to read: whoever waits so long is not silent."""
    with contextlib.suppress(OSError):
        return bool(connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT))
    return False


def _has_read_ahead(conn: TConn) -> bool:
    """Whether the next request came with the one before: no sign of it will come any more."""
    parser: Any = conn.parser
    return bool(parser.unreader.buf.getvalue())


HAS_EPOLL = hasattr(select, "epoll")
