"""Where visitors are is shown to those who watch over them; that it was is kept, whatever the answer is made of."""

import uuid
from collections.abc import Iterable, Iterator
from functools import singledispatch
from typing import Any

from flask import request

from api.auth import actor
from api.db import session
from api.roles import Permission
from fieldvisit.models import SafetyAlert
from fieldvisit.safety.alerts import AlertFile
from fieldvisit.safety.live import Wall
from fieldvisit.safety.looks import record_looks
from fieldvisit.safety.standing import Standing

LOCATING = (Permission.READ_SAFETY, Permission.HANDLE_ALERTS)
"""Whoever may do one of these is shown positions; a visitor is shown the own one only, which is no look."""


def note_located(may: Permission | None, items: Iterable[Any]) -> None:
    """Keep whose position these items of an answer show to whoever asks."""
    if may in LOCATING:
        found = {session_id for item in items for session_id in _located(item)}
        record_looks(session(), actor().account_id, str(request.endpoint).rpartition(".")[2], found)


@singledispatch
def _located(item: Any) -> Iterator[uuid.UUID]:
    return iter(())


@_located.register
def _(item: SafetyAlert) -> Iterator[uuid.UUID]:
    yield item.session_id


@_located.register
def _(item: AlertFile) -> Iterator[uuid.UUID]:
    yield item.alert.session_id


@_located.register
def _(item: Standing) -> Iterator[uuid.UUID]:
    yield item.session.id


@_located.register
def _(item: Wall) -> Iterator[uuid.UUID]:
    yield from (tile.id for tile in item.tiles)


@_located.register
def _(item: dict) -> Iterator[uuid.UUID]:  # type: ignore[type-arg]
    for each in item.get("items", ()):
        yield from _located(each)
