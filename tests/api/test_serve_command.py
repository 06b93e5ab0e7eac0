"""`fieldvisit serve` as a real process: what is left when it is killed."""

import signal

import httpx

from fieldvisit.demo.processes import usable_port
from fieldvisit.settings import Settings
from tests.processes import running, wait_until


def test_a_server_that_was_killed_leaves_nobody_behind_and_its_port_free(settings: Settings) -> None:
    port = usable_port(0)
    address = f"http://127.0.0.1:{port}/health/live"

    def answers() -> bool:
        try:
            return httpx.get(address, timeout=5).is_success
        except httpx.TransportError:
            return False

    with running(settings, "serve", PORT=str(port)) as server:
        wait_until(answers)
        with httpx.Client() as phone:
            # Its connection stays open, as those of phones do.
            phone.get(address)
            (answering,) = server.children()
            server.send_signal(signal.SIGKILL)
            server.wait()
            wait_until(lambda: not answering.is_running())
            with running(settings, "serve", PORT=str(port)):
                wait_until(answers)
