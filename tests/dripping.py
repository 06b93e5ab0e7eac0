"""A service that answers so slowly that waiting for it is a mistake."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


@contextmanager
def dripping() -> Iterator[str]:
    """A service whose answer comes byte by byte, a part of a second each, and would be a good one after long enough."""
    over, listening = threading.Event(), socket.create_server(("127.0.0.1", 0))

    def answer() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.recv(65_536)
            for each in b"HTTP/1.1 202 Accepted\r\nX-Slow: " + b"x" * 100 + b"\r\nContent-Length: 0\r\n\r\n":
                if over.wait(0.02):
                    return
                connection.sendall(bytes([each]))

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    finally:
        over.set()
        thread.join()
        listening.close()
