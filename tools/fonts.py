"""Fonts for matplotlib in which Hangul, kana, Han, Cyrillic and accented Latin are drawn, not boxed.

matplotlib brings DejaVu Sans (Latin, Greek, Cyrillic); the package notojp-matplotlib, of the extra `viz`,
brings Noto Sans CJK (SIL Open Font License).  Its font file alone is used: an import changes global settings.
"""

import functools
import unicodedata
import warnings
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

FONT_PACKAGE, FONT_FILE = "notojp_matplotlib", "fonts/NotoSansCJKjp-Regular.otf"
SIGNS = {" ": "␣", "\t": "⇥", "\n": "↵", "\r": "↵", "": "∅"}
NO_BREAK = "⍽"  # every other kind of space, the no-break space before all


def families() -> list[str]:
    """The font families in which matplotlib is to look for a glyph, in that order."""
    return list(_lettering()[0])


def drawable(text: str) -> str:
    """`text` with spaces made visible, and characters that no font here has as U+ and their number.

    >>> drawable("am 3. Mai")
    'am␣3.␣Mai'
    """
    known = _lettering()[1]
    return "".join(c if ord(c) in known else f"U+{ord(c):04X}" for c in visible(text))


def visible(text: str) -> str:
    """`text` with a sign for each space; a combining mark that stands alone gets a circle to stand on.

    >>> visible("a b"), visible(" ")
    ('a␣b', '␣')
    """
    if text and unicodedata.combining(text[0]):
        text = f"◌{text}"
    return SIGNS.get(text) or "".join(
        SIGNS.get(c) or (NO_BREAK if unicodedata.category(c) == "Zs" else c) for c in text
    )


def warn_of_missing(texts: Iterable[str]) -> None:
    """UserWarning, with the remedy, if `texts` hold characters that no font here has."""
    known = _lettering()[1]
    missing = "".join(sorted({c for text in texts for c in visible(text) if ord(c) not in known}))
    if missing:
        installed = find_spec(FONT_PACKAGE) is not None
        remedy = (
            "they are"
            if installed
            else 'install the font with pip install "minigrad[viz]"; until then they are'
        )
        warnings.warn(
            f"no font here has the characters {missing[:40]!r}; {remedy} shown by their numbers", stacklevel=3
        )


@functools.cache
def _lettering() -> tuple[list[str], frozenset[int]]:
    """The font families, and the code points that they draw; matplotlib is told of the font that is ours."""
    import matplotlib as mpl
    from matplotlib.font_manager import fontManager
    from matplotlib.ft2font import FT2Font

    paths = [Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"]
    package = find_spec(FONT_PACKAGE)
    if package is not None and package.submodule_search_locations:
        paths.append(Path(package.submodule_search_locations[0]) / FONT_FILE)
        fontManager.addfont(paths[-1])
    fonts = [FT2Font(str(path)) for path in paths]
    return [font.family_name for font in fonts], frozenset().union(*(font.get_charmap() for font in fonts))
