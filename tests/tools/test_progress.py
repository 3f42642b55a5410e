"""The progress bar: what it says, and how wide it is."""

import io
import os
import termios
import time

import pytest

from minigrad.tools.progress import Progress, clock


def advanced(steps, total=100, **options):
    progress = Progress(total, stream=io.StringIO(), **options)
    for _ in range(steps):
        progress.advance("epoch 1/3", 0.5, tokens=640, seconds=0.1)
    return progress


def test_it_says_share_loss_rate_and_time_left():
    text = advanced(25).text("epoch 1/3", 0.5, 100)
    assert text == f"epoch 1/3 {'█' * 6}{'░' * 18}  25%  loss 0.5000  6,400 tokens/s  0:07 left"


def test_time_left_of_a_resumed_run_is_reckoned_from_its_own_steps():
    assert "0:05 left" in advanced(10, done=40).text("epoch 2/3", 0.5, 100)


@pytest.mark.parametrize("columns", [5, 20, 40, 60, 70, 79, 200])
def test_it_is_never_wider_than_it_may_be(columns):
    for label in ("epoch 1/3", "epoch 1000000/1000000"):
        assert len(advanced(50).text(label, 123456.0, columns)) <= columns


def test_the_bar_shrinks_before_anything_is_cut():
    text = advanced(50).text("epoch 1/3", 0.5, 60)
    assert 0 < text.count("█") < 12
    assert text.endswith("left")


def test_nothing_is_drawn_but_on_a_terminal():
    progress = advanced(50)
    progress.clear()
    assert progress.stream.getvalue() == ""


def test_it_fits_the_terminal_it_is_drawn_on():
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 40))
    with os.fdopen(theirs, "w", encoding="utf-8") as terminal:
        progress = Progress(100, stream=terminal)
        progress.drawn = time.perf_counter() - 1
        progress.advance("epoch 1/3", 0.5, tokens=640, seconds=0.1)
        written = os.read(ours, 10_000).decode()
    os.close(ours)
    assert written.startswith("\repoch 1/3")
    assert len(written.strip("\r").removesuffix("\x1b[K")) < 40


def test_a_clock_has_minutes_and_seconds():
    assert [clock(seconds) for seconds in (0, 59.9, 60, 3600)] == ["0:00", "0:59", "1:00", "60:00"]
