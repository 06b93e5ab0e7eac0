"""Many phones, an event a second each, for minutes: nobody is turned away, nothing grows, nobody waits long.

PHONES=300 LOAD_S=600 make load ONLY=phones_of_a_day
"""

import os
import statistics
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Sequence

import pytest
import sqlalchemy as sa
from prometheus_client.parser import text_string_to_metric_families

from fieldvisit import embedded
from fieldvisit.database import acting_for_all
from tests.load.office import Office, Phone
from tests.load.test_check_in_rate import database_s

PHONES, LOAD_S = int(os.environ.get("PHONES", "20")), int(os.environ.get("LOAD_S", "20"))
WARM_S = LOAD_S / 4
"""Until then the server fills what it keeps: statements, connections, threads."""
GROWTH_MB = 8
BAR = 10
UPKEEP = sa.text("""
select coalesce(sum(autovacuum_count + autoanalyze_count), 0),
       coalesce(sum(total_autovacuum_time + total_autoanalyze_time), 0) / 1000,
       (select num_timed + num_requested from pg_stat_checkpointer)
from pg_stat_all_tables
""")


def slow_seconds(told: Sequence[tuple[float, float]], *, over_s: float) -> str:
    """In which seconds of the run events took longer, and how many did: a queue is everywhere, a stall is somewhere."""
    slow = Counter(int(at) for at, took_s in told if took_s > over_s)
    worst = ", ".join(f"{count} in second {second}" for second, count in slow.most_common(8))
    return (
        f"{sum(slow.values())} took over {over_s * 1000:.0f} ms, in {len(slow)} seconds of the run: {worst or 'none'}"
    )


def inside(office: Office, *, over_s: float) -> str:
    """How many of the events took as long by the server's own clock, which begins when a thread has read the request:
    what is not in it is waiting for a thread, or the phones' own."""
    text = urllib.request.urlopen(f"{office.url}/metrics", timeout=60).read().decode()
    counts = {
        float(sample.labels["le"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "fieldvisit_request_seconds_bucket" and sample.labels["route"] == "/phone/events"
    }
    bound = min(each for each in counts if each >= over_s)
    return f"{max(counts.values()) - counts[bound]:.0f} took over {bound * 1000:.0f} ms by the server's own clock"


def upkeep(office: Office) -> str:
    with acting_for_all(office.sessions) as session:
        tables, seconds, checkpoints = session.execute(UPKEEP).one()
    return f"the database tidied {tables} tables by itself, in {seconds:.1f} s, and had {checkpoints} checkpoints"


@pytest.mark.long
def test_the_phones_of_a_day_find_a_server_that_does_not_grow(office: Office, server: embedded.Server) -> None:
    phones, told = office.phones(PHONES), list[tuple[float, float]]()
    begun_at = time.monotonic()
    print(f"\n{office.processes()} processes")

    def live(phone: Phone, offset_s: float) -> None:
        due = begun_at + offset_s
        while due < begun_at + LOAD_S:
            time.sleep(max(0.0, due - time.monotonic()))
            told.append((due - begun_at, office.check_in(phone)))
            # What comes late is not left out: the next is due a second after this one was.
            due += 1

    threads = [threading.Thread(target=live, args=(phone, place / PHONES)) for place, phone in enumerate(phones)]
    for thread in threads:
        thread.start()
    time.sleep(WARM_S)
    held, warm = [office.memory()], len(told)
    before = [office.processor_s(), database_s(server), time.process_time()]
    while any(thread.is_alive() for thread in threads):
        time.sleep(LOAD_S / 20)
        held.append(office.memory())
    seconds, counted, took = time.monotonic() - begun_at, len(told) - warm, [took_s for _, took_s in told]
    after = [office.processor_s(), database_s(server), time.process_time()]
    each = [(b - a) * 1000 / counted for a, b in zip(before, after, strict=True)]
    p50, p99 = statistics.median(took), statistics.quantiles(took, n=100)[98]
    quarter = max(1, len(held) // 4)
    grown = statistics.median(held[-quarter:]) - statistics.median(held[:quarter])
    print(f"{PHONES} phones, {LOAD_S} s: {len(took)} events in {seconds:.0f} s, {PHONES * LOAD_S - len(took)} missing")
    print(f"median {p50 * 1000:.1f} ms, p99 {p99 * 1000:.1f} ms ({p99 / p50:.1f} times)")
    print(slow_seconds(told, over_s=BAR * p50))
    print(f"{inside(office, over_s=BAR * p50)}; {upkeep(office)}")
    print(f"memory {' '.join(f'{mb:.0f}' for mb in held)} MB")
    print("ms of processor for each: server {:.2f}, database {:.2f}, phones {:.2f}".format(*each))
    print(f"{sum(each) * counted / 1000 / (seconds - WARM_S):.2f} processors; load average {os.getloadavg()[0]:.1f}")
    assert len(took) == PHONES * LOAD_S
    assert p99 < BAR * p50
    assert grown < GROWTH_MB
