"""Large arrays are shared out to threads, and the result does not depend on how many there are."""

import os
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import optim, threads
from minigrad.kernels import rows
from minigrad.nn import functional as F

pytestmark = pytest.mark.skipif(mg.get_num_threads() is None, reason="NumPy's BLAS is not OpenBLAS")


@pytest.fixture(params=[1, 2, 3])
def count(request):
    """A number of threads, for the time of a test."""
    before = mg.get_num_threads()
    mg.set_num_threads(request.param)
    yield request.param
    mg.set_num_threads(before)


def test_every_part_is_worked_on_once(count):
    done = []
    threads.each(done.append, list(range(100)))
    assert sorted(done) == list(range(100))


def test_nothing_is_done_for_no_parts(count):
    threads.each(pytest.fail, [])


def test_several_threads_work_at_once():
    before = mg.get_num_threads()
    mg.set_num_threads(2)
    try:
        both = threading.Barrier(2, timeout=60)  # passed only by two threads that are here together
        threads.each(lambda _: both.wait(), [0, 1])
    finally:
        mg.set_num_threads(before)


def test_with_one_thread_the_caller_works_alone():
    before = mg.get_num_threads()
    mg.set_num_threads(1)
    try:
        seen = set()
        threads.each(lambda _: seen.add(threading.get_ident()), list(range(9)))
    finally:
        mg.set_num_threads(before)
    assert seen == {threading.get_ident()}


def test_an_error_in_a_part_reaches_the_caller(count):
    def work(part):
        if part == 3:
            raise ZeroDivisionError("part 3")

    with pytest.raises(ZeroDivisionError, match="part 3"):
        threads.each(work, list(range(8)))
    done = []
    threads.each(done.append, [1, 2])  # and the threads are there for the next
    assert sorted(done) == [1, 2]


def test_work_may_share_out_work_of_its_own(count):
    done = []
    threads.each(lambda part: threads.each(lambda piece: done.append((part, piece)), [1, 2, 3]), [1, 2, 3])
    assert sorted(done) == [(part, piece) for part in (1, 2, 3) for piece in (1, 2, 3)]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_process_that_was_forked_off_has_threads_of_its_own():
    before = mg.get_num_threads()
    mg.set_num_threads(2)
    try:
        threads.each(len, [(), ()])  # the pool is there
        child = os.fork()
        if child == 0:
            done = []
            threads.each(done.append, [1, 2, 3])
            os._exit(0 if sorted(done) == [1, 2, 3] else 1)
        assert os.waitpid(child, 0)[1] == 0
    finally:
        mg.set_num_threads(before)


@pytest.mark.parametrize("kind", ["cross_entropy", "dropout", "adam"])
def test_a_kernel_gives_the_same_bits_with_any_number_of_threads(kind):
    random = np.random.default_rng(0)
    x = random.standard_normal((70, 2048), dtype=np.float32)  # more than two blocks
    assert x.size > 2 * rows.BLOCK

    def found(count):
        mg.set_num_threads(count)
        mg.manual_seed(1)
        leaf = mg.tensor(x, requires_grad=True)
        if kind == "cross_entropy":
            F.cross_entropy(leaf, mg.arange(70)).backward()
        elif kind == "dropout":
            F.dropout(leaf, 0.25).backward(mg.tensor(x))
        else:
            leaf.grad = mg.tensor(x)
            optim.Adam([leaf], lr=0.5).step()
            return leaf.detach().numpy().tobytes()
        return leaf.grad.numpy().tobytes()

    before = mg.get_num_threads()
    try:
        assert found(1) == found(2) == found(3)
    finally:
        mg.set_num_threads(before)
