"""What runs on the GPU beside CuPy's own kernels: each a body in the words that C++ and CUDA share.

A body is what one thread does for element i.  CuPy makes a kernel of it; a test makes a loop of it with g++,
and compares it with NumPy on a machine that has no GPU.  So a body names nothing that C++ lacks, save what
PREAMBLE puts in its place.  In the types of a parameter, T is that of the array that comes; `raw` arrays are
indexed by the body, the others stand for their element i.
"""

from typing import NamedTuple


class Source(NamedTuple):
    """A kernel: what goes in and what comes out, in CuPy's notation, and what is done for element i."""

    name: str
    inputs: str
    outputs: str
    body: str
    types: tuple[str, ...] = ("",)  # for which T it is compiled: NumPy's letters; "" where there is no T


PREAMBLE = r"""
#ifdef __CUDACC__
#define DEVICE static __device__ __forceinline__
DEVICE unsigned long long high_word(unsigned long long a, unsigned long long b) { return __umul64hi(a, b); }
#else
#include <cmath>
#include <cstdint>
#define DEVICE static inline
DEVICE unsigned long long high_word(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
template <typename T> T atomicAdd(T* place, T value) { T old = *place; *place += value; return old; }
DEVICE unsigned long long atomicCAS(unsigned long long* place, unsigned long long expected,
                                    unsigned long long value) {
    unsigned long long old = *place;
    if (old == expected) *place = value;
    return old;
}
#endif

// Block first + i of Philox4x64-10 under the key `seed`: the image of the counter first + i + 1, with carry.
struct Block { unsigned long long word[4]; };

DEVICE Block philox(unsigned long long seed, unsigned long long first, unsigned long long i) {
    unsigned long long c0 = first + i + 1, c1 = c0 <= i, c2 = 0, c3 = 0, k0 = seed, k1 = 0;
    for (int round = 0; round < 10; ++round) {
        const unsigned long long high0 = high_word(0xD2E7470EE14C6C93ULL, c0);
        const unsigned long long high2 = high_word(0xCA5A826395121157ULL, c2);
        const unsigned long long low0 = 0xD2E7470EE14C6C93ULL * c0, low2 = 0xCA5A826395121157ULL * c2;
        c0 = high2 ^ c1 ^ k0; c1 = low2; c2 = high0 ^ c3 ^ k1; c3 = low0;
        k0 += 0x9E3779B97F4A7C15ULL; k1 += 0xBB67AE8584CAA73BULL;
    }
    return Block{{c0, c1, c2, c3}};
}

// Sums of 64-bit integers go by way of unsigned ones, which CUDA can add; the bits are the same.
DEVICE void add_to(long long* place, long long value) {
    atomicAdd((unsigned long long*)place, (unsigned long long)value);
}
DEVICE void add_to(float* place, float value) { atomicAdd(place, value); }
DEVICE void add_to(double* place, double value) { atomicAdd(place, value); }
"""

SOURCES = {
    source.name: source
    for source in (
        # ---------------------------------------------------------------- random numbers, a block for each i
        Source(
            "philox_words",
            "uint64 seed, uint64 first",
            "raw uint64 words",
            """
            const Block block = philox(seed, first, i);
            for (int j = 0; j < 4; ++j) words[4 * i + j] = block.word[j];
            """,
        ),
        Source(
            "philox_keep",  # 16 random bits for each element, as Generator.keep_mask takes them
            "uint64 seed, uint64 first, int64 count, uint32 threshold",
            "raw bool keep",
            """
            const Block block = philox(seed, first, i);
            for (int j = 0; j < 16; ++j) {
                if (16 * i + j < count)
                    keep[16 * i + j] = ((block.word[j / 4] >> (16 * (j % 4))) & 0xFFFF) >= threshold;
            }
            """,
        ),
        Source(
            "drawn_by_weight",  # the sums are NumPy's to the last bit: one thread, one number after the other
            "raw float64 weights, float64 point, int64 categories, int64 samples",
            "int64 chosen",
            """
            const long long first = i / samples * categories;
            double total = 0, end = 0;
            for (long long k = 0; k < categories; ++k) total += weights[first + k];
            const double place = point * total;
            long long k = 0;
            for (; k < categories - 1; ++k) {
                end += weights[first + k];
                if (end > place || end == total) break;  // a product may round to the end
            }
            chosen = k;
            """,
        ),
        # ---------------------------------------------------------------- what CuPy does not look at
        Source(
            "note_outside",  # report: the number of the check that failed first, the index, its place
            "T index, int64 low, int64 high, int64 ignored, uint64 check",
            "raw uint64 report",
            """
            const long long found = (long long)index;
            if ((found < low || found >= high) && found != ignored) {
                if (atomicCAS((unsigned long long*)&report[0], 0ULL, (unsigned long long)check) == 0ULL) {
                    report[1] = (unsigned long long)found;
                    report[2] = (unsigned long long)i;
                }
            }
            """,
            ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
        ),
        # ---------------------------------------------------------------- sums by number, of rows of `width`
        Source(
            "scatter_add",  # element i of the values is added to its row, in any order
            "T value, raw int64 rows, int64 count, int64 width",
            "raw T total",
            """
            const long long row = rows[i / width] < 0 ? rows[i / width] + count : rows[i / width];
            if (row >= 0 && row < count) add_to(&total[row * width + i % width], value);
            """,
            ("float32", "float64", "int64"),
        ),
        Source(
            "sorted_add",  # element i of the total is the sum of its run, in the CPU's very order
            "raw T values, raw int64 order, raw int64 starts, int64 width",
            "T total",
            """
            const long long row = i / width;
            T sum = 0;
            for (long long at = starts[row]; at < starts[row + 1]; ++at)
                sum += values[order[at] * width + i % width];
            total = sum;
            """,
            ("float32", "float64", "int64"),
        ),
        # ---------------------------------------------------------------- functions that NumPy lacks
        Source("erf", "T x", "T y", "y = erf(x);", ("float32", "float64")),
        Source("erfc", "T x", "T y", "y = erfc(x);", ("float32", "float64")),
        # ---------------------------------------------------------------- an optimiser's step in one pass
        Source(
            # optim/adam.py, equations (2) to (5), with `rate` γ √c₂ / c₁ and `shift` ε √c₂; 1 - β comes as
            # `new`, since 1 - T(β) would have lost the digits of a β near 1
            "adam",
            "T g, T beta1, T beta2, T new1, T new2, T rate, T shift",
            "T p, T m, T v",
            """
            m = beta1 * m + new1 * g;
            v = beta2 * v + new2 * g * g;
            p -= rate * (m / (sqrt(v) + shift));
            """,
            ("float32", "float64"),
        ),
    )
}
