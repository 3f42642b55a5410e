"""minigrad.optim.elementwise: packs and blocks change no bit, and no array but those of the parameters."""

from copy import deepcopy

import numpy as np
import pytest

import minigrad as mg
from minigrad import threads
from minigrad.kernels import rows
from minigrad.optim import elementwise
from minigrad.tensor import Tensor

OPTIMIZERS = {
    "SGD": lambda params: mg.optim.SGD(params, lr=0.1, momentum=0.9, dampening=0.2, weight_decay=0.1),
    "Adam": lambda params: mg.optim.Adam(params, lr=0.1, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda params: mg.optim.AdamW(params, lr=0.1, maximize=True),
    "Adamax": lambda params: mg.optim.Adamax(params, lr=0.1, weight_decay=0.1),
    "NAdam": lambda params: mg.optim.NAdam(params, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True),
    "RAdam": lambda params: mg.optim.RAdam(params, lr=0.1, betas=(0.5, 0.9), weight_decay=0.1),
    "Adagrad": lambda params: mg.optim.Adagrad(params, lr=0.1, initial_accumulator_value=0.1),
    "Adadelta": lambda params: mg.optim.Adadelta(params, weight_decay=0.1),
    "RMSprop": lambda params: mg.optim.RMSprop(params, momentum=0.9, centered=True, weight_decay=0.1),
    "Rprop": lambda params: mg.optim.Rprop(params, maximize=True),
    "ASGD": lambda params: mg.optim.ASGD(params, lr=0.1, lambd=0.1, t0=2, weight_decay=0.1),
}
SHAPES = [(3, 4), (), (500,), (0, 2), (7, 1, 3), (90, 90)]
each_optimizer = pytest.mark.parametrize("make", OPTIMIZERS.values(), ids=OPTIMIZERS)


def leaves(dtypes=(np.float64, np.float32)):
    random = np.random.default_rng(0)
    return [
        mg.tensor(random.standard_normal(shape).astype(dtypes[i % len(dtypes)]), requires_grad=True)
        for i, shape in enumerate(SHAPES)
    ]


def set_gradients(params, step, skip=()):
    for i, param in enumerate(params):
        random = np.random.default_rng([step, i])
        values = random.standard_normal(param.shape).astype(param.dtype)
        param.grad = None if i in skip else mg.tensor(values)


def bits(params):
    return [param.array.tobytes() for param in params]


def train(make, *, packed, steps, interfere=lambda step, params, optimizer: ()):
    """The bits of the parameters after some steps; `interfere` acts before each and names those to skip."""
    with pytest.MonkeyPatch.context() as patch:
        if not packed:
            patch.setattr(elementwise, "SMALL", -1)
        params = leaves()
        optimizer = make(params)
        for step in range(steps):
            set_gradients(params, step, interfere(step, params, optimizer))
            optimizer.step()
        assert any(optimizer._packed.values()) == packed
        remembered = [value for param in params for value in optimizer.state[param].values()]
    return bits(params), bits([value for value in remembered if isinstance(value, Tensor)])


@each_optimizer
def test_packs_change_no_bit(make):
    assert train(make, packed=True, steps=6) == train(make, packed=False, steps=6)


@each_optimizer
def test_parameters_without_a_gradient_are_skipped_and_their_state_rests(make):
    def skipping(step, params, optimizer):
        return [(), (), (), (1, 2), (1, 2), (1, 2), (), (), (0,), ()][step]

    assert train(make, packed=False, steps=10, interfere=skipping) == train(
        make, packed=False, steps=10, interfere=skipping
    )
    params = leaves()
    optimizer = make(params)
    for step in range(10):
        skip = skipping(step, params, optimizer)
        before = bits(params)
        set_gradients(params, step, skip)
        optimizer.step()
        after = bits(params)
        for i, param in enumerate(params):
            rests = before[i] == after[i]
            assert rests or i not in skip
            # Rprop does not move what has changed the sign of its gradient
            assert not rests or i in skip or param.numel() == 0 or isinstance(optimizer, mg.optim.Rprop)
    assert optimizer.state[params[2]]["step"] == 7 if "step" in optimizer.state[params[2]] else True
    assert after == train(make, packed=False, steps=10, interfere=skipping)[0]


def new_values(step, params, optimizer):
    if step == 4:
        params[0].data = mg.tensor(np.full((3, 4), 0.5))
        params[2].array[:10] = 7


def new_state(step, params, optimizer):
    if step == 4:
        entry = optimizer.state[params[0]]
        for name in [name for name in entry if isinstance(entry[name], Tensor)]:
            entry[name] = Tensor(np.full((4, 3), 0.5).T)  # not row after row


def forgotten_state(step, params, optimizer):
    if step == 4:
        del optimizer.state[params[0]]


def new_type(step, params, optimizer):
    if step == 4:
        for i in (0, 1):
            params[i].data = params[i].data.to(mg.float64 if params[i].dtype == mg.float32 else mg.float32)


@each_optimizer
@pytest.mark.parametrize("change", [new_values, new_state, forgotten_state, new_type])
def test_what_is_changed_from_outside_between_steps_counts(make, change):
    def interfere(step, params, optimizer):
        change(step, params, optimizer)
        return ()

    changed = train(make, packed=True, steps=8, interfere=interfere)
    assert changed == train(make, packed=False, steps=8, interfere=interfere)
    assert changed != train(make, packed=True, steps=8)


def test_an_option_that_needs_another_buffer_can_be_switched_on_between_steps():
    def interfere(step, params, optimizer):
        optimizer.param_groups[0]["amsgrad"] = step >= 4
        return ()

    def make(params):
        return mg.optim.Adam(params, lr=0.1)

    assert train(make, packed=True, steps=8, interfere=interfere) == train(
        make, packed=False, steps=8, interfere=interfere
    )


@each_optimizer
def test_blocks_change_no_bit(make, monkeypatch):
    values, gradient = np.random.default_rng(0).standard_normal((2, 10_007))

    def run():
        param = mg.tensor(values.copy(), requires_grad=True)
        optimizer = make([param])
        for _ in range(3):
            param.grad = mg.tensor(gradient)
            optimizer.step()
        return param.array.tobytes()

    whole = run()
    monkeypatch.setattr(rows, "BLOCK", 1000)
    assert run() == whole


@each_optimizer
@pytest.mark.parametrize("shape", [(6, 4), (120, 80)])
def test_every_memory_layout_of_parameter_and_gradient_gives_the_same_bits(make, shape):
    def run(param_layout, gradient_layout):
        random = np.random.default_rng(0)
        param = Tensor(param_layout(random.standard_normal(shape)), requires_grad=True)
        array = param.array
        optimizer = make([param])
        for _ in range(4):
            param.grad = Tensor(gradient_layout(random.standard_normal(shape)))
            optimizer.step()
        assert param.array is array
        return array.tobytes()

    layouts = [
        np.ascontiguousarray,
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1].copy()[::-1],
    ]
    plain = run(layouts[0], layouts[0])
    for layout in layouts[1:]:
        assert run(layout, layouts[0]) == plain
        assert run(layouts[0], layout) == plain
    one = np.broadcast_to(np.array(0.5), shape)
    assert run(layouts[0], lambda _: one) == run(layouts[0], lambda _: one.copy())


@each_optimizer
def test_gradients_are_read_only_to_an_optimiser(make):
    params = leaves()
    optimizer = make(params)
    for step in range(4):
        set_gradients(params, step)
        held = [(param.grad, param.grad.array, param.grad.array.copy()) for param in params]
        for _, array, _ in held:
            array.flags.writeable = False
        optimizer.step()
        for param, (grad, array, copy) in zip(params, held, strict=True):
            assert param.grad is grad
            assert grad.array is array
            assert array.tobytes() == copy.tobytes()


@each_optimizer
def test_parameters_keep_their_arrays_so_that_views_of_them_see_each_step(make):
    params = leaves()
    arrays = [param.array for param in params]
    view = params[0].data
    optimizer = make(params)
    for step in range(4):
        set_gradients(params, step)
        optimizer.step()
        assert all(param.array is array for param, array in zip(params, arrays, strict=True))
    assert view.array.tobytes() == params[0].array.tobytes()
    assert not any(np.shares_memory(a, b) for i, a in enumerate(arrays) for b in arrays[:i])


@each_optimizer
def test_each_step_raises_the_version_of_what_it_moves(make):
    params = leaves()
    optimizer = make(params)
    for step in range(4):
        set_gradients(params, step, skip=[1])
        before = [param._version for param in params]
        optimizer.step()
        raised = [param._version > version for param, version in zip(params, before, strict=True)]
        assert raised == [True, False, True, True, True, True]


def test_a_pack_that_has_filled_a_block_is_followed_by_another(monkeypatch):
    monkeypatch.setattr(rows, "BLOCK", 510)
    params = leaves(dtypes=(np.float32,))
    optimizer = mg.optim.Adam(params)
    for step in range(3):
        set_gradients(params, step)
        optimizer.step()
    (packs,) = optimizer._packed.values()
    assert [pack.p.size for pack in packs] == [513, 21]
    assert sum(len(pack.params) for pack in packs) == 5


def sharing(whole, parts):
    """Leaves that view parts of one memory."""
    return [Tensor(part(whole), requires_grad=True) for part in parts]


PARTS = {
    "a whole and its part": [lambda a: a, lambda a: a[10:20]],
    "a part and its whole": [lambda a: a[10:20], lambda a: a],
    "parts that overlap": [lambda a: a[:20], lambda a: a[10:], lambda a: a[5:6]],
    "the same memory twice": [lambda a: a, lambda a: a],
    "a small part of what is large": [lambda a: a[:7], lambda a: a],
}


@each_optimizer
@pytest.mark.parametrize("parts", PARTS.values(), ids=PARTS)
def test_parameters_that_share_memory_move_one_after_another(make, parts):
    def run(small):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(elementwise, "SMALL", small)
            whole = np.random.default_rng(1).standard_normal(30)
            params = [*sharing(whole, parts), mg.tensor(np.ones(4), requires_grad=True)]
            optimizer = make(params)
            for step in range(5):
                set_gradients(params, step)
                optimizer.step()
            packed = [id(p) for packs in optimizer._packed.values() for pack in packs for p in pack.params]
            return whole.tobytes(), set(packed) & {id(param) for param in params[:-1]}

    together, one_by_one = run(20), run(-1)
    assert together == one_by_one


@each_optimizer
def test_a_parameter_that_comes_to_share_memory_later_is_noticed(make):
    def run(small):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(elementwise, "SMALL", small)
            params = [
                mg.tensor(start, requires_grad=True) for start in np.random.default_rng(1).random((2, 9))
            ]
            optimizer = make(params)
            for step in range(8):
                if step == 4:
                    params[1].data = params[0].array[::-1]
                set_gradients(params, step)
                optimizer.step()
            return bits(params)

    assert run(100) == run(-1)


def test_memory_is_shared_or_interleaved_by_addresses():
    a = np.zeros((4, 6))
    views = [a[0], a[1, ::2], a[1, 1::2], a[::-1][0], a[2:4, 0], a[2, 5], np.zeros(3)[:0], np.zeros(4)]
    params = [Tensor(view if isinstance(view, np.ndarray) else np.asarray(view)) for view in views]
    params[5] = Tensor(a[2, 5:])
    found = elementwise.overlapping(params)
    assert [id(param) in found for param in params] == [False, True, True, True, True, True, False, False]


def test_a_deep_copy_of_an_optimiser_goes_on_by_itself():
    params = leaves()
    optimizer = mg.optim.Adam(params)
    for step in range(3):
        set_gradients(params, step)
        optimizer.step()
    twin = deepcopy(optimizer)
    twins = twin.param_groups[0]["params"]
    for ours, trained in [(params, optimizer), (twins, twin)]:
        for step in range(3, 6):
            set_gradients(ours, step)
            trained.step()
    assert bits(twins) == bits(params)


def test_an_optimiser_without_an_equation_says_so():
    param = mg.tensor(np.ones(2), requires_grad=True)
    param.grad = mg.tensor(np.ones(2))
    with pytest.raises(
        NotImplementedError, match="Elementwise does not say what it remembers: define buffers"
    ):
        elementwise.Elementwise([param], {}).step()

    class Forgetful(elementwise.Elementwise):
        def buffers(self, group):
            return ()

    with pytest.raises(NotImplementedError, match="Forgetful has no equation: define update"):
        Forgetful([param], {}).step()


def test_the_scratch_of_a_step_is_used_again_by_the_next(monkeypatch):
    monkeypatch.setattr(threads, "get_num_threads", lambda: 1)  # each thread has scratch of its own
    param = mg.tensor(np.ones(300_000), requires_grad=True)
    optimizer = mg.optim.Adam([param])
    param.grad = mg.tensor(np.ones(300_000))
    optimizer.step()
    memory = [array for arrays in optimizer._scratch.values() for array in arrays]
    optimizer.step()
    again = [array for arrays in optimizer._scratch.values() for array in arrays]
    assert len(memory) == 2
    assert all(a is b for a, b in zip(memory, again, strict=True))
    assert all(array.size <= rows.BLOCK for array in memory)
