"""Two GPUs: tensors of the second while the first computes, and numbers that both of them note."""

import threading

import numpy as np
import pytest

import fakecupy
import minigrad as mg
from minigrad.backend import refuse_outside
from minigrad.errors import DeviceError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn.utils import get_total_norm


@pytest.fixture(autouse=True)
def library():
    with fakecupy.installed() as found, fakecupy.gpus(2):
        yield found


@pytest.mark.parametrize(
    "draw",
    [
        lambda where: mg.rand(5, device=where),
        lambda where: mg.randn(5, device=where),
        lambda where: mg.randint(0, 9, (5,), device=where),
        lambda where: mg.randint(0, 2**40, (5,), device=where),
        lambda where: mg.randperm(5, device=where),
        lambda where: mg.normal(2.0, 3.0, (5,), device=where),
    ],
    ids=["rand", "randn", "randint", "a wide randint", "randperm", "normal"],
)
def test_numbers_are_drawn_on_a_gpu_that_is_not_the_current_one(draw):
    mg.manual_seed(3)
    there = draw("cuda:1")
    assert there.device == "cuda:1"
    mg.manual_seed(3)
    np.testing.assert_allclose(there.tolist(), draw("cpu").tolist(), rtol=1e-6)


def test_operands_of_a_product_on_another_gpu_are_refused_and_both_named():
    with mg.cuda.device(1):
        a = mg.ones(2, 2, device="cuda:1")
        assert (a @ a).tolist() == [[2.0, 2.0], [2.0, 2.0]]
    with pytest.raises(
        DeviceError, match=r"matmul\(\): an operand on cuda:1, and cuda:0 computes; .*device\(1\)"
    ):
        a @ a


ON_BOTH = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "pow": lambda x, y: x**y,
    "greater": lambda x, y: x > y,
    "maximum": mg.maximum,
    "where": lambda x, y: mg.where(x > 0, x, y),
    "mse_loss": F.mse_loss,
    "cat": lambda x, y: mg.cat((x, y)),
    "of two types": lambda x, y: x + mg.ones(3, 3, dtype=mg.int64, device="cuda:0").to("cuda:1"),
    "x[:] = y": lambda x, y: x.__setitem__(slice(None), y),
    "index_select": lambda x, y: x.index_select(0, mg.tensor([0, 1], device="cuda:1")),
    "scatter_reduce": lambda x, y: x.scatter_reduce(0, mg.tensor([[1]], device="cuda:1"), x, "prod"),
    "masked_select": lambda x, y: x.masked_select(mg.ones(3, dtype=mg.bool).to("cuda:1")),
    "get_total_norm": lambda x, y: get_total_norm([x, y]),
    "backward": lambda x, y: (x.requires_grad_() * 2).backward(y),
}


@pytest.mark.parametrize("name", ON_BOTH)
def test_operands_on_two_gpus_are_refused_and_both_named(name):
    x, y = mg.ones(3, 3, device="cuda:0"), mg.ones(3, 3, device="cuda:1")
    with pytest.raises(DeviceError, match=r"operands on different devices, cuda:0 and cuda:1; .*\.to\(\)"):
        ON_BOTH[name](x, y)


ON_ANOTHER = {
    "add": lambda y: y + y,
    "add a number": lambda y: y + 1,
    "subtract from a number": lambda y: 1 - y,
    "exp": mg.exp,
    "sum": lambda y: y.sum(),
    "softmax": lambda y: F.softmax(y, -1),
    "cross_entropy": lambda y: F.cross_entropy(y, mg.zeros(3, dtype=mg.int64, device="cuda:1")),
    "x[:] = x": lambda y: y.__setitem__(slice(None), y),
}


@pytest.mark.parametrize("name", ON_ANOTHER)
def test_operands_on_a_gpu_that_does_not_compute_are_refused_and_both_named(name):
    with pytest.raises(DeviceError, match=r"\(\): operands on cuda:1, and cuda:0 computes; .*device\(1\)"):
        ON_ANOTHER[name](mg.ones(3, 3, device="cuda:1"))
    with mg.cuda.device(1):
        ON_ANOTHER[name](mg.ones(3, 3, device="cuda:1"))


def test_shapes_that_do_not_fit_are_blamed_where_the_device_is_right():
    with pytest.raises(ShapeError, match=r"shapes \(3, 3\) and \(2, 3\)"):
        mg.ones(3, 3, device="cuda:0") + mg.ones(2, 3, device="cuda:0")


def noted(where, number):
    """A number that is out of range, on a GPU that is not the current one."""
    refuse_outside(
        mg.tensor([number], device=where).array, 0, 5, lambda wrong, _place: f"index {wrong} on {where}"
    )


def test_a_number_out_of_range_is_noted_on_a_gpu_that_is_not_the_current_one():
    noted("cuda:1", 7)
    with pytest.raises(IndexError, match=r"index 7 on cuda:1"):
        mg.cuda.synchronize()
    mg.cuda.synchronize()


def test_what_two_gpus_have_noted_is_raised_one_after_the_other():
    noted("cuda:0", 8)
    noted("cuda:1", 9)
    for number in (8, 9):
        with pytest.raises(IndexError, match=f"index {number} on cuda"):
            mg.cuda.synchronize()
    mg.cuda.synchronize()


def test_a_check_waits_while_another_thread_reads_the_reports(library):
    noted("cuda:0", 8)
    report = library._reports[0]
    started, written = [], threading.Event()

    class Slow:
        """The report, which another thread would write to just when it has been read."""

        def get(self):
            values = report.get()
            thread = threading.Thread(target=lambda: (noted("cuda:0", 9), written.set()))
            thread.start()
            started.append(thread)
            assert not written.wait(0.05)
            library._reports[0] = report
            return values

        def fill(self, value):
            report.fill(value)

    library._reports[0] = Slow()
    with pytest.raises(IndexError, match="8 "):
        library.raise_noted()
    started[0].join()
    with pytest.raises(IndexError, match="9 "):
        library.raise_noted()


def test_checks_of_many_threads_have_a_number_each(library):
    numbers = mg.tensor([0], device="cuda:0").array
    threads = [
        threading.Thread(
            target=lambda i=i: [library.check_numbers(numbers, 0, 5, f"{i} {j}", None) for j in range(20)]
        )
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(library._checks.values()) == list(range(1, 81))
