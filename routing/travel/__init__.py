"""From points to seconds and metres: along roads by OSRM, in process or over HTTP, or as the crow flies by a profile.

Every table says where its numbers come from. A point that no road reaches is set aside with a reason; it never stops
the others.
"""

from routing.errors import MapMissing, RoadsUnavailable
from routing.travel.cache import TableCache
from routing.travel.calibration import Calibration, calibrate, load_profile, save_profile
from routing.travel.geodesic import geodesic
from routing.travel.hours import Hours, banded
from routing.travel.profiles import Knot, SpeedProfile
from routing.travel.roads import OsrmRoads
from routing.travel.server import OsrmServer, Patience
from routing.travel.tables import Matrix, Point, SetAside, TravelTable

__all__ = [
    "Calibration",
    "Hours",
    "Knot",
    "MapMissing",
    "Matrix",
    "OsrmRoads",
    "OsrmServer",
    "Patience",
    "Point",
    "RoadsUnavailable",
    "SetAside",
    "SpeedProfile",
    "TableCache",
    "TravelTable",
    "banded",
    "calibrate",
    "geodesic",
    "load_profile",
    "save_profile",
]
