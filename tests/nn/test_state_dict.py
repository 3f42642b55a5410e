"""state_dict and load_state_dict: what is saved, and everything that does not fit said at once."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


def model():
    net = nn.Sequential(nn.Embedding(5, 3), nn.LSTM(3, 2, bidirectional=True), nn.LayerNorm(4))
    net.register_buffer("steps", mg.tensor(0))
    net.register_buffer("cache", mg.zeros(2), persistent=False)
    return net


def test_a_state_is_detached_and_shares_memory():
    layer = nn.Linear(2, 2)
    state = layer.state_dict()
    assert list(state) == ["weight", "bias"]
    assert not state["weight"].requires_grad
    assert state["weight"].array is layer.weight.array
    assert layer.state_dict(keep_vars=True)["weight"] is layer.weight


def test_own_parameters_come_first_then_buffers_then_children():
    net = nn.Sequential(nn.Linear(1, 1))
    net.register_buffer("count", mg.tensor(0))
    net.scale = nn.Parameter(mg.ones(1))
    assert list(net.state_dict(prefix="net.")) == ["net.scale", "net.count", "net.0.weight", "net.0.bias"]


def test_a_transient_buffer_is_not_saved():
    assert "steps" in model().state_dict()
    assert "cache" not in model().state_dict()


def test_loading_gives_the_same_bits():
    source, target = model(), model()
    assert target.load_state_dict(source.state_dict()) == ([], [])
    for key, value in source.state_dict().items():
        assert value.numpy().tobytes() == target.state_dict()[key].numpy().tobytes(), key


def test_loading_copies_so_that_the_source_may_change():
    source, target = nn.Linear(2, 2), nn.Linear(2, 2)
    target.load_state_dict(source.state_dict())
    with mg.no_grad():
        source.weight.fill_(9.0)
    assert not np.any(target.weight.array == 9.0)


def test_loading_keeps_the_parameter_and_its_dtype():
    layer = nn.Linear(2, 2)
    weight = layer.weight
    layer.load_state_dict({key: value.double() for key, value in nn.Linear(2, 2).state_dict().items()})
    assert layer.weight is weight
    assert weight.dtype == mg.float32
    assert weight.requires_grad


def test_arrays_are_loaded_as_well_as_tensors():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": np.array([3.0], dtype=np.float32)})
    assert layer.weight.tolist() == [[1.0, 2.0]]


def test_loading_is_a_write_in_place_that_the_tape_notices():
    layer = nn.Linear(2, 1)
    x = mg.ones(1, 2, requires_grad=True)
    y = layer(x).sum()
    layer.load_state_dict(nn.Linear(2, 1).state_dict())
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_everything_that_does_not_fit_is_listed_and_nothing_is_loaded():
    net = model()
    before = {key: value.numpy().copy() for key, value in net.state_dict().items()}
    state = {key: mg.ones_like(value) for key, value in net.state_dict().items()}
    del state["2.bias"]
    state["0.weight"] = mg.ones(5, 4)
    state["2.weight"] = mg.ones(4, dtype=mg.int64)
    state["steps"] = 3
    state["3.weight"] = mg.ones(1)
    with pytest.raises(RuntimeError) as caught:
        net.load_state_dict(state)
    message = str(caught.value)
    assert "0.weight: shape (5, 4), expected (5, 3)" in message
    assert "2.weight: dtype int64, expected float32" in message
    assert "steps: expected a Tensor or an array, got int" in message
    assert "missing key 2.bias: expected shape (4,)" in message
    assert "unexpected key 3.weight" in message
    for key, value in net.state_dict().items():
        assert value.numpy().tobytes() == before[key].tobytes(), key


def test_without_strict_keys_may_be_missing_or_unexpected_and_are_returned():
    layer = nn.Linear(2, 1)
    found = layer.load_state_dict({"weight": mg.ones(1, 2), "gain": mg.ones(1)}, strict=False)
    assert found.missing_keys == ["bias"]
    assert found.unexpected_keys == ["gain"]
    assert layer.weight.tolist() == [[1.0, 1.0]]
    with pytest.raises(RuntimeError, match=r"shape \(3,\), expected \(1, 2\)"):
        layer.load_state_dict({"weight": mg.ones(3)}, strict=False)


def test_a_state_that_is_no_mapping_is_refused():
    with pytest.raises(TypeError, match="expected a dict of tensors by path, got list"):
        nn.Linear(1, 1).load_state_dict([1])


def test_tied_weights_load_and_stay_tied():
    net = nn.Sequential(nn.Embedding(3, 2), nn.Linear(2, 3, bias=False))
    net[1].weight = net[0].weight
    net.load_state_dict({"0.weight": mg.ones(3, 2), "1.weight": mg.ones(3, 2)})
    assert net[1].weight is net[0].weight
    assert net[0].weight.tolist() == [[1.0, 1.0]] * 3


# ---------------------------------------------------------------------------------------------- assignment


def test_assigned_values_become_the_parameters_with_their_type():
    layer = nn.BatchNorm1d(2)
    layer.weight.requires_grad_(requires_grad=False)
    state = {name: value.double() for name, value in layer.state_dict().items()}
    state["num_batches_tracked"] = np.array(3)
    state["bias"] = nn.Parameter(state["bias"])
    layer.load_state_dict(state, assign=True)
    assert layer.weight.array is state["weight"].array
    assert isinstance(layer.weight, nn.Parameter)
    assert not layer.weight.requires_grad
    assert layer.bias is state["bias"]
    assert layer.running_mean.dtype == mg.float64
    assert layer.num_batches_tracked.item() == 3
    assert list(layer.state_dict()) == list(nn.BatchNorm1d(2).state_dict())


# ---------------------------------------------------------------------------------------------- extra state


class Counter(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.count = count

    def get_extra_state(self):
        return {"count": self.count}

    def set_extra_state(self, state):
        self.count = state["count"]


def test_extra_state_is_saved_and_loaded():
    source, target = nn.Sequential(nn.Linear(1, 1), Counter(7)), nn.Sequential(nn.Linear(1, 1), Counter(0))
    state = source.state_dict()
    assert list(state) == ["0.weight", "0.bias", "1._extra_state"]
    target.load_state_dict(state)
    assert target[1].count == 7
    del state["1._extra_state"]
    with pytest.raises(RuntimeError, match=r"missing key 1\._extra_state$"):
        target.load_state_dict(state)


def test_a_module_without_extra_state_says_so():
    with pytest.raises(RuntimeError, match=r"Linear has no get_extra_state\(\)"):
        nn.Linear(1, 1).get_extra_state()
    with pytest.raises(RuntimeError, match=r"Linear has no set_extra_state\(\); define it to load this int"):
        nn.Linear(1, 1).set_extra_state(3)


# ---------------------------------------------------------------------------------------------- hooks


def test_hooks_around_saving_see_the_module_and_change_what_is_saved():
    net, seen = nn.Sequential(nn.Linear(1, 1)), []
    net[0].register_state_dict_pre_hook(lambda *given: seen.append(given))
    handle = net[0].register_state_dict_post_hook(lambda _, state, prefix, __: state.pop(f"{prefix}bias"))
    assert list(net.state_dict()) == ["0.weight"]
    assert seen == [(net[0], "0.", False)]
    handle.remove()
    assert list(net.state_dict(prefix="net.")) == ["net.0.weight", "net.0.bias"]


def test_hooks_around_loading_may_rename_keys_and_see_what_was_left_aside():
    net, seen = nn.Sequential(nn.Linear(1, 1)), []

    def rename(_, state, prefix, *__):
        state[f"{prefix}weight"] = state.pop(f"{prefix}kernel")

    net[0].register_load_state_dict_pre_hook(rename)
    net.register_load_state_dict_post_hook(lambda module, keys: seen.append((module, keys)))
    given = {"0.kernel": mg.ones(1, 1), "0.gain": mg.ones(1)}
    net.load_state_dict(given, strict=False)
    assert net[0].weight.tolist() == [[1.0]]
    assert seen == [(net, (["0.bias"], ["0.gain"]))]
    assert list(given) == ["0.kernel", "0.gain"]


def test_a_hook_before_loading_may_refuse():
    layer = nn.Linear(1, 1)
    layer.register_load_state_dict_pre_hook(lambda *given: given[-1].append("this file is too old"))
    with pytest.raises(RuntimeError, match="nothing loaded:\n  this file is too old"):
        layer.load_state_dict(layer.state_dict())


def test_the_hooks_of_one_module_are_not_those_of_another():
    layer, calls = nn.Linear(1, 1), []
    layer.register_state_dict_pre_hook(lambda *_: calls.append(1))
    nn.Linear(1, 1).state_dict()
    assert calls == []
