"""What a phone has to tell, on its disk: written down before it is sent, and ticked off when it was answered."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Event = Mapping[str, Any]


class Outbox:
    """A file of lines, each an event (again, where it was put right), the tick of one, or that no tick counts any more.
    Opened anew it is complete."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._events: dict[str, Event] = {}
        self._ticked: dict[str, str] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                self._read(json.loads(line))

    def put(self, event: Event) -> None:
        """A thing that was done; under the id of an earlier one, in its place, and not told yet."""
        self._write({"event": dict(event)})

    def tick(self, event_id: str, outcome: str) -> None:
        self._write({"ticked": event_id, "outcome": outcome})

    def waiting(self) -> list[Event]:
        """What nobody has answered yet, in the order it was done."""
        return [event for event_id, event in self._events.items() if event_id not in self._ticked]

    def told(self) -> list[Event]:
        return [event for event_id, event in self._events.items() if event_id in self._ticked]

    def ask_again(self) -> None:
        """Whatever was answered may be forgotten there: all of it waits again."""
        self._write({"asked_again": True})

    def wipe(self) -> None:
        self._path.unlink(missing_ok=True)
        self._events, self._ticked = {}, {}

    def _write(self, line: dict[str, Any]) -> None:
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        self._read(line)

    def _read(self, line: dict[str, Any]) -> None:
        if "event" in line:
            event_id = str(line["event"]["event_id"])
            self._events[event_id] = line["event"]
            self._ticked.pop(event_id, None)
        elif "asked_again" in line:
            self._ticked.clear()
        else:
            self._ticked[line["ticked"]] = line["outcome"]
