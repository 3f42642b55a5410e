"""A step by parts of the batch in threads: the gradients of the whole, all or none, the same at every run."""

import os
import threading

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad import nn
from minigrad.errors import GraphError, ShapeError
from minigrad.generator import Generator, default_generator, drawing_from
from minigrad.nn import functional as F


def model():
    mg.manual_seed(3)
    return nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 3)).double()


X, TARGET = normal(7, 4, requires_grad=False), mg.tensor([0, 2, 1, 1, 0, 2, 2])


@pytest.mark.parametrize("threads", [1, 2, 3, 7, 20])
def test_the_gradients_and_the_loss_are_those_of_the_whole_batch(threads):
    whole, parts = model(), model()
    expected = F.cross_entropy(whole(X), TARGET)
    expected.backward()
    found = mg.parallel.backward(lambda x, t: F.cross_entropy(parts(x), t), X, TARGET, threads=threads)
    assert found.item() == pytest.approx(expected.item(), rel=1e-12)
    assert not found.requires_grad
    for one, other in zip(parts.parameters(), whole.parameters(), strict=True):
        np.testing.assert_allclose(one.grad.array, other.grad.array, rtol=1e-10, atol=1e-14)


def test_gradients_are_added_to_those_that_are_there():
    w = leaf(2.0)
    mg.parallel.backward(lambda x: (w * x).mean(), X)
    once = w.grad.clone()
    mg.parallel.backward(lambda x: (w * x).mean(), X)
    assert w.grad.item() == pytest.approx(2 * once.item())


def test_each_tensor_may_be_cut_along_its_own_dimension_and_the_rest_is_passed_on():
    w, seen = leaf(1.0), []

    def loss(x, scale, y):
        seen.append((x.shape, y.shape, scale))
        return (w * x * scale).sum() * 0 + (w * y).mean()

    mg.parallel.backward(loss, mg.ones(5, 4).double(), 2.5, mg.ones(4).double(), dim=(1, 0))
    assert sorted(seen) == [((5, 2), (2,), 2.5)] * 2


def test_dropout_repeats_itself_and_differs_from_part_to_part():
    def step():
        mg.manual_seed(11)
        w, masks = leaf(1.0), []

        def loss(x):
            y = F.dropout(x, 0.5)
            masks.append(y.array.tolist())
            return (w * y).mean()

        mg.parallel.backward(loss, mg.ones(400).double())
        return w.grad.item(), sorted(masks)

    (gradient, masks), again = step(), step()
    assert (gradient, masks) == again
    assert len(masks) == 2
    assert masks[0] != masks[1]


def test_after_an_error_in_a_part_nothing_has_changed():
    w = leaf(1.0)

    def loss(x):
        if x.shape[0] == 4:
            raise ZeroDivisionError("the second part")
        return (w * x).mean()

    threads = mg.get_num_threads()
    with pytest.raises(ZeroDivisionError, match="the second part"):
        mg.parallel.backward(loss, X)
    assert w.grad is None
    assert mg.get_num_threads() == threads


WRONG = {
    "no threads": (lambda: mg.parallel.backward(lambda x: x.sum(), X, threads=0), ValueError, "got 0"),
    "no tensor": (lambda: mg.parallel.backward(lambda x: x, 3.0), ValueError, "0 dims for 0 tensors"),
    "sizes": (lambda: mg.parallel.backward(lambda x, y: x, X, X[:3]), ShapeError, r"\[3, 7\] examples"),
    "no examples": (lambda: mg.parallel.backward(lambda x: x, X[:0]), ShapeError, r"\[0\] examples"),
    "no number": (lambda: mg.parallel.backward(lambda x: x * leaf(1.0), X), GraphError, r"shape \(3, 4\)"),
    "no gradient": (lambda: mg.parallel.backward(lambda x: x.sum(), X), GraphError, "that requires grad"),
    "no tensor as loss": (lambda: mg.parallel.backward(lambda x: 1.0, X), GraphError, "loss returned float"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(name):
    call, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        call()


def test_a_generator_is_the_default_one_in_its_thread_alone():
    mine, seen = Generator(5), []
    usual = default_generator()
    with drawing_from(mine):
        other = threading.Thread(target=lambda: seen.append(default_generator()))
        other.start()
        other.join()
        assert default_generator() is mine
    assert default_generator() is usual
    assert seen == [usual]


def test_a_part_may_work_in_parts_itself():
    w = leaf(2.0)

    def inner(x):
        mg.parallel.backward(lambda piece: (w * piece).mean(), x, threads=2)
        return (w * x).mean()

    mg.parallel.backward(inner, X, threads=2)
    inner_means = X[:3].mean() + X[3:].mean()  # each inner call adds the mean over its own part
    assert w.grad.item() == pytest.approx((inner_means + X.mean()).item())


@pytest.mark.skipif(mg.get_num_threads() is None, reason="NumPy's BLAS is not OpenBLAS")
def test_the_number_of_threads_of_a_product_is_restored_by_the_last_of_several():
    before = mg.get_num_threads()
    mg.set_num_threads(2)
    try:
        with mg.parallel._one_blas_thread:
            assert mg.get_num_threads() == 1
            with mg.parallel._one_blas_thread:  # of another user
                assert mg.get_num_threads() == 1
            assert mg.get_num_threads() == 1
        assert mg.get_num_threads() == 2
    finally:
        mg.set_num_threads(before)


def test_a_part_is_computed_as_its_caller_computes():
    w, seen = leaf(2.0), []

    def loss(x):
        seen.append(mg.tensor([0.1]).dtype)
        return (w * x).mean()

    mg.set_default_dtype("float64")
    try:
        mg.parallel.backward(loss, X, threads=2)
    finally:
        mg.set_default_dtype("float32")
    assert seen == ["float64", "float64"]
    with mg.no_grad(), pytest.raises(GraphError, match="expected a number that requires grad"):
        mg.parallel.backward(loss, X, threads=2)
    mg.parallel.backward(loss, X, threads=2)
    assert seen[-1] == "float32"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_a_process_that_was_forked_off_works_in_parts_too():
    w = leaf(2.0)
    mg.parallel.backward(lambda x: (w * x).mean(), X, threads=2)  # the threads are there
    child = os.fork()
    if child == 0:
        mg.parallel.backward(lambda x: (w * x).mean(), X, threads=2)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
