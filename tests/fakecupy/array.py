"""An array that refuses NumPy's, and what is computed with it: arrays, of dimension 0 too."""

import types

import numpy as np

from .devices import CURRENT
from .surface import AT, COUNTING, LACKING, METHODS, REDUCE, VIEWS
from .waiting import arrive, copy_in, wait


class FakeArray(np.lib.mixins.NDArrayOperatorsMixin):
    """A numpy.ndarray behind glass."""

    __slots__ = ("__weakref__", "_array", "_base", "_place")

    def __init__(self, array, base=None):
        self._array, self._base = array, base
        self._place = CURRENT.stack[-1] if base is None else base._place

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
    device = property(lambda self: types.SimpleNamespace(id=self._place))
    data = property(lambda self: types.SimpleNamespace(ptr=self._array.ctypes.data, device_id=self._place))

    @property
    def base(self):
        """The array that owns the memory that this one views, as CuPy tells it."""
        if self._array.flags.owndata or self._base is None:
            return None
        return self._base if self._base.base is None else self._base.base

    def get(self):
        """The values on the host: the one way out."""
        wait("get")
        arrive()
        return self._array.copy()

    def set(self, array, stream=None):
        """Copy an array of the host in: at once, or, from pinned memory, when its turn comes."""
        copy_in(self._array, array)

    def item(self):
        return self.get().item()

    def tolist(self):
        return self.get().tolist()

    def __array__(self, *args, **keywords):
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")

    def __len__(self):
        return len(self._array)

    def __bool__(self):
        return bool(self.get())

    def __float__(self):
        return float(self.get())

    def __int__(self):
        return int(self.get())

    def __getitem__(self, index):
        return wrapped(self._array[wrapping(index, self._array.shape)], self)

    def __setitem__(self, index, value):
        place, value = wrapping(index, self._array.shape), bare(value)
        if not any(is_number(part) for part in (place if isinstance(place, tuple) else (place,))):
            self._array[place] = value
            return
        numbers = np.arange(self.size).reshape(self.shape)[place]
        sent = np.broadcast_to(value, numbers.shape).astype(self.dtype)  # of those for one element
        self._array.flat[numbers.reshape(-1)[::-1]] = sent.reshape(-1)[::-1]  # any may stay: here the first

    def __getattr__(self, name):
        if name.startswith("__") or name not in METHODS:
            raise AttributeError(f"'cupy.ndarray' object has no attribute {name!r}")
        method = getattr(self._array if name in VIEWS else bare(self), name)
        if name in COUNTING:
            wait(name)
        if name == "take":
            keywords_of_take = {"mode": "wrap"}  # CuPy does not look at the range
            return lambda *args, **keywords: wrapped(
                method(*map(bare, args), **bare(keywords), **keywords_of_take), self
            )
        return lambda *args, **keywords: wrapped(method(*map(bare, args), **bare(keywords)), self)

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        if method == "at":
            return Ufunc(ufunc).at(*inputs)
        if any(isinstance(value, list | tuple) for value in inputs):
            raise TypeError("Unsupported type <class 'list'>")
        if method in ("reduce", "accumulate") and ufunc.__name__ not in REDUCE:
            raise NotImplementedError(f"cupy.{ufunc.__name__}.{method}")
        found = getattr(ufunc, method)(*map(bare, inputs), **bare(keywords))
        return keywords["out"][0] if keywords.get("out") else wrapped(found)

    def __array_function__(self, function, kinds, args, keywords):
        if function.__name__ in LACKING:
            raise AttributeError(f"module 'cupy' has no attribute {function.__name__!r}")
        return wrapped(function(*bare(args), **bare(keywords)))


class Ufunc:
    """One of CuPy's ufuncs."""

    def __init__(self, ufunc):
        self.ufunc, self.__name__ = ufunc, ufunc.__name__

    def __call__(self, *args, **keywords):
        if any(isinstance(value, list | tuple) for value in args):
            raise TypeError("Unsupported type <class 'list'>")
        found = self.ufunc(*bare(args), **bare(keywords))
        return keywords["out"] if "out" in keywords else wrapped(found)

    def at(self, target, index, *values):
        if self.__name__ not in AT:
            raise NotImplementedError(f"cupy.{self.__name__}.at")
        if target.dtype.name not in AT[self.__name__]:
            raise TypeError(f"cupy.{self.__name__}.at: {target.dtype} is not supported")
        ufunc, sent = self.ufunc, [bare(value) for value in values]
        if (
            self.__name__ in ("maximum", "minimum") and target.dtype.kind == "f"
        ):  # fmaxf knows float32, no nan
            ufunc, sent = getattr(np, f"f{self.__name__[:3]}"), [np.float32(value) for value in sent]
        ufunc.at(bare(target), wrapping(index, target.shape), *sent)


def bare(value):
    """What lies behind the glass; a NumPy array is refused, as the GPU would refuse it."""
    if isinstance(value, FakeArray):
        if value._place != CURRENT.stack[-1]:
            raise ValueError(
                f"Array device must be same as the current device: {value._place} is not {CURRENT.stack[-1]}"
            )
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
    if any(map(is_mask, plain)):
        wait("a bool index")
    sizes, found = list(shape), []
    taken = [part.ndim if is_mask(part) else part is not None and part is not Ellipsis for part in plain]
    for part, takes in zip(plain, taken, strict=True):
        if part is Ellipsis:
            del sizes[: len(shape) - sum(taken)]
        elif is_number(part):
            part = part % max(sizes[0], 1)  # noqa: PLW2901 (in CuPy's way)
        found.append(part)
        del sizes[:takes]
    return tuple(found) if isinstance(index, tuple) else found[0]


def is_mask(part):
    return isinstance(part, np.ndarray) and part.dtype.kind == "b"


def is_number(part):
    return isinstance(part, np.ndarray) and part.dtype.kind in "iu"


def as_strided(x, shape, strides):
    """A view with strides of its own."""
    return FakeArray(np.lib.stride_tricks.as_strided(x._array, shape, strides), x)
