"""What a file has said so far: the same row again is a repetition, the same id with something else a contradiction."""

from dataclasses import dataclass

from fieldvisit.drafts import Change, Refusal
from fieldvisit.imports.readers import Outcome, Reader
from fieldvisit.imports.rows import Row
from fieldvisit.languages import Message

TWICE = Message("is given twice in this file, with different values")


@dataclass
class Claim:
    """What the first row with a key held, and why it was refused, if it was."""

    content: int
    refusal: Refusal | None = None

    @property
    def repeated(self) -> Outcome:
        """What becomes of the same row again."""
        return self.refusal or Change.UNCHANGED


class Claims[Draft]:
    """Remembers a number for each key, not the rows: what a file of a million lines can afford."""

    def __init__(self, reader: Reader[Draft]) -> None:
        self._reader = reader
        self._claims: dict[tuple[str, ...], Claim] = {}
        self._shared: dict[str, int] = {}

    def judge(self, row: Row[Draft]) -> Claim | Refusal | None:
        """None for a new row; the claim of an earlier row like it; a refusal if it contradicts an earlier one."""
        if not self._reader.key:
            return None
        content = hash(tuple(cell.strip() for cell in row.cells.values()))
        claim = self._claims.get(self._key(row))
        if claim is not None:
            return claim if claim.content == content else Refusal(self._reader.key[0], TWICE)
        if contradiction := self._contradiction(row):
            return contradiction
        self._claims[self._key(row)] = Claim(content)
        return None

    def settle(self, row: Row[Draft], outcome: Outcome) -> None:
        """Remember what became of a new row."""
        if self._reader.key and isinstance(outcome, Refusal):
            self._claims[self._key(row)].refusal = outcome

    def _key(self, row: Row[Draft]) -> tuple[str, ...]:
        return tuple(row.cells.get(name, "").strip() for name in self._reader.key)

    def _contradiction(self, row: Row[Draft]) -> Refusal | None:
        if not self._reader.shared:
            return None
        first, *others = (row.cells.get(name, "").strip() for name in self._reader.shared)
        content = hash(tuple(others))
        if self._shared.setdefault(first, content) != content:
            return Refusal(self._reader.shared[0], TWICE)
        return None
