"""A fleet's day, from files to a table: planned as any other, then told by phones with a bad connection."""

import datetime as dt
import sys
import time
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any

import sqlalchemy as sa
from rich.table import Table

from fieldvisit import embedded
from fieldvisit.clock import shift_clock_to
from fieldvisit.database import Urls, acting_for, app_engine, session_factory
from fieldvisit.demo import world
from fieldvisit.demo.client import Client
from fieldvisit.demo.fleet.comparing import Compared, compare
from fieldvisit.demo.fleet.files import write_fleet
from fieldvisit.demo.fleet.line import Meter, Weather
from fieldvisit.demo.fleet.phone import Notes, Owner
from fieldvisit.demo.fleet.running import Run, live, percentiles
from fieldvisit.demo.generator import EXTRACT, TODAY
from fieldvisit.demo.generator_cases import AGENCY_CODE, LENDER_CODE
from fieldvisit.demo.processes import DemoStopped, Processes, demo_environ
from fieldvisit.demo.screen import Screen
from fieldvisit.demo.story import Stage
from fieldvisit.demo.world import PASSWORD, ZONE
from fieldvisit.languages import tag
from fieldvisit.settings import Settings, read_settings

DAWN, DUSK = (dt.datetime.combine(TODAY, dt.time(*hour), ZONE) for hour in ((6, 30), (16, 0)))
FILES = (
    ("cases", LENDER_CODE),
    ("contacts", LENDER_CODE),
    ("visitors", AGENCY_CODE),
    ("shifts", AGENCY_CODE),
    ("credentials", AGENCY_CODE),
)
SEARCH_S, PATIENCE_S, POLL_S = 10, 600, 1.0
SAYS = 5
"""How often it says how far the fleet has come."""


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """How many phones, how many of them have signal at once, how many visits for each crew, how many phones are taken
    back, and the seed of it all."""

    phones: int
    at_once: int
    visits: int
    revoked: int
    seed: int
    weather: Weather


def play(stage: Stage, screen: Screen, fleet: Fleet) -> bool:
    """Make the day, live it, compare; whether nothing was lost and nothing doubled. Ends by itself."""
    # Three hundred passwords are hashed and compared: cheaply, as in tests, or that were most of what is measured.
    environ = demo_environ(stage.data_folder, EXTRACT, stage.port) | {"ENVIRONMENT": "test", "LOG_LEVEL": "warning"}
    settings = read_settings(environ)
    try:
        urls = world.begin_afresh(settings)
        logs = stage.data_folder / "logs"
        routing = Processes([sys.executable, "-m", "routing"], environ, logs)
        with routing, Processes(stage.product, environ, logs) as processes:
            routing.start("kernel", "warm")
            _make_day(stage, fleet, screen=screen, processes=processes, urls=urls)
            routing.finish("kernel")
            _plan_day(stage, screen, processes)
            with screen.step("The fleet lives its day"):
                notes, meter = _live(stage, fleet, screen=screen, processes=processes, urls=urls)
            with screen.step("What the server holds is compared with what the phones did"):
                compared = _compare(stage, settings, urls, notes)
    finally:
        embedded.stop(settings.data_folder)
    screen.show(_table(screen, notes, meter, compared))
    for what in (*compared.lost, *compared.doubled, *compared.held, *compared.changed, *compared.refused):
        screen.tell("Wrong: {what}", what=what)
    screen.tell("Nothing lost, nothing doubled." if compared.holds else "Something is lost, doubled or left.")
    return compared.holds


def _make_day(stage: Stage, fleet: Fleet, *, screen: Screen, processes: Processes, urls: Urls) -> None:
    with screen.step("Files for {phones} phones, a server and a worker", phones=fleet.phones):
        processes.run("migrate")
        _set_clock(urls, DAWN)
        files = stage.data_folder / "files"
        write_fleet(files, phones=fleet.phones, visits=fleet.visits, seed=fleet.seed, today=TODAY)
        world.add_organisations(processes)
        for kind, code in FILES:
            processes.run("import", kind, str(files / f"{kind}.csv"), "--organisation", code)
        for name in ("serve", "worker"):
            processes.start(name, name)
        processes.wait_for_port(stage.port, limit_s=PATIENCE_S)
        world.add_people(stage.base_url)


def _plan_day(stage: Stage, screen: Screen, processes: Processes) -> None:
    with screen.step("The day is planned and published"), closing(_office(stage)) as office:
        office.post("/visits/opening")
        (area,) = office.every("/areas")
        published = _published(office, area["id"], processes)
        screen.tell(
            "{stops} visits on the phones of {crews} crews.",
            stops=len({stop["visit_id"] for route in published["routes"] for stop in route["stops"]}),
            crews=len(published["routes"]),
        )
    for name in ("worker", "serve"):
        processes.stop(name)


def _published(office: Client, area_id: str, processes: Processes) -> dict[str, Any]:
    plan = office.post("/day-plans", area_id=area_id, planned_on=TODAY.isoformat(), seconds=SEARCH_S)
    begun = time.monotonic()
    while plan["state"] in ("requested", "solving"):
        processes.refuse_dead()
        if time.monotonic() - begun > PATIENCE_S:
            raise DemoStopped(what="planning", reason=f"no plan in {PATIENCE_S} s")
        time.sleep(POLL_S)
        plan = office.get(f"/day-plans/{plan['id']}")
    if plan["state"] != "draft":
        raise DemoStopped(what="planning", reason=f"{plan['state']}: {plan['failure']}")
    published: dict[str, Any] = office.post(f"/day-plans/{plan['id']}/publication")
    return published


def _live(stage: Stage, fleet: Fleet, *, screen: Screen, processes: Processes, urls: Urls) -> tuple[list[Notes], Meter]:
    """In the afternoon: most of the day is behind the phones, and untold."""
    _set_clock(urls, DUSK)
    processes.start("serve", "serve")
    processes.wait_for_port(stage.port, limit_s=PATIENCE_S)
    owners = [
        Owner(username=f"v-{number:03}", password=PASSWORD, seed=fleet.seed) for number in range(1, fleet.phones + 1)
    ]
    with closing(Client(stage.base_url, f"admin@{AGENCY_CODE}", PASSWORD)) as admin:
        revoke = partial(_revoke, admin)
        folder = stage.data_folder / "phones"
        for left in folder.glob("*.jsonl"):
            left.unlink()
        run = Run(
            base_url=stage.base_url,
            folder=folder,
            weather=fleet.weather,
            revoked=fleet.revoked,
            revoke=revoke,
            at_once=fleet.at_once,
            through=partial(_say_how_far, screen, fleet.phones),
        )
        return live(owners, run)


def _say_how_far(screen: Screen, phones: int, count: int) -> None:
    if count * SAYS // phones > (count - 1) * SAYS // phones:
        screen.tell("{count} of {phones} phones have told their day.", count=count, phones=phones)


def _compare(stage: Stage, settings: Settings, urls: Urls, notes: Sequence[Notes]) -> Compared:
    engine = app_engine(urls.app, settings)
    try:
        with closing(_office(stage)) as office, acting_for(session_factory(engine), _org_id(office)) as session:
            return compare(office, session, notes)
    finally:
        engine.dispose()


def _office(stage: Stage) -> Client:
    return Client(stage.base_url, "dispatcher", PASSWORD, language=tag("en"))


def _org_id(office: Client) -> uuid.UUID:
    return uuid.UUID(office.login["organisation_id"])


def _revoke(admin: Client, device_id: str) -> None:
    admin.post(f"/devices/{device_id}/revocation", reason="reported as lost")


def _set_clock(urls: Urls, moment: dt.datetime) -> None:
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    shift_clock_to(owner, moment)
    with owner.begin() as connection:
        connection.execute(sa.text("select maintain_partitions()"))


def _table(screen: Screen, notes: Sequence[Notes], meter: Meter, compared: Compared) -> Table:
    p50, p99 = percentiles(meter.seconds)
    done, told = sum(len(each.done) for each in notes), sum(each.told for each in notes)
    table = Table(screen.words("What"), screen.words("How many"))
    for what, figure in (
        ("Phones", len(notes)),
        ("Things done", done),
        ("Events sent, with every repetition", told),
        ("Requests", meter.asked),
        ("Requests that never arrived", meter.requests_lost),
        ("Answers that never came back", meter.answers_lost),
        ("Requests that arrived twice", meter.twins),
        ("Held on the way, then taken", sum(each.held for each in notes)),
        ("Apps that started again", sum(each.restarts for each in notes)),
        ("Phones that were taken back", sum(each.revoked for each in notes)),
        ("Kept of those, and not believed", compared.kept),
        ("Lost", len(compared.lost)),
        ("Doubled", len(compared.doubled)),
        ("Answer at the median, ms", round(p50)),
        ("Answer at the 99th percentile, ms", round(p99)),
    ):
        table.add_row(screen.words(what), str(figure))
    return table
