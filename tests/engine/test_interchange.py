"""DLPack out and in, PyTorch, copy and deepcopy, and why nothing is pickled."""

import copy
import pickle

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf
from minigrad.errors import DTypeError

DTYPES = ("float64", "float32", "float16", "int64", "int32", "int8", "uint8", "bool")


@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_goes_to_numpy_and_back_without_a_copy(dtype):
    x = mg.ones(2, 3, dtype=dtype).mT
    there = np.from_dlpack(x)
    assert np.shares_memory(there, x.array)
    back = mg.from_dlpack(there)
    assert (back.dtype, back.shape) == (x.dtype, (3, 2))
    there[0, 0] = 0
    assert back[0, 0].item() == x[0, 0].item() == 0


def test_a_read_only_array_stays_read_only():
    values = np.zeros(3)
    values.flags.writeable = False
    x = mg.from_dlpack(values)
    with pytest.raises(RuntimeError, match="read-only"):
        x.add_(1.0)


def test_a_tensor_that_requires_grad_is_not_handed_out():
    with pytest.raises(BufferError, match=r"requires grad, which would be lost; use \.detach\(\)"):
        np.from_dlpack(leaf(1.0))
    assert np.from_dlpack(leaf(1.0).detach()).item() == 1.0


def test_what_does_not_speak_dlpack_is_named():
    with pytest.raises(TypeError, match=r"from_dlpack\(\): expected an array with __dlpack__, got list"):
        mg.from_dlpack([1.0])
    with pytest.raises(DTypeError, match="complex128"):
        mg.from_dlpack(np.zeros(2, dtype="complex128"))


@pytest.mark.oracle
@pytest.mark.parametrize("dtype", DTYPES)
def test_memory_goes_to_pytorch_and_back_without_a_copy(dtype):
    import torch

    x = mg.zeros(2, 3, dtype=dtype)
    there = torch.from_dlpack(x)
    there[1, 2] = 1
    assert x[1, 2].item() == 1
    back = mg.from_dlpack(there.t())
    x[0, 0] = 1
    assert (back[0, 0].item(), back.shape, back.dtype) == (1, (3, 2), x.dtype)
    with pytest.raises(BufferError):
        mg.from_dlpack(torch.zeros(2, requires_grad=True))


def test_a_copy_of_a_leaf_is_another_leaf_on_the_same_memory():
    x = leaf(1.0, 2.0)
    twin = copy.copy(x)
    assert twin is not x
    assert (twin.requires_grad, twin.is_leaf) == (True, True)
    assert np.shares_memory(twin.array, x.array)
    (twin * 2.0).sum().backward()
    assert (x.grad, twin.grad.tolist()) == (None, [2.0, 2.0])
    with mg.no_grad():
        twin.zero_()
    assert x._version == 1


def test_a_deep_copy_of_a_leaf_has_memory_and_gradient_of_its_own():
    x = leaf(1.0, 2.0)
    x.grad = mg.ones(2, dtype=mg.float64)
    twin = copy.deepcopy(x)
    assert not np.shares_memory(twin.array, x.array)
    assert twin.grad.tolist() == [1.0, 1.0]
    assert twin.grad is not x.grad


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_what_an_operation_made_is_not_copied(copied):
    with pytest.raises(RuntimeError, match="only leaf tensors can be copied"):
        copied(leaf(1.0) * 2.0)


def test_pickling_is_refused_with_the_remedy():
    with pytest.raises(TypeError, match=r"use minigrad\.save and minigrad\.load"):
        pickle.dumps(mg.ones(2))
