"""Text can be read on its ground in light and dark: the contrast that WCAG 2.2 asks for (4.5 to 1)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STYLE = files("postroad.report").joinpath("page", "style.css.j2").read_text(encoding="utf-8")
PAIRS = [
    *((text, ground) for text in ("ink", "soft", "faint") for ground in ("paper", "ground", "sunk")),
    *((name, f"{name}-2") for name in ("measured", "derived", "modelled", "unverified")),
    *((verdict, "paper") for verdict in ("ok", "bad", "unsure")),
    ("accent", "accent-2"),
    ("paper", "accent"),
    ("on-band", "band"),
    ("on-band-soft", "band"),
    ("map-text", "map-halo"),
]


def colours(theme: str) -> dict[str, str]:
    block = STYLE.split(f"macro {theme}() %}}")[1].split("endmacro")[0]
    return dict(re.findall(r"--([\w-]+):(#[0-9a-fA-F]{3,6});", block))


def luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    full = "".join(letter * 2 for letter in digits) if len(digits) == 3 else digits
    parts = [int(full[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_text_stands_out_from_its_ground(theme, text, ground):
    found = colours(theme)
    high, low = sorted((luminance(found[text]), luminance(found[ground])), reverse=True)
    assert (high + 0.05) / (low + 0.05) >= 4.5, (found[text], found[ground])


def test_both_themes_declare_the_same_colours():
    assert set(colours("light")) == set(colours("dark"))
