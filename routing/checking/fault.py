"""What a fault is."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A broken rule: a stable code, where in the plan, whom it concerns, and a sentence."""

    code: str
    path: str
    says: str
    task: str | None = None
    crew: str | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.code}: {self.says}"
