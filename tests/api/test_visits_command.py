"""`fieldvisit visits open`, called as a program calls it."""

import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session, sessionmaker

from api.cli import main
from fieldvisit.database import Urls, acting_for_all, plain_url
from fieldvisit.models import Visit
from fieldvisit.settings import Settings
from tests.conftest import NOW
from tests.worlds import World, make_case, make_failed_attempts


def call(settings: Settings, urls: Urls, *arguments: str, language: str = "C.UTF-8") -> Result:
    environ = {
        "ENVIRONMENT": "test",
        "DATA_FOLDER": str(settings.data_folder),
        "DATABASE_URL": plain_url(urls.app),
        "DATABASE_OWNER_URL": plain_url(urls.owner),
        "LC_ALL": language,
    }
    return CliRunner().invoke(main, list(arguments), env=environ)


OPEN = ("visits", "open", "--organisation", "pohjola-field")


def test_the_gate_lists_what_it_opened_in_the_readers_language(
    settings: Settings, urls: Urls, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        tried = make_case(session, world)
        make_failed_attempts(session, tried, before=NOW)
        make_case(session, world)
    said = call(settings, urls, *OPEN, language="zh_CN.UTF-8")
    with acting_for_all(sessions) as session:
        reference = session.scalars(sa.select(Visit.reference)).one()
    cells = [cell.strip() for line in said.output.splitlines() for cell in line.split("│")]
    assert said.exit_code == 0
    assert {reference, tried.external_id, "符合条件", "4"} <= set(cells)
    assert said.output.splitlines()[-1] == "已查看 2 个案件，开立 1 个外访，0 个等待坐标。"


def test_the_second_run_opens_nothing_and_says_so(
    settings: Settings, urls: Urls, sessions: sessionmaker[Session], world: World
) -> None:
    with acting_for_all(sessions) as session:
        make_failed_attempts(session, make_case(session, world), before=NOW)
    call(settings, urls, *OPEN)
    assert call(settings, urls, *OPEN).output == "0 cases looked at, 0 visits opened, 0 wait for a point.\n"


def test_an_organisation_that_nobody_knows_is_named(settings: Settings, urls: Urls, world: World) -> None:
    said = call(settings, urls, "visits", "open", "--organisation", "nobody")
    assert said.exit_code == 1
    assert "[not_found]" in said.stderr
