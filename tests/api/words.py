"""The sentences in the code: what is handed to `Message`, `say` and their like as a literal, and each error's own."""

import ast
from collections.abc import Iterator
from pathlib import Path

SPEAKERS = {"Message", "_refuse", "say"}
TABLES = {"TITLES", "LAZY"}


def sentences_in(*files: Path) -> set[str]:
    return {said for file in files for said in _said(ast.parse(file.read_text()))}


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
