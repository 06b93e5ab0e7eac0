"""What is stored as JSON, and was perhaps written by another version: while a release goes out engines and servers of
two run side by side, and a release may be taken back."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_stored[T: DataclassInstance](of: type[T], stored: Mapping[str, Any]) -> T:
    """A dataclass of what is stored of its fields. What it does not know says nothing, what it lacks is as the field
    has it, and nothing is judged anew: what was good when it was set holds, whatever the bounds are today."""
    fields = of.__dataclass_fields__
    made = object.__new__(of)
    # A default of a field is an attribute of the class.
    vars(made).update({name: value for name, value in stored.items() if name in fields})
    return made
