"""What a Tensor is, seen from outside."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.errors import DTypeError, GraphError

REPRESENTATIONS = [
    (lambda: mg.tensor([1.0, 2.0]), "tensor([1., 2.])"),
    (lambda: mg.tensor([1, 2]), "tensor([1, 2])"),
    (lambda: mg.tensor(True), "tensor(True)"),
    (lambda: mg.tensor(1.5, dtype=mg.float64), "tensor(1.5, dtype=float64)"),
    (lambda: mg.tensor([1], dtype=mg.uint8), "tensor([1], dtype=uint8)"),
    (lambda: mg.zeros(0), "tensor([], dtype=float32)"),
    (lambda: mg.tensor([1.0], requires_grad=True), "tensor([1.], requires_grad=True)"),
    (lambda: mg.tensor([1.0], requires_grad=True) * 2, "tensor([2.], grad_fn=<MulBackward>)"),
    (lambda: mg.tensor([[1, 2], [3, 4]]), "tensor([[1, 2],\n        [3, 4]])"),
]


@pytest.mark.parametrize(("make", "text"), REPRESENTATIONS)
def test_a_tensor_shows_its_values_type_and_origin(make, text):
    assert repr(make()) == str(make()) == text


def test_a_number_can_be_formatted_like_one():
    assert f"{mg.tensor(2.5):.3f}" == "2.500"
    assert f"{mg.tensor(7):04d}" == "0007"
    assert f"{mg.tensor([1, 2])}" == "tensor([1, 2])"


def test_sizes_are_asked_for_in_pytorchs_ways():
    x = mg.zeros(2, 3, dtype=mg.float64)
    assert (x.shape, x.size(), x.size(0), x.size(-1)) == ((2, 3), (2, 3), 2, 3)
    assert (x.ndim, x.dim(), x.numel(), x.element_size(), len(x)) == (2, 2, 6, 8, 2)
    assert (x.is_floating_point(), mg.tensor(1).is_floating_point()) == (True, False)
    assert (x.device, x.device.type, x.device.index) == ("cpu", "cpu", None)


def test_a_tensor_is_iterated_over_its_first_dimension_with_gradients():
    x = normal(3, 2)
    rows = list(x)
    (rows[0] * 2.0 + rows[2]).sum().backward()
    assert x.grad.tolist() == [[2.0, 2.0], [0.0, 0.0], [1.0, 1.0]]


@pytest.mark.parametrize("use", [len, iter, list])
def test_a_number_is_no_sequence(use):
    with pytest.raises(TypeError, match="0-d tensor"):
        use(mg.tensor(1.0))


def test_one_element_is_a_python_number():
    assert [mg.tensor(value).item() for value in (1.5, 3, True)] == [1.5, 3, True]
    x = mg.tensor([[2.5]])
    assert (x.item(), float(x), int(x), bool(x)) == (2.5, 2.5, 2, True)
    assert type(mg.tensor(3).item()) is int
    assert leaf(2.0).item() == 2.0


@pytest.mark.parametrize("use", [bool, float, int])
@pytest.mark.parametrize("shape", [(0,), (2,), (2, 3)])
def test_several_elements_are_no_python_number(use, shape):
    with pytest.raises(ValueError, match=rf"{use.__name__}\(\): .*use \.any\(\), \.all\(\), \.item\(\)"):
        use(mg.zeros(*shape))
    with pytest.raises(ValueError, match=r"item\(\): got shape"):
        mg.zeros(*shape).item()


def test_an_integer_counts_as_an_index():
    assert "abc"[mg.tensor(1)] == "b"
    assert list(range(mg.tensor(3))) == [0, 1, 2]
    for wrong in (mg.tensor(1.0), mg.tensor([1, 2]), mg.tensor(True)):
        with pytest.raises(TypeError, match="only a one-element integer tensor can be an index"):
            "abc"[wrong]


def test_tensors_are_compared_element_by_element_and_hashed_by_identity():
    x, y = mg.tensor([1, 2]), mg.tensor([1, 3])
    assert ((x == y).tolist(), (x != y).tolist()) == ([True, False], [False, True])
    assert len({x, y, x}) == 2
    assert {x: "a"}[x] == "a"


def test_a_tensor_is_not_equal_to_what_is_no_number():
    x = mg.tensor([1, 2])
    assert (x == None, x != None, x == "a", x != "a") == (False, True, False, True)  # noqa: E711


def test_a_value_is_found_in_a_tensor():
    assert 3 in mg.tensor([1, 3])
    assert 4 not in mg.tensor([1, 3])


def test_tolist_nests_as_the_shape_does():
    assert mg.ones(1, 2, 1).tolist() == [[[1.0], [1.0]]]
    assert mg.tensor(2.0).tolist() == 2.0


def test_an_unknown_attribute_is_an_error_to_read_and_to_set():
    x = mg.ones(2)
    with pytest.raises(AttributeError):
        x.colour  # noqa: B018
    with pytest.raises(AttributeError):
        x.colour = "red"


# ------------------------------------------------------------------------------------------------ gradients


def test_requires_grad_can_be_switched_on_and_off_for_leaves():
    x = mg.ones(2)
    assert x.requires_grad_() is x
    assert x.requires_grad
    x.requires_grad = False
    assert (x.requires_grad, x.is_leaf) == (False, True)
    with pytest.raises(DTypeError, match="got int64"):
        mg.tensor([1]).requires_grad_()


def test_requires_grad_of_a_result_cannot_be_switched_off():
    y = leaf(1.0) * 2.0
    y.requires_grad = True
    assert y.grad_fn is not None
    with pytest.raises(GraphError, match=r"leaf tensors only; use \.detach\(\)"):
        y.requires_grad = False


def test_a_detached_tensor_shares_memory_and_has_no_history():
    x = leaf(1.0, 2.0)
    y = (x * 2.0).detach()
    assert (y.requires_grad, y.is_leaf, y.grad_fn) == (False, True, None)
    assert np.shares_memory(x.detach().array, x.array)
    assert np.shares_memory(x.data.array, x.array)


def test_a_clone_has_its_own_memory_and_passes_gradients():
    x = leaf(1.0, 2.0)
    y = x.clone()
    assert not np.shares_memory(y.array, x.array)
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0]


def test_data_can_be_replaced():
    x = leaf(1.0, 2.0)
    x.data = mg.tensor([5.0, 6.0, 7.0], dtype=mg.float64)
    (x * x).sum().backward()
    assert (x.tolist(), x.grad.tolist()) == ([5.0, 6.0, 7.0], [10.0, 12.0, 14.0])
    with pytest.raises(DTypeError, match="requires grad, so it cannot hold int64"):
        x.data = mg.tensor([1, 2])
    with pytest.raises(TypeError, match="data: expected a Tensor or an array, got list"):
        x.data = [1.0]


def test_a_gradient_that_requires_grad_is_not_given_to_numpy():
    with pytest.raises(RuntimeError, match=r"requires grad.*use \.detach\(\)\.numpy\(\)"):
        leaf(1.0).numpy()


# ------------------------------------------------------------------------------------------------ copies


def test_a_deep_copy_of_a_leaf_is_independent():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    twin = copy.deepcopy(x)
    with mg.no_grad():
        twin.add_(1.0)
    twin.grad.zero_()
    assert (x.tolist(), x.grad.tolist()) == ([1.0, 2.0], [2.0, 4.0])
    assert (twin.tolist(), twin.requires_grad, twin.is_leaf) == ([2.0, 3.0], True, True)


def test_a_deep_copy_keeps_what_is_shared_shared():
    x = leaf(1.0)
    one, other = copy.deepcopy([x, x])
    assert one is other
    assert one is not x


def test_a_result_cannot_be_copied_deeply():
    with pytest.raises(
        GraphError, match=r"only leaf tensors can be copied deeply; use \.detach\(\)\.clone\(\)"
    ):
        copy.deepcopy(leaf(1.0) * 2.0)


def test_tensors_are_not_pickled():
    with pytest.raises(TypeError, match=r"tensors are not pickled.*use minigrad\.save and minigrad\.load"):
        pickle.dumps(mg.ones(2))
