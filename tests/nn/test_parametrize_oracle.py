"""PyTorch as the oracle of parametrised weights, of nn.init and of the module's hooks."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from twins import Draw, compare, compare_in_both_modes, same_state

pytestmark = pytest.mark.oracle


@pytest.fixture
def torch():
    import torch

    torch.manual_seed(0)
    return torch


def both(torch, change, *made):
    """`change(library's nn, layer)` of the same layer of the two libraries, with one state."""
    ours, theirs = (change(library, library.Linear(*made).double()) for library in (nn, torch.nn))
    return ours, same_state(ours, theirs)


def linear_inputs(draw):
    return [draw.normal(5, 3)]


@pytest.mark.parametrize("dim", [0, 1, -1, None])
def test_weight_norm_agrees_with_pytorch(torch, dim):
    ours, theirs = both(torch, lambda nn, m: nn.utils.parametrizations.weight_norm(m, dim=dim), 3, 4)
    compare_in_both_modes(torch, ours, theirs, linear_inputs)


@pytest.mark.parametrize("keywords", [{}, {"n_power_iterations": 3}, {"dim": 1}])
def test_spectral_norm_agrees_with_pytorch(torch, keywords):
    ours, theirs = both(torch, lambda nn, m: nn.utils.parametrizations.spectral_norm(m, **keywords), 3, 4)
    compare_in_both_modes(torch, ours, theirs, linear_inputs)


def test_spectral_norm_of_a_vector_agrees_with_pytorch(torch):
    ours, theirs = both(torch, lambda nn, m: nn.utils.parametrizations.spectral_norm(m, "bias"), 3, 4)
    compare_in_both_modes(torch, ours, theirs, linear_inputs)


def test_two_parametrisations_agree_with_pytorch(torch):
    def change(library, layer):
        class Doubled(library.Module):
            def forward(self, X):
                return 2 * X

            def right_inverse(self, X):
                return X / 2

        parametrize = library.utils.parametrize
        parametrize.register_parametrization(layer, "weight", Doubled())
        parametrize.register_parametrization(layer, "weight", Doubled())
        parametrize.register_parametrization(layer, "bias", Doubled())
        return layer

    ours, theirs = both(torch, change, 3, 4)
    compare_in_both_modes(torch, ours, theirs, linear_inputs)
    values = np.arange(12.0).reshape(4, 3)
    ours.weight, theirs.weight = mg.tensor(values), torch.tensor(values)
    same = (ours.parametrizations.weight.original.array, theirs.parametrizations.weight.original)
    np.testing.assert_allclose(same[0], same[1].detach().numpy())
    for library, layer in ((nn, ours), (torch.nn, theirs)):
        library.utils.parametrize.remove_parametrizations(layer, "weight")
        library.utils.parametrize.remove_parametrizations(layer, "bias", leave_parametrized=False)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.zero_grad()
    theirs.zero_grad()
    compare(torch, ours, theirs, linear_inputs(Draw(0)))


# ------------------------------------------------------------------------------------------- hooks


def test_backward_hooks_see_and_replace_what_pytorchs_do(torch):
    def numbers(gradients):
        return [None if g is None else g.tolist() for g in gradients]

    def run(library, modules, tensor):
        class Scaled(modules.Module):
            def __init__(self, layer):
                super().__init__()
                self.layer = layer

            def forward(self, x, count, other=None):
                return self.layer(x) * count, x + 1, "no tensor"

        layer = modules.Linear(2, 2).double()
        with library.no_grad():
            layer.weight.copy_(tensor([[1.0, 2.0], [3.0, 4.0]]))
            layer.bias.copy_(tensor([0.5, 0.25]))
        model, seen = Scaled(layer), []
        model.register_full_backward_hook(lambda _, gi, go: seen.append(("after", numbers(gi), numbers(go))))
        model.register_full_backward_pre_hook(lambda _, go: seen.append(("before", numbers(go))))
        model.register_full_backward_pre_hook(lambda _, go: (go[0] * 3, *go[1:]), prepend=True)
        model.register_full_backward_hook(lambda _, gi, go: (gi[0] * 2, *gi[1:]), prepend=True)
        layer.register_full_backward_hook(lambda _, gi, go: seen.append((numbers(gi), numbers(go))))
        x = tensor([[1.0, 2.0]]).requires_grad_()
        y, z, _ = model(x, 3)
        (y * y).sum().backward(retain_graph=True)
        (y * y * z).sum().backward()
        return [*seen, x.grad.tolist(), layer.weight.grad.tolist()]

    ours = run(mg, nn, lambda values: mg.tensor(values, dtype=mg.float64))
    theirs = run(torch, torch.nn, lambda values: torch.tensor(values, dtype=torch.float64))
    assert ours == theirs
    assert len(ours) == 8


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_a_backward_hook_is_called_when_no_argument_needs_a_gradient(torch):
    def run(library, modules):
        layer, seen = modules.Linear(2, 1), []
        layer.register_full_backward_hook(lambda _, gi, go: seen.append((gi, [g.tolist() for g in go])))
        layer(library.ones(1, 2)).sum().backward()
        return seen

    assert run(mg, nn) == run(torch, torch.nn) == [((None,), [[[1.0]]])]


def test_forward_hooks_run_in_pytorchs_order_and_with_its_arguments(torch):
    def run(modules):
        class Sum(modules.Module):
            def forward(self, x, y=0):
                if y < 0:
                    raise ValueError("y is negative")
                return x + y

        layer, seen = Sum(), []
        layer.register_forward_pre_hook(lambda _, args: (args[0] + 1,))
        layer.register_forward_pre_hook(
            lambda _, args, kwargs: (args, {"y": kwargs["y"] * 10}), with_kwargs=True, prepend=True
        )
        layer.register_forward_hook(lambda _, args, output: seen.append((args, output)), always_call=True)
        layer.register_forward_hook(
            lambda _, args, kwargs, output: seen.append((args, kwargs, output)) or -output,
            with_kwargs=True,
            prepend=True,
        )
        seen.append(layer(1, y=2))
        with pytest.raises(ValueError, match="negative"):
            layer(1, y=-2)
        return seen

    assert run(nn) == run(torch.nn)


def test_hooks_around_saving_and_loading_run_in_pytorchs_order(torch):
    def run(modules):
        net, seen = modules.Sequential(modules.Sequential(modules.Linear(1, 1)), modules.Linear(1, 1)), []
        for path, module in net.named_modules():
            module.register_state_dict_pre_hook(lambda _, *given, path=path: seen.append((path, *given)))
            module.register_state_dict_post_hook(
                lambda _, state, prefix, __, path=path: seen.append((path, list(state), prefix))
            )
            module.register_load_state_dict_post_hook(
                lambda _, keys, path=path: seen.append((path, keys.missing_keys, keys.unexpected_keys))
            )
        state = net.state_dict()
        saved = list(seen)
        del state["0.0.bias"]
        seen.clear()
        net.load_state_dict({**state, "more": state["1.bias"]}, strict=False)
        return saved, [path for path, *_ in seen], seen[-1]

    assert run(nn) == run(torch.nn)


# ------------------------------------------------------------------------------------------- initialisers


@pytest.mark.parametrize(
    ("shape", "groups"), [((4, 4, 3), 1), ((6, 3, 3, 2), 2), ((2, 4, 1, 3, 3), 1), ((6, 2, 5), 3)]
)
def test_dirac_agrees_with_pytorch(torch, shape, groups):
    found = nn.init.dirac_(mg.empty(shape), groups).tolist()
    assert found == torch.nn.init.dirac_(torch.empty(shape), groups).tolist()


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (2, 2)])
def test_eye_agrees_with_pytorch(torch, shape):
    assert nn.init.eye_(mg.empty(shape)).tolist() == torch.nn.init.eye_(torch.empty(shape)).tolist()


@pytest.mark.parametrize(
    ("name", "keywords"),
    [
        ("trunc_normal_", {"mean": 0.5, "std": 2.0, "a": -1.0, "b": 4.0}),
        ("trunc_normal_", {"std": 0.02}),
        ("sparse_", {"sparsity": 0.3, "std": 2.0}),
    ],
)
def test_other_initialisers_draw_from_the_same_distribution_as_pytorch(torch, name, keywords):
    ours = getattr(nn.init, name)(mg.empty(300, 200), generator=mg.Generator(0), **keywords).array
    theirs = getattr(torch.nn.init, name)(torch.empty(300, 200), **keywords).numpy()
    for moment in (np.mean, np.std, np.max, lambda x: np.abs(x).mean(), lambda x: (x == 0).mean()):
        assert moment(ours) == pytest.approx(moment(theirs), rel=0.2, abs=0.01)


def test_all_of_pytorchs_initialisers_are_here(torch):
    names = {name for name in dir(torch.nn.init) if name.endswith("_") and not name.startswith("_")}
    assert names <= set(dir(nn.init))
    for name in ("conv1d", "conv_transpose3d", "linear", "selu"):
        assert nn.init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
