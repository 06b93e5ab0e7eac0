"""What the reader of the demo sees: numbered steps with how long each took, and at the end what to open next."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from fieldvisit.languages import Message, say


class Screen:
    """A console that speaks the reader's language."""

    def __init__(self, console: Console, language: str) -> None:
        self.console = console
        self.language = language
        self._began_s = time.monotonic()
        self._steps = 0

    def words(self, text: str, **values: object) -> str:
        return say(Message(text, values), self.language)

    @contextmanager
    def step(self, text: str, **values: object) -> Iterator[None]:
        """One step of the story: its title while it runs, its time when it is done."""
        self._steps += 1
        title = f"{self._steps:>2}  {self.words(text, **values)}"
        began_s = time.monotonic()
        with self.console.status(title):
            yield
        took_s = time.monotonic() - began_s
        self.console.print(f"[bold]{title}[/bold] [dim]{took_s:.1f} s[/dim]", highlight=False)

    def tell(self, text: str, **values: object) -> None:
        """A line under the present step."""
        self.console.print(f"      {self.words(text, **values)}", highlight=False, soft_wrap=True)

    def show(self, table: Table) -> None:
        self.console.print(table)

    @contextmanager
    def bar(self, text: str, total: float) -> Iterator["Bar"]:
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield Bar(progress, progress.add_task(self.words(text), total=total))

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._began_s


class Bar:
    """A progress bar of one task."""

    def __init__(self, progress: Progress, task: object) -> None:
        self._progress = progress
        self._task = task

    def at(self, done: float, words: str) -> None:
        self._progress.update(self._task, completed=done, description=words)  # type: ignore[arg-type]
