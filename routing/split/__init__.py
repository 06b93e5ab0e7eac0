"""A day too large for one solve: cut by geography and crews, solved in parts, mended along the borders, joined again.

`spread` is the day with points in place of travel times, `parting` cuts it, `borders` cuts it anew across the old
borders, `joining` makes one plan of the parts and judges it, `solving` does all of it on one machine. Several machines
do the same by `parts_of`, one `solve` for each part wherever there is time, `borders_of`, and `joined`.
"""

from routing.split.borders import borders_of
from routing.split.joining import joined, split_faults
from routing.split.parting import Part, parts_of
from routing.split.spread import Solved, Spread

__all__ = ["Part", "Solved", "Spread", "borders_of", "joined", "parts_of", "split_faults"]
