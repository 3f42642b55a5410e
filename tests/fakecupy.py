"""An array library that behaves as CuPy does where CuPy is stricter than NumPy, without a GPU.

Its arrays refuse to meet NumPy's arrays or to become one, its results of dimension 0 stay arrays, it lacks
what CuPy lacks, and an index out of range wraps around in silence.  What runs on it does not depend on NumPy
by accident.
"""

import contextlib
import types

import numpy as np

LACKING = {
    *("block", "matvec", "vecdot", "vecmat", "unstack", "insert"),
    *("nditer", "seterr", "geterr", "errstate", "geomspace"),
}
LINALG = {
    *("cholesky", "cond", "det", "eig", "eigh", "eigvals", "eigvalsh", "inv", "lstsq", "matrix_power"),
    *("matrix_rank", "norm", "pinv", "qr", "slogdet", "solve", "svd", "tensorinv", "tensorsolve"),
}
AT = {"add", "subtract", "maximum", "minimum"}
REDUCE = {"add", "multiply"}


class FakeArray(np.lib.mixins.NDArrayOperatorsMixin):
    """A numpy.ndarray behind glass."""

    __slots__ = ("__weakref__", "_array", "_base")

    def __init__(self, array, base=None):
        self._array, self._base = array, base

    # what every array has
    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    size = property(lambda self: self._array.size)
    itemsize = property(lambda self: self._array.itemsize)
    nbytes = property(lambda self: self._array.nbytes)
    strides = property(lambda self: self._array.strides)
    __cuda_array_interface__ = property(lambda self: self._array.__array_interface__)
    flags = property(lambda self: self._array.flags)
    T = property(lambda self: FakeArray(self._array.T, self))
    device = types.SimpleNamespace(id=0)

    @property
    def base(self):
        """The array that owns the memory that this one views, as CuPy tells it."""
        if self._array.flags.owndata or self._base is None:
            return None
        return self._base if self._base.base is None else self._base.base

    def get(self):
        """The values on the host: the one way out."""
        return self._array.copy()

    def item(self):
        return self._array.item()

    def tolist(self):
        return self._array.tolist()

    def __array__(self, *args, **keywords):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __len__(self):
        return len(self._array)

    def __bool__(self):
        return bool(self._array)

    def __float__(self):
        return float(self._array)

    def __int__(self):
        return int(self._array)

    def __getitem__(self, index):
        return wrapped(self._array[wrapping(index, self._array.shape)], self)

    def __setitem__(self, index, value):
        self._array[wrapping(index, self._array.shape)] = bare(value)

    def __getattr__(self, name):
        if name.startswith("__") or name not in METHODS:
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")
        method = getattr(self._array, name)
        return lambda *args, **keywords: wrapped(method(*map(bare, args), **bare(keywords)), self)

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if method == "at" and ufunc.__name__ not in AT:
            raise NotImplementedError(f"cupy.{ufunc.__name__}.at")
        if method in ("reduce", "accumulate") and ufunc.__name__ not in REDUCE:
            raise NotImplementedError(f"cupy.{ufunc.__name__}.{method}")
        found = getattr(ufunc, method)(*map(bare, inputs), **bare(keywords))
        return keywords["out"][0] if keywords.get("out") else wrapped(found)

    def __array_function__(self, function, kinds, args, keywords):
        if function.__name__ in LACKING:
            raise AttributeError(f"module 'cupy' has no attribute {function.__name__!r}")
        return wrapped(function(*bare(args), **bare(keywords)))


METHODS = {
    *("all", "any", "argmax", "argmin", "max", "mean", "min", "prod", "std", "sum", "var"),
    *("argsort", "astype", "clip", "copy", "fill", "flatten", "nonzero", "ravel", "repeat", "reshape"),
    *("sort", "squeeze", "swapaxes", "take", "transpose", "view"),
}


def bare(value):
    """What lies behind the glass; a NumPy array is refused, as the GPU would refuse it."""
    if isinstance(value, FakeArray):
        return value._array
    if isinstance(value, np.ndarray):
        raise TypeError(f"Unsupported type {type(value)}: an array of NumPy met one of CuPy")
    if isinstance(value, tuple | list):
        return type(value)(bare(item) for item in value)
    if isinstance(value, dict):
        return {name: bare(item) for name, item in value.items()}
    return value


def wrapped(value, base=None):
    """A result as CuPy would give it: of dimension 0, too, an array."""
    if isinstance(value, np.ndarray | np.generic):
        return FakeArray(np.asarray(value), base)
    if isinstance(value, tuple | list):
        return type(value)(wrapped(item, base) for item in value)
    return value


def wrapping(index, shape):
    """An index with integer arrays taken modulo the size, since CuPy does not look at their range."""
    parts = index if isinstance(index, tuple) else (index,)
    plain = tuple(bare(part) for part in parts)
    if all(isinstance(part, np.ndarray) and part.dtype.kind in "iu" for part in plain):
        plain = tuple(part % max(size, 1) for part, size in zip(plain, shape, strict=False))
    return plain if isinstance(index, tuple) else plain[0]


def as_strided(x, shape, strides):
    """A view with strides of its own."""
    return FakeArray(np.lib.stride_tricks.as_strided(x._array, shape, strides), x)


class FakeModule(types.ModuleType):
    """The module `cupy`: NumPy's functions, on fake arrays."""

    ndarray = FakeArray
    cuda = types.SimpleNamespace(Device=lambda index: contextlib.nullcontext())
    lib = types.SimpleNamespace(stride_tricks=types.SimpleNamespace(as_strided=as_strided))

    @staticmethod
    def is_available():
        return True

    def __getattr__(self, name):
        if name in LACKING or not hasattr(np, name):
            raise AttributeError(f"module 'cupy' has no attribute {name!r}")
        found = getattr(np, name)
        if isinstance(found, np.ufunc):
            return Ufunc(found)
        if isinstance(found, type) or not callable(found):
            return found

        def function(*args, **keywords):
            if name in ("max", "min", "amax", "amin") and {"initial", "where"} & set(keywords):
                raise TypeError(f"cupy.{name}() got an unexpected keyword argument")
            if name in ("asarray", "array") and isinstance(args[0], np.ndarray):
                return FakeArray(args[0].copy())  # a copy from the host
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


class Ufunc:
    """One of CuPy's ufuncs."""

    def __init__(self, ufunc):
        self.ufunc, self.__name__ = ufunc, ufunc.__name__

    def __call__(self, *args, **keywords):
        found = self.ufunc(*bare(args), **bare(keywords))
        return keywords["out"] if "out" in keywords else wrapped(found)

    def at(self, target, index, *values):
        if self.__name__ not in AT:
            raise NotImplementedError(f"cupy.{self.__name__}.at")
        self.ufunc.at(bare(target), wrapping(index, target.shape), *map(bare, values))


cupy = FakeModule("fakecupy")
cupy.linalg = Linalg()
