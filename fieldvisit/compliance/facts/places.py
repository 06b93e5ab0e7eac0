"""Where a visit would be, and where else the debtor is known to be."""

from dataclasses import dataclass

from fieldvisit.compliance.wallclock import zone_named
from fieldvisit.vocabulary import PlaceKind


@dataclass(frozen=True, kw_only=True)
class PlaceFacts:
    """Where the visit would be. `zone` None: not known, and then nothing is permitted there."""

    id: str
    kind: PlaceKind
    zone: str | None
    country: str
    """ISO 3166-1 alpha-2."""
    region: str | None = None
    """ISO 3166-2, such as ``US-MA``. None: not known, and then the policies of every region of the country apply."""
    other_zones: tuple[str, ...] = ()
    """Further zones in which the place may lie, where it is not known for sure: every clock has to allow."""
    lived_in: bool = False
    """Whether the debtor also lives there, whatever its kind."""

    def __post_init__(self) -> None:
        for name in (self.zone, *self.other_zones):
            if name is not None:
                zone_named(name, "zone")


@dataclass(frozen=True, kw_only=True)
class KnownPlaceFact:
    """A place of the debtor. `tried`: how often somebody went there; `no_shows`: how often in a row nobody came who had
    chosen it."""

    id: str
    kind: PlaceKind
    tried: int = 0
    no_shows: int = 0
