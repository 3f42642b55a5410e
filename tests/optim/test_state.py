"""state_dict and load_state_dict: a run that is interrupted continues with the same bits."""

import numpy as np
import pytest

import minigrad as mg
from equations import CASES, OPTIONS, gradient, shapes_of, start
from minigrad.checkpoint import load_checkpoint, save_checkpoint
from minigrad.tensor import Tensor

SHAPES = [(3, 4), (), (500,), (0, 2), (70, 70)]
OPTIMIZERS = {
    "SGD": lambda params: mg.optim.SGD(params, lr=0.1),
    "SGD momentum": lambda params: mg.optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.1),
    "SGD nesterov": lambda params: mg.optim.SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda params: mg.optim.Adam(params, lr=0.1, weight_decay=0.01),
    "AdamW": lambda params: mg.optim.AdamW(params, lr=0.1),
    "Adam amsgrad": lambda params: mg.optim.Adam(params, lr=0.1, amsgrad=True, maximize=True),
    "Adamax": lambda params: mg.optim.Adamax(params, lr=0.1),
    "NAdam": lambda params: mg.optim.NAdam(params, lr=0.1),
    "RAdam": lambda params: mg.optim.RAdam(params, lr=0.1, betas=(0.5, 0.9)),
    "Adagrad": lambda params: mg.optim.Adagrad(params, lr=0.1, lr_decay=0.1),
    "Adadelta": mg.optim.Adadelta,
    "RMSprop": lambda params: mg.optim.RMSprop(params, momentum=0.9, centered=True),
    "Rprop": mg.optim.Rprop,
    "ASGD": lambda params: mg.optim.ASGD(params, lr=0.1, lambd=0.1, t0=5),
    "Adafactor": lambda params: mg.optim.Adafactor(params, lr=0.1),
    "Muon": lambda params: mg.optim.Muon([param for param in params if param.ndim == 2], lr=0.1),
}
each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def leaves(dtype=np.float32):
    random = np.random.default_rng(0)
    return [mg.tensor(random.standard_normal(shape).astype(dtype), requires_grad=True) for shape in SHAPES]


def advance(params, optimizer, first, stop):
    for step in range(first, stop):
        for i, param in enumerate(params):
            slope = np.random.default_rng([step, i]).standard_normal(param.shape).astype(param.dtype)
            param.grad = None if step % 7 == i else mg.tensor(slope)
        optimizer.step()


def bits(params):
    return [param.array.tobytes() for param in params]


@each_optimizer
@pytest.mark.parametrize("interruption", [1, 25, 49])
def test_a_resumed_run_has_the_bits_of_an_uninterrupted_one(tmp_path, make, interruption):
    params = leaves()
    optimizer = make(params)
    advance(params, optimizer, 0, interruption)
    values = [param.data for param in params]
    save_checkpoint({"model": values, "optimizer": optimizer.state_dict()}, tmp_path / "file")
    advance(params, optimizer, interruption, 50)

    state = load_checkpoint(tmp_path / "file")
    resumed = [Tensor(tensor.array, requires_grad=True) for tensor in state["model"]]
    again = make(resumed)
    again.load_state_dict(state["optimizer"])
    advance(resumed, again, interruption, 50)
    assert bits(resumed) == bits(params)


@each_optimizer
def test_a_loaded_state_is_a_copy(make):
    params = leaves()
    optimizer = make(params)
    advance(params, optimizer, 0, 3)
    state = optimizer.state_dict()
    twins = [Tensor(param.array.copy(), requires_grad=True) for param in params]
    twin = make(twins)
    twin.load_state_dict(state)
    advance(params, optimizer, 3, 6)
    advance(twins, twin, 3, 6)
    assert bits(twins) == bits(params)


def test_state_dict_has_the_structure_of_pytorch():
    params = leaves()
    optimizer = mg.optim.Adam([{"params": params[:2]}, {"params": params[2:], "lr": 0.5}])
    advance(params, optimizer, 10, 13)
    state = optimizer.state_dict()
    assert list(state) == ["state", "param_groups"]
    assert list(state["state"]) == [0, 1, 2, 3, 4]
    assert sorted(state["state"][0]) == ["exp_avg", "exp_avg_sq", "step"]
    assert [group["params"] for group in state["param_groups"]] == [[0, 1], [2, 3, 4]]
    assert sorted(state["param_groups"][1]) == sorted(
        ["params", "lr", "betas", "eps", "weight_decay", "amsgrad", "maximize", "decoupled_weight_decay"]
    )
    assert state["param_groups"][1]["lr"] == 0.5


def test_a_new_optimiser_has_no_state_and_can_load_none():
    optimizer = mg.optim.SGD(leaves())
    assert optimizer.state_dict()["state"] == {}
    optimizer.load_state_dict(optimizer.state_dict())
    assert optimizer.state == {}


def test_loaded_groups_bring_their_options():
    params = leaves()
    saved = mg.optim.Adam(params, lr=0.25, betas=(0.5, 0.6)).state_dict()
    saved["param_groups"][0]["initial_lr"] = 0.5
    optimizer = mg.optim.Adam(params)
    optimizer.load_state_dict(saved)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["betas"], group["initial_lr"]) == (0.25, (0.5, 0.6), 0.5)
    assert all(a is b for a, b in zip(group["params"], params, strict=True))


def test_pytorch_s_state_of_sgd_which_counts_no_steps_is_loaded():
    params = leaves(np.float64)[:2]
    optimizer = mg.optim.SGD(params, lr=1.0, momentum=0.5, dampening=0.5)
    groups = [{"lr": 1.0, "momentum": 0.5, "dampening": 0.5, "foreach": None, "params": [0, 1]}]
    buffer = mg.tensor(np.full((3, 4), 8.0))
    optimizer.load_state_dict(
        {"state": {0: {"momentum_buffer": buffer}, 1: {"momentum_buffer": None}}, "param_groups": groups}
    )
    before = [param.array.copy() for param in params]
    for param in params:
        param.grad = mg.tensor(np.full(param.shape, 2.0))
    optimizer.step()
    np.testing.assert_allclose(before[0] - params[0].array, 0.5 * 8.0 + 0.5 * 2.0)
    np.testing.assert_allclose(before[1] - params[1].array, 2.0)


def test_what_is_no_tensor_in_a_state_is_kept():
    params = leaves()[:1]
    optimizer = mg.optim.Adam(params)
    advance(params, optimizer, 10, 12)
    state = optimizer.state_dict()
    state["state"][0]["note"] = "mine"
    optimizer.load_state_dict(state)
    assert optimizer.state[params[0]]["note"] == "mine"


def refused(change, error, words):
    params = leaves()
    optimizer = mg.optim.Adam(params)
    advance(params, optimizer, 10, 12)
    state = optimizer.state_dict()
    change(state)
    before = optimizer.state_dict()
    with pytest.raises(error, match=words):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert all(after["state"][0][name] is value for name, value in before["state"][0].items())


def test_a_state_that_does_not_fit_is_refused_and_changes_nothing():
    def set_entry(name, value):
        return lambda state: state["state"][0].update({name: value})

    refused(
        set_entry("exp_avg", mg.zeros(3, 4, dtype=mg.float64)),
        TypeError,
        r"state\[0\]\['exp_avg'\]: got float64",
    )
    refused(set_entry("exp_avg", mg.zeros(4, 3)), ValueError, r"state\[0\]\['exp_avg'\]: got shape \(4, 3\)")
    refused(
        lambda state: state["param_groups"].pop(), ValueError, r"groups of \[\] parameters, expected \[5\]"
    )
    refused(
        lambda state: state["param_groups"][0]["params"].pop(),
        ValueError,
        r"\[4\] parameters, expected \[5\]",
    )
    refused(lambda state: state["param_groups"][0].update(lr=-1.0), ValueError, "lr — got -1.0")
    refused(lambda state: state["state"].update({9: {}}), ValueError, r"state for parameters \[9\]")
    refused(lambda state: state["state"][0].pop("step"), ValueError, r"state\[0\] has no 'step'")
    refused(
        lambda state: state["state"][0].pop("exp_avg"), ValueError, r"has no 'exp_avg'; was it saved by Adam"
    )
    refused(
        set_entry("exp_avg", np.zeros((3, 4), np.float32)),
        TypeError,
        r"state\[0\]\['exp_avg'\]: got a ndarray, expected a Tensor",
    )
    refused(
        lambda state: state.pop("state"), ValueError, r"got keys \['param_groups'\], expected 'state' and"
    )


@pytest.mark.parametrize("name", OPTIONS)
def test_a_state_of_a_foreign_type_is_refused(name):
    param = mg.tensor(np.ones((2, 2)), requires_grad=True)
    optimizer = getattr(mg.optim, name)([param], **({"momentum": 0.9} if name == "SGD" else {}))
    param.grad = mg.tensor(np.ones((2, 2)))
    optimizer.step()
    state = optimizer.state_dict()
    key, value = next(item for item in state["state"][0].items() if isinstance(item[1], Tensor))
    state["state"][0][key] = value.float()
    with pytest.raises(TypeError, match=rf"{name}.*state\[0\]\['{key}'\]: got float32, expected float64"):
        optimizer.load_state_dict(state)


def test_a_state_of_adam_is_no_state_of_adamw():
    params = leaves()
    with pytest.raises(ValueError, match="decoupled_weight_decay — got False, expected True"):
        mg.optim.AdamW(params).load_state_dict(mg.optim.Adam(params).state_dict())


def test_adagrad_has_its_state_before_the_first_step_as_in_pytorch():
    params = leaves()
    optimizer = mg.optim.Adagrad(params, initial_accumulator_value=0.5)
    state = optimizer.state_dict()
    assert list(state["state"]) == [0, 1, 2, 3, 4]
    assert state["state"][0]["step"] == 0
    np.testing.assert_array_equal(state["state"][0]["sum"].array, np.full((3, 4), 0.5, np.float32))
    optimizer.load_state_dict(state)
    assert optimizer.state[params[0]]["step"] == 0


SPEED = {
    "foreach",
    "fused",
    "capturable",
    "differentiable",
}  # PyTorch's ways of computing, which are not here


def converted(value, kind, made):
    """A state with its tensors, wherever they are, made into those of another library."""
    if isinstance(value, kind):
        return made(value)
    if isinstance(value, dict):
        return {key: converted(entry, kind, made) for key, entry in value.items()}
    return [converted(entry, kind, made) for entry in value] if isinstance(value, list) else value


def in_both(first, stop, params, made):
    """Give the parameters of either library the gradients of some steps, one after another."""
    for step in range(first, stop):
        for i, param in enumerate(params):
            param.grad = None if step % 7 == i else made(gradient(step, i, tuple(param.shape)))
        yield step


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options"), CASES, ids=str)
def test_state_has_the_structure_of_pytorch_s_and_moves_there_and_back(name, options, monkeypatch):
    import torch

    monkeypatch.setattr(torch.Tensor, "bfloat16", torch.Tensor.clone)  # Muon iterates in it
    params = [mg.tensor(start(i, shape), requires_grad=True) for i, shape in enumerate(shapes_of(name))]
    ours = getattr(mg.optim, name)(params, **options)
    for _ in in_both(0, 10, params, mg.tensor):
        ours.step()

    torch_params = [torch.tensor(param.array, requires_grad=True) for param in params]
    theirs = getattr(torch.optim, name)(torch_params, **options)
    theirs.load_state_dict(converted(ours.state_dict(), Tensor, lambda ours: torch.tensor(ours.array)))
    for _ in in_both(10, 20, torch_params, torch.tensor):
        theirs.step()

    mine, other = ours.state_dict(), theirs.state_dict()
    groups = [set(group) - SPEED for group in other["param_groups"]]
    assert [set(group) for group in mine["param_groups"]] == groups
    entries = {number: set(entry) for number, entry in other["state"].items()}
    assert {number: set(entry) for number, entry in mine["state"].items()} == entries

    returned = [mg.tensor(param.detach().numpy(), requires_grad=True) for param in torch_params]
    again = getattr(mg.optim, name)(returned, **options)
    again.load_state_dict(converted(other, torch.Tensor, lambda theirs: mg.tensor(theirs.detach().numpy())))
    for _ in in_both(20, 30, returned, mg.tensor):
        again.step()
    for _ in in_both(10, 30, params, mg.tensor):
        ours.step()
    for a, b in zip(returned, params, strict=True):
        np.testing.assert_allclose(a.array, b.array, rtol=1e-7, atol=1e-7)
