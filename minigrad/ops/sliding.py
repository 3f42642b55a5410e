"""Floor 4: windows that slide over an input, in any number of dimensions, and what they show.

Letters: N images, C channels; *L, *K, *I the places of the input, of a window, and the windows themselves,
one size for each dimension.  l, k and i number them.
"""

import itertools
from dataclasses import dataclass

from minigrad.backend import strided
from minigrad.primitive import primitive

FAMILY = "images"
BLOCK = 2**18  # so many numbers fit a cache; in larger blocks nothing is gained but the use of memory


@dataclass(frozen=True)
class Grid:
    """What a window sees: place k of window i is place l = stride i + dilation k - padding of the input."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int = 1


@primitive
class unfold_windows:
    """y[n, c, k, i] = x[n, c, l]: the `size` windows of x, one behind the other, and 0 outside of x"""
    def forward(xp, x, *, kernel, size, grid): return windows_of(xp, x, kernel, size, grid).copy()
    def d_x(g, x_shape, grid): return fold_windows(g, size=x_shape[2:], grid=grid)


@primitive
class fold_windows:
    """y[n, c, l] = Σ x[n, c, k, i] over all k and i that see l: windows laid back where they come from"""
    def forward(xp, x, *, size, grid):
        y = xp.zeros((*x.shape[:2], *size), x.dtype)
        add_windows(y, x, grid)
        return y
    def d_x(g, x_shape, grid):
        dims = len(x_shape) // 2
        return unfold_windows(g, kernel=x_shape[2 : dims + 1], size=x_shape[dims + 1 :], grid=grid)


def blocks(count, each):
    """`count` images in slices, so many at a time that the windows of all, `each` numbers, fill a block."""
    step = max(1, BLOCK // max(each, 1))
    return [slice(start, start + step) for start in range(0, count, step)]


def windows_of(xp, x, kernel, size, grid, outside=0):
    """All windows of x, as a view: (N, C, *L) -> (N, C, *K, *I); `outside` is the number around x."""
    spans = zip(kernel, size, grid.stride, grid.dilation, strict=True)
    reach = [max(s * (i - 1) + d * (k - 1) + 1, 0) for k, i, s, d in spans]  # the places seen, first to last
    if any(grid.padding) or any(n < seen for n, seen in zip(x.shape[2:], reach, strict=True)):
        frame = xp.full((*x.shape[:2], *reach), outside, x.dtype)
        ends = [max(min(n, far - p), 0) for n, far, p in zip(x.shape[2:], reach, grid.padding, strict=True)]
        inside = [slice(p, p + end) for p, end in zip(grid.padding, ends, strict=True)]
        frame[(..., *inside)] = x[(..., *map(slice, ends))]
        x = frame
    within = [d * stride for d, stride in zip(grid.dilation, x.strides[2:], strict=True)]
    between = [s * stride for s, stride in zip(grid.stride, x.strides[2:], strict=True)]
    return strided(x, (*x.shape[:2], *kernel, *size), (*x.strides[:2], *within, *between), writeable=False)


def add_windows(x, windows, grid):
    """Add windows (N, C, *K, *I) to what they see of x (N, C, *L): the adjoint of `windows_of`, in place."""
    kernel, size = windows.shape[2 : x.ndim], windows.shape[x.ndim :]
    for place in itertools.product(*map(range, kernel)):
        seen, seeing = [], []
        offsets = [d * k - p for k, p, d in zip(place, grid.padding, grid.dilation, strict=True)]
        for i, n, s, offset in zip(size, x.shape[2:], grid.stride, offsets, strict=True):
            first, end = max(-(offset // s), 0), max(min((n - 1 - offset) // s + 1, i), 0)
            seen.append(slice(s * first + offset, max(s * (end - 1) + offset + 1, 0), s))
            seeing.append(slice(first, end))  # l = s i + offset, of which 0 ≤ l < n is there
        x[(..., *seen)] += windows[(slice(None), slice(None), *place, *seeing)]
