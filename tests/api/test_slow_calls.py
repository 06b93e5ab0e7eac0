"""A call for help whose body comes slowly, or breaks off: what has come of it counts, and it is not waited for."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from gunicorn.http.body import Body, LengthReader
from gunicorn.http.unreader import SocketUnreader

from api.calls import heard, readable

BODY = b'{"man_down": true, "position": {"lat": 60.17, "lon": 24.94, "datum": "wgs84"}, "note": "' + b"x" * 100 + b'"}'


@contextmanager
def sending(body: bytes, *, at_once: int, each_s: float) -> Iterator[socket.socket]:
    """The server's end of a connection over which so many bytes come at once, and then one at a time."""
    theirs, ours = socket.socketpair()
    over = threading.Event()

    def send() -> None:
        theirs.sendall(body[:at_once])
        for place in range(at_once, len(body)):
            if over.wait(each_s):
                return
            theirs.sendall(body[place : place + 1])

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield ours
    finally:
        over.set()
        thread.join()
        theirs.close()
        ours.close()


@pytest.mark.parametrize(("each_s", "at_least"), [(60.0, 20), (0.02, 22)], ids=["breaks off", "trickles"])
def test_what_has_come_of_a_body_counts_and_the_rest_is_not_waited_for(each_s: float, at_least: int) -> None:
    with sending(BODY, at_once=20, each_s=each_s) as connection:
        told = {
            "CONTENT_LENGTH": str(len(BODY)),
            "wsgi.input": Body(LengthReader(SocketUnreader(connection), len(BODY))),
            "gunicorn.socket": connection,
        }
        with Flask("calls").test_request_context("/safety/sos", method="POST", environ_overrides=told):
            came = heard(patience_s=0.1, within_s=0.3)
    assert BODY.startswith(came)
    assert at_least <= len(came) < len(BODY)


def test_a_body_that_comes_whole_is_read_whole() -> None:
    with sending(BODY, at_once=len(BODY), each_s=60.0) as connection:
        told = {
            "CONTENT_LENGTH": str(len(BODY)),
            "wsgi.input": Body(LengthReader(SocketUnreader(connection), len(BODY))),
            "gunicorn.socket": connection,
        }
        with Flask("calls").test_request_context("/safety/sos", method="POST", environ_overrides=told):
            assert readable(heard())["man_down"] is True
