"""TOML → policy, and the presets that come with the product.

The keys are the fields of `fieldvisit.compliance.policy.Policy` and its rules; times are written ``"08:00"``. A key
that no field has, a value of another type and a contradiction are refused with the place where they stand: a policy is
used whole or not at all.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date
from enum import StrEnum
from functools import cache
from importlib.resources import files
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from fieldvisit.compliance.durations import Duration
from fieldvisit.compliance.policy import Policy
from fieldvisit.compliance.rules import Rule
from fieldvisit.compliance.wallclock import WallClock
from fieldvisit.errors import FieldVisitError, InvalidValue, Kind, NotFound
from fieldvisit.languages import Message

WRITTEN = (WallClock, Duration)
"""Values that stand in a policy as text."""

_PLACE = re.compile(r"at line (\d+), column (\d+)")
PRESETS = files("fieldvisit.compliance") / "presets"


class PolicyRefused(FieldVisitError):
    """A policy that cannot be used: `where` names the file or the source, `path` the key in it."""

    code, kind = "policy_refused", Kind.INVALID
    says = "The policy {where} is not usable. {path}: {reason}"


def preset_names() -> list[str]:
    return sorted(entry.name.removesuffix(".toml") for entry in PRESETS.iterdir() if entry.name.endswith(".toml"))


@cache
def load_preset(name: str) -> Policy:
    """The preset of that name, such as ``house``; its file is read once."""
    if name not in preset_names():
        raise NotFound(what="policy preset", id=name)
    return policy_from_toml(preset_text(name), f"{name}.toml")


def preset_text(name: str) -> str:
    """The preset as it is written."""
    return (PRESETS / f"{name}.toml").read_text("utf-8")


def table_in(text: str, where: str | Message) -> dict[str, Any]:
    """The table that this TOML is. Raises PolicyRefused, with the place where it stops to be any."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        # The parser's reasons are English alone; the place is what helps.
        found = _PLACE.search(str(error))
        at = {"line": found[1], "column": found[2]} if found else None
        reason = Message("stops to be TOML at line {line}, column {column}", at) if at else Message("ends too early")
        raise PolicyRefused(where=where, path="TOML", reason=reason) from error


def policy_from_toml(
    text: str, where: str | Message, *, called: str | None = None, instead: Mapping[str, Any] | None = None
) -> Policy:
    """The policy written in `text`; `where` tells a reader of the refusal which text that was.

    `called` is the id it gets in place of its own, in its clauses too; `instead` are keys that count in place of those
    written.
    """
    table = table_in(text, where)
    try:
        table |= dict(instead or {})
        if called is not None:
            table = _renamed(table, called)
        force = table.pop("legal_force", None)
        policy: Policy = _made(Policy, _with_force(table, force), "")
    except InvalidValue as error:
        raise PolicyRefused(where=where, **error.details) from error
    return policy


def _renamed(table: dict[str, Any], called: str) -> dict[str, Any]:
    """The same policy under another id: whatever begins with the old one begins with the new one."""
    start = f"{table.get('id')}/"

    def rule(value: Any) -> Any:
        named = isinstance(value, dict) and str(value.get("id", "")).startswith(start)
        return value | {"id": called + "/" + value["id"].removeprefix(start)} if named else value

    renamed = {
        key: [rule(each) for each in value] if isinstance(value, list) else rule(value) for key, value in table.items()
    }
    return renamed | {"id": called}


def _with_force(table: dict[str, Any], force: str | None) -> dict[str, Any]:
    """The policy's `legal_force` stands for every rule that names none of its own."""
    if force is None:
        return table
    filled: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, dict) and key != "applies_to":
            filled[key] = {"legal_force": force} | value
        elif isinstance(value, list):
            filled[key] = [{"legal_force": force} | rule if isinstance(rule, dict) else rule for rule in value]
        else:
            filled[key] = value
    return filled


def _made(kind: Any, table: Mapping[str, Any], path: str) -> Any:
    known = {item.name: item for item in fields(kind)}
    for key in table:
        if key not in known:
            raise InvalidValue(path=_join(path, key), reason="is no key of a policy")
    needed = [name for name, item in known.items() if item.default is MISSING and item.default_factory is MISSING]
    for name in needed:
        if name not in table:
            raise InvalidValue(path=_join(path, name), reason="is missing")
    hints = _hints(kind)
    values = {key: _read(hints[key], value, _join(path, key)) for key, value in table.items()}
    return _checked(kind, values, path)


def _checked(kind: Any, values: Mapping[str, Any], path: str) -> Any:
    try:
        return kind(**values)
    except InvalidValue as error:
        named = values.get("id") if issubclass(kind, Rule) else None
        where = _join(f"{path} ({named})" if named else path, str(error.details["path"]))
        raise InvalidValue(path=where, reason=error.details["reason"]) from error


def _read(hint: Any, value: Any, path: str) -> Any:
    """The TOML value as the type that the field declares."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        # TOML has no null: a key that may be None is simply left out.
        return _read(next(option for option in inner if option is not NoneType), value, path)
    if origin in (tuple, frozenset):
        read = [_read(inner[0], item, f"{path}[{place}]") for place, item in enumerate(_of(list, value, path))]
        if origin is frozenset and len(set(read)) < len(read):
            raise InvalidValue(path=path, reason="names something twice")
        return origin(read)
    if origin is Literal:
        return _one_of(inner, value, path)
    if is_dataclass(hint) and hint not in WRITTEN:
        return _made(hint, _of(dict, value, path), path)
    return _single(hint, value, path)


def _single(hint: Any, value: Any, path: str) -> Any:
    if hint in WRITTEN:
        try:
            return hint.parse(_of(str, value, path))
        except InvalidValue as error:
            raise InvalidValue(path=path, reason=error.details["reason"]) from error
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint(_one_of([member.value for member in hint], value, path))
    return _of(hint, value, path)


def _one_of(options: Any, value: Any, path: str) -> Any:
    if value not in options:
        raise InvalidValue(path=path, reason=Message("must be one of {values}", {"values": ", ".join(options)}))
    return value


def _of(kind: type, value: Any, path: str) -> Any:
    """The value, if it is of exactly that type: TOML's true is no number, and its date-time is no date."""
    if type(value) is not kind:
        raise InvalidValue(path=path, reason=_EXPECTED[kind])
    return value


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _join(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


_EXPECTED = {
    str: Message("must be a text"),
    int: Message("must be a whole number"),
    bool: Message("must be true or false"),
    date: Message("must be a date, written YYYY-MM-DD"),
    list: Message("must be a list"),
    dict: Message("must be a table"),
}
