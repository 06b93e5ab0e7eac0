"""Routes that make their address-building code when somebody first builds an address."""

from collections.abc import Callable
from typing import Any

from werkzeug.routing import Rule


class LazyRule(Rule):
    """Werkzeug compiles two Python functions for each route at the start, for `url_for`, which nobody here calls: it was
    the greater part of a start."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        made: list[Callable[..., tuple[str, str]]] = []

        def build(rule: Rule, **values: Any) -> tuple[str, str]:
            if not made:
                made.append(Rule._compile_builder(self, append_unknown))
            return made[0](rule, **values)

        return build
