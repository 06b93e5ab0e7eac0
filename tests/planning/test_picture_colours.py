"""The colours of the routes: told apart by every reader, and the numbers on them legible.

Colour blindness is simulated with the matrices of Machado, Oliveira and Fernandes (2009) at full severity; differences
are distances in CIE L*a*b*, where about 2.3 is just noticeable.
"""

import math
import re
from importlib.resources import files
from itertools import combinations

import pytest

PAGE = (files("fieldvisit.planning") / "picture.html").read_text(encoding="utf-8")
FOUND = re.findall(r"\.c\d \{ --c: (#\w{6}); --on: (#\w+) \}", PAGE)
THEMES = {"light": FOUND[:8], "dark": FOUND[8:]}
SIGHTS = {
    "full": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
Colour = tuple[float, float, float]


def linear(written: str) -> Colour:
    digits = written[1:] if len(written) == 7 else "".join(2 * digit for digit in written[1:])
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels)
    return red, green, blue


def seen(colour: Colour, sight: str) -> Colour:
    red, green, blue = (
        min(1.0, max(0.0, sum(a * b for a, b in zip(row, colour, strict=True)))) for row in SIGHTS[sight]
    )
    return red, green, blue


def luminance(colour: Colour) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def lab(colour: Colour) -> Colour:
    red, green, blue = colour
    x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.95047
    z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.08883
    fx, fy, fz = (t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x, luminance(colour), z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("sight", SIGHTS)
def test_no_two_routes_look_alike(theme: str, sight: str) -> None:
    shades = [lab(seen(linear(colour), sight)) for colour, _ in THEMES[theme]]
    assert len(shades) == 8
    assert min(math.dist(first, second) for first, second in combinations(shades, 2)) > 20


@pytest.mark.parametrize("theme", THEMES)
def test_numbers_stand_out_from_their_pins(theme: str) -> None:
    for colour, text in THEMES[theme]:
        darker, lighter = sorted((luminance(linear(colour)), luminance(linear(text))))
        assert (lighter + 0.05) / (darker + 0.05) > 4.3
