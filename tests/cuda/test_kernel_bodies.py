"""Every kernel of the library's own computes what NumPy does; nvcc and NVRTC, where they are, take it."""

import functools
import math
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kernel_bodies import SOURCES, WORDS, parameters, run
from minigrad.kernels.cupy_sources import PREAMBLE
from minigrad.kernels.drawing import drawn_by_weight

SEEDS = st.integers(0, 2**64 - 1)
WEIGHTS = st.one_of(st.just(0.0), st.floats(1e-3, 1), st.floats(5e-324, 1e-300))
FLOATS = st.sampled_from(["float32", "float64"])


def numbers(draw, count, dtype, low=-4.0, high=4.0):
    return np.random.default_rng(draw).uniform(low, high, count).astype(dtype)


# ---------------------------------------------------------------------------------- random numbers


@example(seed=0, first=2**64 - 3, blocks=5)  # the counter carries
@given(seed=SEEDS, first=st.integers(0, 2**64 - 1), blocks=st.integers(0, 9))
def test_philox_gives_the_words_of_numpys_philox(seed, first, blocks):
    words = np.zeros(4 * blocks, "uint64")
    run(SOURCES["philox_words"], (np.uint64(seed), np.uint64(first), words), size=blocks)
    expected = np.random.Philox(key=seed, counter=first).random_raw(4 * blocks)
    np.testing.assert_array_equal(words, expected)


@given(seed=SEEDS, first=st.integers(0, 2**64 - 1), count=st.integers(0, 70), threshold=st.integers(0, 65536))
def test_a_mask_has_the_bits_of_the_cpus(seed, first, count, threshold):
    keep = np.zeros(count, "bool")
    key = np.uint64(seed), np.uint64(first)
    run(SOURCES["philox_keep"], (*key, count, threshold, keep), size=-(-count // 16))
    words = np.random.Philox(key=seed, counter=first).random_raw(-(-count // 4))
    np.testing.assert_array_equal(keep, np.atleast_1d(words).view("uint16")[:count] >= threshold)


@example(weights=[[0.1, 0.2, 0.7, 0.0]], points=[[0.0, 1 - 2**-53, 0.1]])
@example(weights=[[0.0, 5e-324, 0.0]], points=[[0.5, 0.9, 0.0]])  # any product rounds to 0, or to the end
@given(
    weights=st.lists(st.lists(WEIGHTS, min_size=4, max_size=4).filter(any), min_size=1, max_size=4),
    points=st.lists(
        st.lists(st.floats(0, 1, exclude_max=True), min_size=3, max_size=3), min_size=4, max_size=4
    ),
)
def test_a_category_is_drawn_as_numpy_finds_it(weights, points):
    weights = np.array(weights)
    points = np.array(points)[: len(weights)]
    found = run(SOURCES["drawn_by_weight"], (weights, points, *weights.shape[1:], *points.shape[1:]))
    np.testing.assert_array_equal(found, drawn_by_weight(np, weights, points))
    assert (np.take_along_axis(weights, found, axis=1) > 0).all()


# ---------------------------------------------------------------------------------- indices


@given(
    numbers=st.lists(st.integers(-100, 100), max_size=8),
    kind=st.sampled_from(SOURCES["note_outside"].types),
    limits=st.tuples(st.integers(-90, 0), st.integers(1, 90)),
    ignored=st.integers(-100, 100),
)
def test_the_first_number_out_of_range_is_noted(numbers, kind, limits, ignored):
    if kind.startswith("u"):
        numbers = [abs(n) for n in numbers]
    report = np.zeros(3, "uint64")
    run(SOURCES["note_outside"], (np.array(numbers, kind), *limits, ignored, 7, report))
    wrong = [(n, i) for i, n in enumerate(numbers) if not limits[0] <= n < limits[1] and n != ignored]
    expected = (7, wrong[0][0] % 2**64, wrong[0][1]) if wrong else (0, 0, 0)
    assert tuple(report.tolist()) == expected


@given(
    draw=SEEDS, count=st.integers(1, 6), width=st.integers(1, 4), length=st.integers(0, 9),
    kind=st.sampled_from(SOURCES["scatter_add"].types),
)  # fmt: skip
def test_rows_are_added_by_number_in_both_ways(draw, count, width, length, kind):
    random = np.random.default_rng(draw)
    rows = random.integers(-count, count, length)
    values = (random.normal(size=length * width) * 8).astype(kind)
    expected = np.zeros((count, width), kind)
    np.add.at(expected, rows, values.reshape(length, width))

    total = np.zeros(count * width, kind)
    run(SOURCES["scatter_add"], (values, rows, count, width, total))
    np.testing.assert_array_equal(total, expected.reshape(-1))

    order = np.argsort(rows % count, kind="stable")
    starts = np.searchsorted((rows % count)[order], np.arange(count + 1))
    total = np.empty(count * width, kind)
    run(SOURCES["sorted_add"], (values, order, starts, width, total))
    np.testing.assert_array_equal(total, expected.reshape(-1))


def test_a_row_that_does_not_exist_is_left_out_and_no_other_memory_written_to():
    total = np.zeros(6)
    run(SOURCES["scatter_add"], (np.ones(4), np.array([5, -3]), 2, 2, total[1:5]))
    assert not total.any()


# ---------------------------------------------------------------------------------- functions


@given(draw=SEEDS, kind=FLOATS)
def test_erf_and_erfc_are_pythons(draw, kind):
    x = numbers(draw, 9, kind)
    digits = {"float32": 1e-6, "float64": 1e-14}[kind]
    for name, exact in (("erf", math.erf), ("erfc", math.erfc)):
        np.testing.assert_allclose(run(SOURCES[name], (x,)), [exact(a) for a in x.tolist()], rtol=digits)


@given(draw=SEEDS, kind=FLOATS)
def test_adam_takes_the_step_of_its_equations(draw, kind):
    p, m, g = (numbers(draw + i, 7, kind) for i in range(3))
    v = numbers(draw, 7, kind, 0.0, 1e-3)  # what is added to it is not small beside it
    exact = [a.astype("float64") for a in (p, m, g, v)]
    moments = 0.9 * exact[1] + 0.1 * exact[2], 0.9999 * exact[3] + 1e-4 * exact[2] ** 2
    expected = exact[0] - 0.02 * (moments[0] / (np.sqrt(moments[1]) + 1e-3))
    run(SOURCES["adam"], (g, 0.9, 0.9999, 1 - 0.9, 1 - 0.9999, 0.02, 1e-3, p, m, v))
    digits = {"float32": 1e-6, "float64": 1e-12}[kind]  # 1 - β₂ of a β₂ in float32 would be wrong by 1e-4
    for found, wanted, least in zip((p, m, v), (expected, *moments), (4, 4, 0), strict=True):
        np.testing.assert_allclose(found, wanted, rtol=digits, atol=least * digits)


# ---------------------------------------------------------------------------------- compilers

ARCHITECTURES = ("sm_80", "sm_90")
COMPILED = [(source, kind) for source in SOURCES.values() for kind in source.types]


def cuda(source, kind, array="{}*"):
    """The kernel as CuPy would write it; `array` is the class of a raw array of {}."""
    arguments, elements = [], []
    for p in parameters(source):
        word = WORDS.get(p.kind, "T")
        arguments.append(f"{array.format(word)} {p.name}" if p.raw else f"{word}* at_{p.name}")
        if not p.raw:
            elements.append(f"{word}{'&' if p.out else ''} {p.name} = at_{p.name}[i];")
    return f"""
namespace {source.name}_{kind or "plain"} {{
{f"typedef {WORDS[kind]} T;" if kind else ""}
extern "C" __global__ void run_{source.name}_{kind or "plain"}(long long n, {", ".join(arguments)}) {{
    for (ptrdiff_t i = blockIdx.x * (ptrdiff_t)blockDim.x + threadIdx.x; i < n;
         i += (ptrdiff_t)blockDim.x * gridDim.x) {{ {" ".join(elements)} {source.body} }}
}} }}
"""


def everything(array="{}*"):
    return PREAMBLE + "".join(cuda(*one, array) for one in COMPILED)


@functools.cache
def nvrtc():
    """CuPy's binding of NVRTC, if both are installed."""
    try:
        from cupy_backends.cuda.libs import nvrtc as found

        found.getVersion()
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"no NVRTC here: {type(error).__name__}; `make test-cupy` installs it")
    return found


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nvrtc_compiles_every_kernel(architecture):
    found = nvrtc()
    import cupy

    headers = Path(cupy.__file__).parent / "_core" / "include"  # the class that CuPy gives to raw arrays
    text = '#include "cupy/carray.cuh"\n' + everything("CArray<{}, 1, true, true>")
    program = found.createProgram(text, "kernels.cu", (), ())
    try:
        found.compileProgram(program, (f"-arch={architecture}", "-std=c++17", f"-I{headers}"))
    except RuntimeError:
        pytest.fail(found.getProgramLog(program))
    assert len(found.getCUBIN(program)) > 1000
    found.destroyProgram(program)


@pytest.mark.skipif(not shutil.which("nvcc"), reason="no nvcc here")
@pytest.mark.slow
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nvcc_compiles_every_kernel(architecture, tmp_path):
    path = Path(tmp_path, "kernels.cu")
    path.write_text("#include <cstddef>\n" + everything(), encoding="utf-8")
    command = ["nvcc", "-std=c++17", f"-arch={architecture}", "-cubin", "-o", str(tmp_path / "kernels.cubin")]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
