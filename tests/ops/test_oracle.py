"""PyTorch as the oracle: value, type and gradient of every card, promotion, indexing, conventions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad.testing.card import Case, assert_close, cases_by_type, cotangents, gradients, listed
from minigrad.testing.cards import CARDS
from minigrad.testing.strategies import grown, indices, picked, seeds, shapes, with_bools

pytestmark = [
    pytest.mark.oracle,
    # As in minigrad itself: PyTorch is silent where a logarithm of 0 is -inf, and so are we.
    pytest.mark.filterwarnings(r"ignore::RuntimeWarning:minigrad\..*"),
]
KNOWN = [card for card in CARDS if card.torch]
each_card = pytest.mark.parametrize("card", KNOWN, ids=str)
FLOATING_ONLY = ("softplus", "softmax", "log_softmax", "logaddexp", "logaddexp2", "hypot")  # in PyTorch
DTYPES = ("float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8", "bool")


@pytest.fixture(scope="module")
def torch():
    import torch

    torch.set_num_threads(1)
    return torch


def in_pytorch(torch, case):
    """The inputs of a case as PyTorch's tensors, and its outputs."""
    wanted = case.differentiable
    tensors = [
        None if a is None else torch.tensor(a, requires_grad=i in wanted) for i, a in enumerate(case.arrays)
    ]
    name, statics = case.card.torch, case.statics
    if statics.get("dim") == ():  # all; in PyTorch, too, but not for `all`, nor in the gradient of `var`
        statics = {**statics, "dim": tuple(range(case.arrays[0].ndim))}
    if callable(name):
        return tensors, listed(name(torch, *tensors, **statics))
    function = getattr(torch, name, None) or getattr(torch.nn.functional, name)
    return tensors, listed(function(*tensors, **statics))


def compare(torch, case, within):
    """Values, types and gradients of a case are PyTorch's."""
    ours, (tensors, expected) = case.tensors(), in_pytorch(torch, case)
    outputs = case.run(ours)
    assert len(outputs) == len(expected)
    for output, other in zip(outputs, expected, strict=True):
        assert str(other.dtype) == f"torch.{output.dtype}", case
        assert_close(output.array, other.detach().numpy(), within, case)
    if not case.card.differentiable or not case.differentiable:
        return
    weights = cotangents(outputs)
    ends = [other for other in expected if other.is_floating_point()]
    wanted = [t for t in tensors if t is not None and t.requires_grad]
    found = torch.autograd.grad(ends, wanted, [torch.tensor(w) for w in weights], materialize_grads=True)
    for g, other in zip(gradients(outputs, ours, weights), found, strict=True):
        assert str(other.dtype) == f"torch.{g.dtype}", case
        assert_close(g.array, other.numpy(), within, case)


@each_card
@given(data=st.data())
def test_values_types_and_gradients_are_those_of_pytorch(card, torch, data):
    for dtype, case in data.draw(cases_by_type(card)).items():
        if dtype in ("float64", "float32") or (dtype != "float16" and card.name not in FLOATING_ONLY):
            compare(torch, case, card.within("oracle", dtype if dtype == "float64" else "float32"))


@pytest.mark.parametrize("card", [card for card in KNOWN if card.kinks], ids=str)
def test_the_conventions_declared_at_kinks_are_those_of_pytorch(card, torch):
    for kink in card.kinks:
        arrays = tuple(np.array(values) for values in kink.inputs)
        outputs = in_pytorch(torch, Case(card, arrays, kink.statics))[1]
        assert_close(listed(outputs)[0].detach().numpy(), np.asarray(kink.value), 1e-12, card)


SPECIAL = [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, -5e-324, 1e-30, 1e30, -1e30, 1.0, -1.0, 2.0, 0.5]
ONE_INPUT = {
    *("threshold", "relu6", "hardtanh", "hardswish", "leaky_relu", "rrelu", "softshrink", "elu", "selu"),
    "celu",
    *("logsigmoid", "tanhshrink", "softsign", "silu", "mish"),
    *("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tanh", "sigmoid", "relu", "erf", "softplus"),
    *("gelu", "abs", "sign", "neg", "square", "power of a number", "number to a power", "clamp"),
    *("isnan", "isinf", "isfinite", "isposinf", "isneginf", "signbit", "logical_not", "nan_to_num"),
    *("rsqrt", "reciprocal", "exp2", "log2", "log10", "tan", "asin", "acos", "atan", "sinh", "cosh"),
    *("asinh", "acosh", "atanh", "erfc", "erfinv", "floor", "ceil", "trunc", "round", "frac"),
    *("deg2rad", "rad2deg"),
}
TWO_INPUTS = {
    *("add", "sub", "mul", "div", "maximum", "minimum", "pow", "logical_and", "logical_or"),
    *("equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "logical_xor", "isclose"),
    *("floor_divide", "fmax", "fmin", "atan2", "hypot", "logaddexp", "xlogy", "copysign"),
}


# PyTorch takes x ** -0.5 for 1 / sqrt(x), which differs from IEEE 754's power at -0 and -inf.
ROOTS = [("power of a number", 0.5), ("power of a number", -0.5)]
WITHOUT_NAN = (
    # At nan PyTorch's slope depends on the place in the array: on whether the loop is vectorised there.
    *("relu6", "hardtanh", "hardswish", "softshrink", "elu", "selu", "celu"),
)


def special(card, data):
    """The statics of one draw, and every special value (for two inputs, every pair of them)."""
    statics = data.draw(card.signature)[1]
    count = 2 if card.name in TWO_INPUTS else 1
    values = np.array(list(itertools.product(SPECIAL, repeat=count))).T
    return [np.ascontiguousarray(column) for column in values], statics


@pytest.mark.parametrize("card", [c for c in KNOWN if c.name in ONE_INPUT | TWO_INPUTS], ids=str)
@given(data=st.data())
def test_values_and_gradients_at_special_numbers_are_those_of_pytorch(card, torch, data):
    arrays, statics = special(card, data)
    if (card.name, statics.get("exponent")) in ROOTS:
        arrays = [array[array >= 0] + 0.0 for array in arrays]
    if card.name in WITHOUT_NAN:
        arrays = [array[~np.isnan(array)] for array in arrays]
    case = Case(card, tuple(arrays), statics)
    ours, (tensors, expected) = case.tensors(), in_pytorch(torch, case)
    (output,), (other,) = case.run(ours), expected
    apart = differences(arrays, output.array, other.detach().numpy())
    assert not apart, f"{statics}: (inputs, ours, PyTorch's)"
    if output.requires_grad:
        output.backward(mg.ones_like(output))
        other.backward(torch.ones_like(other))
        for i, (tensor, twin) in enumerate(zip(ours, tensors, strict=True)):
            apart = differences(arrays, tensor.grad.array, twin.grad.numpy())
            assert not apart, f"gradient of input {i}, {statics}: (inputs, ours, PyTorch's)"


def differences(arrays, ours, other):
    """Where two results differ: the inputs there, and both numbers."""
    apart = ~np.isclose(ours, other, rtol=1e-12, atol=1e-300, equal_nan=True)
    return [(*(a[place] for a in arrays), ours[place], other[place]) for place in np.flatnonzero(apart)]


TIES = {
    "amax": lambda xp, x: xp.amax(x, 1),
    "aminmax": lambda xp, x: sum(xp.aminmax(x, dim=0)),
    "median": lambda xp, x: xp.median(x),
    "nanmedian": lambda xp, x: xp.nanmedian(x),
    "mode": lambda xp, x: xp.mode(x, 1).values,
    "largest norm": lambda xp, x: xp.norm(x, math.inf),
    "smallest norm": lambda xp, x: xp.norm(x, -math.inf, (0, 1)),
    "norm of 0": lambda xp, x: xp.norm(x * 0, 2, 0),
    "deviation of equals": lambda xp, x: xp.std(x[:, 2:] * 0 + x[:, :1]) + xp.std(x * 0),
    "cummax": lambda xp, x: xp.cummax(x, 1).values * x,
    "cummin": lambda xp, x: xp.cummin(x, 1).values * x,
    "product with zeros": lambda xp, x: xp.prod(x - 1, 1) + xp.prod(x - 3, 1),
    "products with zeros": lambda xp, x: xp.cumprod(x - 3, 1) * x,
    "amin of both": lambda xp, x: xp.amin(x, (0, 1)),
    "max": lambda xp, x: xp.max(x),
    "min": lambda xp, x: xp.min(x),
    "maximum": lambda xp, x: xp.maximum(x, x[:, [1, 0, 2]]),
    "median of relu": lambda xp, x: xp.relu(x - 2),
    "clamp": lambda xp, x: xp.clamp(x, 1.0, 3.0),
}


@pytest.mark.parametrize("op", TIES.values(), ids=TIES)
def test_ties_share_the_gradient_as_in_pytorch(op, torch):
    values = [[1.0, 3.0, 3.0], [3.0, 1.0, 2.0]]
    x, y = mg.tensor(values, requires_grad=True), torch.tensor(values, requires_grad=True)
    op(mg, x).sum().backward()
    op(torch, y).sum().backward()
    np.testing.assert_array_equal(x.grad.array, y.grad.numpy())


BINARY = (
    *("add", "mul", "div", "maximum", "eq", "where", "sub", "pow", "floor_divide", "remainder", "fmod"),
    *("fmax", "atan2", "xlogy", "copysign", "logical_xor", "bitwise_xor", "bitwise_left_shift"),
)
TENSORS_ONLY = ("maximum", "fmax", "atan2", "logical_xor")  # in PyTorch


def operand(xp, dtype, rank):
    """A tensor with dimensions, one without, or a Python number; of the type `dtype`."""
    if rank == "number":
        return {"f": 1.0, "b": True}.get(np.dtype(dtype).kind, 1)
    return xp.ones((2,) if rank == "tensor" else (), dtype=getattr(xp, dtype))


def called(xp, name, a, b):
    operators = {"add": lambda: a + b, "sub": lambda: a - b, "mul": lambda: a * b, "div": lambda: a / b}
    others = {"eq": lambda: a == b, "pow": lambda: a**b, "where": lambda: xp.where(a > 0, a, b)}
    return {**operators, **others}.get(name, lambda: getattr(xp, name)(a, b))()


@pytest.mark.parametrize("name", BINARY)
def test_types_are_promoted_as_in_pytorch(name, torch):
    different = []
    for one, other in itertools.product(DTYPES, repeat=2):
        if name == "pow" and one == other == "bool":
            continue  # PyTorch has it for numbers only
        for rank in ("tensor", "0-d", "number"):
            if rank == "number" and (name in TENSORS_ONLY or other not in ("float32", "int64", "bool")):
                continue
            try:
                theirs = called(torch, name, operand(torch, one, "tensor"), operand(torch, other, rank))
            except RuntimeError:
                continue  # PyTorch refuses bool - bool, and a power of bools
            ours = called(mg, name, operand(mg, one, "tensor"), operand(mg, other, rank))
            if f"torch.{ours.dtype}" != str(theirs.dtype):
                different.append((one, other, rank, ours.dtype, theirs.dtype))
    assert not different


@given(data=st.data())
def test_an_index_picks_what_it_picks_in_pytorch(torch, data):
    shape = data.draw(shapes())
    index = with_bools(data.draw, data.draw(indices(shape, negative_steps=False)))
    x = grown(data.draw(seeds(shape)), shape)
    parts = tuple(torch.tensor(part) if isinstance(part, np.ndarray) else part for part in index)
    ours, other = mg.tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    found, expected = ours[index], other[parts]
    assert_close(found.array, expected.detach().numpy(), 0, index)
    weight = cotangents([found])[0]
    (g,) = gradients([found], [ours], [weight])
    expected.backward(torch.tensor(weight))
    assert_close(g.array, other.grad.numpy(), 1e-14, index)


@given(data=st.data())
def test_an_assignment_writes_what_it_writes_in_pytorch(torch, data):
    shape = data.draw(shapes())
    index = with_bools(data.draw, data.draw(indices(shape, negative_steps=False, repeats=False)))
    parts = tuple(torch.tensor(part) if isinstance(part, np.ndarray) else part for part in index)
    x = grown(data.draw(seeds(shape)), shape)
    (values,) = cotangents([picked(x, index)], seed=1)
    pairs = [(xp.tensor(x, requires_grad=True), xp.tensor(values, requires_grad=True)) for xp in (mg, torch)]
    (ours, v), (other, w) = pairs
    found, expected = ours * 2, other * 2
    found[index], expected[parts] = v, w
    assert_close(found.array, expected.detach().numpy(), 0, index)
    (weight,) = cotangents([found])
    expected.backward(torch.tensor(weight))
    for g, twin in zip(gradients([found], [ours, v], [weight]), (other, w), strict=True):
        assert_close(g.array, twin.grad.numpy(), 1e-14, index)


WRITES = {  # (2, 4) into (3, 4), no place twice: PyTorch would give the gradient to all, and not to the last
    "scatter": lambda xp, x, v: x.scatter(0, xp.tensor([[0, 2, 1, 1], [1, 0, 0, 2]]), v),
    "scatter multiplying": lambda xp, x, v: x.scatter_reduce(0, xp.tensor([[0] * 4, [2] * 4]), v, "prod"),
    "index_copy": lambda xp, x, v: x.index_copy(0, xp.tensor([2, 0]), v),
    "index_put": lambda xp, x, v: x.index_put((xp.tensor([2, -3]),), v),
    "index_put of pairs": lambda xp, x, v: x.index_put((xp.tensor([[2], [0]]), xp.tensor([1, 3, 0, -2])), v),
    "index_put of a mask": lambda xp, x, v: x.index_put((xp.tensor([True, False, True]),), v),
    "index_put adding": lambda xp, x, v: x.index_put((xp.tensor([1, 1]),), v, True),
    "put": lambda xp, x, v: x.put(xp.tensor([[11, 0, 3, 5], [-2, 1, 6, 8]]), v),
    "put adding": lambda xp, x, v: x.put(xp.tensor([[11, 0, 3, 0], [-12, 1, 6, 6]]), v, True),
    "index_fill": lambda xp, x, v: x.index_fill(1, xp.tensor([0, 3]), v.sum()),
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
@given(data=st.data())
def test_writes_by_number_are_those_of_pytorch(write, torch, data):
    arrays = [grown(data.draw(seeds(shape)), shape) for shape in ((3, 4), (2, 4))]
    ours, theirs = ([xp.tensor(a, requires_grad=True) for a in arrays] for xp in (mg, torch))
    found, expected = write(mg, *ours), write(torch, *theirs)
    assert_close(found.array, expected.detach().numpy(), 1e-14)
    (weight,) = cotangents([found])
    expected.backward(torch.tensor(weight))
    for g, twin in zip(gradients([found], ours, [weight]), theirs, strict=True):
        assert_close(g.array, twin.grad.numpy(), 1e-13)
