"""What can go wrong in `routing`, in plain sentences. An unmet wish is no error: it is a reason in the plan."""


class RoutingError(Exception):
    """The base of all errors that leave this package."""


class InvalidProblem(RoutingError, ValueError):
    """A problem, or a part of one, that may not exist. `path` is a JSON path such as `tasks[3].windows[0]`."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"{self.path or 'the document'}: {self.reason}"

    def below(self, parent: str) -> "InvalidProblem":
        """The same refusal, told from the document that holds the part."""
        return type(self)(joined(parent, self.path), self.reason)


class InvalidPlan(InvalidProblem):
    """A plan document that cannot be read. A plan that can be read but breaks a rule has faults instead."""


class FaultyPlan(RoutingError):
    """The solver made a plan that its judge refuses: an error of ours, never to be shown as a plan."""


class Unsupported(RoutingError):
    """The engine asked for cannot model something in this problem."""


class SolverFailed(RoutingError):
    """An outside solver stopped with an error of its own."""


class MapMissing(RoutingError):
    """The map file is not there, or is not a map."""


class RoadsUnavailable(RoutingError):
    """The road engine cannot answer now."""


def joined(parent: str, child: str) -> str:
    """`tasks[3]` and `windows[0]` make `tasks[3].windows[0]`; an index follows without a dot."""
    if not parent or not child:
        return parent or child
    return f"{parent}{child}" if child.startswith("[") else f"{parent}.{child}"
