"""The two pictures of a run."""

import struct
import subprocess
import sys
import warnings

import matplotlib as mpl
import numpy as np
import pytest

from minigrad.tools.canvas import DPI
from minigrad.tools.plots import BAR, CELL, Alignment, draw_attention, draw_losses

ISO = [*"2026-11-21", "<eos>"]
DATES = ["2026년 11월 21일", "2026年11月21日", "21 ноября 2026 г.", "sábado, 21 de noviembre de 2026"]


def size(path):
    """Width and height of a PNG, in pixels."""
    header = path.read_bytes()[:24]
    assert header.startswith(b"\x89PNG")
    return struct.unpack(">II", header[16:])


def alignment(source, target=ISO, title=""):
    rng = np.random.default_rng(0)
    weights = rng.random((len(target), len(source)))
    return Alignment(weights / weights.sum(axis=1, keepdims=True), list(source), list(target), title)


def pixels(path):
    from matplotlib.image import imread

    return imread(path)[:, :, :3]


def log(steps, epochs=2):
    """The lines of a log: a loss every 20 steps, a score at the end of each epoch."""
    records = [{"step": step, "epoch": 1, "loss": 2.0**-step} for step in range(20, 20 * steps, 20)]
    groups = {"ko": 0.4, "fr": 1.0}
    return records + [
        {"step": 400 * epoch, "epoch": epoch, "exact": 1 - 0.5**epoch, "groups": groups}
        for epoch in range(1, epochs + 1)
    ]


@pytest.fixture(autouse=True)
def _no_warning_and_no_setting_changed():
    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert dict(mpl.rcParams) == before


# ---------------------------------------------------------------------------------------- losses


@pytest.mark.parametrize(
    ("records", "height"),
    [
        (log(40), 5.4),
        (log(40, epochs=0), 3.2),
        ([{"step": 1, "loss": 2.7}], 3.2),
        ([{"step": 1, "loss": 2.7}, {"step": 10, "exact": 0.0, "groups": {}}], 5.4),
    ],
    ids=["a run", "before the first epoch's end", "one step", "one short epoch"],
)
def test_losses_and_scores_are_drawn(records, height, tmp_path):
    draw_losses(records, tmp_path / "loss.png", "runs/날짜")
    assert size(tmp_path / "loss.png") == (int(7.2 * DPI), int(height * DPI))
    assert pixels(tmp_path / "loss.png").std() > 0.05


def test_a_log_without_losses_is_refused(tmp_path):
    with pytest.raises(ValueError, match="none of the 2 records has a loss"):
        draw_losses(log(1), tmp_path / "loss.png")
    assert not (tmp_path / "loss.png").exists()


# ---------------------------------------------------------------------------------------- attention


def test_every_weight_gets_a_square_of_its_own(tmp_path):
    draw_attention(alignment("21 novembre"), tmp_path / "attention.png")
    width, height = size(tmp_path / "attention.png")
    assert width >= (11 * CELL + BAR) * DPI
    assert height >= 11 * CELL * DPI
    assert abs((width - height) - BAR * DPI) < DPI  # the labels take about the same on both sides


@pytest.mark.parametrize(("target", "source"), [(1, 1), (40, 40), (3, 120)])
def test_any_size_can_be_drawn(target, source, tmp_path):
    draw_attention(alignment(["x"] * source, ["y"] * target), tmp_path / "attention.png")
    assert size(tmp_path / "attention.png")[0] >= source * CELL * DPI


def test_a_very_long_source_is_drawn_with_fewer_pixels(tmp_path):
    draw_attention(alignment(["x"] * 800, ["y"]), tmp_path / "attention.png")
    assert size(tmp_path / "attention.png")[0] <= 30_000


def test_a_large_weight_is_dark_and_lies_where_it_belongs(tmp_path):
    weights = np.zeros((3, 4))
    weights[2, 1] = 1.0
    draw_attention(Alignment(weights, list("abcd"), list("xyz")), tmp_path / "attention.png")
    image = pixels(tmp_path / "attention.png")
    rows, columns = np.nonzero(np.abs(255 * image - (8, 48, 107)).max(axis=2) < 2)  # the darkest blue
    inside = columns < image.shape[1] - BAR * DPI
    side = CELL * DPI
    assert np.ptp(rows[inside]) == pytest.approx(side, abs=5)
    assert np.ptp(columns[inside]) == pytest.approx(side, abs=5)
    assert rows[inside].max() > image.shape[0] - 0.15 * DPI - side


def test_several_panels_with_letters_of_every_script(tmp_path):
    panels = [alignment(text, title=f"{text} → {''.join(ISO[:-1])}") for text in DATES]
    draw_attention(panels, tmp_path / "all.png")
    draw_attention(panels[:1], tmp_path / "one.png")
    assert size(tmp_path / "all.png") > size(tmp_path / "one.png")


def test_words_as_tokens(tmp_path):
    draw_attention(
        alignment(["the", "animal", "crossed"], ["l'", "animal", "a", "traversé"]), tmp_path / "words.png"
    )
    assert pixels(tmp_path / "words.png").std() > 0.05


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.ones((2, 3)), r"shape \(2, 3\), expected \(target tokens, source tokens\) = \(3, 2\)"),
        (np.ones(3), r"shape \(3,\), expected"),
        (np.full((3, 2), np.nan), "NaN"),
    ],
)
def test_weights_that_do_not_fit_are_refused(weights, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        draw_attention(Alignment(weights, list("ab"), list("xyz")), tmp_path / "attention.png")


@pytest.mark.parametrize(
    ("panels", "message"), [([], "no alignments"), (alignment("", []), "neither of them 0")]
)
def test_nothing_to_draw_is_refused(panels, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        draw_attention(panels, tmp_path / "attention.png")


def test_no_window_system_and_no_pyplot_is_needed(tmp_path):
    program = (
        "import sys; from minigrad.tools.plots import draw_losses;"
        f"draw_losses([{{'step': 1, 'loss': 1.0}}], {str(tmp_path / 'loss.png')!r});"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["False"]


def test_a_machine_without_matplotlib_is_told_what_to_install(tmp_path):
    program = (
        "import sys; sys.modules['matplotlib.figure'] = None; from minigrad.tools import plots, errors\n"
        "try: plots.draw_losses([{'step': 1, 'loss': 1.0}], 'loss.png')\n"
        "except errors.CommandError as error: print(error)"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == 'drawing needs matplotlib: pip install "minigrad[viz]"'
