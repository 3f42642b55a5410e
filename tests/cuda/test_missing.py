"""What is said where something that a GPU needs is missing: CuPy, a driver, a GPU, CUDA's own libraries."""

import sys
import tomllib
import types

import pytest

import fakecupy
import minigrad as mg
from minigrad import backend_cuda, config, nn
from minigrad.data import DataLoader
from minigrad.errors import DeviceError
from minigrad.tools.cli import main
from source_tree import ROOT

ON_A_GPU = types.SimpleNamespace(__dlpack__=lambda: None, __dlpack_device__=lambda: (2, 0))
NEEDS_ONE = {
    "to": lambda: mg.ones(2).to("cuda"),
    "cuda": lambda: nn.Linear(2, 2).cuda(),
    "factory": lambda: mg.zeros(2, device="cuda:0"),
    "draw": lambda: mg.rand(2, device="cuda"),
    "pin_memory": lambda: mg.ones(2).pin_memory(),
    "current_device": mg.cuda.current_device,
    "set_device": lambda: mg.cuda.set_device(0),
    "name": mg.cuda.get_device_name,
    "memory": mg.cuda.memory_allocated,
    "peak": mg.cuda.max_memory_allocated,
    "event": mg.cuda.Event,
    "dlpack": lambda: mg.from_dlpack(ON_A_GPU),
}
WITHOUT = {
    "cupy": "CuPy is not installed; pip install 'minigrad[cuda13]' (or cuda12), or stay on 'cpu'",
    "driver": "CuPy finds no NVIDIA driver; install one (nvidia-smi must run); or stay on 'cpu'",
    "cuda": (
        "CuPy is built for CUDA 13.2, the driver knows only 12.4; update the driver, or install "
        "'minigrad[cuda12]' in place of what is there; or stay on 'cpu'"
    ),
    "gpu": "CuPy and the driver find no GPU; is CUDA_VISIBLE_DEVICES set to none?; or stay on 'cpu'",
    "nvrtc": "CuPy finds no NVRTC to compile kernels; pip install 'cupy-cuda13x[ctk]'; or stay on 'cpu'",
    "cublas": "CuPy finds no cuBLAS to multiply matrices; pip install 'cupy-cuda13x[ctk]'; or stay on 'cpu'",
    "toolkit": (
        "CuPy finds no NVRTC to compile kernels and no cuBLAS to multiply matrices; "
        "pip install 'cupy-cuda13x[ctk]'; or stay on 'cpu'"
    ),
}
LIBRARIES = {"nvrtc": ["nvrtc"], "cublas": ["cublas"], "toolkit": ["nvrtc", "cublas", "cudart"]}


@pytest.fixture(params=WITHOUT)
def lacking(request, monkeypatch):
    """What is said where one thing is missing."""
    said = WITHOUT[request.param]
    if request.param == "cupy":
        monkeypatch.setitem(sys.modules, "cupy", None)
        yield said
    elif request.param in LIBRARIES:
        with fakecupy.installed(), fakecupy.without(*LIBRARIES[request.param]):
            yield said
    else:
        known = {"driver": 0, "cuda": 12040, "gpu": 13020}[request.param]
        monkeypatch.setattr(fakecupy.FakeModule, "is_available", staticmethod(lambda: False))
        monkeypatch.setattr(fakecupy.runtime, "driverGetVersion", lambda: known)
        with fakecupy.installed():
            yield said


@pytest.mark.parametrize("name", NEEDS_ONE)
def test_without_a_gpu_the_error_says_what_is_missing_and_the_remedy(lacking, name):
    with pytest.raises(DeviceError) as caught:
        NEEDS_ONE[name]()
    assert str(caught.value).endswith(f": {lacking}")


def test_without_a_gpu_a_script_that_asks_first_runs_on_the_cpu(lacking):
    assert (mg.cuda.is_available(), mg.cuda.device_count()) == (False, 0)
    mg.cuda.synchronize()
    mg.cuda.empty_cache()
    assert not mg.ones(2).is_pinned()
    (batch,) = DataLoader([1.0, 2.0], batch_size=2, pin_memory=True)
    assert batch.to("cpu", non_blocking=True).tolist() == [1.0, 2.0]
    assert mg.config.facts()


def test_a_cupy_that_cannot_be_imported_is_not_said_to_be_missing(tmp_path, monkeypatch):
    (tmp_path / "cupy.py").write_text("raise ImportError('undefined symbol: f')", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cupy", raising=False)
    with pytest.raises(DeviceError, match=r": CuPy is installed, but cannot be imported \(undefined symbol"):
        mg.ones(2).cuda()
    assert not mg.cuda.is_available()
    assert config.facts()


# ---------------------------------------------------------------------------------- CUDA's libraries


@pytest.fixture
def doctor(monkeypatch, capsys):
    """What `minigrad doctor` says of each thing, where CuPy is installed as a user does it."""
    found = config._version
    monkeypatch.setattr(config, "_version", lambda name: "14.2.0" if name == "cupy-cuda13x" else found(name))

    def asked():
        assert main(["doctor"]) == 0
        lines = capsys.readouterr().out.splitlines()
        width = lines[0].index("3.")  # Python's version
        return {line[:width].strip(): line[width:] for line in lines}

    return asked


def test_the_doctor_names_each_library_and_its_version(doctor):
    with fakecupy.installed():
        said = doctor()
    assert said["CuPy"] == "cupy-cuda13x 14.2.0"
    assert (said["NVRTC"], said["cuBLAS"], said["CUDA headers"]) == ("13.2", "13.2.0", "include")
    assert said["cuda:0"].startswith("a fake of CuPy's, ")


def test_the_doctor_says_of_each_library_that_is_missing_what_it_is_for_and_the_remedy(doctor):
    with fakecupy.installed(), fakecupy.without("nvrtc", "cublas", "cudart"):
        said = doctor()
    remedy = "pip install 'cupy-cuda13x[ctk]'"
    assert said["NVRTC"] == f"not installed; needed to compile kernels: {remedy}"
    assert said["cuBLAS"] == f"not installed; needed to multiply matrices: {remedy}"
    assert said["CUDA headers"] == f"not installed; needed for kernels of float16: {remedy}"
    assert said["GPU"] == WITHOUT["toolkit"]


def test_without_headers_a_gpu_computes_all_but_float16():
    with fakecupy.installed(), fakecupy.without("cudart"):
        assert mg.cuda.is_available()
        assert mg.ones(2, device="cuda").sum().item() == 2.0


def test_libraries_are_looked_for_once(monkeypatch):
    asked = []
    with fakecupy.installed():
        monkeypatch.setattr(fakecupy.libs.nvrtc, "getVersion", lambda: asked.append("nvrtc") or (12, 4))
        for _ in range(3):
            assert mg.ones(2, device="cuda").device == "cuda:0"
        assert backend_cuda.cuda_libraries()["NVRTC"] == "12.4"
    assert asked == ["nvrtc"]


@pytest.mark.parametrize("number", [12, 13])
def test_the_remedy_is_of_the_package_that_the_extra_of_minigrad_brings(number, monkeypatch):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (package,) = project["optional-dependencies"][f"cuda{number}"]
    monkeypatch.setattr(fakecupy.runtime, "runtimeGetVersion", lambda: 1000 * number + 20)
    with fakecupy.installed(), fakecupy.without("cublas"):
        with pytest.raises(DeviceError) as caught:
            mg.ones(2).cuda()
        assert f"pip install '{package.partition('>')[0]}[ctk]'" in str(caught.value)
