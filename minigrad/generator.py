"""Floor 0: random numbers from a counter, so that a seed and an offset name every bit that was ever drawn.

The generator is Philox4x64-10 (Salmon, Moraes, Dror and Shaw 2011, "Parallel random numbers: as easy as 1,
2, 3"): a keyed bijection of a counter.  Block i of a seed, the image of the counter i + 1 (NumPy, too, counts
before it draws), is the same four 64-bit words on every machine and every device, in whatever order blocks
are asked for.  Every draw takes whole blocks, so the state of a generator is two integers.

So one generator serves every device: its words are computed where they are needed, on a GPU by a kernel of
kernels/cupy_sources.py, and are the same.  What is made of them by integer arithmetic is the same, too:
uniform numbers, masks, permutations.  Normal numbers pass through log and cos, which two devices may round
differently in the last digit.
"""

import math
import operator
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy

from .backend import Array, as_dtype, default_dtype, library_of, on_device

WORDS = 4  # 64-bit words in a block of Philox4x64


class Generator:
    """Random numbers from (seed, offset): the seed is Philox's key, the offset counts the blocks drawn.

    >>> Generator(7).integers(0, 10, 5).tolist() == Generator(7).integers(0, 10, 5).tolist()
    True
    """

    def __init__(self, seed: int = 0) -> None:
        self._lock = threading.Lock()
        self.manual_seed(seed)

    def manual_seed(self, seed: int) -> "Generator":
        """Start again at offset 0 with the key `seed` (an integer; its low 64 bits count). Returns self."""
        if isinstance(seed, bool) or not hasattr(seed, "__index__"):
            raise TypeError(f"manual_seed(): seed must be an int, got {type(seed).__name__} {seed!r}")
        return self.set_state({"seed": int(seed) & (2**64 - 1), "offset": 0})

    def initial_seed(self) -> int:
        """The seed that the generator was last given."""
        return self._seed

    def get_state(self) -> dict[str, int]:
        """Two integers, `seed` and `offset`, from which the generator can be continued exactly."""
        return {"seed": self._seed, "offset": self._offset}

    def set_state(self, state: dict[str, int]) -> "Generator":
        """Continue where a generator was whose `get_state()` is given. Returns self."""
        if set(state) != {"seed", "offset"}:
            raise ValueError(f"set_state(): expected the keys seed and offset, got {sorted(state)}")
        seed, offset = operator.index(state["seed"]), operator.index(state["offset"])
        if not (0 <= seed < 2**64 and 0 <= offset < 2**64):
            raise ValueError(f"set_state(): seed and offset must lie in [0, 2**64), got {seed} and {offset}")
        with self._lock:
            self._seed, self._offset = seed, offset
            self._philox: numpy.random.Philox | None = None
        return self

    def raw(self, count: int, where: str = "cpu") -> Array:
        """`count` words of 64 random bits, shape (count,), uint64. Rounds up to whole blocks of four."""
        blocks = -(-count // WORDS)
        if where != "cpu":
            seed, first = self._taken(blocks)
            with on_device(where):
                return library_of(where).philox_words(seed, first, blocks)[:count]
        with self._lock:
            if self._philox is None:  # nothing was drawn yet, or another device has drawn since
                self._philox = numpy.random.Philox(key=self._seed, counter=self._offset)
            self._offset += blocks
            words = self._philox.random_raw(blocks * WORDS)
        return words[:count]

    def _taken(self, blocks: int) -> tuple[int, int]:
        """The seed, and the first of so many blocks that are drawn now, by another device than the CPU."""
        with self._lock:
            first = self._offset
            self._offset, self._philox = first + blocks, None
            return self._seed, first

    def uniform(
        self, size: int | Sequence[int] = (), dtype: object = numpy.float64, where: str = "cpu"
    ) -> Array:
        """Uniform numbers in [0, 1): 53 random bits each for float64, 24 for float32, 11 for float16."""
        shape, count = _shape(size)
        kind = as_dtype(dtype)
        bits = numpy.finfo(kind).nmant + 1
        with on_device(where):
            values = (self.raw(count, where) >> numpy.uint64(64 - bits)).astype(numpy.float64)
            return (values * 2.0**-bits).astype(kind).reshape(shape)

    def normal(self, size: int | Sequence[int] = (), dtype: object = None, where: str = "cpu") -> Array:
        """Standard normal numbers, by the polar form of two uniform ones (Box and Muller 1958)."""
        shape, count = _shape(size)
        xp, pairs = library_of(where), -(-count // 2)
        kind = default_dtype() if dtype is None else as_dtype(dtype)
        with on_device(where):
            words = self.raw(2 * pairs, where).reshape(2, pairs) >> numpy.uint64(11)
            radius = xp.sqrt(-2.0 * xp.log((words[0] + 1.0) * 2.0**-53))  # the argument lies in (0, 1]
            angle = words[1] * (2.0 * math.pi * 2.0**-53)
            values = xp.concatenate((radius * xp.cos(angle), radius * xp.sin(angle)))[:count]
            return values.astype(kind).reshape(shape)

    def integers(self, low: int, high: int, size: int | Sequence[int] = (), where: str = "cpu") -> Array:
        """Integers in [low, high), int64.

        By multiply and shift of 32 bits up to a range of 2**31, beyond it by the remainder of 64: in both
        ways some of them are more likely than others by (high - low) / 2**32, or / 2**64, at most.
        """
        span = high - low
        if not 0 < span <= 2**63 or not -(2**63) <= low < high <= 2**63:
            raise ValueError(f"integers(): expected low < high <= low + 2**63, got low={low}, high={high}")
        shape, count = _shape(size)
        with on_device(where):
            words = self.raw(count, where)
            if span <= 2**31:
                drawn = (words >> numpy.uint64(32)) * numpy.uint64(span) >> numpy.uint64(32)
            else:
                drawn = words % numpy.uint64(span)
            return (drawn.astype(numpy.int64) + low).reshape(shape)

    def permutation(self, count: int, where: str = "cpu") -> Array:
        """The integers 0 ... count - 1 in random order, int64: the order of as many random words."""
        with on_device(where):
            return library_of(where).argsort(self.raw(count, where), kind="stable")

    def keep_mask(self, shape: Sequence[int], p: float, where: str = "cpu") -> tuple[Array, float]:
        """What dropout keeps: a bool array, False with probability p, and 1 / (the true rate of True).

        Sixteen random bits are compared with a threshold, so p is rounded to a multiple of 2**-16; the
        scale belongs to the rounded rate, so that the expectation is kept exactly.
        """
        threshold = round(p * 65536)
        shape, count = _shape(shape)
        scale = 65536 / (65536 - threshold) if threshold < 65536 else 0.0
        if where != "cpu":
            seed, first = self._taken(-(-count // (4 * WORDS)))
            with on_device(where):
                return library_of(where).philox_keep(seed, first, count, threshold).reshape(shape), scale
        halves = self.raw(-(-count // WORDS)).view(numpy.uint16)[:count]
        return (halves >= threshold).reshape(shape), scale


def _shape(size: int | Sequence[int]) -> tuple[tuple[int, ...], int]:
    """A size as a shape, and its number of elements."""
    shape = (size,) if isinstance(size, int) else tuple(size)
    return shape, math.prod(shape)


_default = Generator(0)
_of_thread = threading.local()


def default_generator() -> Generator:
    """The generator that functions use when none is passed to them; seeded by `manual_seed`."""
    return getattr(_of_thread, "generator", None) or _default


@contextmanager
def drawing_from(generator: Generator) -> Iterator[None]:
    """Inside, and in this thread, `generator` is the default one."""
    before = getattr(_of_thread, "generator", None)
    _of_thread.generator = generator
    try:
        yield
    finally:
        _of_thread.generator = before


def manual_seed(seed: int) -> Generator:
    """Seed the default generator; returns it. It starts with seed 0, so that a script repeats itself."""
    return default_generator().manual_seed(seed)
