"""Engine, layers and model run on an array library that is not NumPy: what CuPy needs, without a GPU."""

import numpy as np
import pytest

import fakecupy
import minigrad as mg
from minigrad import nn, ops
from minigrad.models import AttentionSeq2Seq, AttentionSeq2SeqConfig
from minigrad.nn import functional as F
from minigrad.nn.utils import clip_grad_norm_
from minigrad.tensor import Tensor


@pytest.fixture(autouse=True)
def fake_library():
    with fakecupy.installed():
        yield


def there(tensor):
    """A tensor's values on the fake device."""
    return Tensor(fakecupy.FakeArray(tensor.array.copy()), requires_grad=tensor.requires_grad)


def move(module):
    """A module's parameters on the fake device."""
    for parameter in module.parameters():
        parameter.data = fakecupy.FakeArray(parameter.array.copy())
    return module


def test_the_fake_library_refuses_numpy_arrays_and_conversion():
    fake = fakecupy.FakeArray(np.ones(3))
    with pytest.raises(TypeError, match="met one of CuPy"):
        fake + np.ones(3)
    with pytest.raises(TypeError, match="Implicit conversion"):
        np.asarray(fake)
    assert fakecupy.cupy.sum(fake).shape == ()


UNARY = [
    op
    for op in vars(ops).values()
    if getattr(op, "inputs", None) == ("x",) and not getattr(op, "required", 1)
]


@pytest.mark.parametrize("op", UNARY, ids=lambda op: op.name)
def test_an_operation_of_one_input_gives_the_same_values_and_gradients_there(op):
    here = mg.tensor([[0.3, 0.7], [0.2, 0.9]], dtype=mg.float64, requires_grad=True)
    if op.name in ("invert", "logical_not"):
        here = mg.tensor([[True, False]])
    away = there(here)
    expected, found = op(here), op(away)
    expected, found = (y if isinstance(y, tuple) else (y,) for y in (expected, found))
    for y, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(y.array.get(), other.array, rtol=1e-14)
    if expected[0].requires_grad:
        sum((y * y).sum() for y in expected if y.requires_grad).backward()
        sum((y * y).sum() for y in found if y.requires_grad).backward()
        np.testing.assert_allclose(away.grad.array.get(), here.grad.array, rtol=1e-12)


def test_operands_of_two_libraries_are_refused_by_name():
    with pytest.raises(
        mg.errors.DeviceError, match=r"add\(\): operands on different devices, cuda:0 and cpu"
    ):
        there(mg.ones(2)) + mg.ones(2)


def test_a_whole_training_step_of_the_attention_model_gives_the_same_gradients_there():
    mg.manual_seed(3)
    config = AttentionSeq2SeqConfig(9, 8, embedding_size=4, hidden_size=6)
    here = AttentionSeq2Seq(config)
    away = AttentionSeq2Seq(config)
    away.load_state_dict(here.state_dict())
    move(away)
    source, lengths = mg.tensor([[4, 5, 6], [7, 8, 0]]), mg.tensor([3, 2])
    target_in, target_out = mg.tensor([[1, 4], [1, 5]]), mg.tensor([[4, 2], [5, 2]])
    for model, place in ((here, lambda t: t), (away, there)):
        logits, _ = model(place(source), place(lengths), place(target_in))
        loss = F.cross_entropy(logits.reshape(-1, 8), place(target_out).reshape(-1), ignore_index=0)
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        mg.optim.Adam(model.parameters(), lr=0.01).step()
    for (name, p), q in zip(here.named_parameters(), away.parameters(), strict=True):
        np.testing.assert_allclose(q.grad.array.get(), p.grad.array, rtol=1e-5, atol=1e-7, err_msg=name)
        np.testing.assert_allclose(q.array.get(), p.array, rtol=1e-5, atol=1e-6, err_msg=name)


def test_second_derivatives_run_there():
    x = there(mg.tensor([0.3, 0.7], requires_grad=True))
    (g,) = mg.autograd.grad(ops.tanh(x).sum(), x, create_graph=True)
    (h,) = mg.autograd.grad(g.sum(), x)
    y = np.tanh(np.array([0.3, 0.7]))
    np.testing.assert_allclose(h.array.get(), -2 * y * (1 - y * y), rtol=1e-5)


def test_layer_norm_dropout_and_attention_run_there():
    layer = move(nn.LayerNorm(4))
    x = there(mg.randn(2, 3, 4).requires_grad_())
    y = F.scaled_dot_product_attention(layer(x), x, x, is_causal=True)
    F.gelu(y).sum().backward()
    assert x.grad.shape == (2, 3, 4)
