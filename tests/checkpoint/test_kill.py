"""minigrad.checkpoint: a training process is killed at random moments, and no step that was saved is lost."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minigrad.checkpoint import load_checkpoint
from training_run import STEPS, Run

SETTINGS = ("MLP", "Adam", "CosineAnnealingLR", "EMA", "the default generator")
# Goes on from a file and saves after every step; pauses at the calls of a save keep it there for a while.
CHILD = """
import sys, time
from pathlib import Path
from crash_points import CrashPoints
from training_run import STEPS, Run

class Slow(CrashPoints):
    def call(self, name, real, *arguments):
        time.sleep(0.0005)
        result = super().call(name, real, *arguments)
        time.sleep(0.0005)
        return result

path = Path(sys.argv[1])
run = Run(*sys.argv[2:]).resume(path)
for step in range(1, STEPS + 1):
    run.train(step)
    print("saving", step, flush=True)
    with Slow():
        run.save(path)
    print("saved", step, flush=True)
"""
INSIDE, ANYWHERE = 0.012, 0.2  # seconds within which the kill comes: after a save has begun, after the start


def killed(path, choose, *, inside):
    """Start the process and kill it; returns the steps that it said it was saving, and had saved."""
    tests = Path(__file__).resolve().parent.parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, path, *SETTINGS], env=environment, stdout=subprocess.PIPE, text=True
    )
    wanted, said = f"saving {choose.randint(1, STEPS) if inside else 1}", []
    while not said or said[-1] != wanted:
        said.append(child.stdout.readline().strip())
        assert said[-1], "it ended by itself"
    time.sleep(choose.uniform(0, INSIDE if inside else ANYWHERE))
    child.kill()
    said += child.communicate(timeout=60)[0].split("\n")
    steps = [line.split() for line in said if line.startswith("sav")]
    return (
        max((int(step) for word, step in steps if word == given), default=0) for given in ("saving", "saved")
    )


@pytest.mark.parametrize("count", [3, pytest.param(30, marks=pytest.mark.slow)])
@pytest.mark.parametrize("inside", [False, True])
def test_after_a_kill_the_last_or_the_next_checkpoint_is_whole_and_the_run_goes_on(tmp_path, count, inside):
    random.seed(7)
    path, choose = tmp_path / "file", random.Random(count)  # noqa: S311 (a seed, not a secret)
    first = Run(*SETTINGS).save(path).read_bytes()
    whole = Run(*SETTINGS).resume(path).train(STEPS).save(tmp_path / "whole").read_bytes()
    kills = tries = 0
    while kills < count:
        tries += 1
        assert tries <= 5 * count, "too few kills came inside a save"
        path.write_bytes(first)
        saving, saved = killed(path, choose, inside=inside)
        kills += not inside or saving > saved
        step = load_checkpoint(path)["step"]
        assert saved <= step <= saving
        run = Run(*SETTINGS).resume(path)
        assert (run.train(STEPS) if step < STEPS else run).save(tmp_path / "resumed").read_bytes() == whole
    names = {found.name for found in tmp_path.iterdir()} - {"file", "whole", "resumed"}
    assert all(name.startswith(".file.") and name.endswith(".part") for name in names)
