"""The bodies of the library's GPU kernels as loops of C++, compiled by g++: they run without a GPU."""

import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from minigrad.kernels.cupy_sources import PREAMBLE, SOURCES

WORDS = {  # NumPy's names of types in C++, as CuPy writes them
    "bool": "bool", "float32": "float", "float64": "double", "int8": "signed char", "int16": "short",
    "int32": "int", "int64": "long long", "uint8": "unsigned char", "uint16": "unsigned short",
    "uint32": "unsigned int", "uint64": "unsigned long long",
}  # fmt: skip
COMPILERS = [name for name in ("g++", "clang++") if shutil.which(name)]


class Parameter(NamedTuple):
    """One parameter of a kernel: `raw T rows`, and does it take results?"""

    raw: bool
    kind: str
    name: str
    out: bool


def parameters(source):
    """The parameters of a kernel in their order."""
    listed = []
    for text, out in ((source.inputs, False), (source.outputs, True)):
        for one in text.split(","):
            *raw, kind, name = one.split()
            listed.append(Parameter(raw == ["raw"], kind, name, out))
    return listed


def cpp(source, kind):
    """The function that runs the body for each element; arrays come as pointers, scalars as values."""
    arguments, elements = [], []
    for p in parameters(source):
        word = WORDS.get(p.kind, "T")
        if p.raw:
            arguments.append(f"{word}* {p.name}")
        else:
            arguments.append(f"{word}* at_{p.name}, long long step_{p.name}")
            reference = f"{word}&" if p.out else f"const {word}"
            elements.append(f"{reference} {p.name} = at_{p.name}[i * step_{p.name}];")
    return f"""
namespace {source.name}_{kind or "plain"} {{
{f"typedef {WORDS[kind]} T;" if kind else ""}
extern "C" void {symbol(source, kind)}(long long n, {", ".join(arguments)}) {{
    for (long long i = 0; i < n; ++i) {{ {" ".join(elements)} {source.body} }}
}} }}
"""


def symbol(source, kind):
    return f"run_{source.name}_{kind or 'plain'}"


@functools.cache
def library():
    """All kernels for all their types, compiled in one go."""
    if not COMPILERS:
        pytest.skip("no C++ compiler here: the bodies of the GPU's kernels are not tried")
    text = "using std::erf; using std::erfc; using std::sqrt;\n"
    text = PREAMBLE + text + "".join(cpp(s, kind) for s in SOURCES.values() for kind in s.types)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernels.cpp")
        path.write_text(text, encoding="utf-8")
        subprocess.run(
            [COMPILERS[0], "-O1", "-std=c++17", "-shared", "-fPIC", "-Wall", "-Werror",
             "-Wno-unused-function", "-ffp-contract=off", "-o", str(path.with_suffix(".so")), str(path)],
            check=True,
        )  # fmt: skip
        return ctypes.CDLL(str(path.with_suffix(".so")))


def run(source, arguments, size=None):
    """Call a kernel as CuPy does, on NumPy's arrays and numbers. Returns its outputs, made where left out."""
    listed = parameters(source)
    kinds = {a.dtype.name for p, a in zip(listed, arguments, strict=False) if p.kind == "T" and is_array(a)}
    if len(kinds) > 1:
        raise TypeError(f"Type is mismatched: {source.name} got {sorted(kinds)} for T")
    kind = kinds.pop() if kinds else ""
    if kind not in source.types:
        raise TypeError(f"{source.name} is not compiled for {kind!r}")
    shapes = [a.shape for p, a in zip(listed, arguments, strict=False) if not p.raw and is_array(a)]
    shape = np.broadcast_shapes(*shapes)
    count = int(np.prod(shape)) if size is None else size
    passed, results, kept = [], [], []
    for p, a in zip(listed, (*arguments, *[None] * (len(listed) - len(arguments))), strict=True):
        dtype = kind if p.kind == "T" else p.kind
        memory = np.empty(shape, dtype) if a is None else np.asarray(a)
        if is_array(a) and memory.dtype != dtype:
            raise TypeError(f"{source.name}: {p.name} is {memory.dtype}, expected {dtype}")
        if p.out:
            results.append(memory)
        if not p.raw and memory.ndim:
            memory = np.broadcast_to(memory, shape)
        memory = np.ascontiguousarray(memory, dtype)
        kept.append(memory)
        passed.append(ctypes.c_void_p(memory.ctypes.data))
        if not p.raw:
            passed.append(ctypes.c_longlong(int(a is None or (is_array(a) and a.ndim > 0))))
    getattr(library(), symbol(source, kind))(ctypes.c_longlong(count), *passed)
    for memory, result in zip(kept[-len(results) :], results, strict=True):
        if not np.shares_memory(memory, result):
            result[...] = memory.reshape(result.shape)
    return results[0] if len(results) == 1 else tuple(results)


def is_array(a):
    return isinstance(a, np.ndarray)
