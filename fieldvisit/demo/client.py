"""A client of the public HTTP API, as small as a phone's: log in, send, read, and nothing behind the scenes."""

import uuid
from typing import Any

import httpx

from fieldvisit.errors import FieldVisitError, Kind


class ApiRefused(FieldVisitError):
    """The API answered with a problem document; `problem_code` is its code and `detail` its sentence."""

    code, kind = "api_refused", Kind.CONFLICT
    says = "The API refused {call}: {detail} [{problem_code}]"


class Client:
    """One person's login. Calls return the JSON answer, or raise ApiRefused."""

    def __init__(self, base_url: str, username: str, password: str, *, language: str = "en") -> None:
        self.username = username
        self._http = httpx.Client(base_url=base_url, timeout=30, headers={"Accept-Language": language})
        self.login = self.post("/tokens", username=username, password=password)
        self._http.headers["Authorization"] = f"Bearer {self.login['access_token']}"

    def close(self) -> None:
        self._http.close()

    def get(self, path: str, **query: object) -> Any:
        return self._call("GET", path, params=query)

    def post(self, path: str, **fields: object) -> Any:
        """Send the fields as a JSON object; without any, an empty request."""
        return self._call("POST", path, json=fields or None)

    def put(self, path: str, **fields: object) -> Any:
        return self._call("PUT", path, json=fields)

    def patch(self, path: str, **fields: object) -> Any:
        return self._call("PATCH", path, json=fields)

    def text(self, path: str) -> str:
        answer = self._http.get(path)
        _refuse(answer)
        return answer.text

    def every(self, path: str, **query: object) -> list[Any]:
        """All items of a list, page after page."""
        found: list[Any] = []
        after: dict[str, object] = {}
        while True:
            page = self.get(path, **query, **after)
            found += page["items"]
            if page["next"] is None:
                return found
            after = {"after": page["next"]}

    def _call(self, method: str, path: str, **how: Any) -> Any:
        answer = self._http.request(method, path, **how)
        _refuse(answer)
        return answer.json() if answer.content else None


def new_id() -> str:
    """An id that the phone makes, so that telling a thing twice tells it once."""
    return str(uuid.uuid4())


def _refuse(answer: httpx.Response) -> None:
    if answer.is_success:
        return
    call = f"{answer.request.method} {answer.request.url.path}"
    try:
        problem = answer.json()
    except ValueError:
        problem = {}
    raise ApiRefused(
        call=call,
        status=answer.status_code,
        detail=problem.get("detail", answer.text[:500]),
        problem_code=problem.get("code", answer.status_code),
        problem=problem,
    )
