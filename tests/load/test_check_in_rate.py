"""How many check-ins a second are accepted and committed, against the database alone under the very same statements.

make load ONLY=check_in
ROUNDS=5 ROUND_S=10 python -m pytest -q -s -m long tests/load/test_check_in_rate.py
"""

import os
import statistics
import threading
import time
from itertools import pairwise
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
    for name in ("visitor_id", "account_id", "device_id"):
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
    times = [postmaster.cpu_times(), *(child.cpu_times() for child in postmaster.children())]
    return sum(each.user + each.system for each in times) + times[0].children_user + times[0].children_system


@pytest.mark.long
def test_a_check_in_has_a_quarter_of_the_rate_of_its_bare_statements(
    office: Office, server: embedded.Server, urls: Urls, tmp_path: Path
) -> None:
    played, told = office.phones(CLIENTS), office.phones(CLIENTS)
    statements, text = as_played(office, played, server, urls)
    over_http(office, told)  # warms up
    ratios = []
    for _ in range(ROUNDS):
        spent = [database_s(server)]
        bare = rate(text, url=plain_url(urls.app), clients=CLIENTS, seconds=ROUND_S, folder=tmp_path)
        spent.append(database_s(server))
        before = office.processor_s()
        ours = over_http(office, told)
        spent.append(database_s(server))
        spent_ms = (office.processor_s() - before) / (ours * ROUND_S) * 1000
        played_ms, told_ms = ((b - a) * 1000 for a, b in pairwise(spent))
        ratios.append(ours / bare)
        print(f"\n{len(statements)} statements; pgbench {bare:.0f}/s, over HTTP {ours:.0f}/s: {ours / bare:.3f} of it")
        print(
            f"ms of processor each: server {spent_ms:.2f}, its database {told_ms / (ours * ROUND_S):.2f};"
            f" the database under pgbench {played_ms / (bare * ROUND_S):.2f}"
        )
    print(f"median {statistics.median(ratios):.3f}")
    assert statistics.median(ratios) >= BAR
