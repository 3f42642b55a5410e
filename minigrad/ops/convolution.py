"""Floor 4: convolution, in any number of dimensions: three operations made of one sum.

    T(x, w, z) = Σ x[n, c, l] w[o, c, k] z[n, o, i]    over all n, o, c, i, k, where l = s i + d k - p

x is the input (N, C, *L), w the weight (O, C, *K), and z has the shape of the output (N, O, *I); s, d and p
are stride, dilation and padding, and a place l outside of x adds nothing.  T is linear in each of the three,
and its derivatives are the cards: ∂T/∂z convolves x with w, ∂T/∂x is called transposed convolution, ∂T/∂w is
the gradient of the weight.  The derivatives of each card are the other two, and so on, to every order.

With G groups, channels C and O fall into G parts of neighbours that do not see each other; w is (O, C/G, *K).

The windows of the input become the columns of a matrix, so that a convolution is one product of matrices
(Chellapilla, Puri & Simard 2006, "High performance convolutional neural networks for document processing",
§3), of some images at a time.
"""

import math

from minigrad.backend import accumulator
from minigrad.ops.reduce import sum_
from minigrad.ops.sliding import add_windows, blocks, windows_of
from minigrad.primitive import primitive

FAMILY = "convolution"


@primitive
class convolve:
    """z = ∂T/∂z + bias:  z[n, o, i] = Σ w[o, c, k] x[n, c, s i + d k - p] + bias[o]; *I is `size`"""
    promote = ("x", "weight", "bias")
    def forward(xp, x, weight, bias=None, *, size, grid):
        rows, kernel = matrices(weight, grid), weight.shape[2:]  # (G, O/G, C/G K)
        z = xp.empty((len(x), *rows.shape[:2], math.prod(size)), rows.dtype)
        for some in blocks(len(x), math.prod((x.shape[1], *kernel, *size))):
            seen = windows_of(xp, x[some], kernel, size, grid)
            columns = seen.reshape(len(seen), len(rows), *rows.shape[2:], z.shape[3])
            xp.matmul(rows, columns.astype(z.dtype, copy=False), out=z[some])  # (N, G, O/G, I)
        if bias is not None: z += bias.reshape(*z.shape[1:3], 1)
        return z.reshape(len(x), len(weight), *size).astype(x.dtype, copy=False)
    def d_x(g, weight, x_shape, grid): return convolve_transposed(g, weight, size=x_shape[2:], grid=grid)
    def d_weight(g, x, weight_shape, grid): return convolve_weight(x, g, size=weight_shape[2:], grid=grid)
    def d_bias(g): return sum_(g, dim=(0, *range(2, len(g.shape))))


@primitive
class convolve_transposed:
    """x = ∂T/∂x:  x[n, c, s i + d k - p] = Σ w[o, c, k] z[n, o, i]; *L is `size`"""
    promote = ("z", "weight")
    def forward(xp, z, weight, *, size, grid):
        rows, places = matrices(weight, grid), (*weight.shape[2:], *z.shape[2:])
        x = xp.zeros((len(z), grid.groups * weight.shape[1], *size), rows.dtype)
        product = xp.multiply if rows.shape[1] == 1 else xp.matmul  # with one channel: 0.6 of the time
        for some in blocks(len(z), math.prod((x.shape[1], *places))):
            values = z[some].reshape(-1, *rows.shape[:2], math.prod(z.shape[2:])).astype(x.dtype, copy=False)
            columns = product(rows.swapaxes(1, 2), values)  # (G, C/G K, O/G) (N, G, O/G, I)
            add_windows(x[some], columns.reshape(len(values), x.shape[1], *places), grid)
        return x.astype(z.dtype, copy=False)
    def d_z(g, weight, z_shape, grid): return convolve(g, weight, size=z_shape[2:], grid=grid)
    def d_weight(g, z, weight_shape, grid): return convolve_weight(g, z, size=weight_shape[2:], grid=grid)


@primitive
class convolve_weight:
    """w = ∂T/∂w:  w[o, c, k] = Σ x[n, c, s i + d k - p] z[n, o, i]; *K is `size`"""
    promote = ("x", "z")
    def forward(xp, x, z, *, size, grid):
        shape, dims = (z.shape[1], x.shape[1] // grid.groups, *size), len(size)
        weight = xp.zeros((grid.groups, shape[0] // grid.groups, math.prod(shape[1:])), accumulator(x.dtype))
        for some in blocks(len(x), math.prod((x.shape[1], *size, *z.shape[2:]))):
            seen = windows_of(xp, x[some], size, z.shape[2:], grid)
            seen = seen.transpose(*range(1, dims + 2), 0, *range(dims + 2, seen.ndim))  # (C, *K, N, *I)
            count = seen.size // max(math.prod(seen.shape[: dims + 1]), 1)  # N I
            columns = seen.reshape(grid.groups, weight.shape[2], count).astype(weight.dtype, copy=False)
            values = z[some].swapaxes(0, 1).reshape(*weight.shape[:2], count).astype(weight.dtype, copy=False)
            weight += xp.matmul(values, columns.swapaxes(1, 2))  # (G, O/G, N I) (G, N I, C/G K)
        return weight.reshape(shape).astype(x.dtype, copy=False)
    def d_x(g, z, x_shape, grid): return convolve_transposed(z, g, size=x_shape[2:], grid=grid)
    def d_z(g, x, z_shape, grid): return convolve(x, g, size=z_shape[2:], grid=grid)


def matrices(weight, grid):
    """The weight as one matrix for each group, in the type in which sums are kept: (G, O/G, C/G K)."""
    shape = (grid.groups, len(weight) // grid.groups, math.prod(weight.shape[1:]))
    return weight.reshape(shape).astype(accumulator(weight.dtype), copy=False)
