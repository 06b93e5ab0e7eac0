"""Everything that the API and the command line say can be read in Chinese."""

from pathlib import Path

from babel.messages.pofile import read_po
from marshmallow import Schema, fields

import api
from api.cli import main
from api.commands.spoken import Spoken, SpokenGroup
from api.errors import TITLES
from fieldvisit import errors
from fieldvisit.finding import spoken_name
from fieldvisit.languages import catalogue
from fieldvisit.models import Base
from tests.api.words import click_texts, commands_below, help_texts, sentences_in

API = Path(str(api.__file__)).parent
DOMAIN = Path(str(errors.__file__)).parent
OURS = ("accounts", "database", "embedded", "errors", "organisations", "sealing", "settings", "tokens")


def test_every_sentence_has_its_chinese() -> None:
    said = sentences_in(*API.rglob("*.py"), *(DOMAIN / f"{name}.py" for name in OURS))
    said |= set(TITLES.values()) | {Schema().error_messages["unknown"], *fields.Field.default_error_messages.values()}
    said -= {fields.Field.default_error_messages["validator_failed"]}  # all our validators speak for themselves
    assert sorted(said - set(catalogue("zh_CN"))) == []


def test_every_command_speaks() -> None:
    commands = commands_below(main, "fieldvisit")
    assert [name for name, command in commands if not isinstance(command, Spoken | SpokenGroup)] == []


def test_every_help_has_its_chinese() -> None:
    assert sorted(help_texts(main) - set(catalogue("zh_CN"))) == []


def test_everything_that_click_says_has_its_chinese() -> None:
    assert sorted(click_texts() - set(catalogue("zh_CN"))) == []


def test_the_catalogue_of_the_commands_holds_nothing_that_nobody_says() -> None:
    with (DOMAIN / "locale" / "zh_CN" / "commands.po").open("rb") as stream:
        kept = {str(entry.id) for entry in read_po(stream, locale="zh_CN") if entry.id}
    assert sorted(kept - help_texts(main) - click_texts() - sentences_in(*API.rglob("*.py"))) == []


def test_every_kind_of_thing_has_its_chinese() -> None:
    things = {spoken_name(mapper.class_) for mapper in Base.registry.mappers}
    assert sorted(things - set(catalogue("zh_CN"))) == []


def test_the_catalogue_holds_nothing_that_nobody_says() -> None:
    with (DOMAIN / "locale" / "zh_CN" / "api.po").open("rb") as stream:
        kept = {str(entry.id) for entry in read_po(stream, locale="zh_CN") if entry.id}
    said = sentences_in(*API.rglob("*.py"), *DOMAIN.glob("*.py")) | set(TITLES.values())
    said |= {spoken_name(mapper.class_) for mapper in Base.registry.mappers} | help_texts(main)
    said |= {*Schema().error_messages.values(), *fields.Field.default_error_messages.values()}
    assert sorted(kept - said) == []


def test_placeholders_survive_translation() -> None:
    with (DOMAIN / "locale" / "zh_CN" / "api.po").open("rb") as stream:
        entries = [entry for entry in read_po(stream, locale="zh_CN") if entry.id]
    changed = [
        entry.id
        for entry in entries
        if sorted(_placeholders(str(entry.id))) != sorted(_placeholders(str(entry.string)))
    ]
    assert changed == []


def _placeholders(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]
