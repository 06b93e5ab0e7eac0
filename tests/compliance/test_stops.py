"""Contact blocks: what stops a visit, and what does not."""

import pytest

from fieldvisit.compliance.facts import BlockFact
from fieldvisit.errors import InvalidValue
from fieldvisit.vocabulary import BlockScope, BlockTrigger, Channel, Verdict
from tests.compliance.worlds import HOUSE, asked, block, decide, eligible, facts, in_the_way, local, policy, rule, words

BARE = policy()
"""A policy that says nothing of blocks."""

VISIT = asked("2026-03-03 10:00")


@pytest.mark.parametrize(
    ("blocked", "stops"),
    [
        (block(scope=BlockScope.ALL), True),
        (block(scope=BlockScope.VISITS), True),
        (block(scope=BlockScope.CHANNEL), True),
        (block(scope=BlockScope.CHANNEL, channel=Channel.CALL), False),
        (block(scope=BlockScope.PLACE), True),
        (block(scope=BlockScope.PLACE, place_id="work"), False),
        (block(case_id="case"), True),
        (block(case_id="other case"), False),
        (block(since=local("2026-03-03 10:30")), False),
        (block(since=local("2026-03-03 10:29:59")), True),
        (block(until=local("2026-03-03 10:00")), False),
        (block(until=local("2026-03-03 10:00:01")), True),
    ],
)
def test_a_block_stops_what_its_own_scope_says_under_every_policy(blocked: BlockFact, stops: bool) -> None:
    decision = decide(VISIT, facts(blocks=(blocked,)), BARE)
    assert in_the_way(decision) == (["product/blocks"] if stops else [])


@pytest.mark.parametrize("trigger", BlockTrigger)
def test_every_reason_stops_everything_when_it_was_recorded_so(trigger: BlockTrigger) -> None:
    decision = decide(VISIT, facts(blocks=(block(trigger),)))
    assert decision.verdict is Verdict.BLOCKED
    assert decision.deciding[0].fact_ids == ("block",)


def test_a_policy_can_make_a_block_stop_more() -> None:
    for_calls = block(BlockTrigger.COMPLAINT_OPEN, BlockScope.CHANNEL, channel=Channel.CALL)
    assert in_the_way(decide(VISIT, facts(blocks=(for_calls,)), BARE)) == []
    assert in_the_way(decide(VISIT, facts(blocks=(for_calls,)), HOUSE)) == ["house/stops/2"]


def test_a_policy_cannot_make_a_block_stop_less() -> None:
    lenient = policy(rule("stops", 'trigger = "dispute"\neffect = "all"\non_breach = "warn"', many=True))
    assert in_the_way(decide(VISIT, facts(blocks=(block(),)), lenient)) == ["product/blocks"]


def test_several_blocks_are_all_named() -> None:
    both = block(BlockTrigger.DISPUTE, id="a"), block(BlockTrigger.DECEASED, id="b")
    assert words(decide(VISIT, facts(blocks=both))) == [
        "A contact block stops this visit: Dispute.",
        "A contact block stops this visit: Deceased.",
    ]


def test_a_block_with_an_end_names_it() -> None:
    ending = block(BlockTrigger.MORATORIUM, until=local("2026-04-01 00:00"))
    assert words(decide(VISIT, facts(blocks=(ending,)))) == [
        "A contact block stops this visit: Moratorium, until 2026-03-31T21:00+00:00."
    ]


def test_a_block_closes_the_gate_as_well() -> None:
    assert in_the_way(decide(eligible(), facts(blocks=(block(),)))) == ["house/stops/1"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"scope": BlockScope.CHANNEL, "channel": None},
        {"scope": BlockScope.ALL, "channel": Channel.CALL},
        {"scope": BlockScope.PLACE, "place_id": None},
        {"scope": BlockScope.VISITS, "place_id": "home"},
    ],
)
def test_a_block_names_exactly_what_its_scope_needs(wrong: dict[str, object]) -> None:
    given = {"channel": None, "place_id": None, **wrong}
    with pytest.raises(InvalidValue):
        BlockFact(id="b", trigger=BlockTrigger.DISPUTE, since=local("2026-03-01 12:00"), **given)  # type: ignore[arg-type]
