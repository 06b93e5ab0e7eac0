"""The made-up contact histories, judged by a reading of the gate written for this test alone."""

import csv
from collections import Counter, defaultdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fieldvisit.compliance.facts import AttemptFact
from fieldvisit.compliance.loading import load_preset
from fieldvisit.compliance.prior_effort import failed_contact
from fieldvisit.demo.generator import TODAY, Counts, generate
from fieldvisit.demo.generator_cases import Archetype
from fieldvisit.vocabulary import AttemptResult, Channel, ReachedDetail

Attempts = list[dict[str, str]]
FAILED = {"no_answer", "busy", "switched_off", "voicemail", "number_invalid", "bounced"}
STOPPED = (Archetype.DISPUTED, Archetype.STOPPED)
HELSINKI = ZoneInfo("Europe/Helsinki")


@pytest.fixture(scope="module", params=[20260303, 7])
def world(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Counts]:
    folder = tmp_path_factory.mktemp("world")
    return folder, generate(folder, seed=request.param)


@pytest.fixture(scope="module")
def truth(world: tuple[Path, Counts]) -> dict[str, Archetype]:
    return dict(world[1].truth.archetypes)


@pytest.fixture(scope="module")
def cases(world: tuple[Path, Counts]) -> dict[str, dict[str, str]]:
    return {case["case_id"]: case for case in _rows(world[0] / "cases.csv")}


@pytest.fixture(scope="module")
def histories(world: tuple[Path, Counts]) -> dict[str, Attempts]:
    by_case: dict[str, Attempts] = defaultdict(list)
    for attempt in _rows(world[0] / "contacts.csv"):
        by_case[attempt["case_id"]].append(attempt)
    return dict(by_case)


def _rows(path: Path) -> Attempts:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _at(attempt: dict[str, str]) -> datetime:
    return datetime.fromisoformat(attempt["at"])


def _part(attempt: dict[str, str], noon: int, evening: int) -> int:
    hour = _at(attempt).hour
    return (hour >= noon) + (hour >= evening)


def opens(case: dict[str, str], history: Attempts, *, noon: int, evening: int, failures: set[str]) -> bool:
    """Every number dead, or 3 failures on 2 days and in 2 parts of the day within 30 days, and nothing else since."""
    numbers = {case["phone"], case["phone_2"]} - {""}
    if numbers <= {attempt["contact_point"] for attempt in history if attempt["result"] == "number_invalid"}:
        return True
    first_day = TODAY - timedelta(days=29)
    failed: Attempts = []
    for attempt in sorted(history, key=_at):
        if attempt["result"] in failures and _at(attempt).date() >= first_day:
            failed.append(attempt)
        elif attempt["result"] not in FAILED | {"delivered"}:
            failed = []
    days = {_at(attempt).date() for attempt in failed}
    parts = {_part(attempt, noon, evening) for attempt in failed}
    tried = {attempt["contact_point"] for attempt in failed}
    return len(failed) >= 3 and len(days) >= 2 and len(parts) >= 2 and numbers <= tried


@pytest.mark.parametrize(("noon", "evening"), [(12, 17), (12, 18), (13, 17)])
@pytest.mark.parametrize("failures", [FAILED, FAILED - {"bounced"}, FAILED | {"wrong_person"}])
def test_the_gate_opens_for_those_it_ought_to_and_nobody_else(
    world: tuple[Path, Counts],
    cases: dict[str, dict[str, str]],
    histories: dict[str, Attempts],
    *,
    noon: int,
    evening: int,
    failures: set[str],
) -> None:
    read = {"noon": noon, "evening": evening, "failures": failures}
    opened = {key for key, case in cases.items() if opens(case, histories[key], **read)}  # type: ignore[arg-type]
    assert opened == world[1].truth.opened
    assert 110 <= len(opened) <= 130


def test_the_gate_of_the_house_policy_agrees(
    world: tuple[Path, Counts], cases: dict[str, dict[str, str]], histories: dict[str, Attempts]
) -> None:
    rule = load_preset("house").prior_effort
    assert rule is not None
    nine = datetime.combine(TODAY, time(9), tzinfo=HELSINKI)
    opened = {
        key
        for key, case in cases.items()
        if failed_contact(
            [_fact(attempt) for attempt in histories[key]],
            rule,
            nine,
            HELSINKI.key,
            number_ids={case["phone"], case["phone_2"]} - {""},
        ).met
    }
    assert opened == world[1].truth.opened


def _fact(attempt: dict[str, str]) -> AttemptFact:
    return AttemptFact(
        id=attempt["attempt_id"],
        at=_at(attempt),
        channel=Channel(attempt["channel"]),
        result=AttemptResult(attempt["result"]),
        detail=ReachedDetail(attempt["detail"]) if attempt["detail"] else None,
        contact_point_id=attempt["contact_point"],
        case_id=attempt["case_id"],
    )


def test_whoever_ought_to_be_visited_is_with_the_agency(
    world: tuple[Path, Counts], cases: dict[str, dict[str, str]]
) -> None:
    assert {cases[key]["agency"] for key in world[1].truth.opened} == {"pohjola-field"}


def test_nobody_is_to_be_visited_who_disputed_or_asked_to_stop_on_any_of_their_cases(
    world: tuple[Path, Counts], truth: dict[str, Archetype], cases: dict[str, dict[str, str]]
) -> None:
    stopped = {cases[key]["debtor_id"] for key, kind in truth.items() if kind in STOPPED}
    assert stopped.isdisjoint(cases[key]["debtor_id"] for key in world[1].truth.opened)


def test_every_archetype_occurs(truth: dict[str, Archetype]) -> None:
    assert set(truth.values()) == set(Archetype)


def test_results_and_details_are_words_of_the_domain(histories: dict[str, Attempts]) -> None:
    every = [attempt for history in histories.values() for attempt in history]
    assert {attempt["result"] for attempt in every} <= set(AttemptResult)
    assert {attempt["detail"] for attempt in every} == {"", *ReachedDetail} - {ReachedDetail.OTHER}
    assert all((attempt["detail"] != "") == (attempt["result"] == "reached") for attempt in every)


@pytest.mark.parametrize(
    ("archetype", "last"),
    [
        (Archetype.REACHED, ("reached", "talked")),
        (Archetype.PROMISED, ("reached", "promised")),
        (Archetype.REFUSED, ("refused_call", "")),
        (Archetype.DISPUTED, ("reached", "disputed")),
        (Archetype.STOPPED, ("reached", "asked_to_stop")),
        (Archetype.WRONG_PERSON, ("wrong_person", "")),
        (Archetype.THIRD_PARTY, ("third_party", "")),
    ],
)
def test_whoever_spoke_is_left_alone_after_it(
    truth: dict[str, Archetype], histories: dict[str, Attempts], archetype: Archetype, last: tuple[str, str]
) -> None:
    of_kind = [histories[key] for key, kind in truth.items() if kind is archetype]
    assert {(history[-1]["result"], history[-1]["detail"]) for history in of_kind} == {last}


def test_the_unreachable_were_tried_in_many_ways(truth: dict[str, Archetype], histories: dict[str, Attempts]) -> None:
    for key in (key for key, kind in truth.items() if kind is Archetype.UNREACHABLE):
        calls = [attempt for attempt in histories[key] if attempt["channel"] == "call"]
        assert len(calls) >= 6
        assert {call["result"] for call in calls} <= FAILED
    of_kind = [histories[key] for key, kind in truth.items() if kind is Archetype.UNREACHABLE]
    assert {attempt["result"] for history in of_kind for attempt in history} == FAILED | {"delivered"}


def test_calls_are_made_on_working_days_in_office_and_evening_hours(histories: dict[str, Attempts]) -> None:
    for attempt in (attempt for history in histories.values() for attempt in history):
        at = _at(attempt)
        assert at.utcoffset() == at.astimezone(HELSINKI).utcoffset()
        assert at.weekday() < 5
        assert 8 <= at.hour < 20
        assert TODAY - timedelta(days=42) <= at.date() < TODAY


def test_no_number_is_called_twice_a_day_but_of_those_tried_on_one_day(
    truth: dict[str, Archetype], histories: dict[str, Attempts]
) -> None:
    for key, history in histories.items():
        calls = Counter((call["contact_point"], _at(call).date()) for call in history if call["channel"] == "call")
        assert max(calls.values(), default=0) <= (3 if truth[key] is Archetype.ONE_DAY else 1)


def test_every_attempt_goes_to_a_contact_point_of_its_case(
    cases: dict[str, dict[str, str]], histories: dict[str, Attempts]
) -> None:
    columns = {"call": ("phone", "phone_2"), "sms": ("phone", "phone_2"), "email": ("email",), "letter": ("address",)}
    for key, history in histories.items():
        for attempt in history:
            assert attempt["contact_point"] in {cases[key][column] for column in columns[attempt["channel"]]}


def test_no_call_was_made_before_the_debt_was_due(
    cases: dict[str, dict[str, str]], histories: dict[str, Attempts]
) -> None:
    early = {
        key for key, history in histories.items() if _at(history[0]).date() <= date.fromisoformat(cases[key]["due_on"])
    }
    assert early == set()
