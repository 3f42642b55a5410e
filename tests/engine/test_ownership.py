"""Who owns a gradient: `.grad` shares memory with nothing, and nobody else's array is written to."""

from itertools import combinations

import numpy as np
import pytest

import minigrad as mg
from leaves import leaf, normal
from minigrad.autograd import grad

RETURN = {
    "backward": lambda out, inputs, seed: out.backward(seed) or [x.grad for x in inputs],
    "backward, create_graph": lambda out, inputs, seed: (
        out.backward(seed, create_graph=True) or [x.grad for x in inputs]
    ),
    "grad": grad,
    "grad, create_graph": lambda out, inputs, seed: grad(out, inputs, seed, create_graph=True),
}
PASS_ON = {  # operations that hand the gradient on as it is, or a view of it
    "add": lambda a, b: a + b,
    "add to itself": lambda a, b: a + b + a + b,
    "reshape": lambda a, b: a.reshape(3, 2).reshape(2, 3) + b.reshape(6).reshape(2, 3),
    "transpose": lambda a, b: a.mT.mT + b,
    "clone": lambda a, b: a.clone() + b.clone(),
    "cat and split": lambda a, b: mg.add(*mg.cat([a, b]).split(2)),
}


@pytest.mark.parametrize("way", RETURN)
@pytest.mark.parametrize("name", PASS_ON)
def test_gradients_share_memory_with_neither_the_seed_nor_each_other(name, way):
    a, b = normal(2, 3), normal(2, 3, seed=1)
    seed = normal(2, 3, seed=2, requires_grad=False)
    before = seed.numpy().copy()
    gradients = RETURN[way](PASS_ON[name](a, b), [a, b], seed)
    for one, other in combinations([seed.array, *(g.array for g in gradients)], 2):
        assert not np.shares_memory(one, other)
    np.testing.assert_array_equal(seed.numpy(), before)


@pytest.mark.parametrize("way", RETURN)
def test_the_gradient_of_a_sum_can_be_written_to(way):
    x = normal(2, 3)
    (g,) = RETURN[way](x.sum(), [x], None)
    with mg.no_grad():
        g.mul_(3.0)
    assert g.tolist() == [[3.0] * 3] * 2
    assert g.array.strides == x.array.strides


def test_the_same_input_twice_gives_two_gradients():
    x = normal(3)
    one, other = grad((x * x).sum(), [x, x])
    assert not np.shares_memory(one.array, other.array)


def test_clipping_one_gradient_does_not_clip_another():
    a, b = leaf(1.0, 1.0), leaf(1.0, 1.0)
    (a + b).backward(mg.ones(2), create_graph=True)
    with mg.no_grad():
        a.grad.mul_(0.5)
    assert b.grad.tolist() == [1.0, 1.0]


def test_a_second_backward_does_not_write_to_the_first_seed():
    x, seed = leaf(1.0, 2.0), mg.ones(2, dtype=mg.float64)
    for _ in range(3):
        (x * 1.0 + 0.0).backward(seed)
    assert (seed.tolist(), x.grad.tolist()) == ([1.0, 1.0], [3.0, 3.0])


def test_a_read_only_seed_will_do():
    seed = np.ones(3)
    seed.flags.writeable = False
    a, b = normal(3), normal(3)
    (a + b + a).backward(mg.from_numpy(seed))
    assert (a.grad.tolist(), b.grad.tolist()) == ([2.0] * 3, [1.0] * 3)


def test_an_array_that_somebody_holds_is_not_written_to_by_the_next_backward():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    held = x.grad.numpy()
    (x * x).sum().backward()
    assert (held.tolist(), x.grad.tolist()) == ([2.0, 4.0], [4.0, 8.0])


def test_an_array_that_the_user_put_there_is_not_written_to():
    mine = np.ones(2)
    x = leaf(1.0, 2.0)
    x.grad = mg.from_numpy(mine)
    (x * x).sum().backward()
    assert (mine.tolist(), x.grad.tolist()) == ([1.0, 1.0], [3.0, 5.0])


def test_a_read_only_gradient_can_be_added_to():
    x = leaf(1.0, 2.0)
    x.grad = mg.ones(1, dtype=mg.float64).expand(2)
    (x * x).sum().backward()
    assert x.grad.tolist() == [3.0, 5.0]


def test_a_gradient_of_nobody_else_is_added_to_in_place():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    first, version = x.grad, x.grad._version
    (x * x).sum().backward()
    assert x.grad is first
    assert (first.tolist(), first._version) == ([4.0, 8.0], version + 1)


def test_a_gradient_that_a_graph_needs_is_not_changed_behind_its_back():
    x = leaf(3.0)
    (x * x).backward()
    square = x.grad * x
    (x * x).backward()
    square.backward()
    assert x.grad.item() == 12.0 + 6.0


def test_a_gradient_kept_by_a_hook_stays_as_the_hook_saw_it():
    x, kept = leaf(1.0, 2.0), []
    x.register_hook(kept.append)
    for _ in range(2):
        (x * x).sum().backward()
    assert [g.tolist() for g in kept] == [[2.0, 4.0]] * 2
    assert x.grad.tolist() == [4.0, 8.0]


def test_a_gradient_on_two_paths_is_not_written_through():
    a, b, c = leaf(1.0), leaf(1.0), leaf(1.0)
    left = a + b  # one array is the gradient of both a and b
    (left + (b + c) + b).backward()
    assert [x.grad.item() for x in (a, b, c)] == [1.0, 3.0, 1.0]


def test_a_plain_gradient_after_a_recorded_one_keeps_its_history():
    x = leaf(2.0)
    (x**3).backward(create_graph=True)
    (x * 5.0).backward()
    assert x.grad.item() == 17.0
    assert grad(x.grad, x)[0].item() == 12.0


def test_recorded_gradients_accumulate_with_their_history_also_under_no_grad():
    x = leaf(2.0)
    y = x**3
    with mg.no_grad():
        y.backward(create_graph=True)
        y.backward(create_graph=True)
    assert grad(x.grad, x)[0].item() == 24.0


def test_the_gradient_has_the_layout_of_fresh_memory():
    x = normal(3, 2)
    (x.mT * 2.0).sum().backward()
    assert x.grad.array.flags.owndata
    assert x.grad.array.flags.c_contiguous
