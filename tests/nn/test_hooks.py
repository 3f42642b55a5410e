"""Hooks of a module: before and after its forward, and around its backward."""

import copy

import pytest

import minigrad as mg
from minigrad import nn

# ---------------------------------------------------------------------------------------------- forward


def test_hooks_see_and_replace_arguments_and_output():
    layer, seen = nn.Identity(), []
    layer.register_forward_pre_hook(lambda module, args: seen.append((module, args)))
    layer.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    layer.register_forward_pre_hook(lambda module, args: args[0] * 2)
    layer.register_forward_hook(lambda module, args, output: seen.append((args, output)))
    layer.register_forward_hook(lambda module, args, output: -output)
    assert layer(1) == -4
    assert seen == [(layer, (1,)), ((4,), 4)]


def test_a_removed_hook_is_not_called():
    layer = nn.Identity()
    handle = layer.register_forward_hook(lambda module, args, output: output + 1)
    assert layer(1) == 2
    handle.remove()
    handle.remove()
    assert layer(1) == 1
    with layer.register_forward_pre_hook(lambda module, args: (5,)):
        assert layer(1) == 5
    assert layer(1) == 1


def test_a_hook_may_remove_itself():
    layer, calls = nn.Identity(), []
    handle = layer.register_forward_hook(lambda *_: calls.append(1) or handle.remove())
    layer(1)
    layer(1)
    assert calls == [1]


def test_a_hook_with_keyword_arguments_sees_and_replaces_them():
    class Power(nn.Module):
        def forward(self, x, exponent=1):
            return x**exponent

    layer, seen = Power(), []
    layer.register_forward_pre_hook(lambda _, args, kwargs: seen.append((args, kwargs)), with_kwargs=True)
    layer.register_forward_pre_hook(lambda _, args, kwargs: (args, {"exponent": 3}), with_kwargs=True)
    layer.register_forward_hook(
        lambda _, args, kwargs, output: seen.append((args, kwargs, output)), with_kwargs=True
    )
    assert layer(2, exponent=2) == 8
    assert seen == [((2,), {"exponent": 2}), ((2,), {"exponent": 3}, 8)]


def test_a_hook_may_be_put_before_the_others_and_removed_all_the_same():
    layer, calls = nn.Identity(), []
    for name in "ab":
        layer.register_forward_hook(lambda *_, name=name: calls.append(name))
    handle = layer.register_forward_hook(lambda *_: calls.append("first"), prepend=True)
    layer(1)
    handle.remove()
    layer(1)
    assert calls == ["first", "a", "b", "a", "b"]


def test_a_hook_that_is_always_called_runs_once_whatever_happens():
    layer, calls = nn.Linear(2, 1), []
    layer.register_forward_hook(lambda _, args, output: calls.append(output), always_call=True)
    layer.register_forward_hook(lambda *_: calls.append("never after an error"))
    with pytest.raises(ValueError, match="last dimension"):
        layer(mg.ones(1, 3))
    assert calls == [None]

    def refuse(*_):
        raise KeyError("refused")

    layer.register_forward_hook(refuse)
    layer.register_forward_hook(lambda _, args, output: calls.append(output.shape), always_call=True)
    with pytest.raises(KeyError, match="refused"):
        layer(mg.ones(1, 2))
    assert len(calls) == 4
    assert calls[2:] == ["never after an error", (1, 1)]


def test_a_hook_before_forward_that_returns_no_pair_is_refused():
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda _, args, kwargs: args, with_kwargs=True)
    with pytest.raises(
        TypeError, match=r"with_kwargs=True returned tuple, expected a tuple \(args, kwargs\)"
    ):
        layer(1)


def test_a_copy_of_a_module_has_its_hooks():
    layer, calls = nn.Identity(), []
    layer.register_forward_hook(lambda *_: calls.append(1))
    twin = copy.deepcopy(layer)
    twin(1)
    assert calls == [1]
    twin.register_forward_hook(lambda *_: calls.append(2))
    layer(1)
    assert calls == [1, 1]


# ---------------------------------------------------------------------------------------------- backward


def times(*factors):
    """A module whose outputs are its one argument times each factor."""

    class Times(nn.Module):
        def forward(self, x):
            outputs = tuple(x * factor for factor in factors)
            return outputs if len(outputs) > 1 else outputs[0]

    return Times()


def test_backward_hooks_see_the_gradients_of_outputs_and_arguments():
    layer, seen = times(2.0, 3.0), []
    layer.register_full_backward_pre_hook(lambda _, grad_output: seen.append(grad_output))
    layer.register_full_backward_hook(lambda module, *gradients: seen.append((module, *gradients)))
    x = mg.tensor(1.0, requires_grad=True)
    y, z = layer(x)
    (5 * y + 7 * z).backward()
    before, (module, grad_input, grad_output) = seen
    assert module is layer
    assert [g.item() for g in before] == [g.item() for g in grad_output] == [5.0, 7.0]
    assert [g.item() for g in grad_input] == [31.0]
    assert x.grad.item() == 31.0


def test_backward_hooks_replace_gradients():
    layer = times(2.0)
    layer.register_full_backward_pre_hook(lambda _, grad_output: grad_output[0] * 10)
    layer.register_full_backward_hook(lambda _, grad_input, grad_output: (grad_input[0] + grad_output[0],))
    x = mg.tensor(1.0, requires_grad=True)
    layer(x).backward()
    assert x.grad.item() == 30.0


def test_an_output_that_is_not_used_has_no_gradient():
    layer, seen = times(2.0, 3.0), []
    layer.register_full_backward_hook(lambda _, grad_input, grad_output: seen.append(grad_output))
    layer(mg.tensor(1.0, requires_grad=True))[0].backward()
    assert [g and g.item() for g in seen[0]] == [1.0, None]


def test_a_gradient_through_a_hooked_module_is_differentiable():
    layer = times(2.0)
    layer.register_full_backward_hook(lambda *_: None)
    x = mg.tensor(3.0, requires_grad=True)
    (slope,) = mg.autograd.grad(layer(x) ** 3, [x], create_graph=True)  # 24 x²
    slope.backward()
    assert (slope.item(), x.grad.item()) == (216.0, 144.0)


def test_a_hook_may_be_removed_from_the_backward():
    layer, calls = times(2.0), []
    handle = layer.register_full_backward_hook(lambda *_: calls.append(1))
    x = mg.tensor(1.0, requires_grad=True)
    layer(x).backward()
    handle.remove()
    layer(x).backward()
    assert calls == [1]


def test_nothing_is_watched_where_nothing_is_recorded():
    layer, calls = times(2.0), []
    layer.register_full_backward_hook(lambda *_: calls.append(1))
    x = mg.tensor(1.0, requires_grad=True)
    with mg.no_grad():
        assert layer(x).item() == 2.0
    assert layer(mg.tensor(1.0)).grad_fn is None
    assert calls == []


def test_a_wrong_number_of_gradients_is_refused():
    layer = times(2.0)
    layer.register_full_backward_hook(lambda _, grad_input, grad_output: (grad_input[0], None))
    x = mg.tensor(1.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="returned 2 gradients for grad_input, expected 1, or None"):
        layer(x).backward()
    assert x.grad is None
