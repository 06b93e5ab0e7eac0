"""Whatever the product says, it says in both languages."""

import ast
import importlib
import inspect
import pkgutil
import string
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

import api
import fieldvisit
from fieldvisit import vocabulary
from fieldvisit.errors import FieldVisitError, InvalidValue, every_error
from fieldvisit.languages import LANGUAGES, Message, best_language, label_id, say, tag

ROOT = Path(fieldvisit.__file__).parent
CODE = (ROOT, Path(api.__file__).parent)


def entries(language: str) -> Iterator[tuple[str, str, str]]:
    """File, message id and text of every entry of a language."""
    for source in sorted((ROOT / "locale" / language).glob("*.po")):
        with source.open("rb") as stream:
            for entry in read_po(stream, locale=language):
                if entry.id:
                    yield source.name, str(entry.id), str(entry.string)


def texts(language: str) -> dict[str, str]:
    return {message_id: text for _, message_id, text in entries(language) if text}


def labels() -> list[str]:
    lists = [kind for _, kind in inspect.getmembers(vocabulary, inspect.isclass) if issubclass(kind, StrEnum)]
    return [label_id(member) for kind in lists for member in kind]


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def said_in_code() -> set[tuple[str, str]]:
    """File and text of every literal that is spoken: ``Message("...")``, and the reasons of refused values."""
    found = set()
    for folder in CODE:
        for file, _, text, _, _ in extract_from_dir(folder, keywords={"Message": None, "need": (3,)}):
            found.add((f"{folder.name}/{file}", text if isinstance(text, str) else text[-1]))
        for path in folder.rglob("*.py"):
            found |= {(f"{folder.name}/{path.relative_to(folder)}", text) for text in reasons(path)}
    return found


def reasons(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == InvalidValue.__name__:
            for keyword in node.keywords:
                if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant):
                    yield str(keyword.value.value)


def listed(missing: list[tuple[str, str]]) -> str:
    """All of them: pytest cuts a long comparison short, and then nobody knows what to translate."""
    return "without a text:\n" + "\n".join(f"  {where}: {text}" for where, text in missing)


@pytest.fixture(scope="module")
def errors() -> list[type[FieldVisitError]]:
    """All errors of the product, once every module that may define one is imported."""
    for package in (fieldvisit, api):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if ".migrations." not in module.name and not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    return [error for error in every_error() if error.__module__.partition(".")[0] in ("fieldvisit", "api")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_value_of_every_closed_list_has_a_text(language: str) -> None:
    known = texts(language)
    assert [label for label in labels() if label not in known] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_labels_are_those_of_the_closed_lists(language: str) -> None:
    named = {message_id for file, message_id, _ in entries(language) if file == "vocabulary.po"}
    assert named - set(labels()) == set()


def test_every_english_entry_has_a_chinese_one() -> None:
    chinese = texts("zh_CN")
    assert [(file, message_id) for file, message_id, _ in entries("en") if message_id not in chinese] == []


def test_every_sentence_in_the_code_has_a_chinese_text() -> None:
    chinese = texts("zh_CN")
    missing = sorted(said for said in said_in_code() if said[1] not in chinese)
    assert missing == [], listed(missing)


def test_every_error_has_a_chinese_text(errors: list[type[FieldVisitError]]) -> None:
    chinese = texts("zh_CN")
    missing = [(error.__module__, error.says) for error in errors if error.says not in chinese]
    assert missing == [], listed(missing)


def test_every_error_has_a_code_of_its_own(errors: list[type[FieldVisitError]]) -> None:
    codes = [error.code for error in errors]
    assert sorted(set(codes)) == codes


def test_no_text_of_a_catalogue_is_empty() -> None:
    empty = [(lang, file, message_id) for lang in LANGUAGES for file, message_id, text in entries(lang) if not text]
    assert empty == []


def test_both_languages_name_the_same_placeholders() -> None:
    english = texts("en")
    differing = [
        (file, message_id)
        for file, message_id, text in entries("zh_CN")
        if placeholders(text) != placeholders(english.get(message_id, message_id))
    ]
    assert differing == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_two_catalogues_say_the_same_sentence_differently(language: str) -> None:
    found: dict[str, set[str]] = {}
    for _, message_id, text in entries(language):
        found.setdefault(message_id, set()).add(text)
    assert {message_id: said for message_id, said in found.items() if len(said) > 1} == {}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        (None, "en"),
        ("", "en"),
        ("zh-CN", "zh_CN"),
        ("zh", "zh_CN"),
        ("zh-Hant-TW", "zh_CN"),
        ("zh_CN.UTF-8", "zh_CN"),
        ("en-GB,en;q=0.9", "en"),
        ("fi-FI,zh-CN;q=0.8,en;q=0.5", "zh_CN"),
        ("en;q=0.3,zh-CN;q=0.9", "zh_CN"),
        ("fi", "en"),
        ("en;q=0.5,zh;q=0.5", "en"),
        ("C.UTF-8", "en"),
        ("zh;q=nonsense,en;q=0.1", "zh_CN"),
        ("zh-CN;q=0", "en"),
        ("en;q=0.1,zh-CN;q=0", "en"),
        (";;;,,,", "en"),
    ],
)
def test_the_best_language_for_a_reader(asked: str | None, spoken: str) -> None:
    assert best_language(asked) == spoken


def test_a_language_is_tagged_as_http_names_it() -> None:
    assert [tag(language) for language in LANGUAGES] == ["en", "zh-CN"]


def test_a_label_inside_a_sentence_is_spoken_in_the_same_language() -> None:
    message = Message("A contact block stops this visit: {trigger}.", {"trigger": vocabulary.BlockTrigger.DISPUTE})
    said = [say(message, language) for language in LANGUAGES]
    assert said == ["A contact block stops this visit: Dispute.", "停催事由禁止本次外访：债务争议。"]


def test_a_message_shows_itself_in_english() -> None:
    assert str(Message("{found} of {needed} failed attempts within {within} days.", {"found": 1, "needed": 3})) == (
        "1 of 3 failed attempts within {within} days."
    )
