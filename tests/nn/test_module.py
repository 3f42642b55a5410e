"""Module: what a part is, and the walks over the tree."""

import copy

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.modes import mode, tracing


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(7, 4)
        self.lstm = nn.LSTM(4, 3)

    def forward(self, indices):
        return self.lstm(self.embedding(indices))[0]


class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder = Encoder()
        self.output = nn.Linear(3, 7, bias=False)
        self.register_buffer("offset", mg.zeros(7))
        self.register_buffer("scratch", mg.zeros(2), persistent=False)
        self.output.weight  # noqa: B018 (an attribute that exists is found without __getattr__)

    def forward(self, indices):
        return self.output(self.encoder(indices)) + self.offset


def names(pairs):
    return [name for name, _ in pairs]


# ---------------------------------------------------------------------------------------------- the walks


def test_parameters_are_named_by_the_path_of_attributes():
    assert names(Model().named_parameters()) == [
        "encoder.embedding.weight",
        "encoder.lstm.weight_ih_l0",
        "encoder.lstm.weight_hh_l0",
        "encoder.lstm.bias_ih_l0",
        "encoder.lstm.bias_hh_l0",
        "output.weight",
    ]


def test_modules_come_parents_first():
    model = Model()
    assert names(model.named_modules()) == ["", "encoder", "encoder.embedding", "encoder.lstm", "output"]
    assert names(model.named_children()) == ["encoder", "output"]
    assert list(model.children()) == [model.encoder, model.output]
    assert next(model.modules()) is model


def test_a_prefix_stands_before_every_name():
    assert names(nn.Linear(1, 1).named_parameters("top")) == ["top.weight", "top.bias"]
    assert names(Model().named_modules(prefix="top"))[:2] == ["top", "top.encoder"]


def test_without_recursion_only_own_parts_come():
    model = Model()
    assert names(model.named_parameters(recurse=False)) == []
    assert names(model.output.named_parameters(recurse=False)) == ["weight"]


def test_buffers_are_named_persistent_or_not():
    assert names(Model().named_buffers()) == ["offset", "scratch"]
    assert len(list(Model().buffers())) == 2


def test_a_tied_parameter_comes_once():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
    model[1].weight = model[0].weight
    assert names(model.named_parameters()) == ["0.weight"]
    assert names(model.named_parameters(remove_duplicate=False)) == ["0.weight", "1.weight"]
    assert list(model.state_dict()) == ["0.weight", "1.weight"]


def test_a_module_used_twice_comes_once():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, layer)
    assert names(model.named_modules()) == ["", "0"]
    assert names(model.named_children()) == ["0"]
    assert len(list(model.parameters())) == 2
    assert names(model.named_modules(remove_duplicate=False)) == ["", "0", "1"]


def test_get_submodule_follows_the_path():
    model = Model()
    assert model.get_submodule("encoder.lstm") is model.encoder.lstm
    assert model.get_submodule("") is model
    with pytest.raises(AttributeError, match=r"no 'lstn' on the way to 'encoder.lstn', only .*'lstm'"):
        model.get_submodule("encoder.lstn")
    with pytest.raises(AttributeError, match="weight"):
        model.get_submodule("output.weight")


def test_a_parameter_a_buffer_and_a_module_are_found_and_put_by_their_path():
    model = Model()
    assert model.get_parameter("encoder.lstm.weight_hh_l0") is model.encoder.lstm.weight_hh_l0
    assert model.get_buffer("scratch") is model.scratch
    replacement = nn.Embedding(7, 4)
    model.set_submodule("encoder.embedding", replacement, strict=True)
    assert model.encoder.embedding is replacement
    model.set_submodule("encoder.norm", nn.LayerNorm(3))
    assert model.get_buffer("offset").shape == (7,)
    assert model.get_submodule("encoder.norm") is model.encoder.norm


def test_a_path_that_leads_nowhere_names_what_is_there():
    model = Model()
    with pytest.raises(AttributeError, match=r"get_parameter\(\): no parameter 'bias' .*, only \['weight'\]"):
        model.get_parameter("output.bias")
    with pytest.raises(AttributeError, match=r"get_buffer\(\): no buffer 'weight' at 'output.weight', only"):
        model.get_buffer("output.weight")
    with pytest.raises(AttributeError, match="no 'decoder' on the way"):
        model.get_parameter("decoder.weight")
    with pytest.raises(AttributeError, match="no 'norm' on the way"):
        model.set_submodule("encoder.norm", nn.Identity(), strict=True)


# ---------------------------------------------------------------------------------------------- parts


def test_a_parameter_replaced_keeps_its_place():
    layer = nn.Linear(2, 3)
    layer.weight = nn.Parameter(mg.zeros(3, 2))
    assert names(layer.named_parameters()) == ["weight", "bias"]


def test_none_makes_a_part_absent_and_leaves_its_kind():
    layer = nn.Linear(2, 3)
    layer.bias = None
    assert names(layer.named_parameters()) == ["weight"]
    with pytest.raises(TypeError, match="bias is a parameter: expected a Parameter or None, got Tensor"):
        layer.bias = mg.zeros(3)
    layer.bias = nn.Parameter(mg.zeros(3))
    assert names(layer.named_parameters()) == ["weight", "bias"]


def test_a_deleted_part_is_forgotten_and_its_name_is_free():
    layer = nn.Linear(2, 3)
    del layer.bias
    assert names(layer.named_parameters()) == ["weight"]
    layer.bias = 7
    assert layer.bias == 7
    with pytest.raises(AttributeError):
        del layer.bais


def test_a_buffer_takes_another_tensor_and_nothing_else():
    model = Model()
    model.offset = mg.ones(7)
    assert names(model.named_buffers()) == ["offset", "scratch"]
    with pytest.raises(TypeError, match="offset is a buffer: expected a Tensor or None, got float"):
        model.offset = 1.0


def test_a_module_is_not_replaced_by_something_else():
    model = Model()
    with pytest.raises(TypeError, match="encoder is a module: expected a Module or None, got str"):
        model.encoder = "encoder"


def test_a_tensor_that_is_no_parameter_is_an_ordinary_attribute():
    layer = nn.Identity()
    layer.scale = mg.ones(2)
    assert not list(layer.parameters())
    assert not layer.state_dict()


@pytest.mark.parametrize("name", ["", "a.b"])
def test_a_part_cannot_have_an_empty_or_dotted_name(name):
    with pytest.raises(ValueError, match="a name without dots"):
        nn.Identity().register_parameter(name, nn.Parameter(mg.zeros(1)))


def test_registering_refuses_a_taken_name():
    layer = nn.Linear(2, 2)
    with pytest.raises(ValueError, match="already has an attribute 'weight'"):
        layer.register_buffer("weight", mg.zeros(1))
    with pytest.raises(ValueError, match="already has an attribute 'forward'"):
        layer.register_module("forward", nn.Identity())
    with pytest.raises(ValueError, match="already has an attribute 'in_features'"):
        layer.register_parameter("in_features", None)


def test_registering_refuses_a_wrong_type():
    layer = nn.Identity()
    with pytest.raises(TypeError, match="the parameter 'w' must be a Parameter or None, got Tensor"):
        layer.register_parameter("w", mg.zeros(1))
    with pytest.raises(TypeError, match="the buffer 'w' must be a Tensor or None, got list"):
        layer.register_buffer("w", [1.0])
    with pytest.raises(TypeError, match="the module 'w' must be a Module or None, got function"):
        layer.add_module("w", lambda x: x)


def test_a_part_assigned_before_init_gets_the_remedy():
    class Early(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(mg.zeros(1))
            super().__init__()

    with pytest.raises(AttributeError, match=r"Early.weight: call super\(\).__init__\(\) before"):
        Early()


def test_a_module_used_without_init_gets_the_remedy():
    class Forgetful(nn.Module):
        def __init__(self):
            self.size = 3

    with pytest.raises(AttributeError, match=r"call super\(\).__init__\(\)"):
        Forgetful()(1)


def test_an_unknown_attribute_names_near_ones():
    with pytest.raises(AttributeError, match=r"Linear has no attribute 'wieght'; did you mean weight"):
        nn.Linear(1, 1).wieght  # noqa: B018 (the reading is the test)
    with pytest.raises(AttributeError, match=r"did you mean (.* or )?in_features"):
        nn.Linear(1, 1).in_feature  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no attribute 'zzzzzzzz'$"):
        nn.Linear(1, 1).zzzzzzzz  # noqa: B018
    assert not hasattr(nn.Linear(1, 1), "__no_such_protocol__")


def test_a_module_cannot_contain_itself():
    model = Model()
    with pytest.raises(ValueError, match="a module cannot contain itself, and again is this one"):
        model.again = model
    with pytest.raises(ValueError, match=r"Embedding.owner: .*, and owner.encoder.embedding is this one"):
        model.encoder.embedding.owner = model
    assert names(model.named_modules()) == ["", "encoder", "encoder.embedding", "encoder.lstm", "output"]


# ---------------------------------------------------------------------------------------------- running


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match=r"Silent has no forward\(\)"):
        type("Silent", (nn.Module,), {})()(1)


def test_a_traced_graph_knows_the_path_of_every_module():
    model, paths = Model(), set()
    with tracing():
        node = model(mg.tensor([[1, 2]])).grad_fn
        loss = nn.CrossEntropyLoss()(mg.zeros(1, 3, requires_grad=True), mg.tensor([0]))
    stack = [node, loss.grad_fn]
    while stack:
        node = stack.pop()
        if node is not None:
            if node.note is not None:
                paths.add(node.note.module)
            stack.extend(node.edges)
    assert paths >= {"Model", "encoder.embedding", "encoder.lstm", "output", "CrossEntropyLoss"}
    assert mode.modules == ()


def test_a_failing_forward_leaves_the_traced_path_as_it_was():
    with tracing(), pytest.raises(ValueError, match="last dimension"):
        nn.Sequential(nn.Linear(3, 4))(mg.zeros(2, 5))
    assert mode.modules == ()


# ---------------------------------------------------------------------------------------------- changing


def test_train_and_eval_reach_every_module():
    model = Model()
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train() is model
    assert all(module.training for module in model.modules())


def test_a_layer_that_overrides_train_is_asked():
    class Frozen(nn.Linear):
        def train(self, mode=True):
            return super().train(mode=False)

    model = nn.Sequential(Frozen(1, 1), nn.Tanh()).train()
    assert [module.training for module in model.modules()] == [True, False, True]
    with pytest.raises(ValueError, match=r"train\(\): mode=1, expected True or False"):
        model.train(1)


def test_apply_visits_children_first():
    seen = []
    nn.Sequential(nn.Sequential(nn.Tanh()), nn.ReLU()).apply(
        lambda module: seen.append(type(module).__name__)
    )
    assert seen == ["Tanh", "Sequential", "ReLU", "Sequential"]


def test_requires_grad_freezes_and_thaws():
    model = Model().requires_grad_(requires_grad=False)
    assert not any(parameter.requires_grad for parameter in model.parameters())
    assert model.requires_grad_() is model
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_zero_grad_forgets_or_fills():
    layer = nn.Linear(2, 1)
    layer(mg.ones(1, 2)).sum().backward()
    gradient = layer.weight.grad
    layer.zero_grad(set_to_none=False)
    assert layer.weight.grad.tolist() == gradient.tolist() == [[0.0, 0.0]]
    layer.zero_grad()
    assert layer.weight.grad is None


def test_to_changes_floating_tensors_and_keeps_the_parameters():
    layer = nn.Linear(2, 1)
    layer.register_buffer("count", mg.tensor(3))
    layer.register_buffer("mean", mg.zeros(1))
    weight = layer.weight
    layer(mg.ones(1, 2)).sum().backward()
    assert layer.double() is layer
    assert layer.weight is weight
    assert (weight.dtype, weight.grad.dtype, layer.mean.dtype) == (mg.float64,) * 3
    assert layer.count.dtype == mg.int64
    layer.zero_grad()
    layer(mg.ones(1, 2, dtype=mg.float64)).sum().backward()
    assert weight.grad.dtype == mg.float64
    assert layer.half().weight.dtype == mg.float16
    assert layer.float().weight.dtype == mg.float32
    assert layer.to("cpu").to(mg.float64).bias.dtype == mg.float64


def test_to_refuses_a_type_without_gradients():
    with pytest.raises(TypeError, match="int64"):
        nn.Linear(2, 1).to(mg.int64)


def test_a_tied_parameter_is_converted_once_and_stays_tied():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    model.double()
    assert model[1].weight is model[0].weight


def test_a_deep_copy_shares_nothing():
    model = Model()
    twin = copy.deepcopy(model)
    assert names(twin.named_parameters()) == names(model.named_parameters())
    assert isinstance(twin.output.weight, nn.Parameter)
    with mg.no_grad():
        twin.output.weight.fill_(5.0)
    assert not np.any(model.output.weight.array == 5.0)


# ---------------------------------------------------------------------------------------------- printing


def test_a_printed_model_is_a_tree():
    assert repr(Model()) == (
        "Model(\n"
        "  (encoder): Encoder(\n"
        "    (embedding): Embedding(7, 4)\n"
        "    (lstm): LSTM(4, 3)\n"
        "  )\n"
        "  (output): Linear(in_features=3, out_features=7, bias=False)\n"
        ")"
    )
    assert repr(nn.Tanh()) == "Tanh()"


def test_extra_words_stand_above_the_children():
    class Stack(nn.Sequential):
        def extra_repr(self):
            return "depth=1"

    assert repr(Stack(nn.ReLU())) == "Stack(\n  depth=1\n  (0): ReLU()\n)"


def test_a_parameter_says_that_it_is_one():
    assert repr(nn.Parameter(mg.zeros(2))).startswith("Parameter containing:\ntensor([0., 0.]")


def test_a_parameter_shares_memory_and_version_with_its_tensor():
    values = mg.zeros(2)
    parameter = nn.Parameter(values)
    with mg.no_grad():
        parameter.fill_(3.0)
    assert values.tolist() == [3.0, 3.0]
    assert values._version == parameter._version == 1
    assert not nn.Parameter(values, requires_grad=False).requires_grad


def test_a_parameter_is_a_leaf_whatever_it_came_from():
    made = mg.ones(2, requires_grad=True) * 2
    assert nn.Parameter(made).is_leaf
    assert not isinstance(nn.Parameter(made) * 2, nn.Parameter)
