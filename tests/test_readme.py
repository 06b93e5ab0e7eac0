"""The README's tour, walked as a reader would: every command in one shell, every answer compared."""

import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TOUR = re.compile(r"^```console\n(.*?)^```", flags=re.M | re.S)
MARK = "-- answer --"


def commands_and_answers() -> list[tuple[str, str]]:
    """Each `$ command` of the README with the lines below it."""
    found: list[tuple[str, str]] = []
    for block in TOUR.findall((ROOT / "README.md").read_text()):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], ""))
            else:
                command, answer = found[-1]
                found[-1] = (command, f"{answer}{line}\n")
    return found


def test_the_tour_has_answers_to_compare() -> None:
    assert len([answer for _, answer in commands_and_answers() if answer]) > 10


@pytest.mark.long
def test_every_command_of_the_tour_answers_what_the_readme_says(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    tour = commands_and_answers()
    with subprocess.Popen(
        [sys.executable, "-m", "api", "demo", "--port", str(port)],
        env=os.environ | {"DATA_FOLDER": str(tmp_path / "data"), "LANG": "C.UTF-8"},
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        try:
            assert demo.stdout is not None
            told = ""
            while "Log in as" not in told:
                line = demo.stdout.readline()
                assert line, told
                told += line
            script = "".join(f"{command}\necho '{MARK}'\n" for command, _ in tour).replace("8000", str(port))
            walked = subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True)
        finally:
            # Not SIGINT: whoever runs this in the background may have told all children to ignore it.
            demo.send_signal(signal.SIGTERM)
            demo.wait(60)
    said = [answer.lstrip("\n") for answer in walked.stdout.split(f"{MARK}\n")[:-1]]
    assert list(zip([command for command, _ in tour], said, strict=True)) == tour, walked.stderr
    assert walked.stderr == ""
