"""What the GPU has been given and has not done yet: pinned memory stays until its copy has arrived."""

import weakref

import numpy as np
import pytest

import fakecupy
import minigrad as mg
from minigrad.backend import namespace


@pytest.fixture(autouse=True)
def queued():
    """The fake device is as late with its copies as a real one may be."""
    with fakecupy.queued():
        yield


def test_pinned_memory_that_nobody_else_holds_stays_until_its_copy_is_done(device):
    moved = [mg.full((9,), i).pin_memory().to(device, non_blocking=True) for i in range(6)]
    mg.cuda.synchronize()
    assert [copy[0].item() for copy in moved] == [0, 1, 2, 3, 4, 5]


def test_pinned_memory_is_given_back_when_its_copy_is_done():
    with fakecupy.installed() as library:
        for look in (lambda: mg.ones(1).pin_memory(), mg.cuda.empty_cache, lambda: copied(mg.ones(1))):
            source = mg.ones(3).pin_memory()
            held = weakref.ref(source.array.base)
            moved = copied(source)
            del source
            assert held() is not None
            mg.cuda.synchronize()
            look()
            assert held() is None
            assert moved.tolist() == [1.0, 1.0, 1.0]
        assert namespace(moved.array) is library


def copied(source):
    return source.to("cuda", non_blocking=True)


def test_a_move_that_may_block_is_done_when_it_returns(device):
    source = mg.ones(3).pin_memory()
    moved = source.to(device)
    source.array[...] = 7.0
    np.testing.assert_array_equal(moved.tolist(), [1.0, 1.0, 1.0])
