"""Bad input to the operations: the kind of error, and what its message says."""

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf
from minigrad.errors import DTypeError, GraphError, ShapeError


def ones(*shape):
    return mg.ones(*shape, dtype=mg.float64, requires_grad=True)


SHAPES = {
    "a sum": (
        lambda: ones(2, 3) + ones(4, 3),
        r"add\(\): shapes \(2, 3\) and \(4, 3\) do not broadcast at dimension 0 \(2 vs 4\)",
    ),
    "a product with an array": (
        lambda: ones(2, 3) * np.ones((2, 4)),
        r"mul\(\): shapes \(2, 3\) and \(2, 4\) do not broadcast at dimension 1 \(3 vs 4\)",
    ),
    "shapes of unequal length": (
        lambda: ones(5, 2, 3) - ones(2),
        r"sub\(\): shapes \(5, 2, 3\) and \(2,\) do not broadcast at dimension 2 \(3 vs 2\)",
    ),
    "a choice": (lambda: mg.where(ones(3) > 0, ones(3), ones(2)), r"where\(\): shapes .* do not broadcast"),
    "a product of matrices": (
        lambda: ones(2, 3) @ ones(4, 5),
        r"matmul\(\): shapes \(2, 3\) and \(4, 5\): inner sizes 3 and 4 differ",
    ),
    "a matrix and a vector": (lambda: ones(2, 3) @ ones(2), "inner sizes 3 and 2 differ"),
    "a product with a number": (lambda: ones(2, 3) @ 2.0, r"at least one dimension each; use \* for scalars"),
    "batches": (lambda: ones(2, 3, 4) @ ones(3, 4, 5), r"matmul\(\).*dimension 0 \(2 vs 3\)"),
    "a reshape": (
        lambda: ones(3, 4).reshape(7, -1),
        r"reshape\(\): shape \(7, -1\) is impossible for 12 elements of shape \(3, 4\)",
    ),
    "two unknown sizes": (lambda: ones(3, 4).reshape(-1, -1), "2 sizes of -1, expected only one -1"),
    "a negative size": (lambda: ones(3, 4).reshape(-2, 6), "is impossible for 12 elements"),
    "a view across strides": (lambda: ones(3, 4).mT.view(12), r"cannot view the strides .*use \.reshape\(\)"),
    "an expansion": (lambda: ones(2, 3).expand(4, 3), r"shape \(2, 3\) does not expand to \(4, 3\)"),
    "a permutation": (lambda: ones(2, 3).permute(0), "expected each of the 2 dimensions once"),
    "a concatenation": (lambda: mg.cat([ones(2, 3), ones(2, 4)]), r"cat\(\): tensor 1 has shape \(2, 4\)"),
    "a stack": (lambda: mg.stack([ones(2), ones(2), ones(3)]), r"stack\(\): tensor 2 has shape \(3,\)"),
    "a split": (lambda: ones(5).split((2, 2)), r"sizes \(2, 2\) sum to 4, expected 5"),
    "an inner product": (lambda: mg.ops.dot(ones(2), ones(3)), "expected two vectors of equal length"),
    "a transpose of three dimensions": (lambda: ones(2, 3, 4).t(), "expected at most 2 dimensions"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_do_not_fit_are_named(name):
    call, message = SHAPES[name]
    with pytest.raises(ShapeError, match=message) as caught:
        call()
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, RuntimeError)


RANGES = {
    "a dimension": (lambda: ones(2, 3).sum(dim=5), "dim 5 out of range for 2-d tensor, expected [-2, 1]"),
    "a negative dimension": (lambda: ones(2, 3).mean(dim=-3), "dim -3 out of range for 2-d tensor"),
    "a dimension of a number": (
        lambda: ones().sum(dim=1),
        "dim 1 out of range for 0-d tensor, expected [-1, 0]",
    ),
    "a transpose": (lambda: ones(2, 3).transpose(0, 2), "dim 2 out of range"),
    "a new dimension": (lambda: ones(2, 3).unsqueeze(4), "dim 4 out of range"),
    "an index": (lambda: ones(3)[3], "index 3 is out of range for dimension 0 of size 3"),
    "a negative index": (lambda: ones(2, 3)[0, -4], "index -4 is out of range for dimension 1 of size 3"),
    "an index tensor": (
        lambda: ones(3)[mg.tensor([0, 5])],
        "index 5 is out of range for dimension 0 of size 3",
    ),
    "an index after an ellipsis": (lambda: ones(2, 3)[..., 3], "index 3 is out of range for dimension 1"),
    "too many indices": (lambda: ones(2)[0, 0], "too many indices: got 2 for a tensor of shape (2,)"),
    "two ellipses": (lambda: ones(2)[..., ...], "only one Ellipsis"),
    "an index after a mask": (
        lambda: ones(2, 3, 4)[mg.ones(2, 3, dtype=mg.bool), 4],
        "index 4 is out of range for dimension 2 of size 4",
    ),
    "a mask of another size": (lambda: ones(3)[mg.tensor([True, False])], "bool index of shape (2,)"),
    "gather": (
        lambda: mg.gather(ones(3), 0, mg.tensor([3])),
        "index 3 out of range for dimension 0 of size 3",
    ),
    "narrow": (lambda: mg.narrow(ones(3), 0, 2, 2), "start 2, length 2 out of range"),
    "an assignment": (lambda: mg.zeros(3).__setitem__(5, 1.0), "index 5 is out of range"),
}


@pytest.mark.parametrize("name", RANGES)
def test_what_is_out_of_range_is_an_index_error(name):
    call, message = RANGES[name]
    with pytest.raises(IndexError) as caught:
        call()
    assert message in str(caught.value)


def test_what_lies_in_range_is_taken():
    x = mg.arange(24).reshape(2, 3, 4)
    mask = mg.tensor([[True, False, False], [False, False, True]])
    assert x[mask, 3].tolist() == [3, 23]
    assert x[-2, -3, -4].item() == 0
    assert x[0, 0][mg.tensor([[0, 3], [-1, -4]])].tolist() == [[0, 3], [3, 0]]
    assert x[..., mask[1], 0].tolist() == [[8], [20]]


KINDS = {
    "an index of floats": (lambda: ones(3)[mg.tensor([0.5])], "indices must be int or bool, got float32"),
    "a float as index": (lambda: ones(3)[1.5], "got float"),
    "a text as index": (lambda: ones(3)["a"], "got str"),
    "a float in a slice": (lambda: ones(3)[0:1.5], "got float"),
    "a dimension that is no number": (lambda: ones(3).sum(dim="x"), "dim must be an int, got str 'x'"),
    "a size that is no number": (lambda: ones(4).reshape(2.0, 2), "sizes must be ints, got float 2.0"),
    "a sum with a text": (lambda: ones(3) + "a", "expected a Tensor, an array or a number, got str 'a'"),
    "a product with a list": (lambda: ones(3) * [1.0], "got list [1.0]"),
    "a sum with None": (lambda: ones(3) + None, "got NoneType None"),
    "a sum with a complex number": (lambda: ones(3) * 1j, "got complex 1j"),
    "a comparison with a text": (lambda: ones(3) < "a", "got str 'a'"),
    "a mean of integers": (lambda: mg.tensor([1, 2]).mean(), "mean(): expected a floating dtype, got int64"),
    "a mask of floats": (lambda: ones(3).masked_fill(ones(3), 0.0), "mask must be bool, got float64"),
    "a gather by floats": (lambda: mg.gather(ones(3), 0, ones(1)), "index must hold integers, got float64"),
    "a type that is none": (lambda: ones(3).to("float65"), "float65"),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_wrong_kind_of_value_is_a_type_error(name):
    call, message = KINDS[name]
    with pytest.raises(TypeError) as caught:
        call()
    assert message in str(caught.value)


VALUES = {
    "a dimension twice": (lambda: ones(2, 3).sum(dim=(0, -2)), "dim 0 appears twice in (0, -2)"),
    "nothing to concatenate": (lambda: mg.cat([]), "cat(): expected at least one tensor, got none"),
    "nothing to stack": (lambda: mg.stack([]), "stack(): expected at least one tensor, got none"),
    "the largest of nothing": (lambda: mg.zeros(0, 3).amax(), "amax(): an empty dimension"),
    "the place of nothing": (lambda: mg.zeros(3, 0).argmax(1), "argmax(): an empty dimension"),
    "a limit without limits": (lambda: ones(3).clamp(), "at least one of min and max"),
    "pieces of size 0": (lambda: ones(3).split(0), "split size must be positive, got 0"),
    "no chunks": (lambda: ones(3).chunk(0), "chunks must be positive, got 0"),
    "a negative power of integers": (lambda: mg.tensor([2]) ** -1, "integers to the negative power -1"),
    "an unknown approximation": (lambda: mg.gelu(ones(3), "fast"), "must be 'none' or 'tanh', got 'fast'"),
    "dimensions in the wrong order": (lambda: ones(2, 3).flatten(1, 0), "start_dim 1 comes after end_dim 0"),
}


@pytest.mark.parametrize("name", VALUES)
def test_the_wrong_value_is_a_value_error(name):
    call, message = VALUES[name]
    with pytest.raises(ValueError) as caught:  # noqa: PT011 (the message is compared below)
        call()
    assert message in str(caught.value)


def test_our_errors_are_those_that_both_schools_expect():
    assert issubclass(ShapeError, ValueError)
    assert issubclass(ShapeError, RuntimeError)
    assert issubclass(DTypeError, TypeError)
    assert issubclass(DTypeError, RuntimeError)
    assert issubclass(GraphError, RuntimeError)


@pytest.mark.parametrize("where", ["cuda", "cuda:1", mg.device("cuda", 1)])
def test_a_gpu_without_cupy_is_refused_with_a_remedy(where, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    for call in (lambda: mg.ones(2).to(where), lambda: mg.zeros(2, device=where)):
        with pytest.raises(RuntimeError, match=r"CuPy is not installed; pip install 'minigrad\[cuda1"):
            call()


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "", "cpu cuda"])
def test_a_device_that_does_not_exist_is_refused(name):
    with pytest.raises(RuntimeError, match="expected 'cpu', 'cuda' or 'cuda:<index>'"):
        mg.device(name)


def test_a_device_is_its_name():
    assert (mg.device("cpu"), mg.device("cuda"), mg.device("cuda", 1)) == ("cpu", "cuda:0", "cuda:1")
    assert (mg.device("cuda:3").index, mg.device("cpu").index) == (3, None)
    assert repr(mg.device("cuda:3")) == "device('cuda:3')"
    x = leaf(1.0)
    assert x.to("cpu") is x.cpu() is x
