"""Parts of an answer that are worked out from the whole thing when it is told."""

from collections.abc import Callable
from typing import Any

from marshmallow import Schema, fields


class Derived(fields.Nested):
    """A part of this shape; `of` makes it from the thing that is told."""

    _CHECK_ATTRIBUTE = False

    def __init__(self, schema: type[Schema], *, of: Callable[[Any], Any], **more: Any) -> None:
        super().__init__(schema, required=True, **more)
        self._of = of

    def _serialize(self, nested_obj: Any, attr: Any, obj: Any, **more: Any) -> Any:  # type: ignore[override]
        return super()._serialize(self._of(obj), attr, obj, **more)  # type: ignore[no-untyped-call]
