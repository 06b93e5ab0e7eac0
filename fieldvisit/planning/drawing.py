"""The picture of a stored plan, over the streets of the map file where there is one."""

import uuid
from functools import lru_cache
from pathlib import Path

from sqlalchemy.orm import Session

from fieldvisit.maps import Street, streets
from fieldvisit.planning.picture import picture
from fieldvisit.planning.telling import view_of


def picture_of(session: Session, plan_id: uuid.UUID, map_file: Path | None, *, language: str) -> str:
    """One self-contained page. Without a map file the routes stand on empty ground.

    Raises NotFound, and MapMissing where the map file is gone or is none.
    """
    return picture(view_of(session, plan_id), _streets(map_file) if map_file else (), language)


@lru_cache(maxsize=4)
def _streets(map_file: Path) -> tuple[Street, ...]:
    return tuple(streets(map_file))
