"""A service that carries messages, as a process of its own, with every vice that real ones have.

`python fake_provider.py FILE` writes its port to FILE. POST /NAME takes a message for provider NAME; PUT /NAME sets how
it behaves; GET /heard gives everything that was asked of it, in order, with the time by this machine's clock, DELETE
/heard forgets it.
"""

import base64
import hashlib
import hmac
import json
import sys
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HEARD: list[dict[str, Any]] = []
BEHAVIOUR: dict[str, dict[str, Any]] = {}
LOCK = threading.Lock()


def signed(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    webhook_id = hashlib.sha256(body + str(timestamp).encode()).hexdigest()[:20]
    digest = hmac.digest(secret.encode(), f"{webhook_id}.{timestamp}.".encode() + body, "sha256")
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": "v1," + base64.b64encode(digest).decode(),
        "Content-Type": "application/json",
    }


def call_back(how: dict[str, Any], message_id: str | None) -> None:
    """Send the receipts that this behaviour has: a list of kinds, in the order given, each as often as it stands."""
    for receipt in how.get("receipts", []):
        body = json.dumps({"id": message_id, **receipt}).encode()
        request = urllib.request.Request(
            how["to"], data=body, headers=signed(how["secret"], body, int(time.time()) + how.get("shift_s", 0))
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                answer.read()
        except urllib.error.URLError:
            continue


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        # What has no name in its path speaks as ntfy does: the topic stands in the body.
        name = self.path.strip("/") or "ntfy"
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        how = BEHAVIOUR.get(name, {})
        said = {"provider": name, "key": self.headers.get("Idempotency-Key"), "at": time.time(), **body}
        with LOCK:
            HEARD.append(said | {"mode": how.get("mode", "ok")})
        if how.get("mode") == "hang":
            time.sleep(how.get("for_s", 60))
        if how.get("mode") == "drop":
            self.close_connection = True
            return
        if how.get("mode") == "fail":
            self.answer(how.get("status", 500), {"error": "out of order"})
            return
        if how.get("mode") == "garbage":
            self.raw(200, b"<html>")
        elif name == "ntfy":
            self.answer(200, {"id": f"{name}-{len(HEARD)}"})
        else:
            self.answer(202, {"id": f"{name}-{len(HEARD)}"})
        threading.Thread(target=call_back, args=(how, body.get("id")), daemon=True).start()

    def do_PUT(self) -> None:
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        BEHAVIOUR[self.path.strip("/")] = given
        self.answer(200, {})

    def do_GET(self) -> None:
        with LOCK:
            self.answer(200, HEARD)

    def do_DELETE(self) -> None:
        with LOCK:
            HEARD.clear()
        self.answer(200, {})

    def answer(self, status: int, value: object) -> None:
        self.raw(status, json.dumps(value).encode())

    def raw(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    target = Path(sys.argv[1])
    target.with_suffix(".part").write_text(str(server.server_port))
    target.with_suffix(".part").rename(target)
    server.serve_forever()
