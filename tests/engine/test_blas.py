"""The number of threads of a matrix product is read and set, and what is no number of threads is refused."""

import subprocess
import sys

import pytest

import minigrad as mg


def test_the_number_of_threads_is_what_it_was_set_to():
    child = (
        "import minigrad as mg\n"
        "known = mg.get_num_threads() is not None\n"
        "assert mg.set_num_threads(1) == known and mg.get_num_threads() == (1 if known else None)\n"
        "assert mg.set_num_threads(2) == known and mg.get_num_threads() == (2 if known else None)\n"
        "print('as set')"
    )
    done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("as set\n", "")


@pytest.mark.parametrize("count", [0, -1, 1.5, True, "2"])
def test_what_is_no_number_of_threads_is_refused(count):
    with pytest.raises(ValueError, match=r"set_num_threads\(\): expected an integer of at least 1, got"):
        mg.set_num_threads(count)
