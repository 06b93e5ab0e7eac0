"""One row by its id, among those that the session may see."""

import re
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from fieldvisit.errors import NotFound
from fieldvisit.models import Base


def get_by_id[T: Base](session: Session, model: type[T], wanted_id: uuid.UUID, *options: Any) -> T:
    """The row, with what the loader `options` ask for. Raises NotFound for one that another organisation owns, too:
    row-level security hides it, and a caller may not even learn that it exists."""
    columns: Any = model
    found = session.scalar(sa.select(model).where(columns.id == wanted_id).options(*options))
    if found is None:
        raise NotFound(what=spoken_name(model), id=wanted_id)
    return found


def spoken_name(model: type[Base]) -> str:
    """What one row is called: ContactBlock → contact block."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", model.__name__).lower()
