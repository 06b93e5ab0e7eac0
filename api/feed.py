"""One organisation's wall as numbered frames: looked at once a second for all who follow it, and only while they do.

A stream that broke off is taken up where it ended, as long as this process remembers: by the id of its last frame.
Whoever comes with another id, or none, gets the whole wall.
"""

import json
import re
import secrets
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from api.schemas.live import GoingOut, OutageOut, TileOut
from fieldvisit.database import acting_for
from fieldvisit.safety.live import Person, Tile, Wall, read_wall

EACH_S = 1.0
HEARTBEAT_S = 5.0
STALE_S = 5.0
"""With no look that succeeded for so long, whoever follows is told so."""
LINGERS_S = 30.0
"""So long the last frames are kept after the last follower went: it may only have lost its connection."""
PEOPLE_S = 30.0
"""For so long a visitor's name and number, which are sealed, are not opened again."""
KEPT = 600
IDS = re.compile("[0-9]{1,18}")

log = structlog.get_logger("fieldvisit.live")


@dataclass(frozen=True)
class Frame:
    number: int
    data: dict[str, Any]


class Feed:
    """The wall of one organisation, in this process."""

    def __init__(
        self, sessions: sessionmaker[Session], org_id: uuid.UUID, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sessions, self._clock = sessions, clock
        self._org_id = org_id
        self._epoch = secrets.token_hex(4)
        self._looking = threading.Lock()
        self._changed = threading.Condition()
        self._frames: deque[Frame] = deque(maxlen=KEPT)
        self._number = 0
        self._tiles: dict[uuid.UUID, Tile] = {}
        self._people: dict[uuid.UUID, Person] = {}
        self._met_at = float("-inf")
        self._wall: Wall | None = None
        self._looked_at = float("-inf")
        self._failed = 0
        self._followers, self._left_at = 0, self._clock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def close(self) -> None:
        """Look no more; returns when the last look is over."""
        self._closed.set()
        if (thread := self._thread) is not None:
            thread.join()

    def follow(self, last_id: str | None, for_s: float) -> Generator[str]:
        """The frames from there on, as server-sent events, for so long; the first comes at once."""
        self._begin()
        try:
            yield from self._events(last_id, self._clock() + for_s)
        finally:
            with self._changed:
                self._followers -= 1
                self._left_at = self._clock()

    def look(self) -> None:
        """Read the wall; what changed becomes a frame."""
        with self._looking:
            if self._clock() - self._met_at > PEOPLE_S:
                self._people, self._met_at = {}, self._clock()
            with acting_for(self._sessions, self._org_id) as session:
                wall = read_wall(session, self._people)
            self._take(wall)

    def _take(self, wall: Wall) -> None:
        tiles = {tile.id: tile for tile in wall.tiles}
        with self._changed:
            changed = [tile for tile in wall.tiles if self._tiles.get(tile.id) != tile]
            gone = [str(each) for each in self._tiles if each not in tiles]
            others = self._wall is None or _besides(self._wall) != _besides(wall)
            if changed or gone or others:
                self._number += 1
                said = {"tiles": TileOut(many=True).dump(changed), "gone": gone}
                self._frames.append(Frame(self._number, said | _about(wall)))
            self._tiles, self._wall, self._looked_at = tiles, wall, self._clock()
            self._changed.notify_all()

    def _begin(self) -> None:
        with self._changed:
            self._followers += 1
            if self._thread is None:
                self._thread = threading.Thread(target=self._keep_looking, name="wall", daemon=True)
                self._thread.start()
            # What is remembered may be of hours ago: the first look of this time is waited for, or that it failed.
            failed = self._failed
            self._changed.wait_for(lambda: self._is_fresh() or self._failed > failed, timeout=STALE_S)

    def _is_fresh(self) -> bool:
        return self._wall is not None and self._clock() - self._looked_at <= STALE_S

    def _keep_looking(self) -> None:
        while not self._closed.is_set():
            with self._changed:
                if not self._followers and self._clock() - self._left_at > LINGERS_S:
                    self._thread = None
                    return
            try:
                self.look()
            except Exception as error:
                known = isinstance(error, SQLAlchemyError)
                log.error("wall_not_read", error=type(error).__name__, exc_info=None if known else error)
                with self._changed:
                    self._failed += 1
                    self._changed.notify_all()
            self._closed.wait(EACH_S)

    def _events(self, last_id: str | None, until: float) -> Iterator[str]:
        number = self._known(last_id)
        while True:
            if number is None:
                number, said = self._whole()
                yield said
            else:
                fresh = self._after(number, min(until, self._clock() + HEARTBEAT_S))
                if fresh is None:
                    # More has happened than is remembered.
                    number = None
                    continue
                for frame in fresh:
                    number = frame.number
                    yield self._event("change", frame.data, number)
                if not fresh:
                    yield self._sign_of_life()
            if self._clock() >= until:
                return
            if number is None:
                self._wait_for_a_look(until)

    def _wait_for_a_look(self, until: float) -> None:
        with self._changed:
            self._changed.wait_for(self._is_fresh, timeout=max(0.0, min(HEARTBEAT_S, until - self._clock())))

    def _known(self, last_id: str | None) -> int | None:
        epoch, _, number = (last_id or "").partition(".")
        with self._changed:
            oldest = self._frames[0].number if self._frames else self._number + 1
            if epoch != self._epoch or IDS.fullmatch(number) is None:
                return None
            return int(number) if oldest - 1 <= int(number) <= self._number else None

    def _after(self, number: int, until: float) -> list[Frame] | None:
        """The frames after this one, waited for until then; None where some of them are forgotten."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number, timeout=max(0.0, until - self._clock()))
            fresh = [frame for frame in self._frames if frame.number > number]
            return None if self._number > number and (not fresh or fresh[0].number != number + 1) else fresh

    def _whole(self) -> tuple[int | None, str]:
        """The wall, and with which frame it stands; no number where there is none that is fresh enough to be shown as
        that of now, and how old it is instead."""
        with self._changed:
            number, wall = self._number, self._wall
            if wall is None or not self._is_fresh():
                return None, self._sign_of_life()
        data = {"tiles": TileOut(many=True).dump(wall.tiles), "gone": []} | _about(wall)
        return number, self._event("wall", data, number)

    def _sign_of_life(self) -> str:
        with self._changed:
            silent_s, wall = self._clock() - self._looked_at, self._wall
        if wall is None or silent_s > STALE_S:
            return self._event("stale", {"since_s": round(silent_s, 1) if wall else None})
        return self._event("heartbeat", _about(wall))

    def _event(self, kind: str, data: dict[str, Any], number: int | None = None) -> str:
        named = f"id: {self._epoch}.{number}\n" if number is not None else ""
        return f"{named}event: {kind}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def _about(wall: Wall) -> dict[str, Any]:
    return {
        "server_at": wall.server_at.isoformat(),
        "cover": wall.cover,
        "unwatched": GoingOut(many=True).dump(wall.unwatched),
        "outages": OutageOut(many=True).dump(wall.outages),
        "drills_owed": [each.value for each in wall.drills_owed],
    }


def _besides(wall: Wall) -> tuple[object, ...]:
    """What is told beside the tiles."""
    return wall.cover, wall.unwatched, wall.outages, wall.drills_owed
