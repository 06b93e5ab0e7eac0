"""A visitor's phone: the public HTTP API and nothing else, each telling under an id of the phone's own."""

from typing import Any

from fieldvisit.demo.client import Client, new_id

ACCURACY_M = 12


class Phone:
    """One visitor's device, and the day it has pulled."""

    def __init__(self, base_url: str, username: str, password: str, *, language: str) -> None:
        self.client = Client(base_url, username, password, language=language)

    def my_day(self) -> list[dict[str, Any]]:
        """Every stop of the day, in order."""
        day = self.client.get("/phone/my-day")
        return [stop for route in day["routes"] for stop in route["stops"]]

    def visit(self, visit_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/phone/visits/{visit_id}")
        return found

    def set_out(self, visit_id: str) -> Any:
        return self._tell(visit_id, "set-out")

    def arrive(self, visit_id: str, point: dict[str, float]) -> Any:
        position = {"lat": point["lat"], "lon": point["lon"], "datum": "wgs84", "accuracy_m": ACCURACY_M, "mock": False}
        return self._tell(visit_id, "arrival", position=position)

    def show_credentials(self, visit_id: str, credential_ids: list[str]) -> Any:
        return self._tell(visit_id, "credential-shown", credential_ids=credential_ids)

    def check_identity(self, visit_id: str, method: str, result: str) -> Any:
        return self._tell(visit_id, "identity-check", method=method, result=result)

    def abort(self, visit_id: str, reason: str) -> Any:
        return self._tell(visit_id, "abort", reason=reason)

    def report(self, visit_id: str, **report: Any) -> Any:
        return self.client.post(f"/phone/visits/{visit_id}/report", id=new_id(), **report)

    def start_safety(self, visit_id: str, *, level: str, planned_s: int) -> str:
        """Start being watched over; the id of the session."""
        session_id = new_id()
        self.client.post("/safety/sessions", id=session_id, visit_id=visit_id, level=level, planned_s=planned_s)
        return session_id

    def check_in(self, session_id: str) -> Any:
        return self.client.post(f"/safety/sessions/{session_id}/check-ins", event_id=new_id())

    def end_safety(self, session_id: str) -> Any:
        return self.client.post(f"/safety/sessions/{session_id}/end", event_id=new_id())

    def _tell(self, visit_id: str, what: str, **facts: Any) -> Any:
        return self.client.post(f"/phone/visits/{visit_id}/{what}", event_id=new_id(), **facts)
