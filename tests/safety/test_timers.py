"""The timers by level, their bounds, and their copy in the session."""

import json
from dataclasses import replace

import pytest

from fieldvisit.errors import InvalidValue
from fieldvisit.safety.timers import BY_LEVEL, Ladder, Timers
from fieldvisit.vocabulary import RiskLevel

MINUTE = 60


def test_each_level_has_the_timers_that_were_decided() -> None:
    shown = {
        level.value: (timers.check_in_s, timers.remind_s, timers.grace_s, timers.lost_s, timers.lost_raises)
        for level, timers in BY_LEVEL.items()
        if level is not RiskLevel.DRILL
    }
    assert shown == {
        "low": (30 * MINUTE, 5 * MINUTE, 5 * MINUTE, 15 * MINUTE, False),
        "normal": (15 * MINUTE, 3 * MINUTE, 3 * MINUTE, 10 * MINUTE, False),
        "raised": (10 * MINUTE, 2 * MINUTE, 1 * MINUTE, 5 * MINUTE, True),
        "high": (5 * MINUTE, 1 * MINUTE, 0, 3 * MINUTE, True),
    }


def test_an_acknowledgement_holds_three_minutes_when_it_is_red_and_eight_when_amber() -> None:
    held = {level.value: (timers.silent.ack_s, timers.sos.ack_s) for level, timers in BY_LEVEL.items()}
    red, amber = 3 * MINUTE, 8 * MINUTE
    assert held == {
        "low": (amber, red),
        "normal": (amber, red),
        "raised": (red, red),
        "high": (red, red),
        "drill": (60, 60),
    }


@pytest.mark.parametrize("level", list(RiskLevel))
def test_timers_survive_their_copy_in_a_session(level: RiskLevel) -> None:
    stored = json.loads(json.dumps(BY_LEVEL[level].as_json()))
    assert Timers.from_json(stored) == BY_LEVEL[level]


@pytest.mark.parametrize("level", list(RiskLevel))
def test_timers_that_another_version_wrote_are_read(level: RiskLevel) -> None:
    """What it does not know says nothing; what is not there, or not of its kind, is as usual at that level."""
    usual = BY_LEVEL[level]
    stored = json.loads(json.dumps(usual.as_json()))
    for part in (stored, stored["silent"], stored["sos"]):
        part["of_a_later_version"] = {"text": 1}
    del stored["leave_s"], stored["sos"]["decide_s"], stored["silent"]["joins"], stored["silent"]["ack_s"]
    stored["grace_s"], stored["lost_raises"] = "a while", None
    assert Timers.from_json(stored) == usual
    assert Timers.from_json({"level": level.value}) == usual
    assert Timers.from_json({"level": "of_a_later_version"}) == BY_LEVEL[RiskLevel.HIGH]


def test_a_rank_that_is_not_known_here_is_called_all_the_same() -> None:
    stored = json.loads(json.dumps(BY_LEVEL[RiskLevel.LOW].as_json()))
    stored["silent"]["joins"][1] = ["guard", "backup"]
    ladder = Timers.from_json(stored).silent
    assert (ladder.joining(2), ladder.called_before(2)) == (("guard", "backup"), ("duty",))
    assert Timers.from_json(stored).as_json() == stored


def test_what_was_stored_is_not_judged_by_the_bounds_of_today() -> None:
    stored = BY_LEVEL[RiskLevel.HIGH].as_json() | {"check_in_s": 30 * MINUTE, "grace_s": 11 * MINUTE}
    timers = Timers.from_json(stored)
    assert (timers.check_in_s, timers.grace_s) == (30 * MINUTE, 11 * MINUTE)
    assert (timers.alone().check_in_s, timers.alone().grace_s) == (15 * MINUTE, MINUTE)
    with pytest.raises(InvalidValue):
        replace(timers, remind_s=30)


@pytest.mark.parametrize(
    ("level", "change", "path"),
    [
        (RiskLevel.NORMAL, {"check_in_s": 119, "remind_s": 60}, "check_in_s"),
        (RiskLevel.NORMAL, {"check_in_s": 120 * MINUTE + 1}, "check_in_s"),
        (RiskLevel.NORMAL, {"grace_s": 10 * MINUTE + 1}, "grace_s"),
        (RiskLevel.NORMAL, {"grace_s": -1}, "grace_s"),
        (RiskLevel.NORMAL, {"remind_s": 15 * MINUTE}, "remind_s"),
        (RiskLevel.NORMAL, {"lost_s": 59}, "lost_s"),
        (RiskLevel.NORMAL, {"arrive_s": 4 * MINUTE}, "arrive_s"),
        (RiskLevel.NORMAL, {"leave_s": 61 * MINUTE}, "leave_s"),
        (RiskLevel.HIGH, {"check_in_s": 8 * MINUTE, "grace_s": 3 * MINUTE}, "grace_s"),
        (RiskLevel.DRILL, {"check_in_s": 121}, "check_in_s"),
    ],
)
def test_timers_out_of_bounds_are_refused(level: RiskLevel, change: dict[str, int], path: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        replace(BY_LEVEL[level], **change)
    assert refused.value.details["path"] == path


@pytest.mark.parametrize("wrong", [{"waits_s": ()}, {"waits_s": (60, 0)}, {"waits_s": (60,), "repeat_s": 0}])
def test_a_ladder_without_waits_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(InvalidValue):
        Ladder(**wrong)  # type: ignore[arg-type]  # wrong on purpose
