"""The demo's world, made through the product's own commands and API: organisations, accounts, files, the clock."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from fieldvisit import database, embedded
from fieldvisit.clock import shift_clock_to
from fieldvisit.demo.client import Client
from fieldvisit.demo.generator import EXTRACT, SEED, TODAY, Counts, generate
from fieldvisit.demo.generator_cases import AGENCY_CODE, AGENCY_NAME, LENDER_CODE, LENDER_NAME
from fieldvisit.demo.processes import Processes
from fieldvisit.settings import Settings

ZONE = ZoneInfo("Europe/Helsinki")
MORNING = dt.datetime.combine(TODAY, dt.time(8, 30), ZONE)
"""A working Tuesday, inside permitted hours; the clock runs at normal speed from here."""

PASSWORD = "fieldvisit demo"  # noqa: S105  # made-up people, made-up password, printed on the screen
CENTRE = (60.1685, 24.9440)
RADIUS_M = 2_500
OFFICE = {
    "dispatcher": ["dispatcher"],
    "officer": ["safety_officer"],
    "supervisor": ["supervisor"],
    "auditor": ["auditor"],
}
FILES = (
    ("cases", LENDER_CODE),
    ("contacts", LENDER_CODE),
    ("payments", LENDER_CODE),
    ("wishes", LENDER_CODE),
    ("visitors", AGENCY_CODE),
    ("shifts", AGENCY_CODE),
    ("credentials", AGENCY_CODE),
)


@dataclass(frozen=True, kw_only=True)
class World:
    """What the story needs to know of what was made."""

    counts: Counts
    area_id: str
    visitors: dict[str, str]
    """External id → the id of the visitor, whose user name is the external id in small letters."""


def begin_afresh(settings: Settings) -> database.Urls:
    """An empty, migrated database whose clock shows the demo's morning. What an earlier demo left is gone."""
    server = embedded.start(settings.data_folder)
    embedded.drop_database(server, database.DATABASE)
    return database.database_urls(settings)


def set_clock(urls: database.Urls) -> None:
    """Only the owner of the tables may do this, and production refuses to run on such a clock."""
    owner = sa.create_engine(urls.owner, poolclass=sa.NullPool)
    shift_clock_to(owner, MORNING)
    with owner.begin() as connection:
        connection.execute(sa.text("select maintain_partitions()"))


def write_files(folder: Path) -> Counts:
    return generate(folder, seed=SEED, today=TODAY, pbf=EXTRACT)


def add_organisations(processes: Processes) -> None:
    """The lender, the agency, and an admin for each: the only accounts that the command line opens."""
    place = ("--country", "FI", "--zone", str(ZONE), "--policy", "house", "--debtor-phone", "+358 9 0000 0000")
    for code, name, kind in ((LENDER_CODE, LENDER_NAME, "lender"), (AGENCY_CODE, AGENCY_NAME, "agency")):
        processes.run("organisation", "add", code, "--name", name, "--kind", kind, *place)
        who = f"admin@{code}"
        processes.run("account", "add", code, who, "--role", "admin", "--password-stdin", stdin=f"{PASSWORD}\n")


def import_files(processes: Processes, folder: Path) -> None:
    for kind, code in FILES:
        processes.run("import", kind, str(folder / f"{kind}.csv"), "--organisation", code)


def add_people(base_url: str) -> tuple[str, dict[str, str]]:
    """The area, the office's accounts and a login for every visitor, by the admins over the API."""
    lender = Client(base_url, f"admin@{LENDER_CODE}", PASSWORD)
    lender.post("/accounts", username="lender", password=PASSWORD, roles=["integrator"])
    agency = Client(base_url, f"admin@{AGENCY_CODE}", PASSWORD)
    area = agency.put("/areas", code="centre", name="Helsinki centre", lat=CENTRE[0], lon=CENTRE[1], radius_m=RADIUS_M)
    for username, roles in OFFICE.items():
        account = agency.post("/accounts", username=username, password=PASSWORD, roles=roles)
        if username == "officer":
            put_on_duty(base_url, account["id"])
    visitors = {visitor["external_id"]: visitor["id"] for visitor in agency.every("/visitors")}
    for external_id, visitor_id in visitors.items():
        agency.post(
            "/accounts",
            username=external_id.lower(),
            password=PASSWORD,
            roles=["visitor"],
            visitor_id=visitor_id,
        )
    return area["id"], visitors


def put_on_duty(base_url: str, account_id: str) -> None:
    """The officer answers alarms all day: nobody could start otherwise."""
    supervisor = Client(base_url, "officer", PASSWORD)
    until = (MORNING + dt.timedelta(hours=20)).isoformat()
    since = (MORNING - dt.timedelta(hours=1)).isoformat()
    supervisor.post("/safety/roster", account_id=account_id, rank="duty", starts_at=since, ends_at=until)
    supervisor.post("/safety/contacts", account_id=account_id, channel="sms", address="+358450000001")
