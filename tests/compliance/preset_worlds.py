"""Where each preset applies: one place of each of its zones."""

from collections.abc import Mapping

from fieldvisit.compliance.facts import Facts, PlaceFacts, Scope
from fieldvisit.compliance.parameters import CollectorRole
from fieldvisit.vocabulary import PlaceKind

ZONES: Mapping[str, tuple[str, ...]] = {
    "AU": (
        *("Australia/Sydney", "Australia/Brisbane", "Australia/Adelaide", "Australia/Darwin", "Australia/Perth"),
        *("Australia/Hobart", "Australia/Eucla", "Australia/Lord_Howe"),
    ),
    "BE": ("Europe/Brussels",),
    "BR": ("America/Sao_Paulo", "America/Manaus", "America/Noronha", "America/Rio_Branco"),
    "CL": ("America/Santiago", "America/Punta_Arenas", "Pacific/Easter"),
    "CN": ("Asia/Shanghai", "Asia/Urumqi"),
    "CO": ("America/Bogota",),
    "GB": ("Europe/London",),
    "HK": ("Asia/Hong_Kong",),
    "ID": ("Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura"),
    "IE": ("Europe/Dublin",),
    "IN": ("Asia/Kolkata",),
    "JP": ("Asia/Tokyo",),
    "KR": ("Asia/Seoul",),
    "MY": ("Asia/Kuala_Lumpur",),
    "PH": ("Asia/Manila",),
    "RU": ("Europe/Kaliningrad", "Europe/Moscow", "Asia/Yekaterinburg", "Asia/Novosibirsk", "Asia/Kamchatka"),
    "SG": ("Asia/Singapore",),
    "TH": ("Asia/Bangkok",),
    "TW": ("Asia/Taipei",),
    "US": (
        *("America/New_York", "America/Chicago", "America/Denver", "America/Phoenix", "America/Los_Angeles"),
        *("America/Anchorage", "America/Adak", "Pacific/Honolulu", "America/Puerto_Rico"),
    ),
    "VN": ("Asia/Ho_Chi_Minh",),
    "ZA": ("Africa/Johannesburg",),
}


def place_in(jurisdiction: str, zone: str | None = None, kind: PlaceKind = PlaceKind.HOME) -> PlaceFacts:
    """A place there; of a country, in a region that has no policy of its own."""
    country = jurisdiction.partition("-")[0]
    region = jurisdiction if "-" in jurisdiction else f"{country}-00"
    return PlaceFacts(id="home", kind=kind, zone=zone or ZONES[country][0], country=country, region=region)


def facts_in(jurisdiction: str, zone: str | None = None, kind: PlaceKind = PlaceKind.HOME) -> Facts:
    """A debtor there whose account is overdue, worked on by an agency; what they borrowed is not known."""
    scope = Scope(role=CollectorRole.THIRD_PARTY)
    return Facts(place=place_in(jurisdiction, zone, kind), case_id="case", creditor_id="lender", scope=scope)
