"""inference_mode: nothing is recorded, whatever is said inside; of the thread, also in generators."""

import threading

import pytest

import minigrad as mg
from leaves import leaf
from minigrad.autograd import grad
from minigrad.errors import GraphError


@pytest.fixture(autouse=True)
def _restored():
    """Each test begins, and must end, outside of inference mode, with recording on."""
    yield
    assert (mg.is_inference_mode_enabled(), mg.is_grad_enabled()) == (False, True)


def test_nothing_is_recorded_even_where_enable_grad_asks_for_it():
    x = leaf(2.0)
    with mg.inference_mode():
        assert mg.is_inference_mode_enabled()
        assert not (x * x).requires_grad
        with mg.enable_grad(), mg.set_grad_enabled(True):
            assert not (x * x).requires_grad
            assert not mg.is_grad_enabled()
    assert (x * x).requires_grad


def test_inference_mode_false_lifts_it_for_a_stretch():
    x = leaf(2.0)
    with mg.inference_mode():
        with mg.inference_mode(False):
            assert (x * x).requires_grad
        assert not (x * x).requires_grad
    with mg.inference_mode(mode=False):
        assert (x * x).requires_grad


def test_the_mode_is_restored_after_an_exception_and_inside_no_grad():
    with mg.no_grad():
        with pytest.raises(KeyError), mg.inference_mode():
            raise KeyError
        assert not mg.is_grad_enabled()


@pytest.mark.parametrize("decorator", [mg.inference_mode, mg.inference_mode()], ids=["bare", "called"])
def test_a_decorated_function_is_in_inference_mode_while_it_runs(decorator):
    @decorator
    def square(x):
        """x²"""
        return x * x, mg.is_inference_mode_enabled()

    y, state = square(leaf(3.0))
    assert (y.item(), y.requires_grad, state, square.__doc__) == (9.0, False, True, "x²")


def test_a_decorated_generator_is_in_inference_mode_between_two_yields():
    @mg.inference_mode()
    def states():
        for _ in range(3):
            yield mg.is_inference_mode_enabled()

    pairs = [(inside, mg.is_inference_mode_enabled()) for inside in states()]
    assert pairs == [(True, False)] * 3


def test_what_is_asynchronous_is_refused():
    async def coroutine():
        pass

    with pytest.raises(TypeError, match="inference_mode: coroutine is asynchronous"):
        mg.inference_mode()(coroutine)


def test_other_threads_are_not_in_it():
    seen = []
    with mg.inference_mode():
        thread = threading.Thread(target=lambda: seen.append(mg.is_inference_mode_enabled()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_a_tensor_made_inside_is_an_ordinary_constant_afterwards():
    x = leaf(2.0, 3.0)
    with mg.inference_mode():
        constant = x * 10.0
    (x * constant).sum().backward()
    assert x.grad.tolist() == [20.0, 30.0]


def test_a_write_inside_to_what_was_saved_outside_is_still_noticed():
    x = leaf(2.0, 3.0)
    y = x * 1.0
    z = (y * y).sum()
    with mg.inference_mode():
        y.detach().zero_()
    with pytest.raises(GraphError, match="changed in place"):
        z.backward()


def test_a_graph_from_outside_is_walked_inside_and_not_recorded():
    x = leaf(2.0)
    y = x**3
    with mg.inference_mode():
        (g,) = grad(y, x, create_graph=True)
    assert (g.item(), g.requires_grad) == (12.0, False)


def test_a_transform_says_that_it_needs_to_record():
    with mg.inference_mode(), pytest.raises(GraphError, match="nothing is recorded in inference mode"):
        mg.func.grad(mg.sin)(leaf(1.0))
