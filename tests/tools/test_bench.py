"""The benchmark measures what it says: its NumPy work is what the tape computes, its models learn.

How long anything takes is asserted nowhere.
"""

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import minigrad as mg
from minigrad.tools import bench, bench_ops, bench_steps
from minigrad.tools.bench_ops import CHAINS

TABLES = {"overhead": ("operation", list(CHAINS)), "steps": ("workload", list(bench_steps.WORKLOADS))}


@pytest.mark.parametrize("table", TABLES)
def test_a_quick_run_prints_and_writes_every_row(table, tmp_path):
    command = [sys.executable, "-m", "minigrad.tools.bench", table, "--quick", "--json", "found.json"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    column, names = TABLES[table]
    lines = run.stdout.splitlines()
    assert all([line.startswith(name) for line in lines].count(True) == 1 for name in names)
    found = json.loads((tmp_path / "found.json").read_text(encoding="utf-8"))
    assert [row[column] for row in found["rows"]] == names
    assert found["settings"] == {"rounds": 1, "samples": 1, "quick": True}
    assert {"date", "processor", "NumPy", "BLAS", "OPENBLAS_CORETYPE", "load"} <= set(found["machine"])


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


@pytest.mark.parametrize("name", bench_steps.WORKLOADS)
def test_a_workload_learns(name):
    mg.manual_seed(0)
    step = bench_steps.WORKLOADS[name](mg)
    losses = [step().item() for _ in range(6)]
    assert losses[-1] < losses[0]


def test_overhead_is_time_beyond_numpys_own():
    taken = {"numpy forward": 1.0, "numpy backward": 2.0, "no_grad": 1.25, "forward": 2.0, "both": 5.5}
    times = {("minigrad", column): [time * 1e-6 * CHAINS["add"].length] for column, time in taken.items()}
    found = bench.overhead_row("add", times)["overhead"]["median"]
    assert found == pytest.approx({"no_grad": 0.25, "forward": 1.0, "backward": 1.5})


def test_a_file_that_cannot_be_written_is_refused_in_a_sentence(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(bench, "_print_steps", lambda rows, samples: None)
    monkeypatch.setattr(bench, "WORKLOADS", {})
    assert bench.main(["steps", "--quick", "--json", str(tmp_path / "absent" / "found.json")]) == 2
    assert "found.json: No such file" in capsys.readouterr().err
