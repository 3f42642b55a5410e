"""Arrays that nobody uses are handed out again, and none that anybody can still see."""

import os
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import buffers
from minigrad.buffers import Pool
from minigrad.nn import functional as F

FLOAT = np.dtype("float32")


@pytest.fixture
def every_array(monkeypatch):
    """A pool for arrays of any size, in the place of the one that this machine would have."""
    monkeypatch.setattr(buffers, "LARGE", 0)
    monkeypatch.setattr(buffers, "pool", Pool())
    return buffers.pool


def test_an_array_comes_back_when_nobody_refers_to_it():
    pool = Pool()
    first = pool.empty((3, 4), FLOAT)
    address = first.ctypes.data
    assert pool.empty((3, 4), FLOAT) is not first
    del first
    assert pool.empty((3, 4), FLOAT).ctypes.data == address


@pytest.mark.parametrize(
    "held_by",
    [
        lambda a: a[1:],
        lambda a: a.T.reshape(2, 6, order="F"),
        memoryview,
        lambda a: np.frombuffer(a, np.uint8),
        lambda a: {"in": [a]},
        lambda a: lambda: a,
    ],
)
def test_whoever_can_see_an_array_keeps_it(held_by):
    pool = Pool()
    array = pool.empty((3, 4), FLOAT)
    address = array.ctypes.data
    holder = held_by(array)
    del array
    assert pool.empty((3, 4), FLOAT).ctypes.data != address
    del holder
    assert pool.empty((3, 4), FLOAT).ctypes.data == address


@pytest.mark.parametrize(
    "change",
    [
        lambda a: a.setflags(write=False),
        lambda a: setattr(a, "shape", (4, 3)),
        lambda a: setattr(a, "dtype", np.dtype("int32")),
        lambda a: setattr(a, "strides", (4, 12)),
    ],
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_array_that_a_user_has_changed_is_not_handed_out(change):
    pool = Pool()
    array = pool.empty((3, 4), FLOAT)
    change(array)
    del array
    found = pool.empty((3, 4), FLOAT)
    assert (found.shape, found.dtype, found.flags.writeable) == ((3, 4), FLOAT, True)
    assert found.flags.c_contiguous


def test_no_more_is_kept_than_was_said():
    pool = Pool(most=1000)
    held = [pool.empty((10, 10), FLOAT) for _ in range(4)]  # 400 bytes each
    assert pool.bytes == 800
    del held
    pool.empty((10, 5), FLOAT)  # 200 bytes find room
    assert pool.bytes == 1000
    pool.empty((20, 10), FLOAT)  # 800 only when the others go
    assert pool.bytes == 800
    pool.empty((20, 20), FLOAT)  # 1,600 never, and nothing goes for it
    assert pool.bytes == 800


def test_threads_that_fill_the_pool_at_once_do_not_disturb_each_other():
    pool, failed = Pool(most=20_000), []

    def work(number):
        try:
            for size in range(1500):
                pool.empty((10 * (size % 40) + number,), FLOAT)
        except RuntimeError as error:
            failed.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not failed
    assert pool.bytes == sum(array.nbytes for kept in pool.arrays.values() for array in kept) <= pool.most


def test_two_threads_never_get_one_array():
    pool, wrong = Pool(), []

    def work(number):
        for _ in range(300):
            arrays = [pool.empty((2000,), FLOAT) for _ in range(3)]
            for place, array in enumerate(arrays):
                array.fill(number * 10 + place)
            if any((array != number * 10 + place).any() for place, array in enumerate(arrays)):
                wrong.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def models():
    """Every layer that asks for room, and its input."""
    x = np.random.default_rng(0).standard_normal((5, 4, 8)).astype("float32")
    nn = mg.nn
    return {
        "linear": (lambda: nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 8)), x),
        "rnn": (lambda: nn.RNN(8, 8, 2), x),
        "lstm": (lambda: nn.LSTM(8, 8, 2, bidirectional=True), x),
        "gru": (lambda: nn.GRU(8, 8, 2), x),
        "transformer": (lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True), x),
    }


def trained(name):
    """Losses, outputs and gradients of four steps, all of them kept until the end."""
    build, x = models()[name]
    mg.manual_seed(0)
    model = build()
    optimizer = mg.optim.Adam(model.parameters(), lr=0.01)
    target = mg.tensor(np.arange(20) % 8)
    kept = []
    for _ in range(4):
        optimizer.zero_grad()
        inputs = mg.tensor(x, requires_grad=True)
        y = model(inputs)
        y = y[0] if isinstance(y, tuple) else y
        loss = F.cross_entropy(y.reshape(20, -1), target)
        loss.backward(retain_graph=True)
        loss.backward()
        optimizer.step()
        kept += [loss, y, inputs.grad, *[p.grad for p in model.parameters()]]
    return [tensor.detach().numpy().copy() for tensor in kept]


@pytest.mark.parametrize("name", models())
def test_training_gives_the_same_bits_with_a_pool_and_without(name, every_array):
    found = trained(name)
    assert every_array.arrays
    buffers.pool = None
    for a, b in zip(found, trained(name), strict=True):
        np.testing.assert_array_equal(a, b)


def test_memory_is_kept_here_or_by_malloc_or_by_neither():
    def asked(**environment):
        text = "import minigrad.buffers as b, minigrad.allocator as a; print(b.pool, a.keeps_freed_memory)"
        mine = {
            name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))
        }
        return subprocess.check_output([sys.executable, "-c", text], env={**mine, **environment}, text=True)

    assert asked(MINIGRAD_NO_MALLOPT="1").startswith("<minigrad.buffers.Pool object")
    assert asked(MINIGRAD_NO_MALLOPT="1", MINIGRAD_NO_POOL="1") == "None False\n"
    pool, kept = asked().rsplit(maxsplit=1)
    assert (pool == "None") == (kept == "True")
