"""minigrad.optim.Optimizer: groups, options, closures, zero_grad, and errors that say what was wrong."""

import math

import numpy as np
import pytest

import minigrad as mg


def leaf(*values, dtype=np.float64):
    return mg.tensor(np.array(values, dtype), requires_grad=True)


BAD_OPTIONS = [
    ("SGD", {"lr": -0.1}, "SGD.*lr — got -0.1, expected a number >= 0"),
    ("SGD", {"lr": math.nan}, "lr — got nan"),
    ("SGD", {"lr": math.inf}, "lr — got inf"),
    ("SGD", {"momentum": -0.9}, "momentum — got -0.9"),
    ("SGD", {"weight_decay": -1}, "weight_decay — got -1"),
    ("SGD", {"nesterov": True}, "nesterov — got momentum 0.0"),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "dampening = 0"),
    ("Adam", {"lr": -1e-3}, "Adam.*lr — got -0.001"),
    ("Adam", {"betas": (1.0, 0.999)}, r"betas\[0\] — got 1.0, expected 0 <= beta < 1"),
    ("Adam", {"betas": (0.9, 1.5)}, r"betas\[1\] — got 1.5"),
    ("Adam", {"betas": (-0.1, 0.9)}, r"betas\[0\] — got -0.1"),
    ("Adam", {"eps": -1e-8}, "eps — got -1e-08"),
    ("AdamW", {"weight_decay": -0.01}, "AdamW.*weight_decay — got -0.01"),
    ("Adamax", {"betas": (0.9, 1.0)}, r"Adamax.*betas\[1\] — got 1.0"),
    ("Adamax", {"lr": -1.0}, "Adamax.*lr — got -1.0"),
    ("NAdam", {"momentum_decay": -1.0}, "NAdam.*momentum_decay — got -1.0"),
    ("NAdam", {"betas": (1.0, 0.9)}, r"NAdam.*betas\[0\] — got 1.0"),
    ("RAdam", {"betas": (0.9, 2.0)}, r"RAdam.*betas\[1\] — got 2.0"),
    ("RAdam", {"eps": -1.0}, "RAdam.*eps — got -1.0"),
    ("Adagrad", {"lr_decay": -1.0}, "Adagrad.*lr_decay — got -1.0"),
    ("Adagrad", {"initial_accumulator_value": -1.0}, "initial_accumulator_value — got -1.0"),
    ("Adadelta", {"rho": 1.1}, "Adadelta.*rho — got 1.1, expected 0 <= rho <= 1"),
    ("Adadelta", {"rho": -0.1}, "rho — got -0.1"),
    ("RMSprop", {"alpha": -0.1}, "RMSprop.*alpha — got -0.1"),
    ("RMSprop", {"momentum": -0.1}, "RMSprop.*momentum — got -0.1"),
    (
        "Rprop",
        {"etas": (0.5, 0.9)},
        r"Rprop.*etas — got \(0.5, 0.9\), expected 0 < etas\[0\] < 1 < etas\[1\]",
    ),
    ("Rprop", {"etas": (0.0, 1.2)}, "etas — got"),
    ("Rprop", {"step_sizes": (1.0, 0.1)}, "step_sizes — got"),
    ("ASGD", {"lambd": -1.0}, "ASGD.*lambd — got -1.0"),
    ("ASGD", {"lr": -1.0}, "ASGD.*lr — got -1.0"),
    ("Adafactor", {"eps": (-1.0, 1e-3)}, r"Adafactor.*eps — got \(-1.0, 0.001\)"),
    ("Adafactor", {"eps": (None, -1.0)}, "eps — got"),
    ("Adafactor", {"beta2_decay": 0.1}, "beta2_decay — got 0.1, expected a number <= 0"),
    ("Adafactor", {"d": 0.5}, "d — got 0.5, expected a number >= 1"),
    ("LBFGS", {"lr": -1.0}, "LBFGS.*lr — got -1.0"),
    (
        "LBFGS",
        {"line_search_fn": "weak"},
        r"line_search_fn — got 'weak', expected one of \(None, 'strong_wolfe'\)",
    ),
    ("LBFGS", {"max_iter": 0}, "max_iter — got 0, expected a number > 0"),
    ("LBFGS", {"history_size": 0}, "history_size — got 0"),
    ("LBFGS", {"tolerance_grad": -1.0}, "tolerance_grad — got -1.0"),
]
BAD_OPTIONS_OF_MATRICES = [
    ({"lr": -1.0}, "Muon.*lr — got -1.0"),
    ({"momentum": -0.1}, "momentum — got -0.1"),
    ({"weight_decay": -0.1}, "weight_decay — got -0.1"),
    ({"ns_steps": 100}, "ns_steps — got 100, expected a number from 0 to 99"),
    ({"ns_coefficients": (1.0, 2.0)}, "ns_coefficients — got"),
    ({"adjust_lr_fn": "other"}, "adjust_lr_fn — got 'other'"),
]


@pytest.mark.parametrize(("name", "options", "words"), BAD_OPTIONS)
def test_an_option_out_of_range_is_refused_by_name_and_value(name, options, words):
    with pytest.raises(ValueError, match=words):
        getattr(mg.optim, name)([leaf(1.0)], **options)
    with pytest.raises(ValueError, match=words):
        getattr(mg.optim, name)([{"params": [leaf(1.0)], **options}])


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS_OF_MATRICES)
def test_an_option_of_muon_out_of_range_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        mg.optim.Muon([leaf([1.0])], **options)


STRICTER = {  # what PyTorch lets pass
    "SGD": [{"lr": math.nan}, {"lr": math.inf}],
    "Rprop": [{"step_sizes": (1.0, 0.1)}],
    "ASGD": [{"lambd": -1.0}],
    "LBFGS": [{"line_search_fn": "weak"}, {"max_iter": 0}, {"history_size": 0}, {"tolerance_grad": -1.0}],
}


@pytest.mark.oracle
@pytest.mark.parametrize(("name", "options", "words"), BAD_OPTIONS)
def test_pytorch_refuses_the_same_but_for_what_is_listed(name, options, words):
    import torch

    def make():
        getattr(torch.optim, name)([torch.ones(1, requires_grad=True)], **options)

    if any(repr(options) == repr(stricter) for stricter in STRICTER.get(name, [])):
        make()
    else:
        with pytest.raises(ValueError, match=r"[Ii]nvalid|requires|should be|but got"):
            make()


def test_muon_moves_matrices_only():
    with pytest.raises(
        ValueError, match=r"Muon\(\): params — got a parameter of shape \(1,\), expected matrices"
    ):
        mg.optim.Muon([leaf([1.0]), leaf(1.0)])


def test_parameters_that_are_no_parameters_are_refused():
    x = leaf(1.0)
    refusals = [
        ([], ValueError, "got an empty list"),
        (iter([]), ValueError, "got an empty list"),
        ([{"params": []}], ValueError, "got an empty list in a group"),
        (x, TypeError, "got a Tensor, expected an iterable of tensors; put it in a list"),
        ({"params": [x]}, TypeError, "got a dict, expected an iterable"),
        ([np.ones(2)], TypeError, r"params\[0\] — got a ndarray, expected a tensor"),
        ([("weight", 3.0)], TypeError, r"got a float, expected a tensor; pass model.parameters\(\)"),
        ([("weight", x), leaf(2.0)], ValueError, "got 1 names for 2 parameters"),
        (
            mg.nn.Linear(1, 1),
            TypeError,
            r"got a Linear, expected an iterable of tensors; pass its .parameters",
        ),
        (
            mg.nn.Sequential(mg.nn.Linear(1, 1)),
            TypeError,
            r"params\[0\] — got a Linear, expected a tensor; pass",
        ),
        ([{"lr": 0.1}], TypeError, r"got a group \{'lr': 0.1\}"),
        ([{"params": {x}}], TypeError, "got a set, which has no order"),
        ([x, x], ValueError, r"params\[1\] — the parameter of shape \(1,\) appears twice"),
        ([{"params": [x]}, {"params": [x]}], ValueError, "appears twice"),
        ([x * 2], ValueError, r"params\[0\] — got a non-leaf tensor of shape \(1,\)"),
    ]
    for kind in (mg.optim.SGD, mg.optim.Adam, mg.optim.Adagrad, mg.optim.Adafactor):
        for params, error, words in refusals:
            with pytest.raises(error, match=words):
                kind(params)


@pytest.mark.parametrize("name", sorted({name for name, _, _ in BAD_OPTIONS} - {"LBFGS"}))
def test_pytorch_s_choices_of_how_to_compute_a_step_change_nothing(name):
    kind = getattr(mg.optim, name)
    optimizer = kind([leaf(1.0)], foreach=True, fused=None, capturable=False, differentiable=False)
    assert sorted(optimizer.param_groups[0]) == sorted(kind([leaf(1.0)]).param_groups[0])
    with pytest.raises(NotImplementedError, match=rf"{name}\(\): differentiable=True is not supported"):
        kind([leaf(1.0)], differentiable=True)
    with pytest.raises(TypeError, match=rf"{name}\(\): got an unexpected argument 'momentums'"):
        kind([leaf(1.0)], momentums=0.9)


def test_groups_have_options_of_their_own():
    x, y, z = leaf(1.0), leaf(1.0), leaf(1.0)
    optimizer = mg.optim.SGD([{"params": [x]}, {"params": y, "lr": 0.5}], lr=0.1)
    optimizer.add_param_group({"params": iter([z]), "maximize": True})
    for param in (x, y, z):
        param.grad = mg.tensor(np.array([1.0]))
    optimizer.step()
    assert [param.item() for param in (x, y, z)] == [0.9, 0.5, 1.1]


def test_an_option_changed_between_steps_counts_from_the_next():
    x = leaf(1.0)
    optimizer = mg.optim.SGD([x], lr=0.1)
    x.grad = mg.tensor(np.array([1.0]))
    optimizer.step()
    optimizer.param_groups[0]["lr"] = 0.5
    optimizer.step()
    assert x.item() == pytest.approx(0.4)


def test_names_of_parameters_are_kept_beside_them():
    model = mg.nn.Linear(2, 1)
    optimizer = mg.optim.SGD(model.named_parameters(), lr=0.5)
    (group,) = optimizer.param_groups
    assert group["param_names"] == ["weight", "bias"]
    assert [param is other for param, other in zip(group["params"], model.parameters(), strict=True)] == [
        True
    ] * 2
    optimizer.add_param_group({"params": [("extra", leaf(1.0))], "lr": 0.25})
    state = optimizer.state_dict()
    assert [group["param_names"] for group in state["param_groups"]] == [["weight", "bias"], ["extra"]]


@pytest.mark.oracle
def test_names_of_parameters_are_saved_as_in_pytorch():
    import torch

    def groups(library):
        model = library.nn.Linear(2, 1)
        saved = library.optim.SGD(model.named_parameters(), lr=0.5).state_dict()["param_groups"]
        return [(group["params"], group["param_names"], group["lr"]) for group in saved]

    assert groups(mg) == groups(torch)


def test_a_generator_of_parameters_is_read_once():
    params = [leaf(1.0), leaf(2.0)]
    optimizer = mg.optim.Adam(param for param in params)
    assert all(a is b for a, b in zip(optimizer.param_groups[0]["params"], params, strict=True))


def test_zero_grad_forgets_gradients_or_zeroes_them_in_place():
    x, y = leaf(1.0), leaf(1.0)
    x.grad = mg.tensor(np.array([3.0]))
    held = x.grad.array
    optimizer = mg.optim.SGD([x, y])
    optimizer.zero_grad(set_to_none=False)
    assert x.grad.array is held
    assert held.tolist() == [0.0]
    assert y.grad is None
    optimizer.zero_grad()
    assert x.grad is None


def test_zero_grad_cuts_a_gradient_off_its_graph():
    x = leaf(3.0)
    (x * x * x).sum().backward(create_graph=True)
    assert x.grad.requires_grad
    mg.optim.SGD([x]).zero_grad(set_to_none=False)
    assert not x.grad.requires_grad


def test_a_closure_is_evaluated_with_gradients_and_its_loss_returned():
    x = leaf(2.0)
    optimizer = mg.optim.SGD([x], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (x * x).sum()
        loss.backward()
        return loss

    with mg.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert x.item() == pytest.approx(1.6)
    assert optimizer.step() is None


def test_a_step_leaves_no_graph_and_keeps_the_parameter_a_leaf():
    x = leaf(2.0)
    (x * x).sum().backward()
    mg.optim.Adam([x]).step()
    assert x.is_leaf
    assert x.requires_grad


def test_backward_through_a_graph_from_before_the_step_is_refused():
    for size in (3, 100_000):
        x = mg.tensor(np.ones(size), requires_grad=True)
        loss = (x * x).sum()
        loss.backward(retain_graph=True)
        mg.optim.SGD([x]).step()
        with pytest.raises(RuntimeError, match=r"version|in place|modified"):
            loss.backward()


def test_a_gradient_of_another_shape_or_type_is_refused():
    first, x = leaf(5.0), leaf(1.0, 2.0)
    first.grad, x.grad = mg.tensor(np.ones(1)), mg.tensor(np.ones(3))
    with pytest.raises(ValueError, match=r"SGD.step\(\): got a gradient of shape \(3,\), expected \(2,\)"):
        mg.optim.SGD([first, x]).step()
    x.grad = mg.tensor(np.ones(2, np.float32))
    with pytest.raises(TypeError, match=r"Adam.step\(\): got a gradient of float32, expected float64"):
        mg.optim.Adam([first, x]).step()
    assert first.item() == 5.0


def test_hooks_are_called_before_and_after_each_step_until_they_are_removed():
    x, seen = leaf(1.0), []
    x.grad = mg.tensor(np.array([1.0]))
    optimizer = mg.optim.SGD([x], lr=0.5)

    def closure():
        return 7.0

    before = optimizer.register_step_pre_hook(lambda *given: seen.append(("before", x.item(), *given)))
    optimizer.register_step_post_hook(lambda *given: seen.append(("after", x.item(), *given)))
    assert optimizer.step(closure) == 7.0
    before.remove()
    optimizer.step()
    assert seen == [
        ("before", 1.0, optimizer, (closure,), {}),
        ("after", 0.5, optimizer, (closure,), {}),
        ("after", 0.0, optimizer, (), {}),
    ]


def test_hooks_around_the_state_see_it_and_may_replace_it():
    x, seen = leaf(1.0), []
    optimizer = mg.optim.SGD([x], lr=0.5)
    optimizer.register_state_dict_pre_hook(lambda o: seen.append(("before saving", o)))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "note": 1})
    optimizer.register_state_dict_post_hook(lambda o, state: seen.append(list(state)), prepend=True)
    state = optimizer.state_dict()
    assert seen == [("before saving", optimizer), ["state", "param_groups"]]
    assert state["note"] == 1

    optimizer.register_load_state_dict_post_hook(lambda o: seen.append(("loaded", o.param_groups[0]["lr"])))
    slower = [{**state["param_groups"][0], "lr": 0.25}]
    handle = optimizer.register_load_state_dict_pre_hook(lambda o, given: {**given, "param_groups": slower})
    optimizer.register_load_state_dict_pre_hook(lambda o, given: given.pop("note") and None, prepend=True)
    optimizer.load_state_dict(state)
    assert seen[-1] == ("loaded", 0.25)
    assert "note" in state
    handle.remove()
    optimizer.load_state_dict(state)
    assert seen[-1] == ("loaded", 0.5)


@pytest.mark.oracle
def test_hooks_around_the_state_run_in_the_order_of_pytorch():
    import torch

    def run(library):
        x, seen = library.tensor(np.ones(1), requires_grad=True), []
        optimizer = library.optim.SGD([x], lr=0.5)
        for name in ("state_dict_pre", "state_dict_post", "load_state_dict_pre", "load_state_dict_post"):
            register = getattr(optimizer, f"register_{name}_hook")
            for number, prepend in enumerate((False, True, False)):
                register(
                    lambda *given, said=(name, number): seen.append((*said, len(given))), prepend=prepend
                )
        optimizer.load_state_dict(optimizer.state_dict())
        return seen

    assert run(mg) == run(torch)
    assert len(run(mg)) == 12


def test_an_optimiser_written_for_pytorch_runs():
    class Momentum(mg.optim.Optimizer):
        def __init__(self, params, lr=0.1, momentum=0.5):
            super().__init__(params, {"lr": lr, "momentum": momentum})

        def step(self, closure=None):
            with mg.no_grad():
                for group in self.param_groups:
                    for param in group["params"]:
                        if param.grad is None:
                            continue
                        state = self.state[param]
                        if len(state) == 0:
                            state["velocity"] = mg.zeros_like(param)
                        state["velocity"].mul_(group["momentum"]).add_(param.grad)
                        param.add_(state["velocity"], alpha=-group["lr"])

    mine, ours = leaf(1.0, 2.0), leaf(1.0, 2.0)
    pairs = [(mine, Momentum([mine])), (ours, mg.optim.SGD([ours], lr=0.1, momentum=0.5))]
    for x, optimizer in pairs:
        for _ in range(3):
            optimizer.zero_grad()
            (x * x * x).sum().backward()
            optimizer.step()
        optimizer.load_state_dict(optimizer.state_dict())
    np.testing.assert_allclose(mine.array, ours.array)
    assert pairs[0][1].state[leaf(1.0)] == {}


def test_the_base_class_names_the_method_that_is_missing():
    x = leaf(1.0)
    x.grad = x.detach()
    with pytest.raises(NotImplementedError, match="define update_group"):
        mg.optim.Optimizer([x], {"lr": 0.1}).step()


def test_repr_lists_the_options_of_each_group():
    text = repr(mg.optim.SGD([leaf(1.0)], lr=0.1))
    assert text.splitlines()[:3] == ["SGD (", "Parameter Group 0", "    dampening: 0.0"]
    assert "    lr: 0.1" in text
    assert "params" not in text
