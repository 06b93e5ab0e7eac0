"""Phones that do not give up: each word goes under one id until the server has answered, whatever dies meanwhile."""

import datetime as dt
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.processes import PATIENCE_S
from tests.worlds import HELSINKI

BETWEEN_TRIES_S = 0.2
POSITION = {"lat": HELSINKI[0], "lon": HELSINKI[1], "datum": "wgs84", "accuracy_m": 15}


@dataclass(frozen=True)
class Word:
    """One request with the answer that was got in the end."""

    path: str
    body: dict[str, Any]
    status: int
    answer: dict[str, Any]


@dataclass
class Phone:
    """One login, kept by asking again whenever nobody answers. `lost` counts the tries that got no answer."""

    url: str
    username: str
    password: str
    said: list[Word] = field(default_factory=list)
    lost: int = 0

    def __post_init__(self) -> None:
        self._http = httpx.Client(base_url=self.url, timeout=10)
        login = self._insist("/tokens", {"username": self.username, "password": self.password})
        self._http.headers["Authorization"] = f"Bearer {login.answer['access_token']}"

    def tell(self, path: str, **body: Any) -> Word:
        """Say it until it is heard, and remember it."""
        word = self._insist(path, body)
        self.said.append(word)
        return word

    def repeat(self, word: Word) -> Word:
        """The same once more, under the same id."""
        return self._insist(word.path, word.body)

    def get(self, path: str) -> Any:
        """Read until there is an answer."""
        return self._asked("GET", path, None).json()

    def close(self) -> None:
        self._http.close()

    def make_visit(self, visit_id: uuid.UUID, left_at: dt.datetime) -> None:
        """One whole visit, as the visitor taps it."""
        here = f"/phone/visits/{visit_id}"
        self.tell(f"{here}/set-out", event_id=new_id())
        self.tell(f"{here}/arrival", event_id=new_id(), position=POSITION)
        self.tell(f"{here}/identity-check", event_id=new_id(), method="two_facts", result="confirmed")
        met = {"outcome": "met_debtor", "disclosed": True, "willing": True, "able": False, "next_step": "call"}
        self.tell(f"{here}/report", id=new_id(), left_at=left_at.isoformat(), **met)

    def _insist(self, path: str, body: dict[str, Any]) -> Word:
        answer = self._asked("POST", path, body)
        return Word(path, body, answer.status_code, answer.json())

    def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        give_up = time.monotonic() + PATIENCE_S
        while time.monotonic() < give_up:
            try:
                answer = self._http.request(method, path, json=body)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                return answer
            self.lost += 1
            time.sleep(BETWEEN_TRIES_S)
        raise AssertionError(f"{path} was never answered")


def new_id() -> str:
    return str(uuid.uuid4())
