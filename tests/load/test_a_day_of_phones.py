"""Many phones, an event a second each, for minutes: nobody is turned away, nothing grows, nobody waits long.

PHONES=300 LOAD_S=600 make load ONLY=phones_of_a_day
"""

import os
import statistics
import threading
import time

import pytest

from fieldvisit import embedded
from tests.load.office import Office, Phone
from tests.load.test_check_in_rate import database_s

PHONES, LOAD_S = int(os.environ.get("PHONES", "20")), int(os.environ.get("LOAD_S", "20"))
WARM_S = LOAD_S / 4
"""Until then the server fills what it keeps: statements, connections, threads."""
GROWTH_MB = 8
BAR = 10


@pytest.mark.long
def test_the_phones_of_a_day_find_a_server_that_does_not_grow(office: Office, server: embedded.Server) -> None:
    phones, took = office.phones(PHONES), list[float]()
    begun_at = time.monotonic()
    print(f"\n{office.processes()} processes")

    def live(phone: Phone, offset_s: float) -> None:
        due = begun_at + offset_s
        while due < begun_at + LOAD_S:
            time.sleep(max(0.0, due - time.monotonic()))
            took.append(office.check_in(phone))
            # What comes late is not left out: the next is due a second after this one was.
            due += 1

    threads = [threading.Thread(target=live, args=(phone, place / PHONES)) for place, phone in enumerate(phones)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_S)
    held, warm = [office.memory()], len(took)
    before = [office.processor_s(), database_s(server), time.process_time()]
    while any(thread.is_alive() for thread in threads):
        time.sleep(LOAD_S / 20)
        held.append(office.memory())
    seconds, told = time.monotonic() - begun_at, len(took) - warm
    after = [office.processor_s(), database_s(server), time.process_time()]
    each = [(b - a) * 1000 / told for a, b in zip(before, after, strict=True)]
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    quarter = max(1, len(held) // 4)
    grown = statistics.median(held[-quarter:]) - statistics.median(held[:quarter])
    print(f"{PHONES} phones, {LOAD_S} s: {len(took)} events in {seconds:.0f} s, {PHONES * LOAD_S - len(took)} missing")
    print(f"median {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms ({p99 / p50:.1f} times)")
    print(f"memory {' '.join(f'{mb:.0f}' for mb in held)} MB")
    print("ms of processor for each: server {:.2f}, database {:.2f}, phones {:.2f}".format(*each))
    print(f"{sum(each) * told / 1000 / (seconds - WARM_S):.2f} processors; load average {os.getloadavg()[0]:.1f}")
    assert len(took) == PHONES * LOAD_S
    assert p99 < BAR * p50
    assert grown < GROWTH_MB
