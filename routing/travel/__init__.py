"""From points to seconds and metres: along roads by OSRM, in process or over HTTP, or as the crow flies with a detour.

Every table says where its numbers come from. A point that no road reaches is set aside as unreachable; it never stops
the others.
"""

from routing.errors import MapMissing, RoadsUnavailable
from routing.travel.geodesic import geodesic
from routing.travel.roads import OsrmRoads
from routing.travel.server import OsrmServer
from routing.travel.tables import Matrix, Point, TravelTable

__all__ = [
    "MapMissing",
    "Matrix",
    "OsrmRoads",
    "OsrmServer",
    "Point",
    "RoadsUnavailable",
    "TravelTable",
    "geodesic",
]
