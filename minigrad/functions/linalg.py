"""Floor 5: products of vectors and matrices; see functions/__init__.py."""

from collections.abc import Sequence

from minigrad import ops
from minigrad.errors import ShapeError, normalise_dim
from minigrad.ops import dot, matmul
from minigrad.tensor import Tensor

from .matrices import check_dims, check_tensors
from .shape import reshape

__all__ = [
    "addmm", "addmv", "addr", "baddbmm", "bmm", "chain_matmul", "cross", "dot", "ger", "inner", "kron",
    "matmul", "mm", "mv", "outer", "trace", "vdot",
]  # fmt: skip
METHODS = tuple(name for name in __all__ if name != "chain_matmul")
IN_PLACE = ("addmm", "addmv", "addr", "baddbmm")

_matmul = ops.matmul.fast


def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """The product of two matrices, (n, m) (m, p) -> (n, p). `matmul` takes vectors and batches, too.

    >>> import minigrad as mg
    >>> mg.mm(mg.tensor([[1.0, 2.0]]), mg.tensor([[3.0], [4.0]]))
    tensor([[11.]])
    """
    check_dims("mm", "two matrices; use matmul for vectors and batches", (input, 2), (mat2, 2))
    return _matmul(input, mat2)


def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """The products of two batches of matrices, (b, n, m) (b, m, p) -> (b, n, p), without broadcasting."""
    expected = "two batches of matrices, (b, n, m) and (b, m, p); use matmul to broadcast"
    check_dims("bmm", expected, (input, 3), (mat2, 3))
    if input.shape[0] != mat2.shape[0]:
        raise ShapeError(f"bmm(): got {input.shape} and {mat2.shape}, expected {expected}")
    return _matmul(input, mat2)


def mv(input: Tensor, vec: Tensor) -> Tensor:
    """The product of a matrix and a vector, (n, m) (m) -> (n)."""
    check_dims("mv", "a matrix and a vector; use matmul for batches", (input, 2), (vec, 1))
    return _matmul(input, vec)


def vdot(input: Tensor, other: Tensor) -> Tensor:
    """The inner product of two vectors of equal length: for real numbers, `dot`."""
    return dot(input, other)


def inner(input: Tensor, other: Tensor) -> Tensor:
    """The inner products over the last dimension of both: (*s, m) (*t, m) -> (*s, *t)."""
    check_tensors("inner", input, other)
    if input.ndim == 0 or other.ndim == 0:
        return input * other
    if input.shape[-1] != other.shape[-1]:
        raise ShapeError(f"inner(): got {input.shape} and {other.shape}, expected equal last dimensions")
    if other.ndim == 1:
        return _matmul(input, other)
    columns = ops.mT(ops.rows(other))
    return reshape(_matmul(input, columns), (*input.shape[:-1], *other.shape[:-1]))


def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """The products of all elements of one vector with all of another, (n) (m) -> (n, m)."""
    check_dims("outer", "two vectors; use [..., :, None] and * for more dimensions", (input, 1), (vec2, 1))
    return ops.reshape(input, shape=(*input.shape, 1)) * vec2


ger = outer


def _plus(name: str, input: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    """β input + α product, where the input broadcasts to the product, and is not looked at if β is 0."""
    shape = product.shape
    if beta != 0 and input.shape != shape and ops.broadcast_sizes(input.shape, shape) != shape:
        raise ShapeError(f"{name}(): input {input.shape} does not expand to the product's {shape}")
    scaled = product if alpha == 1 else product * alpha
    if beta == 0:
        return scaled
    return (input if beta == 1 else input * beta) + scaled


def addmm(input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α mat1 mat2; for β = 0 the input is ignored, and its nan too."""
    return _plus("addmm", input, mm(mat1, mat2), beta, alpha)


def addmv(input: Tensor, mat: Tensor, vec: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α mat vec, of a matrix and a vector."""
    return _plus("addmv", input, mv(mat, vec), beta, alpha)


def addr(input: Tensor, vec1: Tensor, vec2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α vec1 vec2ᵀ, of two vectors."""
    return _plus("addr", input, outer(vec1, vec2), beta, alpha)


def baddbmm(input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """β input + α batch1 batch2, of two batches of matrices."""
    return _plus("baddbmm", input, bmm(batch1, batch2), beta, alpha)


def kron(input: Tensor, other: Tensor) -> Tensor:
    """The Kronecker product: `other`, once for each element of the input and times it.

    >>> import minigrad as mg
    >>> mg.kron(mg.tensor([1, 10]), mg.tensor([1, 2]))
    tensor([ 1,  2, 10, 20])
    """
    check_tensors("kron", input, other)
    ndim = max(input.ndim, other.ndim)
    sizes = [(*[1] * (ndim - x.ndim), *x.shape) for x in (input, other)]
    spread = [size for n in sizes[0] for size in (n, 1)]  # (n1, 1, n2, 1, ...)
    filling = [size for n in sizes[1] for size in (1, n)]  # (1, m1, 1, m2, ...)
    product = ops.reshape(input, shape=tuple(spread)) * ops.reshape(other, shape=tuple(filling))
    return ops.reshape(product, shape=tuple(n * m for n, m in zip(*sizes, strict=True)))


def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """The vector product along `dim`, which has size 3; without `dim`, along the first of that size."""
    check_tensors("cross", input, other)
    if input.ndim != other.ndim:
        raise ShapeError(f"cross(): got {input.shape} and {other.shape}, expected as many dimensions")
    if dim is None:
        if 3 not in input.shape:
            raise ShapeError(f"cross(): got {input.shape}, expected a dimension of size 3")
        dim = input.shape.index(3)
    place = normalise_dim("cross", dim, input.ndim)
    if input.shape[place : place + 1] != (3,) or other.shape[place : place + 1] != (3,):
        raise ShapeError(
            f"cross(): got {input.shape} and {other.shape}, expected size 3 in dimension {place} of both"
        )
    return ops.cross(input, other, dim=place - input.ndim)


def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """The inner products of vectors that lie along `dim`; the other dimensions broadcast."""
    check_tensors("vecdot", x, y)
    product = x * y
    return ops.sum_(product, dim=normalise_dim("vecdot", dim, product.ndim))


def trace(input: Tensor) -> Tensor:
    """The sum of the diagonal of a matrix; of integers, in int64."""
    check_dims("trace", "a matrix", (input, 2))
    return ops.sum_(ops.diagonal(input, offset=0, dims=(-2, -1)))


# ------------------------------------------------------------------------------------------------ chains


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """The product of a chain of matrices, in the order that takes the fewest multiplications.

    The first may be a vector, which counts as a row, and the last one, which counts as a column. The order is
    found by dynamic programming (Cormen et al., "Introduction to Algorithms", section 15.2).
    """
    chain = list(tensors)
    check_tensors("multi_dot", *chain)
    if len(chain) < 2:
        raise ValueError(f"multi_dot(): got {len(chain)} tensors, expected two at least")
    row, column = chain[0].ndim == 1, chain[-1].ndim == 1
    if row:
        chain[0] = ops.reshape(chain[0], shape=(1, -1))
    if column:
        chain[-1] = ops.reshape(chain[-1], shape=(-1, 1))
    product = _chain_product("multi_dot", chain)
    sizes = (*product.shape[:1] * (not row), *product.shape[1:] * (not column))
    return ops.reshape(product, shape=sizes)


def chain_matmul(*matrices: Tensor) -> Tensor:
    """The product of matrices, in the order that takes the fewest multiplications: `linalg.multi_dot`."""
    if not matrices:
        raise ValueError("chain_matmul(): got no matrices, expected one at least")
    return _chain_product("chain_matmul", matrices)


def _chain_product(name: str, chain: Sequence[Tensor]) -> Tensor:
    """The product of matrices. `best[i, j]`: the cost of that of i to j, and its steps (from, cut, to)."""
    check_dims(name, "matrices", *[(matrix, 2) for matrix in chain])
    sizes = [chain[0].shape[0], *[matrix.shape[1] for matrix in chain]]
    if [matrix.shape[0] for matrix in chain] != sizes[:-1]:
        shapes = ", ".join(str(matrix.shape) for matrix in chain)
        raise ShapeError(f"{name}(): got shapes {shapes}, expected as many columns as the next one has rows")
    best: dict[tuple[int, int], tuple[int, tuple]] = {(i, i): (0, ()) for i in range(len(chain))}
    for span in range(1, len(chain)):
        for i in range(len(chain) - span):
            j = i + span
            best[i, j] = min(
                (
                    best[i, k][0] + best[k + 1, j][0] + sizes[i] * sizes[k + 1] * sizes[j + 1],
                    (*best[i, k][1], *best[k + 1, j][1], (i, k, j)),
                )
                for k in range(i, j)
            )
    products = {(i, i): matrix for i, matrix in enumerate(chain)}
    for i, k, j in best[0, len(chain) - 1][1]:
        products[i, j] = ops.matmul(products[i, k], products[k + 1, j])
    return products[0, len(chain) - 1]
