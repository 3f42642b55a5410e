"""minigrad.checkpoint: whatever interrupts a save, a whole file stays: the previous one or the new one."""

import errno
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from crash_points import CrashPoints
from minigrad.checkpoint import atomic_file, load_checkpoint, save_checkpoint

CALLS = ["open", "chmod", "write", "write", "write", "flush", "fsync", "replace", "open folder", "fsync"]


def save_number(number, path):
    save_checkpoint({"w": np.full(1000, number), "b": np.full(10, number), "number": number}, path)


def load_number(path):
    state = load_checkpoint(path)
    assert (state["w"] == state["number"]).all()
    assert (state["b"] == state["number"]).all()
    return state["number"]


def test_the_calls_of_a_save_are_these(tmp_path):
    save_number(1, tmp_path / "file")
    (tmp_path / "file").chmod(0o600)
    with CrashPoints() as points:
        save_number(1, tmp_path / "file")
    assert points.calls == CALLS


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("strike", range(len(CALLS)))
@pytest.mark.parametrize(
    "error",
    [OSError(errno.EIO, "input/output error"), OSError(errno.ENOSPC, "disk full"), KeyboardInterrupt()],
)
def test_an_error_at_any_call_leaves_a_whole_file_and_nothing_else(tmp_path, error, strike, late):
    def fail():
        raise error

    path = tmp_path / "file"
    save_number(1, path)
    path.chmod(0o600)
    with pytest.raises(type(error)) as raised, CrashPoints(strike, fail, late):
        save_number(2, path)
    assert raised.value is error
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
    done = CALLS.index("replace") + (not late)
    assert load_number(path) == (2 if strike >= done else 1)
    assert path.stat().st_mode & 0o777 == 0o600
    save_number(3, path)
    assert load_number(path) == 3


CHILD = """
import os, signal, sys
from crash_points import CrashPoints
from minigrad.checkpoint import save_checkpoint
import numpy as np
with CrashPoints(int(sys.argv[2]), lambda: os.kill(os.getpid(), signal.SIGKILL)):
    save_checkpoint({"w": np.full(1000, 2), "b": np.full(10, 2), "number": 2}, sys.argv[1])
"""


@pytest.mark.parametrize("strike", [7])
def test_a_process_killed_inside_save_leaves_a_whole_file(tmp_path, strike):
    path = tmp_path / "file"
    save_number(1, path)
    path.chmod(0o600)
    tests = Path(__file__).resolve().parent.parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tests), str(tests.parent)])}
    child = subprocess.run(
        [sys.executable, "-c", CHILD, path, str(strike)], env=environment, check=False, timeout=60
    )
    assert child.returncode == -signal.SIGKILL
    assert load_number(path) == (2 if strike > CALLS.index("replace") else 1)
    left = {found.name for found in tmp_path.iterdir()} - {"file"}
    assert all(name.startswith(".file.") and name.endswith(".part") for name in left)
    save_number(3, path)
    assert load_number(path) == 3


def test_an_exception_in_the_block_leaves_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write():
        with atomic_file(path) as file:
            file.write(b"new")
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        write()
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path):
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with atomic_file(tmp_path / "link") as file:
        file.write(b"new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_a_new_file_gets_the_permissions_that_open_gives(tmp_path):
    (tmp_path / "plain").write_bytes(b"")
    with atomic_file(tmp_path / "file") as file:
        file.write(b"new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "plain").stat().st_mode


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o444, 0o777])
def test_the_file_that_is_replaced_passes_its_permissions_on(tmp_path, mode):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "file").chmod(mode)
    with atomic_file(tmp_path / "file") as file:
        (part,) = tmp_path.glob(".file.*.part")
        assert part.stat().st_mode & 0o777 == mode  # before a byte is there to be read
        file.write(b"new")
    assert (tmp_path / "file").stat().st_mode & 0o777 == mode


def test_a_limit_of_the_system_itself_leaves_the_old_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "file"
    save_number(1, path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            save_number(2, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert load_number(path) == 1
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_readers_see_a_whole_file_while_it_is_replaced(tmp_path):
    path, seen, done = tmp_path / "file", [], threading.Event()
    save_number(0, path)

    def read():
        while not done.is_set():
            seen.append(load_number(path))

    with ThreadPoolExecutor(3) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        for number in range(1, 40):
            save_number(number, path)
        done.set()
    assert [reader.result() for reader in readers] == [None] * 3
    assert len(set(seen)) > 1


def test_writers_of_one_name_do_not_disturb_each_other(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda number: save_number(number, tmp_path / "file"), range(40)))
    assert load_number(tmp_path / "file") in range(40)
    assert [found.name for found in tmp_path.iterdir()] == ["file"]


def test_a_name_of_the_greatest_length_can_be_saved(tmp_path):
    path = tmp_path / ("n" * 255)
    save_number(1, path)
    assert load_number(path) == 1
