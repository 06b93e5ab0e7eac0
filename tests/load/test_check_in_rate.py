"""How many check-ins a second are accepted and committed, against the database alone under the very same statements.

make load ONLY=check_in
ROUNDS=5 ROUND_S=10 python -m pytest -q -s -m long tests/load/test_check_in_rate.py
"""

import os
import statistics
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from fieldvisit import embedded
from fieldvisit.database import Urls, plain_url
from tests.load.captured import Statement, transaction_of
from tests.load.office import Office, Phone, check_in
from tests.load.played import each_clients, rate, script

CLIENTS = 4
ROUNDS, ROUND_S = int(os.environ.get("ROUNDS", "3")), int(os.environ.get("ROUND_S", "3"))
BAR = 0.25


def as_played(office: Office, phones: list[Phone], server: embedded.Server, urls: Urls) -> tuple[list[Statement], str]:
    """The statements of one check-in of the first phone, and the script in which each client plays a phone's."""
    sent: list[dict[str, Any]] = []

    def tell() -> None:
        sent.append(check_in(phones[0].session_id, office.clock()))
        office.send(phones[0], sent[-1:])

    statements = transaction_of(server, urls.app, told=tell)
    known = [value for one in statements for value in one.values if value and '"sequence": ' in value]
    sequence = known[0].partition('"sequence": ')[2].partition(",")[0]
    session = each_clients([phone.session_id for phone in phones])
    follows = f"(select last_sequence + 1 from safety_sessions where id = {session})"
    meant = {
        sent[-1]["event_id"]: "gen_random_uuid()",
        f'"sequence": {sequence}': f"'\"sequence\"\\x3a ' || {follows}".replace("'\"", "E'\"", 1),
        phones[0].session_id: session,
    }
    for name in ("visitor_id", "account_id", "device_id", "link_id"):
        meant[str(getattr(phones[0], name))] = each_clients([str(getattr(phone, name)) for phone in phones])
    return statements, script(statements, meant)


def over_http(office: Office, phones: list[Phone]) -> float:
    """Check-ins a second."""
    until, told = time.perf_counter() + ROUND_S, [0] * len(phones)

    def tell(place: int) -> None:
        while time.perf_counter() < until:
            office.check_in(phones[place])
            told[place] += 1

    threads = [threading.Thread(target=tell, args=(place,)) for place in range(len(phones))]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(told) / (time.perf_counter() - begun)


def database_s(server: embedded.Server) -> float:
    """Seconds of processor that the database has had, in the processes that are and in those that were."""
    postmaster = psutil.Process(int((Path(server.folder) / "cluster" / "postmaster.pid").read_text().split()[0]))
    while True:
        children = postmaster.children()
        with suppress(psutil.NoSuchProcess):
            ended = any(child.status() == psutil.STATUS_ZOMBIE for child in children)
            times = [postmaster.cpu_times(), *(child.cpu_times() for child in children)]
            # One that ends in between is in neither sum: pgbench's own would be missing, and be found with ours.
            if not ended and children == postmaster.children():
                return (
                    sum(each.user + each.system for each in times) + times[0].children_user + times[0].children_system
                )
        time.sleep(0.02)


@dataclass
class Spent:
    """Processor time of a round, in milliseconds for each check-in: of the server's processes, of the database and of
    the phones."""

    server: float
    database: float
    phones: float

    @classmethod
    def now(cls, office: Office, server: embedded.Server) -> "Spent":
        return cls(office.processor_s() * 1000, database_s(server) * 1000, time.process_time() * 1000)

    def since(self, before: "Spent", check_ins: float) -> "Spent":
        return Spent(
            (self.server - before.server) / check_ins,
            (self.database - before.database) / check_ins,
            (self.phones - before.phones) / check_ins,
        )


@pytest.mark.long
def test_a_check_in_has_a_quarter_of_the_rate_of_its_bare_statements(
    office: Office, server: embedded.Server, urls: Urls, tmp_path: Path
) -> None:
    played, told = office.phones(CLIENTS), office.phones(CLIENTS)
    statements, text = as_played(office, played, server, urls)
    over_http(office, told)  # warms up
    ratios = []
    print(f"\n{office.processes()} processes, {len(statements)} statements")
    for _ in range(ROUNDS):
        spent = [Spent.now(office, server)]
        bare = rate(text, url=plain_url(urls.app), clients=CLIENTS, seconds=ROUND_S, folder=tmp_path)
        spent.append(Spent.now(office, server))
        ours = over_http(office, told)
        spent.append(Spent.now(office, server))
        alone, each = spent[1].since(spent[0], bare * ROUND_S), spent[2].since(spent[1], ours * ROUND_S)
        ratios.append(ours / bare)
        print(
            f"pgbench {bare:.0f}/s, over HTTP {ours:.0f}/s: {ours / bare:.3f} of it; ms of processor for each: server"
            f" {each.server:.2f}, database {each.database:.2f}, phones {each.phones:.2f}; database under pgbench"
            f" {alone.database:.2f}; load average {os.getloadavg()[0]:.1f}"
        )
    print(f"median {statistics.median(ratios):.3f}")
    assert statistics.median(ratios) >= BAR
