"""What is told in the caller's language."""

from typing import Any

from marshmallow import fields
from marshmallow.utils import get_value

from api.context import language
from api.schemas.fields import Many
from fieldvisit.languages import say


class Words(fields.String):
    """A message or a member of a closed list, as a sentence or a label for people; `of` names the attribute it tells.

    Without `of` it tells its own value, as any field does.
    """

    def __init__(self, *, of: str | None = None, **more: Any) -> None:
        super().__init__(**more)
        self.of = of
        # Two fields may not name one attribute; this one has none, and asks the object itself.
        self._CHECK_ATTRIBUTE = of is None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **more: Any) -> str | None:
        told = value if self.of is None else get_value(obj, self.of, None)
        return None if told is None else say(told, language())


class Several(Many):
    """A list whose loaded value is a tuple, as frozen values of the domain want it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **more: Any) -> Any:
        return tuple(super()._deserialize(value, attr, data, **more))
