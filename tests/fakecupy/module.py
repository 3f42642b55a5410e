"""The module `cupy`: NumPy's functions on fake arrays, without those that CuPy lacks."""

import types

import numpy as np

from kernel_bodies import run
from minigrad.kernels.cupy_sources import SOURCES

from .array import FakeArray, Ufunc, as_strided, bare, wrapped
from .devices import POOL
from .surface import COUNTING, LACKING, LINALG
from .waiting import arrive, wait


class FakeModule(types.ModuleType):
    """The module `cupy`: NumPy's functions, on fake arrays."""

    ndarray = FakeArray
    lib = types.SimpleNamespace(stride_tricks=types.SimpleNamespace(as_strided=as_strided))

    @staticmethod
    def is_available():
        return True

    @staticmethod
    def get_default_memory_pool():
        return POOL

    get_default_pinned_memory_pool = get_default_memory_pool

    def __getattr__(self, name):
        if name in LACKING or not hasattr(np, name):
            raise AttributeError(f"module 'cupy' has no attribute {name!r}")
        found = getattr(np, name)
        if isinstance(found, np.ufunc):
            return Ufunc(found)
        if isinstance(found, type) or not callable(found):
            return found

        def function(*args, **keywords):
            if name in COUNTING and not (name == "where" and len(args) == 3):
                wait(name)
            if name == "bincount" and args[1:] and args[1] is not None:  # weights are added in any order
                args = (args[0][::-1], args[1][::-1], *args[2:])
            if name in ("max", "min", "amax", "amin") and {"initial", "where"} & set(keywords):
                raise TypeError(f"cupy.{name}() got an unexpected keyword argument")
            if name in ("asarray", "array") and isinstance(args[0], np.ndarray):
                copy = FakeArray(np.empty_like(args[0]))
                copy.set(args[0])
                if keywords.get("blocking"):
                    wait("a copy")
                    arrive()
                return copy
            if name == "array" and isinstance(args[0], FakeArray):
                return FakeArray(args[0]._array.copy())  # also from another GPU
            source = args[0] if args and isinstance(args[0], FakeArray) else None  # of a view
            return wrapped(found(*bare(args), **bare(keywords)), source)

        return function


class Linalg:
    """The module `cupy.linalg`."""

    LinAlgError = np.linalg.LinAlgError

    def __getattr__(self, name):
        if name not in LINALG:
            raise AttributeError(f"module 'cupy.linalg' has no attribute {name!r}")

        def function(*args, **keywords):
            if name == "solve" and args[0].shape[:-2] != args[1].shape[:-2]:
                raise ValueError("a must have (..., M, M) shape and b must have (..., M) or (..., M, K)")
            found = getattr(np.linalg, name)(*map(bare, args), **bare(keywords))
            return wrapped(tuple(found) if isinstance(found, tuple) else found)

        return function


class ElementwiseKernel:
    """A kernel: the loop that g++ has made of its body."""

    def __init__(self, inputs, outputs, body, name, preamble=""):
        self.source = SOURCES[name.removeprefix("minigrad_")]
        assert (inputs, outputs, body) == self.source[1:4]

    def __call__(self, *arguments, size=None):
        return wrapped(run(self.source, bare(arguments), size))
