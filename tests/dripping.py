"""Services that answer so slowly that waiting for them is a mistake."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

type Drip = Callable[[bytes], None]


@contextmanager
def dripping() -> Iterator[str]:
    """A service whose answer comes byte by byte, a part of a second each, and would be a good one after long enough."""

    def answer(connection: socket.socket, drip: Drip) -> None:
        connection.recv(65_536)
        drip(b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100 + b"\r\nContent-Length: 0\r\n\r\n")

    with _served(answer) as port:
        yield f"http://127.0.0.1:{port}/"


@contextmanager
def dripping_mail() -> Iterator[int]:
    """A mail server whose greeting comes as slowly, and that reads a letter for a while before it takes it; whoever
    waits for it finds that it accepts everything. Its port."""

    def answer(connection: socket.socket, drip: Drip) -> None:
        drip(b"220-please wait\r\n" * 5)
        connection.sendall(b"220 slow\r\n")
        said, lines = connection.makefile("rb"), 0
        while line := said.readline():
            if line[:4].upper() == b"DATA":
                connection.sendall(b"354 go on\r\n")
                while said.readline().strip() != b".":
                    lines += 1
                threading.Event().wait(0.6)
            connection.sendall(b"250 so be it\r\n")

    with _served(answer) as port:
        yield port


@contextmanager
def _served(answer: Callable[[socket.socket, Drip], None]) -> Iterator[int]:
    over, listening = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError), listening.accept()[0] as connection:
            answer(connection, lambda said: drip(connection, said))

    def drip(connection: socket.socket, said: bytes) -> None:
        for each in said:
            if over.wait(0.02):
                raise ConnectionAbortedError
            connection.sendall(bytes([each]))

    listening.settimeout(10)
    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        over.set()
        thread.join()
        listening.close()
