"""A field day, end to end: every step through the product's own commands and API, never behind their back."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fieldvisit import embedded
from fieldvisit.database import Urls
from fieldvisit.demo import announcing, field, office, world
from fieldvisit.demo.client import Client
from fieldvisit.demo.generator import EXTRACT
from fieldvisit.demo.office import Published
from fieldvisit.demo.processes import Processes, demo_environ, usable_port
from fieldvisit.demo.screen import Screen
from fieldvisit.demo.world import PASSWORD, World
from fieldvisit.languages import tag
from fieldvisit.settings import read_settings


@dataclass(frozen=True, kw_only=True)
class Stage:
    """Where the demo plays. `product` is the product's command line, as an argument list."""

    data_folder: Path
    port: int
    product: Sequence[str]

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def make_stage(data_folder: Path, wanted_port: int, product: Sequence[str]) -> Stage:
    return Stage(data_folder=data_folder, port=usable_port(wanted_port), product=product)


def play(stage: Stage, screen: Screen, *, once: bool) -> None:
    """Tell the whole story. With `once` it ends there; else server, worker and watcher stay until Ctrl-C."""
    environ = demo_environ(stage.data_folder, EXTRACT, stage.port)
    logs = stage.data_folder / "logs"
    routing = Processes([sys.executable, "-m", "routing"], environ, logs)
    with _database(stage, environ) as urls, routing, Processes(stage.product, environ, logs) as processes:
        # Beside everything else: compiling takes one of the two cores for as long as the files take the other.
        routing.start("kernel", "warm")
        made = _make_world(stage, screen, processes, urls)
        with screen.step("The search kernel is compiled, once for this machine"):
            routing.finish("kernel")
        published = _plan(stage, screen, processes, made, routing=routing)
        _go_out(stage, screen, made, published)
        _close(stage, screen, published)
        while not once:
            time.sleep(1)
            _revive(stage, screen, processes)


def _revive(stage: Stage, screen: Screen, processes: Processes) -> None:
    """Start again what has died, the database first: the others wait for it by themselves."""
    if not embedded.is_running(stage.data_folder):
        embedded.start(stage.data_folder)
        screen.tell("{name} died and was started again.", name="postgres")
    for name in processes.revive():
        screen.tell("{name} died and was started again.", name=name)


@contextmanager
def _database(stage: Stage, environ: Mapping[str, str]) -> Iterator[Urls]:
    """An empty database on the embedded server, which stops with the demo."""
    settings = read_settings(environ)
    try:
        yield world.begin_afresh(settings)
    finally:
        embedded.stop(settings.data_folder)


def _make_world(stage: Stage, screen: Screen, processes: Processes, urls: Urls) -> World:
    with screen.step("An empty database, on a clock of its own"):
        processes.run("migrate")
        world.set_clock(urls)
        screen.tell("It is {morning}, a Tuesday morning in Helsinki.", morning=f"{world.MORNING:%Y-%m-%d %H:%M}")
    with screen.step("A lender, an agency, and their files"):
        files = stage.data_folder / "files"
        counts = world.write_files(files)
        world.add_organisations(processes)
        world.import_files(processes, files)
        screen.tell(
            "{debtors} debtors at real addresses, {cases} cases, {contacts} contact attempts, {visitors} visitors.",
            debtors=counts.debtors,
            cases=counts.cases,
            contacts=counts.contacts,
            visitors=counts.visitors,
        )
    with screen.step("Server, worker and watcher start"):
        for name in ("serve", "worker", "watch"):
            processes.start(name, name)
        processes.wait_for_port(stage.port)
        area_id, visitors = world.add_people(stage.base_url)
    return World(counts=counts, area_id=area_id, visitors=visitors)


def _plan(stage: Stage, screen: Screen, processes: Processes, made: World, *, routing: Processes) -> Published:
    folder = stage.data_folder / "plan"
    dispatcher = Client(stage.base_url, "dispatcher", PASSWORD, language=tag(screen.language))
    with screen.step("The gate opens visits on evidence of failed contact"):
        office.open_visits(dispatcher, made, screen)
    with screen.step("The day is planned on real roads, inside permitted hours"):
        plan = office.plan_day(dispatcher, made, screen, processes)
    office.show_plan(screen, plan)
    with screen.step("The plan is judged and drawn"):
        office.judge_plan(dispatcher, plan, folder, screen=screen, routing=routing)
        office.draw_plan(stage.base_url, dispatcher, plan, folder)
    with screen.step("The plan is published"):
        published = office.publish_plan(dispatcher, plan, folder, screen)
        # Drawn again: now it is a version, without the stops that the policy took out at the last moment.
        office.draw_plan(stage.base_url, dispatcher, plan, folder)
    return published


def _go_out(stage: Stage, screen: Screen, made: World, published: Published) -> None:
    language = tag(screen.language)
    officer = Client(stage.base_url, "officer", PASSWORD, language=language)
    dispatcher = Client(stage.base_url, "dispatcher", PASSWORD, language=language)
    lender = Client(stage.base_url, "lender", PASSWORD, language=language)
    with screen.step("A visit of next week is announced to its debtor"):
        supervisor = Client(stage.base_url, "supervisor", PASSWORD, language=language)
        announcing.announce_visit(supervisor, dispatcher, screen)
    (first, first_stop), (second, second_stop), (third, third_stop) = published.open_now(dispatcher)[:3]
    phone = field.phone_of(stage.base_url, made, first, screen)
    with screen.step("A visit as it should be"):
        field.good_visit(phone, first_stop, screen)
    with screen.step("A visit that is broken off"):
        field.aborted_visit(field.phone_of(stage.base_url, made, second, screen), second_stop, screen)
    with screen.step("A visitor who goes silent"):
        field.silent_visit(field.phone_of(stage.base_url, made, third, screen), officer, third_stop, screen)
    with screen.step("A debtor who disputes the debt"):
        later = next(stop for stop in first["stops"] if stop is not first_stop)
        field.disputed_visit(phone, later, lender=lender, dispatcher=dispatcher, screen=screen)


def _close(stage: Stage, screen: Screen, published: Published) -> None:
    """What to open next."""
    screen.console.rule(screen.words("The day stands, after {seconds} s", seconds=round(screen.elapsed_s)))
    for text, where in (
        ("The picture of the plan", published.folder / f"plan.{tag(screen.language)}.html"),
        ("Problem and plan in the open format", published.folder / "problem.json"),
        ("The API, for people", f"{stage.base_url}/docs"),
        ("The API, for programs", f"{stage.base_url}/openapi.json"),
        ("What the processes say", stage.data_folder / "logs"),
    ):
        screen.tell("{what}: {where}", what=screen.words(text), where=where)
    screen.tell(
        "Log in as dispatcher, officer, supervisor, auditor, lender or v-01 to v-12; the password is “{password}”.",
        password=PASSWORD,
    )
