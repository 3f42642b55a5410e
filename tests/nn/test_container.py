"""Sequential, ModuleList, ModuleDict, ParameterList."""

import pytest

import minigrad as mg
from minigrad import nn


def test_sequential_runs_one_after_the_other():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    x = mg.rand(4, 2)
    assert net(x).tolist() == net[2](net[0](x).tanh()).tolist()


def test_sequential_takes_names():
    net = nn.Sequential({"hidden": nn.Linear(2, 3), "act": nn.ReLU()})
    assert list(net.state_dict()) == ["hidden.weight", "hidden.bias"]
    assert net.hidden is net[0]
    assert repr(net[1:]) == "Sequential(\n  (act): ReLU()\n)"


def test_a_slice_of_sequential_shares_its_modules_and_their_names():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    part = net[1:]
    assert part[1] is net[2]
    assert list(part.state_dict()) == ["2.weight", "2.bias"]


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleList])
def test_a_numbered_container_behaves_as_a_list(kind):
    tanh, relu, identity = nn.Tanh(), nn.ReLU(), nn.Identity()
    parts = kind().append(tanh).extend([relu])
    assert list(parts) == [tanh, relu]
    assert (len(parts), parts[0], parts[-1]) == (2, tanh, relu)
    parts.insert(1, identity)
    assert list(parts) == [tanh, identity, relu]
    assert [name for name, _ in parts.named_children()] == ["0", "1", "2"]
    parts[-1] = tanh
    assert list(parts) == [tanh, identity, tanh]
    del parts[0]
    assert list(parts) == [identity, tanh]
    del parts[:]
    assert len(parts) == 0


def test_a_position_that_is_not_there_is_named():
    with pytest.raises(IndexError, match="ModuleList: index 1 out of range, it holds 1 parts"):
        nn.ModuleList([nn.Tanh()])[1]
    with pytest.raises(IndexError, match="index -2 out of range"):
        nn.ModuleList([nn.Tanh()])[-2] = nn.Tanh()


def test_what_is_no_module_is_refused():
    with pytest.raises(TypeError, match="Sequential holds Modules, got builtin_function"):
        nn.Sequential(abs)
    with pytest.raises(TypeError, match="ModuleList holds Modules, got int 3"):
        nn.ModuleList([3])
    with pytest.raises(TypeError, match="ModuleDict holds Modules, got str for 'a'"):
        nn.ModuleDict({"a": "b"})


def test_a_slice_of_a_module_list_is_numbered_afresh():
    layers = nn.ModuleList(nn.Linear(1, 1) for _ in range(3))
    assert list(layers[1:].state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert layers[1:][0] is layers[1]


def test_a_module_dict_behaves_as_a_dict():
    heads = nn.ModuleDict({"year": nn.Linear(2, 4), "day": nn.Linear(2, 3)})
    assert list(heads) == list(heads.keys()) == ["year", "day"]
    assert "day" in heads
    assert "month" not in heads
    assert [module.out_features for module in heads.values()] == [4, 3]
    assert dict(heads.items())["day"] is heads["day"] is heads.day
    assert next(iter(heads.state_dict())) == "year.weight"
    heads["month"] = nn.Linear(2, 2)
    assert heads.pop("year").out_features == 4
    assert len(heads) == 2
    heads.clear()
    assert not list(heads.parameters())


def test_a_module_dict_names_the_keys_that_it_has():
    heads = nn.ModuleDict({"year": nn.Identity()})
    for attempt in (lambda: heads["day"], lambda: heads.pop("day"), lambda: heads.__delitem__("day")):
        with pytest.raises(KeyError, match=r"'day' is not among the keys \['year'\]"):
            attempt()
    with pytest.raises(ValueError, match="already has an attribute 'items'"):
        heads["items"] = nn.Identity()


def test_a_parameter_list_turns_tensors_into_parameters():
    weights = nn.ParameterList([mg.zeros(2), nn.Parameter(mg.ones(3))])
    assert [name for name, _ in weights.named_parameters()] == ["0", "1"]
    assert all(weight.requires_grad for weight in weights)
    assert repr(weights) == (
        "ParameterList(\n  (0): Parameter of shape (2,), float32\n  (1): Parameter of shape (3,), float32\n)"
    )
    assert repr(nn.ParameterList()) == "ParameterList()"


def test_a_list_in_a_model_belongs_to_its_tree():
    class Stack(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(1, 1)])
            self.scales = nn.ParameterList([mg.ones(1)])

    assert list(Stack().state_dict()) == ["layers.0.weight", "layers.0.bias", "scales.0"]


@pytest.mark.parametrize("kind", [nn.Sequential, nn.ModuleList])
def test_numbered_containers_are_added(kind):
    tanh, relu, identity = nn.Tanh(), nn.ReLU(), nn.Identity()
    first, second = kind().append(tanh), kind().extend([relu, identity])
    both = first + second
    assert type(both) is kind
    assert list(both) == [tanh, relu, identity]
    assert [name for name, _ in both.named_children()] == ["0", "1", "2"]
    assert len(first) == 1
    first += second
    assert list(first) == [tanh, relu, identity]
    first += first
    assert len(first) == 6


def test_a_part_is_taken_out_by_its_position():
    tanh, relu = nn.Tanh(), nn.ReLU()
    layers = nn.ModuleList([tanh, relu])
    assert layers.pop() is relu
    assert layers.insert(0, relu) is layers
    assert layers.pop(0) is relu
    assert list(layers) == [tanh]
    with pytest.raises(IndexError, match="index 1 out of range"):
        layers.pop(1)


def test_a_sequential_times_a_number_repeats_its_modules():
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    assert list(net * 2) == list(2 * net) == [*net, *net]
    assert len(list((net * 2).parameters())) == 2
    net *= 2
    assert len(net) == 4
    assert net[2] is net[0]
    with pytest.raises(ValueError, match="a product with 0, expected a factor of"):
        net * 0


def test_what_is_put_behind_a_slice_takes_the_place_of_nothing():
    net = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    part = net[1:].append(nn.ReLU())
    assert [name for name, _ in part.named_children()] == ["1", "2", "3"]


def test_equal_modules_of_a_list_are_counted_when_printed():
    layers = nn.ModuleList(
        [nn.Linear(1, 1), nn.Linear(1, 1), nn.Sequential(nn.Tanh()), nn.Sequential(nn.Tanh())]
    )
    assert repr(layers) == (
        "ModuleList(\n  (0-1): 2 x Linear(in_features=1, out_features=1, bias=True)\n"
        "  (2-3): 2 x Sequential(\n    (0): Tanh()\n  )\n)"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_a_parameter_dict_behaves_as_a_dict():
    weights = nn.ParameterDict({"left": mg.ones(2), "right": nn.Parameter(mg.zeros(3))})
    assert list(weights) == ["left", "right"] == list(weights.state_dict())
    assert all(isinstance(weight, nn.Parameter) for weight in weights.values())
    assert weights["left"] is weights.left is weights.get("left")
    assert weights.get("middle", 7) == 7
    assert list(reversed(weights)) == ["right", "left"]
    added = weights.setdefault("middle", mg.ones(1))
    assert weights.setdefault("middle", mg.zeros(1)) is added
    assert weights.popitem() == ("middle", added)
    copied = weights.copy()
    copied.pop("left")
    assert len(weights) == 2
    other = nn.ParameterDict({"right": mg.ones(1), "top": mg.ones(4)})
    assert [weight.shape for weight in (weights | other).values()] == [(2,), (1,), (4,)]
    weights |= other
    assert list(weights) == ["left", "right", "top"]
    assert list(nn.ParameterDict.fromkeys(["a", "b"], mg.ones(1))) == ["a", "b"]
    assert repr(copied) == "ParameterDict(\n  (right): Parameter of shape (3,), float32\n)"
    assert nn.ParameterDict([("a", mg.ones(1))]).a.shape == (1,)
    with pytest.raises(KeyError):
        nn.ParameterDict().popitem()


def test_what_is_no_tensor_is_no_parameter():
    with pytest.raises(TypeError, match=r"ParameterList holds Parameters, got float 1\.0"):
        nn.ParameterList([1.0])
    with pytest.raises(TypeError, match="ParameterDict holds Parameters, got str 'b'"):
        nn.ParameterDict({"a": "b"})


def test_a_module_dict_is_extended_by_another():
    heads = nn.ModuleDict([("year", nn.Linear(2, 4))])
    heads.update(nn.ModuleDict({"day": nn.Linear(2, 3)}))
    assert list(heads) == ["year", "day"]


def test_containers_have_the_argument_names_of_pytorch():
    assert len(nn.ModuleList(modules=[nn.Tanh()])) == len(nn.ParameterList(values=[mg.ones(1)])) == 1
    assert list(nn.ModuleDict(modules={"a": nn.Tanh()})) == ["a"]
    assert list(nn.ParameterDict(parameters={"a": mg.ones(1)})) == ["a"]


def test_a_dict_is_joined_with_a_parameter_dict():
    weights = nn.ParameterDict({"right": mg.zeros(3)})
    joined = {"left": mg.ones(2), "right": mg.ones(1)} | weights
    assert [(name, weight.shape) for name, weight in joined.items()] == [("left", (2,)), ("right", (3,))]
    assert joined["right"] is weights["right"]
