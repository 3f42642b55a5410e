"""Every layer and every loss computes on a GPU what it computes on the CPU, forwards and backwards."""

import inspect

import pytest

import minigrad as mg
from api_layers import BUILT
from device_twins import assert_close, assert_same_layer, declared_layers
from minigrad import nn

LAYERS = declared_layers()
MADE_ANYWHERE = [name for name in BUILT if "device" in inspect.signature(getattr(nn, name)).parameters]
STARTS = {
    "uniform_": {}, "normal_": {}, "trunc_normal_": {}, "constant_": {"val": 3.0}, "ones_": {}, "zeros_": {},
    "eye_": {}, "xavier_uniform_": {}, "xavier_normal_": {}, "kaiming_uniform_": {}, "kaiming_normal_": {},
    "orthogonal_": {}, "sparse_": {"sparsity": 0.5},
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_is_the_same_on_a_gpu(name, device, dtype):
    assert_same_layer(LAYERS[name], device, dtype)


@pytest.mark.parametrize("name", MADE_ANYWHERE)
def test_a_layer_that_is_made_there_begins_as_on_the_cpu(name, device):
    """The arguments are those by which its page shows what it holds."""
    found = []
    for where in ("cpu", device):
        mg.manual_seed(0)
        given = BUILT[name].removesuffix(")")
        call = f"{name}{given}{'' if given == '(' else ', '}device={where!r})"
        found.append(eval(call, {**vars(mg), **vars(nn)}).state_dict())  # noqa: S307 (of our own table)
    for key, here in found[0].items():
        assert found[1][key].device == device
        assert_close(found[1][key], here, key)


@pytest.mark.parametrize("name", STARTS)
def test_a_weight_is_filled_there_as_on_the_cpu(name, device):
    found = []
    for where in ("cpu", device):
        weight = mg.empty(4, 6, device=where)
        getattr(nn.init, name)(
            weight, **STARTS[name], **({} if name in FIXED else {"generator": mg.Generator(2)})
        )
        found.append(weight)
    assert_close(found[1], found[0], name)


FIXED = {"constant_", "ones_", "zeros_", "eye_"}  # nothing is drawn


def test_a_length_out_of_range_is_named_once_values_reach_the_host(device):
    layer, x = mg.nn.GRU(2, 3).to(device), mg.ones(4, 2, 2, device=device)
    output, _ = layer(x, lengths=mg.tensor([4, 5], device=device))
    with pytest.raises(ValueError, match=r"GRU: lengths\[1\] is 5, expected 1 to T = 4"):
        output.cpu()
    assert output.cpu().shape == (4, 2, 3)
