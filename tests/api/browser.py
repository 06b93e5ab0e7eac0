"""A real browser, where one is installed: what a page of ours looks like at the width of a telephone."""

import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask, Response, request
from werkzeug.serving import make_server

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), "")
NEEDED = pytest.mark.skipif(not CHROMIUM, reason="no browser is installed: apt-get install chromium fonts-noto-cjk")
# Told by the frame's own document, measured from outside: our pages run no script.
FRAME = """<!doctype html><meta charset="utf-8"><body style="margin:0">
<iframe src="{path}" style="border:0;width:{width}px;height:{height}px"></iframe><pre></pre>
<script>
document.querySelector("iframe").onload = (event) => {{
  const page = event.target.contentDocument, head = page.querySelector("h1");
  const style = (each) => page.defaultView.getComputedStyle(each);
  document.querySelector("pre").textContent = JSON.stringify({{
    wide: page.documentElement.scrollWidth, high: page.querySelector("main").offsetHeight,
    ground: style(head.parentElement).backgroundColor, letters: style(page.body).fontSize,
    photo: [...page.images].map((each) => each.naturalWidth),
  }});
}};
</script>
"""


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """The app on a port of its own; its address. A page may be framed by this very server, and by nobody else."""

    @app.get("/framed/<int:width>/<int:height>/<path:path>")
    def framed(width: int, height: int, path: str) -> Response:
        shown = FRAME.format(path=f"/{path}?{request.query_string.decode()}", width=width, height=height)
        response = Response(shown, mimetype="text/html")
        response.headers["Content-Security-Policy"] = "frame-src 'self'; script-src 'unsafe-inline'"
        return response

    app.after_request_funcs[None].insert(0, _frame_by_self)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _frame_by_self(response: Response) -> Response:
    policy = response.headers.get("Content-Security-Policy", "")
    response.headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", "frame-ancestors 'self'")
    return response


def browse(address: str, *wanted: str, height: int = 1_000) -> str:
    """What the browser has to say of the page: its document, where `--dump-dom` is wanted."""
    with tempfile.TemporaryDirectory() as profile:
        asked = [
            *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
            *(f"--user-data-dir={profile}", f"--window-size=500,{height}", "--virtual-time-budget=10000"),
            *wanted,
            address,
        ]
        return subprocess.run(asked, check=True, timeout=120, capture_output=True, text=True).stdout


def take_picture(address: str, to: Path, *, height: int) -> None:
    browse(address, f"--screenshot={to}", height=height)
