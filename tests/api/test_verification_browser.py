"""The page as a real browser shows it on a narrow telephone. With PICTURES=docs/pictures it draws those of the docs."""

import html
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session, sessionmaker

from fieldvisit.database import acting_for, acting_for_all
from fieldvisit.files import FileStore
from fieldvisit.models import Organisation, Visit, Visitor
from fieldvisit.papers import put_photo
from fieldvisit.settings import Settings
from fieldvisit.verification_codes import code_for_visit
from fieldvisit.vocabulary import VisitState
from tests.api.browser import NEEDED, browse, served, take_picture
from tests.conftest import NOW
from tests.pictures import drawn_portrait
from tests.verification_worlds import Door, make_door

pytestmark = [pytest.mark.long, NEEDED]
WIDTH = 320
GREEN, BROWN, RED = "rgb(10, 107, 53)", "rgb(138, 82, 0)", "rgb(163, 22, 33)"


def dress(sessions: sessionmaker[Session], settings: Settings, door: Door) -> tuple[str, str]:
    """A house as it may be: its name, a portrait. The code of a visit to make, and of one that is over."""
    with acting_for_all(sessions) as session:
        agency = session.get_one(Organisation, door.agency)
        agency.name, agency.debtor_phone = "Pohjola Field Services", "020 123 4567"
        session.get_one(Visitor, door.morning.ilta).staff_number = "40217"
    with acting_for(sessions, door.agency) as session:
        put_photo(session, FileStore(settings), door.morning.ilta, drawn_portrait())
        good, over = (
            code_for_visit(session, door.ilta, visit, key=settings.token_key, now=NOW).text
            for visit in door.morning.visits
        )
        session.get_one(Visit, door.morning.visits[1]).state = VisitState.REPORTED
    return good, over


def measured(address: str) -> dict[str, Any]:
    said = re.search("<pre>(.*?)</pre>", browse(address, "--dump-dom", height=3_100))
    assert said is not None
    found: dict[str, Any] = json.loads(html.unescape(said[1]))
    return found


def test_the_page_is_whole_coloured_and_readable_on_a_narrow_phone(
    app: Flask, sessions: sessionmaker[Session], settings: Settings, tmp_path: Path
) -> None:
    good, over = dress(sessions, settings, make_door(sessions, settings))
    folder = Path(os.environ.get("PICTURES", tmp_path))
    wanted = {
        "verification-zh-CN": (f"{good}?lang=zh-CN", GREEN, [300]),
        "verification-en": (f"{good}?lang=en", GREEN, [300]),
        "verification-expired": (f"{over}?lang=en", BROWN, []),
        "verification-unknown": (f"{'A' * 43}?lang=zh-CN", RED, []),
    }
    with served(app) as base:
        for name, (path, colour, photos) in wanted.items():
            seen = measured(f"{base}/framed/{WIDTH}/3000/v/{path}")
            assert (name, seen["wide"], seen["ground"], seen["photo"]) == (name, WIDTH, colour, photos)
            assert seen["letters"] == "20px"
            picture = folder / f"{name}.png"
            take_picture(f"{base}/framed/{WIDTH}/{seen['high']}/v/{path}", picture, height=seen["high"] + 100)
            with Image.open(picture) as whole:
                shown = whole.convert("RGB").crop((0, 0, WIDTH, seen["high"])).quantize(64)
            shown.save(picture, optimize=True)
            assert picture.stat().st_size < 60_000
