"""Peers are measured in processes of their own, and count only if they do the same work as minigrad."""

import ast
import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from commands import minigrad, refusal
from minigrad.tools import bench_flops, bench_gpu, bench_import, bench_models, bench_peers, bench_steps
from minigrad.tools.cli import main

# A peer in one file, which does with minigrad what is asked, and then what its name says.
PEER = """
import os
import minigrad as mg

def mlp(weights, x, target):
    layers = [mg.nn.Linear(*weights[n + ".weight"].T.shape) for n in ("0", "2")]
    model = mg.nn.Sequential(layers[0], mg.nn.ReLU(), layers[1])
    model.load_state_dict({name: mg.tensor(weight) for name, weight in weights.items()})
    optimizer = mg.optim.Adam(model.parameters(), lr=1e-3)
    count = 0

    def step():
        nonlocal count
        count += 1
        print("this is no answer")
        loss = mg.nn.functional.cross_entropy(model(mg.tensor(x)), mg.tensor(target))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        AFTERWARDS
        return loss.item()

    return step
"""
PEERS = {
    "honest": "pass",
    "forward": "loss = loss + 1e-3",
    "backward": "optimizer.param_groups[0]['lr'] = 1.0",
    "crashing": "assert count < 5, 'the fifth step'",
    "dying": "count < 5 or os._exit(3)",
}


@pytest.fixture
def stand_ins(tmp_path, monkeypatch):
    """Peers of our own beside serve.py, known and installed."""
    shutil.copy(bench_peers.SERVER, tmp_path / "serve.py")
    for name, afterwards in PEERS.items():
        text = PEER.replace("AFTERWARDS", afterwards)
        (tmp_path / f"with_{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(bench_peers, "SERVER", tmp_path / "serve.py")
    monkeypatch.setattr(bench_peers, "PEERS", {name: (name, ("mlp",)) for name in PEERS})
    monkeypatch.setattr(bench_peers, "installed", lambda _, names: dict.fromkeys(names, "1.0"))


@pytest.mark.usefixtures("stand_ins")
def test_a_peer_that_fails_or_does_other_work_is_left_out_and_the_others_go_on(tmp_path, capfd):
    path = tmp_path / "found.json"
    words = ["bench", "steps", "mlp", "gru", "--quick", "--peers", *PEERS, "--json", str(path)]
    assert main(words) == 0
    output = capfd.readouterr().out
    mlp, gru = json.loads(path.read_text(encoding="utf-8"))["rows"]
    reasons = mlp["left out"]
    assert set(mlp) & set(PEERS) == {"honest"}
    assert mlp["honest"]["median"] > 0
    assert "its loss at step 0 is" in reasons["forward"]
    assert "its loss at step 2 is" in reasons["backward"]
    assert reasons["crashing"] == "crashing fails: AssertionError: the fifth step"
    assert reasons["dying"].startswith("the process that measures dying has ended")
    for name, reason in reasons.items():
        assert f"{name:9} left out: {reason}" in output
    assert not set(gru) & set(PEERS), "they have no such workload"
    assert not gru["left out"]


@pytest.mark.usefixtures("stand_ins")
def test_what_was_written_prints_as_it_did(tmp_path, capfd):
    path = tmp_path / "found.json"
    main(["bench", "steps", "mlp", "decoding", "--quick", "--peers", "honest", "--json", str(path)])
    output = capfd.readouterr().out
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        assert bench_steps.line(row) in output
    assert "tokens/s" in output


def test_the_file_of_a_peer_has_the_workloads_that_the_list_says():
    for name, (_, functions) in bench_peers.PEERS.items():
        text = bench_peers.SERVER.with_name(f"with_{name}.py").read_text(encoding="utf-8")
        found = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        assert set(functions) <= found
    served = {path.stem for path in bench_peers.SERVER.parent.glob("with_*.py")}
    assert served == {f"with_{name}" for name in bench_peers.PEERS}


def test_losses_agree_to_rounding_at_first_and_nearly_afterwards():
    assert bench_peers.difference([2.0, 1.0], [2.00001, 1.005]) is None
    assert "at step 0 is 2.0001 and minigrad's 2" in bench_peers.difference([2.0, 1.0], [2.0001, 1.0])
    assert "at step 1 is 1.02" in bench_peers.difference([2.0, 1.0], [2.0, 1.02])
    assert "at step 0 is nan" in bench_peers.difference([2.0], [float("nan")])


def test_a_package_that_is_not_installed_is_named_and_left_out():
    versions = bench_peers.installed(sys.executable, ["numpy", "no-such-package"])
    assert versions == {"numpy": np.__version__}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--peers", "mygrat"], "no peer is called 'mygrat'; did you mean mygrad?"),
        (["--peers", "tensorflow"], "expected one of torch, autograd, dezero, jax, mygrad, pydynet"),
        (["--peers", "jax", "--python", "absent/python"], "--python absent/python: that is no Python"),
        (["--device", "cuda"], "--device: device 'cuda:0': CuPy is not installed"),
        (["--device", "gpu"], "device 'gpu': expected 'cpu', 'cuda' or 'cuda:<index>'"),
    ],
)
def test_bad_input_is_refused_in_a_sentence(words, said, tmp_path):
    found = minigrad("bench", "steps", "mlp", "--quick", *words, cwd=tmp_path, without=("cupy",))
    assert said in refusal(found)


def test_with_options_alone_steps_are_meant(tmp_path):
    found = minigrad("bench", "--device", "cuda", cwd=tmp_path, without=("cupy",))
    assert "--device: device 'cuda:0': CuPy is not installed" in refusal(found)


def test_other_peers_than_pytorch_are_not_measured_on_a_gpu():
    bench_peers.check(["torch"], "cuda")
    with pytest.raises(bench_peers.CommandError, match="--peers jax: it is measured on the CPU alone"):
        bench_peers.check(["torch", "jax"], "cuda")


# 10^9 operations of a step: 2 x 3 x places x weights, and what attention adds.
@pytest.mark.parametrize(
    ("name", "expected"), [("mlp", 0.411), ("lstm", 14.3), ("gru", 12.7), ("transformer", 42.6)]
)
def test_the_operations_of_a_step_are_those_of_its_matrix_products(name, expected):
    sizes = bench_models.WORKLOADS[name].sizes_of(quick=False)
    assert bench_flops.step_flops(name, sizes) / 1e9 == pytest.approx(expected, rel=5e-3)


def test_every_training_step_has_its_operations_counted_and_decoding_its_tokens():
    counted = {
        name
        for name, workload in bench_models.WORKLOADS.items()
        if bench_flops.step_flops(name, workload.sizes_of(quick=True))
    }
    assert set(bench_models.WORKLOADS) - counted == {"decoding", "decoding-uncached"}


def test_an_import_is_what_it_takes_beyond_pythons_start():
    row = bench_import.import_row("numpy", {"median": 90.0, "p10": 80.0}, {"median": 20.0, "p10": 15.0})
    assert row == {"library": "numpy", "median": 70.0, "p10": 65.0}


def test_time_on_a_gpu_is_that_between_two_events():
    said = []

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            said.append("event")

        def elapsed_time(self, end):
            assert end is not self
            return 250.0  # ms

    cuda = SimpleNamespace(Event=Event, synchronize=lambda: said.append("wait"))
    taken = bench_gpu.gpu_times(SimpleNamespace(cuda=cuda), lambda: said.append("step"), samples=3)
    assert [gpu for gpu, _ in taken] == [0.25] * 3
    assert said == ["wait", "event", "step", "event", "wait"] * 5, "two rounds are not counted"


def test_kernels_are_what_pytorch_saw_on_the_gpu_but_for_copies(monkeypatch):
    class Profile:
        def __init__(self, activities):
            assert activities == ["CUDA"]

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def events(self):
            places = {"gemm": "CUDA", "Memcpy HtoD": "CUDA", "cupy_add": "CUDA", "cudaLaunch": "CPU"}
            return [SimpleNamespace(name=name, device_type=place) for name, place in places.items()]

    library = SimpleNamespace(cuda=SimpleNamespace(synchronize=lambda: None))
    activity = SimpleNamespace(CUDA="CUDA")
    profiler = SimpleNamespace(profile=Profile, ProfilerActivity=activity)
    monkeypatch.setitem(sys.modules, "torch.profiler", profiler)
    assert bench_gpu.kernel_count(library, list) == 2
    monkeypatch.setitem(sys.modules, "torch.profiler", None)
    assert bench_gpu.kernel_count(library, list) is None


def test_a_row_of_a_gpu_has_the_time_of_python_and_the_kernels():
    found = {"median": 2.0, "p10": 1.5, "peak MB": 10.0, "Python ms": 1.25, "GPU kernels": 77}
    row = {"title": "MLP", "threads": 1, "kernels": "auto", "minigrad": found, "left out": {}}
    row["torch"] = {**found, "median": 4.0, "peak MB": 20.0, "GPU kernels": None}
    first, second = bench_steps.line(row).splitlines()
    assert first.split()[3:] == ["minigrad", "2.000", "1.500", "10", "1.00", "1.00", "1.250", "77"]
    assert second.split() == ["torch", "4.000", "1.500", "20", "0.50", "0.50", "1.250", "-"]
