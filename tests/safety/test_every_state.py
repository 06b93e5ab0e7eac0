"""T40: every state that can be reached, of thirteen small stories with everybody in them.

`EXPLORE` says how many states of each are looked at in the long test, those first that the fewest moves lead to.
"""

import os
import time

import pytest
import sqlalchemy as sa

from fieldvisit.database import Urls
from tests.safety.exploring.scenes import SCENES, explore
from tests.safety.worlds import Door, another_door

LIMIT = int(os.environ.get("EXPLORE", "250"))
SMALL, QUICK = 3, 2


def test_of_the_first_states_of_two_stories_none_forgets_anybody(door: Door, engine: sa.Engine, urls: Urls) -> None:
    for scene in list(SCENES.values())[:QUICK]:
        seen = explore(scene, another_door(door), engine, urls, limit=SMALL)
        assert (seen.states, seen.transitions > SMALL) == (SMALL, True)


@pytest.mark.long
@pytest.mark.parametrize("name", list(SCENES))
def test_no_state_that_can_be_reached_forgets_anybody(name: str, door: Door, engine: sa.Engine, urls: Urls) -> None:
    began = time.process_time()
    seen = explore(SCENES[name], door, engine, urls, limit=LIMIT)
    print(
        f"\n{name}: {seen.states} states of {seen.found} found{', which is all there are' if seen.whole else ''}, "
        f"{seen.different} of the database; {seen.transitions} transitions, {seen.tried} of them made, up to "
        f"{seen.deepest} moves away; {time.process_time() - began:.0f} s of the test's own time"
    )
    assert seen.whole or seen.states == LIMIT
