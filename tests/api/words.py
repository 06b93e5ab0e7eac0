"""The sentences in the code: what is handed to `Message`, `say` and their like as a literal, each error's own, the help
of each command, and what click says."""

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import click

from api.commands.spoken import CLICK, Spoken, SpokenGroup

SPEAKERS = {"Message", "refused", "say"}
TABLES = {"TITLES", "LAZY"}


def sentences_in(*files: Path) -> set[str]:
    return {said for file in files for said in _said(ast.parse(file.read_text()))}


def commands_below(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Each command with the words that call it, groups too."""
    yield name, group
    for each in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), each)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands_below(command, f"{name} {each}")
        else:
            yield f"{name} {each}", command


def help_texts(group: click.Group) -> set[str]:
    found = [command for _, command in commands_below(group, "") if isinstance(command, Spoken | SpokenGroup)]
    return {text for command in found for text in command.texts()}


def click_texts() -> set[str]:
    """Every literal that click hands to gettext, and one that it hands over by a variable."""
    trees = [ast.parse(inspect.getsource(module)) for module in CLICK]
    calls = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    asked = [call.args for call in calls if _name(call.func) in ("_", "ngettext")]
    return {"required"} | {text for arguments in asked for each in arguments for text in _text(each)}


def _said(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) in SPEAKERS and node.args:
            yield from _text(node.args[0])
        if isinstance(node, ast.Call) and _name(node.func) == "InvalidValue":
            yield from (text for each in node.keywords if each.arg == "reason" for text in _text(each.value))
        if isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _assigned(node)


def _assigned(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    target = node.targets[0] if isinstance(node, ast.Assign) else node.target
    if _name(target) == "says" and node.value is not None:
        yield from _text(node.value)
    if _name(target) in TABLES and isinstance(node.value, ast.Dict):
        for value in node.value.values:
            yield from _text(value.elts[-1] if isinstance(value, ast.Tuple) else value)


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
