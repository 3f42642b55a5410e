"""Views share memory, version and history: a write through any of them reaches all, values and gradients."""

import gc
import weakref

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.autograd import grad
from minigrad.errors import GraphError
from minigrad.versions import VIEWS as REFERENCES
from minigrad.versions import views_of

VIEWS = {
    "getitem": (lambda x: x[1], lambda a: a[1]),
    "slice with a step": (lambda x: x[:, ::2], lambda a: a[:, ::2]),
    "transpose": (lambda x: x.transpose(0, 1), lambda a: a.swapaxes(0, 1)),
    "permute": (lambda x: x.permute(2, 0, 1), lambda a: a.transpose(2, 0, 1)),
    "reshape": (lambda x: x.reshape(6, 4), lambda a: a.reshape(6, 4)),
    "view": (lambda x: x.view(-1), lambda a: a.reshape(-1)),
    "unsqueeze": (lambda x: x.unsqueeze(1), lambda a: a[:, None]),
    "narrow": (lambda x: x.narrow(2, 1, 2), lambda a: a[..., 1:3]),
    "a chain": (lambda x: x[0].mT[1:].reshape(3, 3)[:, 1], lambda a: a[0].T[1:].reshape(3, 3)[:, 1]),
}
CHAINS = [name for name in VIEWS if name != "a chain"] + ["two of a chain"]
VIEWS["two of a chain"] = (lambda x: x[0].mT[1:], lambda a: a[0].swapaxes(-1, -2)[1:])


def base():
    """A leaf, and a result of shape (2, 3, 4) that may be written to."""
    x = normal(2, 3, 4)
    return x, x * 1.0


def cubes(*tensors):
    """A loss that every element enters with a slope of its own."""
    return sum((t**3).sum() * (i + 1.0) for i, t in enumerate(tensors))


@pytest.mark.parametrize("name", CHAINS)
def test_a_write_through_a_view_gives_the_right_gradients_to_base_and_view(name):
    take, take_array = VIEWS[name]
    x, y = base()
    view = take(y)
    w = normal(*view.shape, seed=1)
    view.mul_(w)
    cubes(y, view).backward()

    shown = np.zeros(y.shape, dtype=bool)
    take_array(shown)[...] = True
    factor = np.ones(y.shape)
    take_array(factor)[...] = w.detach().numpy()
    values = x.detach().numpy() * factor
    upstream = 3 * values**2 * (1.0 + 2.0 * shown)
    np.testing.assert_allclose(y.detach().numpy(), values)
    np.testing.assert_allclose(x.grad.numpy(), upstream * factor, rtol=1e-12)
    np.testing.assert_allclose(
        w.grad.numpy(), take_array(upstream) * take_array(x.detach().numpy()), rtol=1e-12
    )


@pytest.mark.parametrize("name", CHAINS)
def test_a_write_to_the_base_gives_every_view_its_new_history(name):
    take, take_array = VIEWS[name]
    x, y = base()
    view = take(y)
    y.exp_()
    view.sum().backward()
    shown = np.zeros(y.shape)
    take_array(shown)[...] = 1.0
    np.testing.assert_allclose(x.grad.numpy(), np.exp(x.detach().numpy()) * shown)


def test_a_write_through_one_view_reaches_the_others():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    y = x * 1.0
    front, back, turned = y[:3], y[1:], y.reshape(2, 2).mT
    front.mul_(10.0)
    assert (back.tolist(), turned.tolist()) == ([20.0, 30.0, 4.0], [[10.0, 30.0], [20.0, 4.0]])
    back.sum().backward(retain_graph=True)
    assert x.grad.tolist() == [0.0, 10.0, 10.0, 1.0]
    x.grad = None
    turned[0].sum().backward()
    assert x.grad.tolist() == [10.0, 0.0, 10.0, 0.0]


def test_a_view_of_a_constant_that_receives_a_gradient_hands_it_to_the_constant():
    buffer, w = mg.zeros(2, 3, dtype=mg.float64), normal(3)
    row, other = buffer[0], buffer[1]
    row.add_(w)
    assert (buffer.requires_grad, row.requires_grad, other.requires_grad) == (True, True, True)
    (buffer.sum() + 2.0 * row.sum() + other.sum()).backward()
    assert w.grad.tolist() == [3.0] * 3


def test_augmented_assignment_to_an_index_is_recorded():
    x, w = normal(3), leaf(2.0)
    y = x * 1.0
    y[1] += w
    y[1:] *= w
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 2.0]
    assert w.grad.item() == pytest.approx(2.0 + x.tolist()[1] + 2.0 + x.tolist()[2])


def test_a_write_through_a_view_is_differentiated_twice():
    x, w = normal(4), normal(2, seed=1)
    direction = mg.tensor([1.0, 2.0, 3.0, 4.0], dtype=mg.float64)

    def gradients():
        y = x * x
        y[1:3].mul_(w)
        return grad((y**2 * direction).sum(), [x, w], create_graph=True)

    first = gradients()
    (second,) = grad(first[1].sum(), [x])
    values, factors = x.detach().numpy(), w.detach().numpy()
    expected = np.zeros(4)
    expected[1:3] = 2 * factors * 4 * values[1:3] ** 3 * np.array([2.0, 3.0])
    np.testing.assert_allclose(second.numpy(), expected, rtol=1e-12)


def test_views_that_have_died_are_forgotten():
    y = normal(8) * 1.0
    for _ in range(1000):
        y[0]
    assert not views_of(y.version)
    assert len(y.version[REFERENCES]) <= 2
    kept = [y[i] for i in range(5)]
    assert views_of(y.version) == kept


def test_a_view_does_not_outlive_its_base_nor_keep_it_in_a_circle():
    gc.collect()
    gc.disable()
    try:
        y = normal(4) * 1.0
        view = y[1:][:2]
        view.mul_(2.0)
        dead = [weakref.ref(y), weakref.ref(y.node), weakref.ref(view)]
        del y, view
        assert [reference() for reference in dead] == [None, None, None]
    finally:
        gc.enable()


def test_a_view_made_under_no_grad_is_not_written_to_where_the_write_is_recorded():
    y, buffer = normal(4) * 1.0, mg.zeros(4, dtype=mg.float64)
    with mg.no_grad():
        view, part = y[:2], buffer[:2]
    for write in (view.zero_, lambda: part.add_(normal(2))):
        with pytest.raises(GraphError, match="a view made under no_grad is changed in place"):
            write()
    part.add_(1.0)  # nothing to record, nothing to lose
    assert buffer.tolist() == [1.0, 1.0, 0.0, 0.0]
    with mg.no_grad():
        view.zero_()
    assert y.tolist()[:2] == [0.0, 0.0]


def test_a_write_under_no_grad_changes_values_and_no_history():
    x, y = base()
    view = y[0]
    with mg.no_grad():
        view.fill_(5.0)
    y.sum().backward()
    assert x.grad.tolist() == np.ones((2, 3, 4)).tolist()


def test_detached_tensors_share_memory_and_version_but_no_history():
    x, w = leaf(1.0, 2.0), leaf(3.0)
    y = x * 1.0
    detached = y.detach()
    part = y[:1]
    detached.mul_(w)
    assert (y.tolist(), part.tolist(), y._version) == ([3.0, 6.0], [3.0], 1)
    (y.sum() + part.sum()).backward()
    assert (x.grad.tolist(), w.grad) == ([2.0, 1.0], None)
    detached.sum().backward()
    assert w.grad.item() == 3.0


def test_base_and_is_view_are_pytorch_s():
    x = mg.zeros(2, 3)
    assert (x._base, x._is_view()) == (None, False)
    assert x.mT[1]._base is x
    assert x.mT[1]._is_view()
    assert x.detach()._base is None


def test_a_retained_gradient_is_that_of_the_tensor_as_it_is_now():
    x = leaf(1.0, 2.0)
    y = x * 3.0
    y.retain_grad()
    y.mul_(y)
    part = y[0]
    part.retain_grad()
    part.mul_(2.0)
    (y.sum() + part).backward()  # y = 9 x², but y[0] = 18 x²
    assert (y.grad.tolist(), part.grad.item()) == ([2.0, 1.0], 1.0)
    assert x.grad.tolist() == [2 * 36.0 * 1.0, 18.0 * 2.0]


def test_a_hook_registered_before_a_write_gets_the_gradient_of_the_values_before_it():
    x = leaf(1.0, 2.0)
    y = x * 1.0
    seen = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.mul_(5.0)
    y.register_hook(lambda g: seen.append(g.tolist()))
    y.sum().backward()
    assert seen == [[1.0, 1.0], [5.0, 5.0]]


def test_what_a_view_saved_before_the_write_is_refused():
    _, y = base()
    view = y[0]
    total = (view * view).sum()
    y[1].zero_()  # the other half of the memory; the box is that of all of it, as in PyTorch
    with pytest.raises(GraphError, match=r"mul saved .* saved at version 0, now at 1"):
        total.backward()


@pytest.mark.parametrize("writes", [1, 3, 8, 20])
def test_the_error_names_both_versions(writes):
    _, y = base()
    y.mul_(1.0)
    total = (y * y).sum()
    for _ in range(writes):
        y.detach().add_(1.0)
    before = " or before" if writes >= 8 else ""
    shown = f"saved at version {max(1, writes + 1 - 8)}{before}, now at {writes + 1}"
    with pytest.raises(GraphError, match=shown):
        total.backward()


def test_a_buffer_filled_row_by_row_copies_no_more_than_rows():
    steps, w = 4, leaf(2.0)
    buffer = mg.zeros(steps, 3, dtype=mg.float64)
    memory = buffer.array
    for t in range(steps):
        buffer[t] = w * float(t)
    assert buffer.array is memory
    buffer.sum().backward()
    assert w.grad.item() == 3.0 * (0 + 1 + 2 + 3)
