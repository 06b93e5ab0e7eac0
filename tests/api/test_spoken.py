"""The command line in the reader's language: help, section heads, and what click says of wrong usage."""

import re

import pytest
from click.testing import CliRunner

from api.cli import main
from api.commands.page import columns_of, wrapped
from tests.api.words import commands_below

CHINESE, ENGLISH = {"LC_ALL": "zh_CN.UTF-8"}, {"LC_ALL": "C.UTF-8"}
ENGLISH_SENTENCE = re.compile(r"\b[A-Z][a-z]+ [a-z]+ [a-z]+")


def said(*arguments: str, environ: dict[str, str]) -> str:
    return CliRunner().invoke(main, arguments, env=environ).output


def test_the_help_of_an_import_is_chinese_and_its_example_stays() -> None:
    page = said("import", "cases", "--help", environ=CHINESE)
    assert [part in page for part in ("用法：", "案件及其债务人：每个案件一行。", "选项:", "显示此帮助并退出。")] == [
        True
    ] * 4
    assert "C-1,D-1,Meri Example,+358457000001,car_loan" in page
    assert ENGLISH_SENTENCE.search(page.replace("Meri Example", "")) is None


@pytest.mark.parametrize("name", [name for name, _ in commands_below(main, "fieldvisit")])
def test_no_help_mixes_the_languages(name: str) -> None:
    arguments = (*name.split()[1:], "--help")
    assert ENGLISH_SENTENCE.findall(said(*arguments, environ=CHINESE).replace("Meri Example", "")) == []
    assert re.findall(r"[\u4e00-\u9fff]+", said(*arguments, environ=ENGLISH)) == []


def test_what_stands_beside_an_example_is_translated_in_its_place() -> None:
    english, chinese = (
        next(line for line in said("--help", environ=environ).splitlines() if "fieldvisit migrate" in line)
        for environ in (ENGLISH, CHINESE)
    )
    assert (english.split("   ")[-1].strip(), chinese.split("   ")[-1].strip()) == ("make the tables", "建立数据表")
    assert english.index("make the tables") == chinese.index("建立数据表")


def test_wrong_usage_is_told_in_both_languages() -> None:
    wrong = ("migrate", "--revision", "base")
    assert said(*wrong, environ=ENGLISH).splitlines()[-1] == "Error: No such option '--revision'."
    assert said(*wrong, environ=CHINESE).splitlines()[-1] == "错误：没有选项 '--revision'。"


def test_a_group_tells_the_first_sentence_of_each_command() -> None:
    page = said("plan", "--help", environ=CHINESE)
    assert "  check    由独立的检查程序重新检查已保存的计划。\n" in page


def test_chinese_is_wrapped_by_the_columns_it_takes_and_no_line_begins_with_a_stop() -> None:
    text = "每次运行都从头开始这一天（DATA_FOLDER，默认为 .data），不会影响其他数据。"
    lines = wrapped(text, 20).splitlines()[1:]
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert [line for line in lines if columns_of(line) > 22 or line[0] in "，。）"] == []


def test_english_and_examples_are_left_to_click() -> None:
    text = "One paragraph that is long enough.\n\n\b\n  an example   一个例子"
    assert wrapped(text, 20) == text
