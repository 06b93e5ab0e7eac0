"""The office's part of the story: opening visits, planning the day, judging, showing and publishing it."""

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from rich.table import Table

from fieldvisit.demo.client import Client
from fieldvisit.demo.processes import DemoStopped, Processes
from fieldvisit.demo.screen import Screen
from fieldvisit.demo.world import MORNING, ZONE, World
from fieldvisit.languages import LANGUAGES, tag

SEARCH_S = 10
STORY = timedelta(minutes=45)
"""How long before the end of its lawful hours a visit of the story has to begin: the story and the visit fit in."""
POLL_S = 0.3
PATIENCE_S = 120


@dataclass(frozen=True, kw_only=True)
class Published:
    """The day as the API tells it, and where its files lie."""

    plan: dict[str, Any]
    folder: Path

    def open_now(self, dispatcher: Client) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """For each crew its route and its first stop that may lawfully be made already now, in the early morning.

        The story does not wait for the hours of those who asked for the afternoon.
        """
        found = []
        for route in self.plan["routes"]:
            stop = next((stop for stop in route["stops"] if self._is_lawful_now(dispatcher, stop)), None)
            if stop is not None:
                found.append((route, stop))
        return found

    def _is_lawful_now(self, dispatcher: Client, stop: dict[str, Any]) -> bool:
        now = datetime.fromisoformat(self.plan["published_at"])
        (*_, latest) = dispatcher.every(f"/visits/{stop['visit_id']}/decisions")
        spans = [
            (datetime.fromisoformat(each["begins_at"]), datetime.fromisoformat(each["ends_at"]))
            for each in latest["lawful"]
        ]
        return any(begins_at <= now and now + STORY <= ends_at for begins_at, ends_at in spans)


def open_visits(dispatcher: Client, world: World, screen: Screen) -> None:
    """The gate, held against what the generator knows of its own people."""
    opened = dispatcher.post("/visits/opening")
    case_ids = {case["id"]: case["external_id"] for case in dispatcher.every("/cases", limit=200)}
    visits = dispatcher.every("/visits", limit=200)
    found = {case_ids[visit["case_id"]] for visit in visits}
    due = world.counts.truth.visitable
    if found != due:
        raise DemoStopped(what="the gate", reason=f"opened beyond what is due: {found - due}, missing: {due - found}")
    screen.tell(
        "{looked} cases looked at, {opened} visits opened: exactly those whom the phone did not reach.",
        looked=opened["looked_at"],
        opened=len(found),
    )
    evidence = min(visits, key=lambda visit: visit["reference"])
    screen.tell(
        "Visit {reference} rests on {count} failed attempts; the others are told why not at /cases/…/eligibility.",
        reference=evidence["reference"],
        count=len(evidence["evidence"]),
    )


def plan_day(dispatcher: Client, world: World, screen: Screen, processes: Processes) -> dict[str, Any]:
    """Ask for a plan and follow it until it is a draft."""
    asked = dispatcher.post(
        "/day-plans", area_id=world.area_id, planned_on=MORNING.date().isoformat(), seconds=SEARCH_S
    )
    began_s = time.monotonic()
    with screen.bar("waiting for the worker", SEARCH_S) as bar:
        while time.monotonic() - began_s < PATIENCE_S:
            processes.refuse_dead()
            plan: dict[str, Any] = dispatcher.get(f"/day-plans/{asked['id']}")
            if plan["state"] not in ("requested", "solving"):
                break
            if plan["progress"]:
                said = screen.words("{served} visits in, {left} out, cost {cost}", **_told(plan["progress"]))
                bar.at(plan["progress"]["seconds"], said)
            time.sleep(POLL_S)
    if plan["state"] != "draft":
        raise DemoStopped(what="planning", reason=f"{plan['state']}: {plan['failure']}")
    return plan


def show_plan(screen: Screen, plan: dict[str, Any]) -> None:
    """The crews, and every visit left out with its reason."""
    heads = ("Crew", "People", "Visits", "From", "To", "Travel", "Wait")
    crews = Table(*(screen.words(head) for head in heads), title=f"{plan['planned_on']} · {plan['travel_words']}")
    for route in plan["routes"]:
        crews.add_row(
            route["crew"],
            str(len(route["members"])),
            str(len(route["stops"])),
            _clock(route["depart_at"]),
            _clock(route["return_at"]),
            _minutes(route["travel_s"]),
            _minutes(route["wait_s"]),
        )
    screen.show(crews)
    left = Table(screen.words("Reference"), screen.words("Why it is left out"))
    for one in plan["unserved"]:
        left.add_row(one["reference"], ": ".join(filter(None, (one["words"], "; ".join(one["remarks"])))))
    if plan["unserved"]:
        screen.show(left)
    for one in plan["stayed_home"]:
        screen.tell("A visitor stays home: {why}", why="; ".join(one["clauses"]))


def judge_plan(dispatcher: Client, plan: dict[str, Any], folder: Path, *, screen: Screen, routing: Processes) -> None:
    """Write the documents of the open format, and have the judge look at them in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    documents = dispatcher.get(f"/day-plans/{plan['id']}/documents")
    for name in ("problem", "plan"):
        (folder / f"{name}.json").write_text(json.dumps(documents[name], ensure_ascii=False))
    routing.run("check", str(folder / "problem.json"), str(folder / "plan.json"))
    screen.tell("The independent judge finds no fault: python -m routing check problem.json plan.json")


def draw_plan(base_url: str, dispatcher: Client, plan: dict[str, Any], folder: Path) -> None:
    """The picture, a page for each language."""
    for language in LANGUAGES:
        answer = httpx.get(
            f"{base_url}/day-plans/{plan['id']}/picture",
            headers={"Authorization": f"Bearer {dispatcher.login['access_token']}", "Accept-Language": tag(language)},
            timeout=30,
        )
        answer.raise_for_status()
        (folder / f"plan.{tag(language)}.html").write_text(answer.text, encoding="utf-8")


def publish_plan(dispatcher: Client, plan: dict[str, Any], folder: Path, screen: Screen) -> Published:
    published = dispatcher.post(f"/day-plans/{plan['id']}/publication")
    screen.tell(
        "Version {version}: {stops} visits on the phones, each stop with its stored decision.",
        version=published["version"],
        stops=len({stop["visit_id"] for route in published["routes"] for stop in route["stops"]}),
    )
    return Published(plan=published, folder=folder)


def _told(progress: dict[str, Any]) -> dict[str, Any]:
    return {"served": progress["served"], "left": progress["unserved"], "cost": progress["cost"]}


def _clock(instant: str, zone: ZoneInfo = ZONE) -> str:
    return f"{datetime.fromisoformat(instant).astimezone(zone):%H:%M}"


def _minutes(seconds: int) -> str:
    return f"{round(seconds / 60)} min"
