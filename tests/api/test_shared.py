"""What the processes of one server know together."""

import multiprocessing

import pytest

from api.shared import SLOTS, Counts, Places

CALLERS, EACH = 4, 250


def count_much(counts: Counts) -> None:
    for _ in range(EACH):
        counts.add("aino", for_s=600)


def test_what_several_processes_count_at_once_is_counted_once_each() -> None:
    counts, fork = Counts(), multiprocessing.get_context("fork")
    callers = [fork.Process(target=count_much, args=(counts,)) for _ in range(CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert counts.add("aino", for_s=600)[0] == CALLERS * EACH + 1
    assert counts.add("oona", for_s=600)[0] == 1


def test_a_while_that_is_over_begins_anew() -> None:
    counts = Counts()
    assert [counts.add("aino", for_s=-1)[0] for _ in range(2)] == [1, 1]


def test_where_there_is_no_room_the_oldest_count_makes_some(monkeypatch: pytest.MonkeyPatch) -> None:
    # As many as lie near each other: each name has the same places.
    monkeypatch.setattr("api.shared.SLOTS", 16)
    counts = Counts()
    for number in range(16):
        counts.add(f"caller {number}", for_s=600 + number)
    assert counts.add("one more", for_s=900)[0] == 1
    assert [counts.add(f"caller {number}", for_s=900)[0] for number in (15, 0)] == [2, 1]
    assert SLOTS >= 1 << 15


def test_a_process_gives_way_to_one_that_holds_fewer_connections_and_not_to_one_that_is_away() -> None:
    places = Places(3)
    places.take(0, 4)
    assert not places.has_freer(0)
    places.take(1, 2)
    assert (places.has_freer(0), places.has_freer(1)) == (True, False)
    places.leave(1)
    assert not places.has_freer(0)
