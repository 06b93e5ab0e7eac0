"""What marshmallow does for one thing at a time, without finding out anew each time what it found out the last time.

Every event of every phone is read so, and answered. Whatever is not as plain goes marshmallow's own way.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, cached_property
from operator import attrgetter
from typing import Any

from marshmallow import EXCLUDE, INCLUDE, RAISE, Schema, ValidationError, fields, missing
from marshmallow.utils import set_value


class ReadShortly(Schema):
    """One object that has to be whole: no function is made for each of its values."""

    def _deserialize(self, data: Any, *, error_store: Any, unknown: Any = RAISE, **more: Any) -> Any:
        if more.get("many") or more.get("partial") is not None or not isinstance(data, Mapping):
            return super()._deserialize(data, error_store=error_store, unknown=unknown, **more)
        place = more.get("index") if self.opts.index_errors else None
        read = self.dict_class()
        for name, key, field in self._read_into:
            try:
                value = field.deserialize(data.get(key, missing), key, data)
            except ValidationError as error:
                error_store.store_error(error.messages, key, index=place)
                value = error.valid_data or missing
            if value is not missing:
                set_value(read, name, value)
        for key in data.keys() - self._keys if unknown != EXCLUDE else ():
            if unknown == INCLUDE:
                read[key] = data[key]
            else:
                error_store.store_error([self.error_messages["unknown"]], key, index=place)
        return read

    @cached_property
    def _read_into(self) -> list[tuple[str, str, fields.Field[Any]]]:
        """Of each value: where it goes, its name in what is sent, and its field."""
        return [(field.attribute or name, field.data_key or name, field) for name, field in self.load_fields.items()]

    @cached_property
    def _keys(self) -> frozenset[str]:
        return frozenset(key for _, key, _ in self._read_into)


class ToldShortly(Schema):
    """A dictionary, or an object of attributes: how one comes by each value is known."""

    def _serialize(self, obj: Any, *, many: bool = False) -> Any:
        is_plain = type(obj) is dict
        if many or obj is None or (not is_plain and hasattr(obj, "__getitem__")):
            return super()._serialize(obj, many=many)
        said = self.dict_class()
        for name, key, field, path, read in self._read_by:
            try:
                value = obj[path] if is_plain and read is not _none else read(obj)
            except (AttributeError, KeyError):
                if (value := field.serialize(name, obj, accessor=self.get_attribute)) is not missing:
                    said[key] = value
            else:
                said[key] = field._serialize(value, name, obj)  # noqa: SLF001  # what `field.serialize` ends with
        return said

    @cached_property
    def _read_by(self) -> list[tuple[str, str, fields.Field[Any], str, Callable[[Any], Any]]]:
        """Of each value: its name here and in the answer, its field, from where and how it is read. Some fields make
        theirs."""
        found = []
        for name, field in self.dump_fields.items():
            path = field.attribute or name
            read = _getter(path) if field._CHECK_ATTRIBUTE else _none  # noqa: SLF001  # marshmallow's name for that
            found.append((name, field.data_key or name, field, path, read))
        return found

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        # marshmallow tries each step of a path as an item, then as an attribute. What we dump is nearly always objects
        # of attributes alone, or plain dictionaries.
        if type(obj) is dict and attr in obj:
            return obj[attr]
        if not hasattr(obj, "__getitem__"):
            with suppress(AttributeError):
                return _getter(attr)(obj)
        return super().get_attribute(obj, attr, default)


def _none(_: Any) -> None:
    return None


@cache
def _getter(path: str) -> Callable[[Any], Any]:
    return attrgetter(path)
