"""Tensors, modules, random numbers, batches and checkpoints on a GPU."""

import copy
import importlib

import numpy as np
import pytest

import fakecupy
import minigrad as mg
from minigrad import nn
from minigrad.backend import namespace, to_numpy
from minigrad.checkpoint import load_checkpoint, restore, save_checkpoint, training_state
from minigrad.data import Batch, DataLoader, move_batch
from minigrad.errors import DeviceError
from minigrad.nn import functional as F
from minigrad.nn.utils import clip_grad_norm_, clip_grads_with_norm_, get_total_norm

X = np.arange(6.0).reshape(2, 3)

# ---------------------------------------------------------------------------------- tensors


def test_a_tensor_goes_there_and_back_and_its_gradient_with_it(device):
    x = mg.tensor(X, requires_grad=True)
    y = x.to(device)
    assert (y.device, y.device.type, y.device.index) == (device, "cuda", 0)
    assert y.to("cuda") is y
    assert y.to(device, copy=True) is not y
    (y * y).sum().cpu().backward()
    np.testing.assert_array_equal(x.grad.numpy(), 2 * X)
    for moved in (
        x.cuda(),
        x.cuda(0),
        x.cuda("cuda:0"),
        x.cuda(non_blocking=True),
        x.to(mg.ones(1).to(device)),
    ):
        assert moved.device == device
    assert x.to(device, mg.float32).dtype == mg.float32
    assert x.cpu() is x


def test_a_gradient_of_a_gradient_crosses_devices(device):
    x = mg.tensor(X, requires_grad=True)
    (g,) = mg.autograd.grad((x.to(device) ** 3).sum(), x, create_graph=True)
    (h,) = mg.autograd.grad(g.sum(), x)
    np.testing.assert_allclose(h.numpy(), 6 * X)


@pytest.mark.parametrize(
    "made",
    [
        lambda **where: mg.zeros(2, 3, **where),
        lambda **where: mg.ones(2, **where),
        lambda **where: mg.full((2,), 7.0, **where),
        lambda **where: mg.eye(2, **where),
        lambda **where: mg.arange(5, **where),
        lambda **where: mg.linspace(0, 1, 3, **where),
        lambda **where: mg.tensor([1, 2], **where),
        lambda **where: mg.as_tensor(X, **where),
        lambda **where: mg.tril_indices(2, 2, **where),
    ],
)
def test_a_factory_makes_it_where_it_is_told(made, device):
    there = made(device=device)
    assert there.device == device
    np.testing.assert_array_equal(there.cpu().numpy(), made().numpy())
    assert mg.zeros_like(there).device == device
    assert there.new_ones(2).device == device


def test_operands_on_two_devices_are_refused_and_both_named(device):
    there, here = mg.ones(2, device=device), mg.ones(2)
    for operation in (
        lambda: there + here,
        lambda: here * there,
        lambda: F.linear(here, mg.ones(3, 2, device=device)),
        lambda: mg.cat((here, there)),
        lambda: mg.where(there > 0, here, here),
    ):
        with pytest.raises(
            DeviceError, match=r"\(\): operands on different devices, (cuda:0 and cpu|cpu and cuda:0)"
        ):
            operation()


MIXED = {
    "index_add": lambda x, i, v: x.index_add(0, i, v.to(x.device)),
    "index_copy": lambda x, i, v: x.index_copy(0, i, v.to(x.device)),
    "index_fill": lambda x, i, v: x.index_fill(0, i, 1.0),
    "index_select": lambda x, i, v: x.index_select(0, i),
    "index_reduce": lambda x, i, v: x.index_reduce(0, i, v.to(x.device), "prod"),
    "take": lambda x, i, v: x.take(i),
    "take_along_dim": lambda x, i, v: x.take_along_dim(i, 0),
    "gather": lambda x, i, v: x.gather(0, i),
    "scatter_reduce": lambda x, i, v: x.scatter_reduce(0, i, v.to(x.device), "prod"),
    "masked_select": lambda x, i, v: x.masked_select(v > 0),
    "masked_scatter": lambda x, i, v: x.masked_scatter(v > 0, x),
    "index_add_": lambda x, i, v: x.index_add_(0, i.to(x.device), v),  # the source
    "index_put": lambda x, i, v: x.index_put((i.to(x.device),), v, accumulate=True),
    "put": lambda x, i, v: x.put(i.to(x.device), v),
    "backward": lambda x, i, v: (x.requires_grad_() * 2).backward(v),
    "backward_": lambda x, i, v: to_a_gradient_that_is_there(x, v),
    "grad": lambda x, i, v: mg.autograd.grad(x.requires_grad_() * 2, [x], [v]),
    "get_total_norm": lambda x, i, v: get_total_norm([x, v]),
    "clip_grad_norm_": lambda x, i, v: clip_grad_norm_([with_grad(x), with_grad(v)], 1.0),
    "clip_grads_with_norm_": lambda x, i, v: clip_grads_with_norm_([with_grad(x)], 1.0, v.norm()),
}


def to_a_gradient_that_is_there(x, v):
    """backward() of a leaf beside x, in whose `.grad` lies v."""
    leaf = mg.zeros_like(x).requires_grad_()
    leaf.grad = v
    (leaf * x).sum().backward()


def with_grad(tensor):
    """A parameter, whose gradient is the tensor."""
    parameter = mg.zeros_like(tensor).requires_grad_()
    parameter.grad = tensor
    return parameter


@pytest.mark.parametrize("name", MIXED)
def test_arguments_on_two_devices_are_refused_and_both_named(name, device):
    for here, there in (("cpu", device), (device, "cpu")):
        x, i, v = mg.ones(2, device=here), mg.tensor([0, 1], device=there), mg.ones(2, device=there)
        said = rf"{name.strip('_')}_?\(\): operands on different devices, (cuda:0 and cpu|cpu and cuda:0); "
        with pytest.raises(DeviceError, match=said):
            MIXED[name](x, i, v)
        assert x.tolist() == v.tolist() == [1.0, 1.0]


def test_a_module_moves_whole_and_keeps_its_parameters(device):
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    held = list(model.parameters())
    model(mg.tensor(X).float()).sum().backward()
    assert model.cuda() is model
    assert [p is q for p, q in zip(held, model.parameters(), strict=True)] == [True] * 4
    assert {t.device for t in (*model.parameters(), *model.buffers())} == {device}
    assert {p.grad.device for p in model.parameters()} == {device}
    assert {t.device for t in model.cpu().state_dict().values()} == {"cpu"}


# ---------------------------------------------------------------------------------- random numbers


@pytest.mark.parametrize(
    ("draw", "digits"),
    [
        (lambda **where: mg.rand(5, 3, **where), 0),
        (lambda **where: mg.rand(7, dtype=mg.float64, **where), 0),
        (lambda **where: mg.randint(-3, 10, (9,), **where), 0),
        (lambda **where: mg.randint(0, 2**40, (9,), **where), 0),
        (lambda **where: mg.randperm(9, **where), 0),
        (lambda **where: mg.randn(5, 3, **where), 1e-6),
        (lambda **where: mg.empty(4, 4, **where).uniform_(-1, 1), 1e-6),
        (lambda **where: mg.empty(4, 4, **where).normal_(2, 3), 1e-6),
        (lambda **where: mg.empty(4, 4, **where).random_(5), 0),
        (lambda **where: F.dropout(mg.ones(35, **where), 0.3), 0),
        (lambda **where: mg.rand_like(mg.ones(3, **where)), 0),
        (lambda **where: mg.bernoulli(mg.full((9,), 0.3, **where)), 0),
        (lambda **where: mg.empty(4, 4, **where).bernoulli_(mg.full((4,), 0.3, **where)), 0),
        (lambda **where: mg.normal(mg.ones(4, **where), mg.full((3, 1), 2.0, **where)), 1e-6),
        (lambda **where: mg.multinomial(mg.rand(6, 5, **where), 3), 0),
        (lambda **where: mg.multinomial(mg.rand(5, **where), 40, replacement=True), 0),
        (lambda **where: mg.empty(9, **where).exponential_(2), 1e-6),
        (lambda **where: mg.empty(9, **where).log_normal_(), 1e-6),
        (lambda **where: mg.empty(9, **where).cauchy_(), 1e-5),
        (lambda **where: mg.empty(9, **where).geometric_(0.2), 0),
        (lambda **where: F.gumbel_softmax(mg.zeros(4, 3, **where), hard=True), 1e-6),
    ],
)
def test_a_seed_draws_the_same_on_both_devices(draw, digits, device):
    found = []
    for where in ("cpu", device):
        mg.manual_seed(5)
        first = draw(device=where)
        with importlib.import_module("cupyx").allow_synchronize(False):
            pair = (first, draw(device=where))
        state = mg.default_generator().get_state()
        found.append([one.cpu().numpy() for one in (*pair, mg.rand(3))])  # and goes on from the same place
        assert pair[0].device == where
        assert state["offset"] > 0
    for here, there in zip(*found, strict=True):
        np.testing.assert_allclose(there, here, rtol=digits, atol=digits)


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (mg.bernoulli, r"bernoulli\(\): expected probabilities in \[0, 1\]"),
        (lambda p: p.bernoulli_(p + 0), r"bernoulli_\(\): expected probabilities in \[0, 1\]"),
        (lambda p: mg.normal(0.0, -p), "a standard deviation must not be negative"),
        (lambda p: mg.multinomial(-p, 1), "weights must be finite, not negative, and in no row all 0"),
        (lambda p: mg.multinomial(p / 0, 1), "weights must be finite, not negative, and in no row all 0"),
        (lambda p: mg.multinomial(p * 0, 1, replacement=True), "in no row all 0"),
        (lambda p: mg.multinomial(p * mg.tensor([0.0, 1.0], device=p.device), 2), "positive weight, here 1"),
    ],
)
def test_what_cannot_be_drawn_from_is_refused_on_both_devices(draw, message, device):
    for where in ("cpu", device):
        p = mg.tensor([[0.5, 2.0], [0.5, 0.5]], device=where)
        with pytest.raises(ValueError, match=message):
            draw(p).tolist()


@pytest.mark.parametrize(
    "draw", [lambda x: mg.bernoulli(x, 2.0), lambda x: x.bernoulli_(-1), lambda x: mg.normal(x, -1)]
)
def test_a_number_that_cannot_be_drawn_by_is_refused_at_once(draw, device):
    with pytest.raises(ValueError, match=r"expected probabilities|must not be negative"):
        draw(mg.ones(2, device=device))


def test_devices_draw_by_turns_from_one_generator(device):
    here, mixed = mg.Generator(3), mg.Generator(3)
    expected = [here.raw(5) for _ in range(4)]
    found = [to_numpy(mixed.raw(5, where)) for where in ("cpu", device, device, "cpu")]
    np.testing.assert_array_equal(found, expected)
    assert mg.cuda.manual_seed_all(7).initial_seed() == mg.default_generator().initial_seed() == 7


# ---------------------------------------------------------------------------------- indices

INDEXED = {
    "embedding": lambda i: F.embedding(i, mg.ones(3, 2, device=i.device)),
    "gather": lambda i: mg.gather(mg.ones(3, device=i.device), 0, i),
    "index_select": lambda i: mg.index_select(mg.ones(3, device=i.device), 0, i),
    "take": lambda i: mg.take(mg.ones(3, device=i.device), i),
    "x[i]": lambda i: mg.ones(3, device=i.device)[i],
    "scatter_add": lambda i: mg.zeros(3, device=i.device).scatter_add(0, i, mg.ones(2, device=i.device)),
    "index_add": lambda i: mg.zeros(3, device=i.device).index_add(0, i, mg.ones(2, device=i.device)),
    "cross_entropy": lambda i: F.cross_entropy(mg.ones(2, 3, device=i.device), i),
    "nll_loss": lambda i: F.nll_loss(mg.ones(2, 3, device=i.device), i),
    "one_hot": lambda i: F.one_hot(i, 3),
}


@pytest.mark.parametrize("name", INDEXED)
def test_an_index_out_of_range_is_an_error_when_values_reach_the_host(name, device):
    for values, where in (([0, 3], "cpu"), ([0, 3], device)):
        with pytest.raises(IndexError, match="3"):
            INDEXED[name](mg.tensor(values, device=where)).sum().item()
    assert INDEXED[name](mg.tensor([0, 2], device=device)).sum().isfinite().item()  # and that was all
    INDEXED[name](mg.tensor([3, 0], device=device))
    with pytest.raises(IndexError, match="3"):
        mg.cuda.synchronize()


def test_an_index_that_is_negative_is_named_with_its_sign_and_place(device):
    F.embedding(mg.tensor([[0, 1], [-2, 1]], device=device), mg.ones(3, 2, device=device))
    with pytest.raises(IndexError, match=r"index -2 at position 2, expected \[0, 2\]"):
        mg.cuda.synchronize()


def test_an_ignored_target_is_no_index(device):
    scores = mg.tensor(X, device=device)
    assert F.cross_entropy(scores, mg.tensor([-100, 2], device=device)).isfinite().item()
    with pytest.raises(IndexError):
        F.cross_entropy(scores, mg.tensor([-99, 2], device=device)).item()


@pytest.mark.parametrize("mode", [True, False])
def test_sums_by_number_are_right_in_both_modes(mode, device):
    random = np.random.default_rng(0)
    rows, g = random.integers(0, 5, 40), random.standard_normal((40, 3))
    mg.use_deterministic_algorithms(mode)
    try:
        assert mg.are_deterministic_algorithms_enabled() is mode
        found = []
        for where in ("cpu", device):
            weight = mg.zeros(5, 3, dtype=mg.float64, device=where, requires_grad=True)
            taken = F.embedding(mg.tensor(rows, device=where), weight)
            (taken * mg.tensor(g, device=where)).sum().backward()
            found.append(weight.grad.cpu().numpy())
    finally:
        mg.use_deterministic_algorithms(False)
    np.testing.assert_allclose(found[1], found[0], rtol=0, atol=0 if mode else 1e-12)


# ---------------------------------------------------------------------------------- data, files


def test_a_loader_pins_its_batches_where_there_is_a_gpu(device):
    batches = list(DataLoader([(1.0, 2), (3.0, 4)], batch_size=2, pin_memory=True))
    assert all(tensor.is_pinned() for tensor in batches[0])
    moved = batches[0][0].to(device, non_blocking=True)
    assert not moved.is_pinned()
    assert moved.pin_memory() is moved
    assert batches[0][0].pin_memory() is batches[0][0]
    mg.cuda.synchronize()
    assert moved.tolist() == [1.0, 3.0]
    with pytest.raises(RuntimeError, match="pin_memory"):
        mg.ones(2, requires_grad=True).pin_memory()


def test_a_batch_moves_in_whatever_holds_it(device):
    x = mg.tensor([[1]])
    moved = move_batch({"a": [x, "text"], "b": Batch(x, x, x, x, 7)}, device)
    assert moved["a"][0].device == moved["b"].source.device == device
    assert (moved["a"][1], moved["b"].tokens) == ("text", 7)


def run(model, optimizer, steps, where):
    for step in steps:
        optimizer.zero_grad()
        x = mg.tensor(np.sin(X + step), device=where)
        (F.dropout(model(x), 0.5) ** 2).sum().backward()
        optimizer.step()


@pytest.mark.parametrize("path", [("cpu", "cuda"), ("cuda", "cpu"), ("cuda", "cuda")])
@pytest.mark.parametrize("mapped", [False, True])
def test_a_checkpoint_of_one_device_goes_on_on_the_other(path, mapped, device, tmp_path):
    mg.manual_seed(1)
    reference = nn.Linear(3, 2).double()
    model = copy.deepcopy(reference).to(path[0])
    made = [mg.optim.AdamW(m.parameters(), lr=0.1) for m in (reference, model)]
    state = mg.default_generator().get_state()
    run(reference, made[0], range(5), "cpu")
    mg.default_generator().set_state(state)
    run(model, made[1], range(3), path[0])
    save_checkpoint(training_state({"model": model, "optimizer": made[1]}), tmp_path / "run")

    mg.manual_seed(99)
    again = nn.Linear(3, 2).double().to(path[1])
    optimizer = mg.optim.AdamW(again.parameters(), lr=0.1)
    saved = load_checkpoint(tmp_path / "run", map_location=path[1] if mapped else None)
    assert saved["model"]["weight"].device == (mg.device(path[1]) if mapped else "cpu")
    restore(saved, {"model": again, "optimizer": optimizer})
    run(again, optimizer, range(3, 5), path[1])
    np.testing.assert_allclose(again.weight.tolist(), reference.weight.tolist(), rtol=1e-10)

    mg.save({"w": model.weight.detach()}, tmp_path / "w")
    assert mg.load(tmp_path / "w", map_location=path[1])["w"].device == mg.device(path[1])


# ---------------------------------------------------------------------------------- minigrad.cuda


def test_the_gpu_answers(device):
    cuda = mg.cuda
    assert cuda.is_available()
    assert cuda.current_device() == 0 < cuda.device_count()
    assert cuda.get_device_name() == cuda.get_device_name(device) != ""
    assert cuda.get_device_capability() >= (7, 0)
    cuda.set_device(0)
    with cuda.device("cuda:0"):
        kept = mg.ones(64, 64, device=device)
    free, total = cuda.mem_get_info()
    assert 0 < free < total
    assert 0 < cuda.memory_allocated() <= cuda.memory_reserved()
    cuda.reset_peak_memory_stats()
    assert cuda.max_memory_allocated() >= 1024
    start, end = cuda.Event(enable_timing=True), cuda.Event(enable_timing=True)
    start.record()
    kept @ kept
    end.record()
    end.synchronize()
    assert end.query()
    assert start.elapsed_time(end) >= 0
    cuda.empty_cache()
    with pytest.raises(DeviceError, match="got GPU 99, expected a number below"):
        cuda.synchronize(99)
    with pytest.raises(DeviceError, match="expected a GPU such as"):
        cuda.get_device_name("cpu")
    with pytest.raises(DeviceError, match="device 'cuda:99': there "):
        mg.ones(2, device="cuda:99")


def test_what_memory_lacks_is_said_with_what_was_asked_and_what_is_free(monkeypatch):
    with fakecupy.installed() as library:
        monkeypatch.setattr(fakecupy.Pool, "limit", 100)
        assert library._allocate(99) == 99
        assert library.peaks == {0: 1024}
        said = (
            r"cuda:0: asked for 1,000 bytes, 1,000 of 4,096 are free, and tensors hold 1,024; use a smaller"
        )
        with pytest.raises(mg.cuda.OutOfMemoryError, match=said) as caught:
            library._allocate(1000)
    assert isinstance(caught.value, DeviceError | MemoryError)


def test_an_allocator_of_the_users_goes_on_giving_the_memory(monkeypatch):
    monkeypatch.setattr(fakecupy.cuda, "get_allocator", lambda: lambda size: f"{size} of my own")
    with fakecupy.installed() as library:
        assert library._allocate(5) == "5 of my own"


@pytest.mark.parametrize("name", ["tpu", "cuda:x", "cuda:-1", ""])
def test_a_device_of_another_name_is_refused(name):
    with pytest.raises(DeviceError, match="expected 'cpu', 'cuda' or 'cuda:<index>'"):
        mg.device(name)


@pytest.mark.parametrize("place", [("cuda", -1), ("cuda", 1.5), ("cuda", True), ("cuda:1", 0)])
def test_a_device_of_a_wrong_number_is_refused(place):
    with pytest.raises(DeviceError, match=r"^device 'cuda:.*expected 'cpu', 'cuda' or 'cuda:<index>'"):
        mg.device(*place)


def test_an_error_names_the_function_that_was_called():
    with fakecupy.installed(), pytest.raises(DeviceError, match=r"^cuda.reset_peak_memory_stats\(\): got"):
        mg.cuda.reset_peak_memory_stats("cpu")


def test_the_fake_device_is_as_strict_as_cupy():
    with fakecupy.installed():
        fake = fakecupy.FakeArray(np.ones(3))
        xp = namespace(fake)
        for mistake in (
            lambda: fake + np.ones(3),
            lambda: np.asarray(fake),
            lambda: np.concatenate([fake, np.ones(3)]),
            lambda: fake[np.array([0])],
            lambda: xp.add(fake, [1.0, 2.0, 3.0]),
            lambda: xp.add.at(fake.astype("int8"), fake.astype("int64"), 1),
        ):
            with pytest.raises(TypeError):
                mistake()
        for missing in (
            lambda: xp.multiply.at(fake, fake.astype("int64"), 1),
            lambda: np.maximum.reduce(fake),
        ):
            with pytest.raises(NotImplementedError):
                missing()
        with pytest.raises(AttributeError):
            xp.vecdot(fake, fake)
        assert type(fake.sum()) is fakecupy.FakeArray
        wide = fakecupy.FakeArray(np.arange(6.0).reshape(2, 3))
        assert wide[..., fakecupy.FakeArray(np.array([4]))].get().tolist() == [[1.0], [4.0]]  # wrapped
        assert wide.take(fakecupy.FakeArray(np.array([7]))).get().tolist() == [1.0]
