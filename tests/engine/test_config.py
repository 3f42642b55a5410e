"""What an installation computes with, and the settings of malloc: made once, never against the user's own."""

import os
import subprocess
import sys

import pytest

from minigrad import allocator, config

ASK = "import minigrad.allocator as a; print(a.keeps_freed_memory, a.reason_against())"
FAULTS = """
import resource
import numpy, {library}
x = numpy.zeros((1024, 256), numpy.float32)
for step in range(11):
    if step == 1: before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    y = x + x
    z = y * x
    del y, z
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def asked(text=ASK, **environment):
    """What a new process says, by default of its malloc."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_"))}
    run = subprocess.run(
        [sys.executable, "-c", text],
        capture_output=True,
        text=True,
        check=True,
        env={**plain, **environment},
    )
    return run.stdout.strip()


@pytest.mark.skipif(not allocator._is_glibc(), reason="only glibc has mallopt")
def test_freed_memory_is_kept_on_glibc():
    assert asked() == "True None"


@pytest.mark.skipif(not allocator._is_glibc(), reason="only glibc has mallopt")
def test_importing_minigrad_is_enough_for_arrays_to_reuse_pages():
    pages_of_a_step = 2 * 256  # two arrays of 1 MB; without the settings each step touches fresh ones
    assert int(asked(FAULTS.format(library="math"))) > 5 * pages_of_a_step
    assert int(asked(FAULTS.format(library="minigrad"))) < pages_of_a_step


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"MINIGRAD_NO_MALLOPT": "1"}, "MINIGRAD_NO_MALLOPT is set"),
        ({"MALLOC_TOP_PAD_": "0"}, "MALLOC_TOP_PAD_ set by the user"),
        ({"GLIBC_TUNABLES": "glibc.malloc.check=0"}, "GLIBC_TUNABLES set by the user"),
    ],
)
def test_a_setting_of_the_users_is_left_alone(environment, reason):
    assert asked(**environment) == f"False {reason}"


def test_elsewhere_nothing_is_set(monkeypatch):
    for name in [name for name in os.environ if name.startswith(("MALLOC_", "GLIBC_", "MINIGRAD_NO"))]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(allocator.os, "confstr", lambda _: "musl 1.2", raising=False)
    assert allocator.reason_against() == "the C library is not glibc"
    assert allocator.keep_freed_memory() is False


def test_the_facts_are_printed_a_line_each(capsys):
    config.show()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(config.facts()) + len(config.warnings())
    assert config.facts()["NumPy"] in lines[1]


def test_kernels_below_the_processor_are_warned_of_with_the_cause(monkeypatch):
    monkeypatch.setattr(config, "_widest_instructions", lambda: "avx512f")
    monkeypatch.setattr(config, "blas_core", lambda: "Haswell")
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    (warning,) = config.warnings()
    assert warning.startswith(
        "matrix products use avx2 instructions where the processor has avx512f, and take"
    )
    assert "up to 2 times as long: OPENBLAS_CORETYPE=Haswell is set" in warning
    monkeypatch.delenv("OPENBLAS_CORETYPE")
    assert "a newer NumPy" in config.warnings()[0]


@pytest.mark.parametrize(
    ("core", "able"),
    [("SkylakeX", "avx512f"), ("Haswell", "avx2"), (None, "avx2"), ("neoversen1", None), ("Zen", "avx")],
)
def test_what_fits_or_is_unknown_is_not_warned_of(core, able, monkeypatch):
    monkeypatch.setattr(config, "_widest_instructions", lambda: able)
    monkeypatch.setattr(config, "blas_core", lambda: core)
    assert config.warnings() == []


def test_a_package_that_is_missing_says_what_it_is_for():
    missing = "not installed; needed for dreams: pip install 'minigrad[sleep]'"
    assert config._presence("no_such_package", "sleep", "dreams") == missing
    assert config._presence("hypothesis", "test", "tests")[0].isdigit()
