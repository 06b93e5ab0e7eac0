"""The picture of a stored plan, over the streets of the map file where there is one."""

from functools import lru_cache
from pathlib import Path

from fieldvisit.maps import Street, streets
from fieldvisit.models import DayPlan
from fieldvisit.planning.picture import picture
from fieldvisit.planning.telling import view_of


def picture_of(plan: DayPlan, map_file: Path | None, language: str) -> str:
    """One self-contained page. Without a map file the routes stand on empty ground; a file that is gone: MapMissing."""
    return picture(view_of(plan), _streets(map_file) if map_file else (), language)


@lru_cache(maxsize=4)
def _streets(map_file: Path) -> tuple[Street, ...]:
    return tuple(streets(map_file))
