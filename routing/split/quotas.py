"""A quota of the day shared out among its parts, so that all together never pass it."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from routing.problem import Quota, Task


def shared_quotas(
    quotas: Sequence[Quota], parts: Sequence[Collection[str]], tasks: Mapping[str, Task], served: Collection[str] = ()
) -> list[tuple[Quota, ...]]:
    """The quotas of each part, a set of task ids: what is served there already, and of the rest an even share for each
    task that is not, the largest remainders first."""
    shares: list[list[Quota]] = [[] for _ in parts]
    for quota in quotas:
        kept, asking = Counter[int](), Counter[int]()
        for number, part in enumerate(parts):
            mine = [name for name in part if quota.id in tasks[name].quotas]
            kept[number] = sum(name in served for name in mine)
            asking[number] = len(mine) - kept[number]
        left = max(0, quota.most - kept.total())
        exact = [left * asking[number] / max(1, asking.total()) for number in range(len(parts))]
        whole = [int(each) for each in exact]
        order = sorted(range(len(parts)), key=lambda number: (whole[number] - exact[number], number))
        for number in order[: (left if asking.total() else 0) - sum(whole)]:
            whole[number] += 1
        for number in range(len(parts)):
            shares[number].append(Quota(id=quota.id, most=kept[number] + whole[number]))
    return [tuple(share) for share in shares]
