"""The library asks CuPy for nothing that CuPy lacks; and CuPy without a driver leaves the CPU as it was."""

import pytest

import minigrad as mg
from cupy_surface import OWN, asked_for, has, written
from minigrad.backend_cuda import NEEDED, cuda_libraries
from minigrad.errors import DeviceError

REMEDY = "write it otherwise; or, if CuPy has it, run `python tests/cupy_surface.py` where CuPy is installed"


@pytest.fixture
def cupy():
    return pytest.importorskip("cupy", reason="no CuPy here; `make test-cupy` installs it")


def test_every_name_that_is_asked_for_is_one_that_cupy_was_found_to_have():
    assert not {name: where for name, where in asked_for().items() if name not in written() | OWN}, REMEDY


def test_the_list_holds_nothing_that_is_no_longer_asked_for():
    assert written() <= set(asked_for()), REMEDY


def test_a_name_is_found_however_it_is_written():
    assert {"matmul", "linalg", "linalg.qr", "cuda.Device"} <= set(asked_for())
    assert not has(mg, "cuda.no_such_name")


def test_the_installed_cupy_has_every_name(cupy):
    assert not [name for name in sorted(written()) if not has(cupy, name)]


def test_without_a_driver_the_cpu_works_and_a_gpu_is_refused(cupy):
    if cupy.is_available():
        pytest.skip("there is a GPU here")
    assert (mg.cuda.is_available(), mg.cuda.device_count()) == (False, 0)
    weight = mg.ones(2, 2, requires_grad=True)
    (weight @ mg.ones(2)).sum().backward()
    assert weight.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    with pytest.raises(DeviceError, match=r"device 'cuda:0': CuPy finds no NVIDIA driver"):
        weight.to("cuda")
    assert "CuPy finds no NVIDIA driver" in mg.config.facts()["GPU"]
    mg.cuda.synchronize()


def test_of_cudas_libraries_the_installed_cupy_says_which_are_missing(cupy, monkeypatch):
    found, said = cuda_libraries(), mg.config.facts()
    for name, version in found.items():
        assert said[name] == version or (not version and "x[ctk]'" in said[name])
    lacking = [name for name in NEEDED if not found[name]]
    if not lacking:
        pytest.skip("all of CUDA's libraries are here")
    monkeypatch.setattr(cupy, "is_available", lambda: True)
    assert not mg.cuda.is_available()
    with pytest.raises(DeviceError, match=rf"device 'cuda:0': CuPy finds no {lacking[0]} to .*x\[ctk\]'; or"):
        mg.ones(2).cuda()
