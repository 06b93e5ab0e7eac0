"""What a phone measures: where it is, and how well it knows."""

import math
from typing import Any

from marshmallow import fields

from api.schemas.fields import NumberWithin, refused
from fieldvisit.languages import Message

ROUND_THE_EARTH_M = 40_000_000


class Degrees(fields.Float):
    """A coordinate, inside the world."""

    def __init__(self, *, limit: int, **more: Any) -> None:
        self._limit = limit
        super().__init__(validate=NumberWithin(min=-limit, max=limit), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> float:
        return _number(value)

    def expected(self) -> Message:
        return Message("degrees from {min} to {max}", {"min": -self._limit, "max": self._limit})


class Latitude(Degrees):
    def __init__(self, **more: Any) -> None:
        super().__init__(limit=90, **more)


class Longitude(Degrees):
    def __init__(self, **more: Any) -> None:
        super().__init__(limit=180, **more)


class Metres(fields.Float):
    """A distance as a phone measures it, at most once round the earth. Loaded as whole metres, rounded up: it is never
    better than said."""

    def __init__(self, **more: Any) -> None:
        super().__init__(validate=NumberWithin(min=0, max=ROUND_THE_EARTH_M), **more)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> int:
        return math.ceil(_number(value))

    def expected(self) -> Message:
        return Message("metres from 0 to {max}", {"max": ROUND_THE_EARTH_M})


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refused("Not a number.")
    try:
        number = float(value)
    except OverflowError:
        # JSON knows no largest number, and a whole one of 400 digits is read as such.
        number = math.inf
    if not math.isfinite(number):
        raise refused("Not a number.")
    return number
