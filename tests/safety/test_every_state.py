"""T40: every state that can be reached, of five small stories with everybody in them.

`EXPLORE` says how many states of each are looked at in the long test; without it, all there are.
"""

import os
import time

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls
from tests.safety.exploring.scenes import SCENES, explore
from tests.safety.worlds import Door

LIMIT = int(os.environ.get("EXPLORE", "1000000"))
SMALL = 4


@pytest.mark.parametrize("name", list(SCENES))
def test_of_the_first_states_none_forgets_anybody(name: str, door: Door, engine: sa.Engine, urls: Urls) -> None:
    seen = explore(SCENES[name], door, engine, urls, limit=SMALL)
    assert (seen.states, seen.transitions > SMALL) == (SMALL, True)


@pytest.mark.long
@pytest.mark.parametrize("name", list(SCENES))
def test_no_state_that_can_be_reached_forgets_anybody(name: str, door: Door, engine: sa.Engine, urls: Urls) -> None:
    began = time.process_time()
    seen = explore(SCENES[name], door, engine, urls, limit=LIMIT)
    whole = "all there are" if seen.whole else "the first of more"
    print(
        f"\n{name}: {seen.states} states ({whole}), {seen.transitions} transitions, the farthest {seen.deepest} moves "
        f"away; {time.process_time() - began:.0f} s of the test's own time"
    )
    assert seen.whole or seen.states == LIMIT
