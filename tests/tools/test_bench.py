"""The benchmark measures what it says: its NumPy work is what the tape computes, its models learn.

How long anything takes is asserted nowhere.
"""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from commands import done, minigrad, refusal
from minigrad.tools import bench_growth, bench_models, bench_ops, bench_overhead, bench_steps
from minigrad.tools.bench_ops import CHAINS


def titles(*names):
    return [bench_models.WORKLOADS[name].title for name in names]


TABLES = {
    "overhead": (["overhead"], list(CHAINS), "operation", list(CHAINS)),
    "steps": (["steps"], titles(*bench_models.WORKLOADS), "workload", list(bench_models.WORKLOADS)),
    "import": (["import"], ["numpy ", "minigrad "], "library", ["numpy", "minigrad"]),
    "growth": (["growth"], ["rnn", "attention"], "layer", ["rnn"] * 4 + ["attention"] * 4),
}


@pytest.mark.parametrize("table", TABLES)
def test_a_quick_run_prints_and_writes_every_row(table, tmp_path):
    words, starts, column, expected = TABLES[table]
    plot = ["--plot", "found.png"] if table in ("steps", "growth") else []
    output = done(minigrad("bench", *words, "--quick", "--json", "found.json", *plot, cwd=tmp_path))
    lines = output.splitlines()
    assert all(any(line.startswith(start) for line in lines) for start in starts)
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [row[column] for row in found["rows"]][: len(expected)] == expected
    assert found["settings"] == {"rounds": 1, "samples": 1, "quick": True}
    assert {"date", "processor", "NumPy", "BLAS", "OPENBLAS_CORETYPE", "load"} <= set(found["machine"])
    if plot:
        assert (tmp_path / "found.png").read_bytes().startswith(b"\x89PNG")


def test_a_profile_names_the_operations_of_a_step(tmp_path):
    output = done(minigrad("bench", "steps", "lstm", "--quick", "--profile", cwd=tmp_path))
    assert "LSTM 2 x 256, T 32" in output
    for operation in ("lstm.forward", "lstm.pullback", "cross_entropy.forward", "optimizer.step"):
        assert f"  {operation} " in output


def test_the_exponent_is_that_of_the_larger_sizes():
    assert bench_growth.exponent({n: 1e-3 * n**2 for n in (8, 16, 32, 64)}) == pytest.approx(2)
    assert bench_growth.exponent({8: 5.0, 16: 5.0, 32: 5.0, 64: 10.0}) == pytest.approx(1)


def test_the_sizes_of_growth_take_turns(monkeypatch):
    asked = []

    class Child:
        def __init__(self, library, threads):
            assert (library, threads) == ("minigrad", 1)

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            pass

        def ask(self, growth, sizes, samples):
            asked.append((growth, sizes["depth"]))
            return [1e-3 * sizes["depth"]] * samples

    monkeypatch.setattr(bench_growth, "Child", Child)
    monkeypatch.setattr(bench_growth, "SIZES", {"depth": (1, 2, 4)})
    rows = list(bench_growth.measure(SimpleNamespace(rounds=2, samples=3, quick=False, threads=[1])))
    assert asked == [(layer, depth) for layer in ("rnn", "attention") for depth in (1, 2, 4) * 2]
    assert rows[0]["ms"] == pytest.approx({1: 1.0, 2: 2.0, 4: 4.0})
    assert rows[0]["exponent"] == pytest.approx(1)


def test_the_kernels_are_those_asked_for_or_else_what_is_configured(monkeypatch):
    monkeypatch.delenv("OPENBLAS_CORETYPE", raising=False)
    assert bench_steps.kernel_choices(None) == [None]
    assert bench_steps.kernel_choices(["auto", "Haswell"]) == [None, "Haswell"]
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    assert bench_steps.kernel_choices(None) == [None, "Haswell"]


def test_decoding_with_and_without_the_cache_writes_the_same_tokens():
    cached = bench_models.WORKLOADS["decoding"].step(mg, quick=True)()
    uncached = bench_models.WORKLOADS["decoding-uncached"].step(mg, quick=True)()
    assert cached.tolist() == uncached.tolist()
    assert cached.shape == (2, 4)


@pytest.mark.parametrize("name", CHAINS)
def test_the_array_work_beside_an_operation_is_what_the_tape_computes(name):
    chain = replace(CHAINS[name], length=4)
    kept = bench_ops.numpy_forward(chain)
    leaves = bench_ops.tensors(mg, chain)
    output = bench_ops.library_forward(mg, chain, leaves)
    np.testing.assert_allclose(output.detach().numpy(), kept[-1][-1], rtol=1e-6)
    output.backward(mg.tensor(bench_ops.near_one(1)))
    expected = bench_ops.numpy_backward(chain, kept)
    for leaf, gradient in zip([leaf for leaf in leaves if leaf is not None], expected, strict=True):
        np.testing.assert_allclose(leaf.grad.numpy(), gradient, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CHAINS)
def test_no_number_in_a_chain_is_one_that_numpy_computes_slowly(name):
    kept = bench_ops.numpy_forward(CHAINS[name])
    values = [kept[-1][-1], *bench_ops.numpy_backward(CHAINS[name], kept)]
    sizes = np.abs(np.concatenate([value.ravel() for value in values]))
    assert np.isfinite(sizes).all()
    assert sizes[sizes > 0].min() > np.finfo("float32").tiny


@pytest.mark.parametrize("name", [name for name in bench_models.WORKLOADS if not name.startswith("decoding")])
def test_a_workload_learns(name):
    step = bench_models.WORKLOADS[name].step(mg, quick=True)
    losses = [step().item() for _ in range(12)]
    assert losses[-1] < losses[0]


def test_overhead_is_time_beyond_numpys_own():
    taken = {"numpy forward": 1.0, "numpy backward": 2.0, "no_grad": 1.25, "forward": 2.0, "both": 5.5}
    times = {("minigrad", column): [time * 1e-6 * CHAINS["add"].length] for column, time in taken.items()}
    found = bench_overhead.overhead_row("add", times)["overhead"]["median"]
    assert found == pytest.approx({"no_grad": 0.25, "forward": 1.0, "backward": 1.5})


def test_a_file_that_cannot_be_written_is_refused_in_a_sentence(tmp_path):
    found = minigrad("bench", "steps", "tiny-mlp", "--quick", "--json", "absent/found.json", cwd=tmp_path)
    assert "found.json: No such file" in refusal(found)


def test_a_workload_that_is_not_there_is_refused(tmp_path):
    found = minigrad("bench", "steps", "lstn", "--quick", cwd=tmp_path)
    assert "no workload is called 'lstn'; did you mean lstm?" in refusal(found)
