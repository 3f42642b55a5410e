"""Anomaly mode names the operation, direction, module, line, place and earlier culprits of a bad number."""

import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.autograd import detect_anomaly, grad, set_detect_anomaly
from minigrad.autograd.anomaly import is_anomaly_enabled
from minigrad.errors import AnomalyError, GraphError
from minigrad.modes import mode, tracing


@pytest.fixture(autouse=True)
def _restored():
    """Each test must end outside of anomaly mode."""
    yield
    assert (mode.watchers, mode.tracing, mode.recording) == ((), False, True)


def here(offset=0):
    """`file.py:12`, the line of the caller plus `offset`."""
    frame = sys._getframe(1)
    return f"{frame.f_code.co_filename.rpartition('/')[2]}:{frame.f_lineno + offset}"


def refusal(call):
    with pytest.raises(AnomalyError) as caught, detect_anomaly():
        call()
    return str(caught.value)


def test_a_nan_made_in_the_forward_is_named_with_its_place():
    x = leaf([[4.0, 1.0], [1.0, -1.0]])
    with detect_anomaly():
        line = here(2)
        with pytest.raises(AnomalyError) as caught:
            mg.sqrt(x)
    assert str(caught.value) == (
        f"forward of sqrt at {line}: the first NaN is at index (1, 1) of the output of shape (2, 2); "
        "no input had one"
    )


def test_the_inputs_that_had_it_already_are_named():
    x, bad = leaf(1.0, 2.0, 3.0), mg.tensor([1.0, 2.0, np.nan], dtype=mg.float64)
    message = refusal(lambda: x * bad)
    assert "forward of mul" in message
    assert "its input b has NaN at (2,) already" in message
    message = refusal(lambda: mg.cat([x, bad]))
    assert "index (5,) of the output of shape (6,); its input 1 has NaN at (2,) already" in message


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_nan_made_by_a_rule_names_the_line_of_the_forward(create_graph):
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        line = here(1)
        y = mg.sqrt(x * x)
        z = (y * mg.tensor([0.0, 1.0], dtype=mg.float64)).sum()
        with pytest.raises(AnomalyError) as caught:
            z.backward(create_graph=create_graph)
    message = str(caught.value)
    if create_graph:  # there the rule is itself made of recorded operations
        assert message.startswith("forward of div at ")
        assert message.endswith(
            "in the gradient of SqrtBackward: the first NaN is at index (0,) of the output "
            "of shape (2,); no input had one"
        )
    else:
        assert message == (
            f"backward of sqrt at {line}: the first NaN is at index (0,) of the gradient of its input x of "
            "shape (2,); no saved value had one"
        )
    assert x.grad is None


def test_a_forward_outside_of_anomaly_mode_has_no_line():
    x = leaf(0.0)
    z = mg.sqrt(x * x) * 0.0
    with (
        detect_anomaly(),
        pytest.raises(AnomalyError, match=r"sqrt \(compute in anomaly mode too"),
    ):
        z.backward()


def test_the_module_that_called_is_named():
    class Root(mg.nn.Module):
        def forward(self, x):
            return mg.sqrt(x)

    model = mg.nn.Sequential(mg.nn.Tanh(), Root())
    assert "in 1:" in refusal(lambda: model(leaf(1.0, -1.0)))


def test_a_gradient_that_is_bad_when_it_comes_is_told_apart():
    x = leaf(1.0, 2.0)
    y = x * 2.0
    message = refusal(lambda: y.backward(mg.tensor([1.0, np.nan])))
    assert "the gradient that gathered at the output of MulBackward" in message
    assert "no rule gave it: it was passed to backward()" in message
    x.register_hook(lambda g: g * np.nan)
    assert "gathered at the leaf" in refusal(lambda: (x * 2.0).sum().backward())


def test_infinities_are_looked_for_only_on_request():
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        mg.log(x)
    with (
        pytest.raises(AnomalyError, match=r"the first infinity is at index \(0,\)"),
        detect_anomaly(check_inf=True),
    ):
        mg.log(x)
    with detect_anomaly(check_nan=False):
        mg.sqrt(leaf(-1.0))


def test_one_bad_output_of_several_is_named():
    class Two(mg.autograd.Function):
        @staticmethod
        def forward(context, x):
            return x * 1.0, x * np.nan

    assert "of output 1 of shape ()" in refusal(lambda: Two.apply(leaf(1.0)))


def test_a_write_in_place_is_looked_at_too():
    y = leaf(4.0, -1.0) * 1.0
    assert "forward of sqrt" in refusal(y.sqrt_)


def test_the_version_error_names_the_line_where_the_value_was_saved():
    x = leaf(1.0, 2.0)
    with detect_anomaly():
        y = x * 1.0
        line = here(1)
        z = mg.exp(y)
        z.detach().zero_()
        with pytest.raises(GraphError, match=rf"a value that exp at {line} saved .* changed in place"):
            z.sum().backward()


def test_anomaly_mode_switches_as_a_statement():
    assert not is_anomaly_enabled()
    set_detect_anomaly(True)
    try:
        assert is_anomaly_enabled()
        with pytest.raises(AnomalyError):
            mg.sqrt(leaf(-1.0))
        with set_detect_anomaly(False):
            assert not is_anomaly_enabled()
            assert not mode.tracing
            mg.sqrt(leaf(-1.0))
        assert is_anomaly_enabled()
    finally:
        set_detect_anomaly(False)
    assert not is_anomaly_enabled()


def test_switching_anomaly_mode_off_leaves_tracing_as_it_was():
    with tracing():
        set_detect_anomaly(True)
        set_detect_anomaly(False)
        assert mode.tracing
        with set_detect_anomaly(True), set_detect_anomaly(True, check_inf=True):
            assert len(mode.watchers) == 1
    with mg.record() as tape:
        set_detect_anomaly(True)
        set_detect_anomaly(False)
        leaf(1.0).sin().backward()
    assert len(tape) == 1


def test_anomaly_mode_is_a_matter_of_the_thread():
    seen = []
    with detect_anomaly():
        thread = threading.Thread(target=lambda: seen.append(is_anomaly_enabled()))
        thread.start()
        thread.join()
    assert seen == [False]


def test_off_it_costs_nothing_and_on_it_changes_nothing():
    x = normal(3)
    plain = mg.tanh(x)
    assert plain.grad_fn.note is None
    with detect_anomaly():
        watched = mg.tanh(x)
        found = grad(watched.sum(), x)
    np.testing.assert_array_equal(found[0].numpy(), grad(plain.sum(), x)[0].numpy())


def test_batched_gradients_are_looked_at():
    x = leaf(0.0, 1.0)
    with detect_anomaly():
        y = mg.sqrt(x * x) * mg.tensor([0.0, 1.0], dtype=mg.float64)
        with pytest.raises(AnomalyError, match="the first NaN is at index"):
            grad(y, x, mg.eye(2, dtype=mg.float64), is_grads_batched=True)
