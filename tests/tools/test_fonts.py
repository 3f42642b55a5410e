"""Which letters can be drawn, and what becomes of the others."""

import subprocess
import sys
import warnings
from datetime import date, timedelta

import matplotlib as mpl
import pytest
from babel.dates import format_date
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from minigrad.tools import fonts
from minigrad.tools.fonts import drawable, families, visible, warn_of_missing

LANGUAGES = ("en_US", "en_GB", "ko", "fr", "de", "es", "ja", "zh", "ru")


def letters(*spans):
    return "".join(chr(code) for first, last in spans for code in range(ord(first), ord(last) + 1))


def encodable(encoding, rows, columns):
    """The characters of a national standard of Han characters, from its own encoding."""
    for row in rows:
        for column in columns:
            yield bytes([row, column]).decode(encoding, errors="ignore")


@pytest.fixture
def no_font_package(monkeypatch):
    """As on a machine without the extra `viz`."""
    monkeypatch.setattr(fonts, "find_spec", lambda name: None)
    fonts._lettering.cache_clear()
    yield
    fonts._lettering.cache_clear()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_of_a_date_is_drawn(language):
    days = (date(2026, 1, 1) + timedelta(days=day) for day in range(365))
    texts = {format_date(day, form, locale=language) for day in days for form in ("full", "long", "medium")}
    assert all("U+" not in drawable(text) for text in texts)


@pytest.mark.parametrize(
    "text",
    [
        letters(("가", "힣")),
        letters(("ㄱ", "ㅣ")),
        letters(("ぁ", "ゖ"), ("ァ", "ヺ")),
        letters(("А", "я"), ("Ѐ", "џ")),
        letters(("À", "ſ")),
        letters(("Α", "Ρ"), ("Σ", "ω")),
        "".join(encodable("gb2312", range(0xB0, 0xF8), range(0xA1, 0xFF))),
        "".join(encodable("euc_jp", range(0xB0, 0xF5), range(0xA1, 0xFF))),
        "年月日曜星期火水木金土一二三四五六七八九十〇",
        "–—…‘’“”«»·•←↑→↓×÷±°€₩¥‰−√∞≈≠≤≥∑∫∂∇",
    ],
    ids=[
        "Hangul",
        "jamo",
        "kana",
        "Cyrillic",
        "Latin",
        "Greek",
        "simplified Han",
        "Japanese Han",
        "dates",
        "signs",
    ],
)
def test_every_letter_of_a_script_is_drawn(text):
    assert drawable(text) == visible(text)


def test_matplotlib_finds_the_glyphs_and_warns_of_none():
    figure = Figure()
    canvas = FigureCanvasAgg(figure)
    figure.text(0.1, 0.5, "2026년 11월 21일 日付 ことば 简体 слово é ␣⍽", fontfamily=families())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        canvas.draw()


def test_no_setting_of_matplotlib_changes():
    before = dict(mpl.rcParams)
    families()
    assert dict(mpl.rcParams) == before


def test_the_font_package_itself_is_not_imported():
    program = (
        "import sys; from minigrad.tools.fonts import families; families();"
        "print('notojp_matplotlib' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a b", "a␣b"),
        ("\N{NO-BREAK SPACE}", "⍽"),
        ("le\N{NARROW NO-BREAK SPACE}3", "le⍽3"),
        ("\t\n", "⇥↵"),
        ("", "∅"),
        ("\N{COMBINING ACUTE ACCENT}", "◌\N{COMBINING ACUTE ACCENT}"),
        ("<eos>", "<eos>"),
    ],
)
def test_spaces_and_marks_are_made_visible(text, shown):
    assert visible(text) == shown
    assert drawable(text) == shown


def test_a_letter_that_no_font_has_is_shown_by_its_number():
    assert drawable("a\U00013080b") == "aU+13080b"  # an Egyptian eye
    with pytest.warns(
        UserWarning, match="no font here has the characters '\U00013080'; they are shown by their numbers"
    ):
        warn_of_missing(["a", "\U00013080"])


def test_letters_that_are_there_are_no_reason_to_warn():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_missing(["2026년", "日", "plain"])


def test_a_missing_package_is_named_with_its_remedy(no_font_package):
    assert families() == ["DejaVu Sans"]
    assert drawable("1월") == "1U+C6D4"
    with pytest.warns(
        UserWarning, match=r"characters '월'; install the font with pip install \"minigrad\[viz\]\""
    ):
        warn_of_missing(["1월"])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_missing(["дата é"])
