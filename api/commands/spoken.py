"""Commands that speak the reader's language: help, section heads, and what click itself says of wrong usage.

The message id of a help text is its paragraph on one line, of an option its `help`. Examples stay as they are; what
stands beside one, after three spaces or more, is a text too.
"""

import copy
import inspect
import os
import re
from collections.abc import Iterator
from types import ModuleType

import click
from click import core, decorators, exceptions, formatting, parser, termui, types

from api.commands.page import RAW, Reading
from fieldvisit.languages import Message, best_language, say

CLICK: tuple[ModuleType, ...] = (core, decorators, exceptions, formatting, parser, termui, types)
SHOW_HELP = "Show this message and exit."
REMARK = re.compile(r"(?<=\S)( {3,})(\S.*)$", re.MULTILINE)
FIRST_SENTENCE = re.compile(r".*?(?:。|\.(?=\s|$)|$)")


def reader_language() -> str:
    """The reader's, from the environment in the order that POSIX gives."""
    names = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return best_language(next((name for name in names if name), None))


def teach_click() -> None:
    """Have click say its own sentences through our catalogues. It asks gettext, by the names `_` and `ngettext` in its
    modules, and gettext reads only compiled catalogues from a folder of its own."""
    for module in CLICK:
        for name, ours in (("_", _said), ("ngettext", _counted)):
            if hasattr(module, name):
                setattr(module, name, ours)


def _said(text: str) -> str:
    return say(text, reader_language())


def _counted(one: str, many: str, count: int) -> str:
    return _said(one if count == 1 else many)


class _Speaking(click.Command):
    context_class = Reading

    def blocks(self) -> Iterator[Message | str]:
        """The help, paragraph by paragraph: a message, or an example that stays."""
        for block in inspect.cleandoc(self.help or "").split("\n\n"):
            one_line = " ".join(block.split())
            yield block if block.startswith(RAW) else Message(one_line)

    def texts(self) -> Iterator[str]:
        """Every message id that the help of this command alone has."""
        for block in self.blocks():
            if isinstance(block, Message):
                yield block.text
            else:
                yield from (remark for _, remark in REMARK.findall(block))
        for param in self.params:
            if isinstance(param, click.Option) and param.help and not param.hidden:
                yield param.help
        yield from self.usage_words()

    def usage_words(self) -> list[str]:
        """What stands for parameters in the line of usage."""
        return [self.options_metavar] if self.options_metavar else []

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            # Click translates when it makes the option, and keeps it; we translate when it is shown.
            option.help = SHOW_HELP
        return option

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        return [_said(piece) for piece in super().collect_usage_pieces(ctx)]

    def get_short_help_str(self, limit: int = 45) -> str:
        found = FIRST_SENTENCE.match(_block(next(self.blocks())))
        return found.group() if found else ""

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join(_block(block) for block in self.blocks()))

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = [_spoken(param) for param in self.get_params(ctx) if isinstance(param, click.Option)]
        with formatter.section(_said("Options")):
            formatter.write_dl([record for option in options if (record := option.get_help_record(ctx))])


class Spoken(_Speaking):
    """One command."""


class SpokenGroup(_Speaking, click.Group):
    """A group; the commands that its decorator makes speak too."""

    command_class = Spoken

    def usage_words(self) -> list[str]:
        return [*super().usage_words(), self.subcommand_metavar]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


def _block(block: Message | str) -> str:
    if isinstance(block, Message):
        return say(block, reader_language())
    return REMARK.sub(lambda found: found[1] + _said(found[2]), block)


def _spoken(option: click.Option) -> click.Option:
    shown = copy.copy(option)
    shown.help = _said(option.help) if option.help else None
    return shown
