"""Buffer: a tensor that becomes a buffer of a module by being assigned."""

import copy

import pytest

import minigrad as mg
from minigrad import nn


def module():
    made = nn.Module()
    made.mean = nn.Buffer(mg.ones(2))
    made.seen = nn.Buffer(mg.zeros(1, dtype=mg.int64), persistent=False)
    return made


def test_a_buffer_is_assigned_and_saved_if_it_is_persistent():
    made = module()
    assert [name for name, _ in made.named_buffers()] == ["mean", "seen"]
    assert list(made.state_dict()) == ["mean"]
    assert not list(made.parameters())


def test_a_buffer_shares_the_memory_of_its_tensor_and_not_its_history():
    x = mg.ones(2, requires_grad=True)
    buffer = nn.Buffer(x * 2)
    assert buffer.is_leaf
    held = mg.zeros(3)
    nn.Buffer(held).fill_(1)
    assert held.tolist() == [1.0, 1.0, 1.0]


def test_a_plain_tensor_takes_the_place_of_a_buffer():
    made = module()
    made.mean = mg.zeros(3)
    assert made.state_dict()["mean"].shape == (3,)
    with pytest.raises(TypeError, match="mean is a buffer: expected a Tensor or None, got int"):
        made.mean = 3


def test_a_copy_of_a_buffer_is_as_persistent_as_the_first():
    twin = copy.deepcopy(module())
    other = nn.Module()
    other.seen, other.mean = twin.seen, twin.mean
    assert list(other.state_dict()) == ["mean"]
    assert twin.mean.array is not module().mean.array


def test_modules_are_walked_with_or_without_repetition():
    tanh = nn.Tanh()
    net = nn.Sequential(tanh, tanh)
    assert len(list(net.modules())) == 2
    assert len(list(net.modules(remove_duplicate=False))) == 3
