"""Linear algebra beyond what each card says: triangles that are read, tolerances, orders of contraction."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import linalg, ops
from minigrad.errors import GraphError, LinAlgError
from minigrad.gradcheck import gradcheck, gradgradcheck
from minigrad.testing.card import assert_close
from minigrad.testing.cards import CARDS
from minigrad.testing.strategies import REGULAR, Domain, grown, seeds, shapes, sides


@st.composite
def matrices(draw, domain=REGULAR, square=True, batched=True):
    """A float64 tensor (..., n, n), or (..., m, n), that requires grad."""
    rows, columns = draw(sides(min_side=1)), draw(sides(min_side=1))
    shape = (*(draw(shapes(max_dims=1)) if batched else ()), columns if square else rows, columns)
    return mg.tensor(grown(draw(seeds(shape)), shape, domain=domain), requires_grad=True)


def close(found, expected, tolerance=1e-12):
    assert_close(found.array, getattr(expected, "array", expected), tolerance)


def test_every_function_of_the_namespace_has_a_card():
    functions = [name for name in linalg.__all__ if name != "LinAlgError"]
    assert set(functions) <= {card.name.partition(" ")[0] for card in CARDS}
    assert all(callable(getattr(mg.linalg, name)) for name in functions)


# ------------------------------------------------------------------------------------------------ identities


@given(matrices(), st.integers(-3, 3), st.integers(-3, 3))
def test_powers_multiply_by_adding_their_exponents(x, n, m):
    close(mg.matrix_power(x, n) @ mg.matrix_power(x, m), mg.matrix_power(x, n + m), 1e-9)


@given(matrices(Domain()))
def test_the_determinant_of_an_exponential_is_the_exponential_of_the_trace(x):
    trace = mg.einsum("...ii->...", x)
    close(mg.logdet(mg.matrix_exp(x)), trace, 1e-9)
    close(mg.matrix_exp(x) @ mg.matrix_exp(-x), np.broadcast_to(np.eye(x.shape[-1]), x.shape), 1e-8)


@given(matrices(square=False))
def test_parts_multiply_to_the_matrix(x):
    U, S, Vh = linalg.svd(x, full_matrices=False)
    close((U * S[..., None, :]) @ Vh, x)
    Q, R = linalg.qr(x)
    close(Q @ R, x)
    close(Q.mT @ Q, np.broadcast_to(np.eye(Q.shape[-1]), (*Q.shape[:-2], *Q.shape[-1:] * 2)))
    close(R.triu(), R)
    square = x @ x.mT
    w, V = linalg.eigh(square)
    close((V * w[..., None, :]) @ V.mT, square, 1e-11)
    L = mg.cholesky(square + mg.eye(x.shape[-2], dtype="float64"))
    close(L @ L.mT - mg.eye(x.shape[-2], dtype="float64"), square, 1e-11)
    close(x @ linalg.pinv(x) @ x, x)


@given(matrices(), st.data())
def test_every_way_to_solve_gives_one_answer(A, data):
    B = mg.tensor(grown(data.draw(seeds(A.shape)), A.shape))
    expected = linalg.inv(A) @ B
    close(linalg.solve(A, B), expected)
    close(linalg.lstsq(A, B).solution, expected)
    close(linalg.solve(A.mT, B.mT, left=False).mT, expected)
    definite = A @ A.mT
    for upper in (False, True):
        found = mg.cholesky_solve(B, mg.cholesky(definite, upper=upper), upper=upper)
        close(found, linalg.solve(definite, B), 1e-10)


# ------------------------------------------------------------------------------------------------ triangles


@given(matrices(batched=False))
def test_only_one_triangle_is_read(x):
    symmetric = (x + x.mT) * 0.5
    lower, upper = symmetric + x.triu(1) * 7, symmetric + x.tril(-1) * 7
    for one, UPLO in ((lower, "L"), (upper, "U")):
        close(linalg.eigvalsh(one, UPLO), linalg.eigvalsh(symmetric))
        close(linalg.eigh(one, UPLO).eigenvalues, linalg.eigvalsh(symmetric))
        close(mg.cholesky(one, upper=UPLO == "U"), mg.cholesky(symmetric, upper=UPLO == "U"))
    close(linalg.pinv(lower, hermitian=True), linalg.inv(symmetric))
    close(linalg.matrix_rank(lower, hermitian=True), x.shape[0])


@given(matrices(batched=False))
def test_the_gradient_of_what_reads_one_triangle_is_symmetric(x):
    for function in (linalg.cholesky, linalg.eigvalsh, lambda x: linalg.eigh(x).eigenvalues):
        g = mg.autograd.grad(function(x @ x.mT * 0.5 + x.mT @ x * 0.5).sum(), x)[0]
        assert g.shape == x.shape
        symmetric = (x + x.mT).detach().requires_grad_()
        (g,) = mg.autograd.grad((function(symmetric) ** 2).sum(), symmetric)
        close(g, g.mT, 1e-9)


def test_modes_of_qr():
    x = mg.tensor(np.arange(6.0).reshape(3, 2) ** 2 + 1, requires_grad=True)
    Q, R = linalg.qr(x, "complete")
    assert (Q.shape, R.shape) == ((3, 3), (3, 2))
    close(Q @ R, x)
    close(Q @ Q.mT, np.eye(3))
    with pytest.raises(GraphError, match="columns that mode='complete' adds to Q are arbitrary"):
        R.sum().backward()
    assert linalg.qr(x, mode="r").Q.shape == (0,)
    close(linalg.qr(x, mode="r").R, linalg.qr(x).R)
    close(linalg.qr(x.mT, mode="complete").Q, linalg.qr(x.mT).Q)
    with pytest.raises(ValueError, match=r"qr\(\): mode 'q', expected 'reduced', 'complete' or 'r'"):
        linalg.qr(x, "q")


@pytest.mark.parametrize("shape", [(3, 2), (2, 3)])
def test_the_vectors_that_full_matrices_add_have_no_gradient(shape):
    x = mg.tensor(np.arange(6.0).reshape(shape) ** 2, requires_grad=True)
    U, S, Vh = linalg.svd(x)
    assert (U.shape, S.shape, Vh.shape) == ((shape[0],) * 2, (2,), (shape[1],) * 2)
    (g,) = mg.autograd.grad((U[:, 2:] * 3).sum() + (Vh[2:] * 5).sum(), x)
    assert not g.array.any()


# ------------------------------------------------------------------------------------------------ special


def test_equal_eigenvalues_have_a_gradient_and_their_vectors_have_none():
    x = mg.eye(3, dtype="float64", requires_grad=True)
    for values in (linalg.eigvalsh(x), linalg.eigh(x).eigenvalues, linalg.svdvals(x), linalg.svd(x).S):
        (g,) = mg.autograd.grad((values * 2).sum(), x)
        close(g, np.eye(3) * 2)
    (g,) = mg.autograd.grad((linalg.eigh(x).eigenvectors ** 2).sum(), x)
    assert not np.isfinite(g.array).all()


def test_the_second_derivative_of_a_determinant_asks_for_an_inverse():
    x = mg.ones(2, 2, dtype="float64", requires_grad=True)
    (g,) = mg.autograd.grad(mg.det(x), x, create_graph=True)
    close(g, [[1.0, -1.0], [-1.0, 1.0]])
    with pytest.raises(LinAlgError, match="singular"):
        g.sum().backward()


def test_the_logarithm_of_a_determinant_that_has_none():
    x = mg.tensor([[[0.0, 1.0], [1.0, 0.0]], [[1.0, 1.0], [1.0, 1.0]], [[2.0, 0.0], [0.0, 3.0]]])
    assert_close(mg.logdet(x).array, [math.nan, -math.inf, math.log(6)], 1e-6)
    assert mg.slogdet(x).sign.tolist() == [-1.0, 0.0, 1.0]
    assert mg.slogdet(mg.eye(200) * 1e-3).logabsdet.item() == pytest.approx(200 * math.log(1e-3))


def test_a_singular_matrix_is_refused_in_words_that_torch_and_numpy_users_expect():
    for error in (RuntimeError, np.linalg.LinAlgError, linalg.LinAlgError):
        with pytest.raises(error, match="the matrix is singular; use"):
            linalg.inv(mg.zeros(2, 2))


def test_the_condition_of_a_singular_matrix_is_infinite():
    x = mg.tensor(np.stack([np.ones((2, 2)), np.diag([1.0, 4.0])]))
    for p in (1, -1, math.inf, -math.inf, "fro", "nuc"):
        assert_close(linalg.cond(x, p).array, [math.inf, np.linalg.cond(x.array[1], p)], 1e-12)
    assert_close(linalg.cond(x[1]).array, 4.0, 1e-12)
    assert_close(linalg.cond(x[1], -2).array, 0.25, 1e-12)


@pytest.mark.parametrize(
    ("tolerance", "rank"), [({}, 3), ({"rtol": 1e-3}, 2), ({"atol": 0.5}, 1), ({"atol": 3, "rtol": 0.9}, 0)]
)
def test_small_singular_values_count_as_zero(tolerance, rank):
    x = mg.tensor(np.diag([2.0, 0.1, 1e-5]))
    assert linalg.matrix_rank(x, **tolerance).item() == rank
    kept = np.array([2.0, 0.1, 1e-5]) * (np.arange(3) < rank)
    expected = np.diag(np.divide(1, kept, out=np.zeros(3), where=kept > 0))
    assert_close(linalg.pinv(x, **tolerance).array, expected, 1e-9)


@pytest.mark.parametrize("size", [1e-9, 0.3, 30.0, 3000.0])
def test_the_exponential_of_large_and_small_matrices(size):
    turn = mg.tensor([[[0.0, -size], [size, 0.0]], [[0.0, -1.0], [1.0, 0.0]]], dtype="float64")
    expected = [[[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]] for a in (size, 1.0)]
    assert_close(mg.matrix_exp(turn).array, expected, 1e-15 * max(size, 10))


def test_the_exponential_of_what_is_no_number_is_none():
    assert np.isnan(mg.matrix_exp(mg.tensor([[math.nan, 0.0], [0.0, 1.0]])).array).all()


def test_empty_matrices():
    nothing = mg.zeros(0, 0, dtype="float64", requires_grad=True)
    assert mg.det(nothing).item() == 1.0
    for function in (linalg.inv, linalg.pinv, mg.matrix_exp, linalg.cholesky):
        assert function(nothing).shape == (0, 0)
    assert linalg.matrix_norm(mg.zeros(0, 3), 2).item() == linalg.matrix_norm(mg.zeros(3, 0), 1).item() == 0.0
    assert linalg.matrix_rank(mg.zeros(2, 0, 3)).tolist() == [0, 0]
    mg.det(nothing).backward()
    assert nothing.grad.shape == (0, 0)


# ------------------------------------------------------------------------------------------------ norms


def test_which_norm_is_meant():
    x = mg.tensor(np.arange(1.0, 9.0).reshape(2, 2, 2))
    matrix, vector = x[0], x[0, 0]
    assert linalg.norm(x).item() == pytest.approx(np.linalg.norm(x.array.ravel()))
    assert linalg.norm(x, keepdim=True).shape == (1, 1, 1)
    assert linalg.norm(matrix, 1).item() == np.linalg.norm(matrix.array, 1)
    assert linalg.norm(vector, 1).item() == 3.0
    assert_close(linalg.norm(x, 3, dim=1).array, (x.array**3).sum(1) ** (1 / 3), 1e-12)
    assert_close(linalg.norm(x, 2, dim=(0, 1)).array, np.linalg.norm(x.array, 2, (0, 1)), 1e-12)
    assert linalg.vector_norm(x, math.inf).item() == 8.0
    assert linalg.matrix_norm(matrix.float(), dtype="float64").dtype == "float64"
    with pytest.raises(TypeError, match="expected a floating dtype, got int64"):
        linalg.matrix_norm(mg.ones(2, 2, dtype="int64"), 1)


# ------------------------------------------------------------------------------------------------ einsum


def test_einsum_takes_lists_of_numbers_and_a_list_of_operands():
    a, b = mg.tensor(np.arange(6.0).reshape(2, 3)), mg.tensor(np.arange(12.0).reshape(3, 4))
    expected = a.array @ b.array
    assert_close(mg.einsum(a, [0, 1], b, [1, 2], [0, 2]).array, expected, 0)
    assert_close(mg.einsum(a, [0, 1], b, [1, 40]).array, expected, 0)
    assert_close(mg.einsum(a, [..., 1], b, [1, 0], [0, ...]).array, expected.T, 0)
    assert_close(mg.einsum("ij, jk", [a, b]).array, expected, 0)
    assert_close(mg.einsum("iA,Ak", a, b).array, expected, 0)


def test_what_einsum_only_moves_is_a_view():
    x = mg.zeros(2, 3)
    for equation, shape in (("ij->ji", (3, 2)), ("ij", (2, 3)), ("ij->ij", (2, 3))):
        found = mg.einsum(equation, x)
        assert found.shape == shape
        assert found is not x
        assert np.shares_memory(found.array, x.array)
    assert np.shares_memory(mg.einsum("ii->i", mg.eye(3)).array, x.array) is False


def test_a_sum_without_the_hidden_dimensions_sums_over_them():
    x = mg.tensor(np.arange(24.0).reshape(2, 3, 4))
    assert_close(mg.einsum("i...->i", x).array, x.array.sum((1, 2)), 0)


def test_a_dimension_of_size_one_broadcasts_in_a_contraction():
    x, y = mg.tensor([[2.0], [3.0]]), mg.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    expected = [[18.0, 24.0], [27.0, 36.0]]
    assert mg.tensordot(x, y, 1).tolist() == mg.einsum("ij,jk", x, y).tolist() == expected


def test_small_products_come_first():
    n = 20_000  # a wrong order would take n² numbers, 3 gigabytes
    thin = mg.ones(n, 2, requires_grad=True)
    assert mg.einsum("ia,ja,jb,kb->ik", mg.ones(1, 2), thin, thin, mg.ones(3, 2)).shape == (1, 3)
    assert mg.linalg.multi_dot([mg.ones(2, n), thin, mg.ones(2, n), thin]).shape == (2, 2)
    assert mg.chain_matmul(thin, mg.ones(2, n), mg.ones(n, 1)).shape == (n, 1)
    assert mg.chain_matmul(thin) is thin


@given(st.data())
def test_three_operands_are_differentiable_twice(data):
    values = [grown(data.draw(seeds((2, 2))), (2, 2)) for _ in range(3)]
    tensors = [mg.tensor(value, requires_grad=True) for value in values]
    for equation in ("ij,jk,ki->", "ab,bc,ca->abc", "ii,ij,jj->j"):
        assert gradcheck(lambda *x, equation=equation: mg.einsum(equation, *x), tensors)
        assert gradgradcheck(lambda *x, equation=equation: mg.einsum(equation, *x), tensors)


def test_sums_in_place():
    x, a, b = mg.ones(2, 2), mg.eye(2), mg.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.addmm_(a, b, alpha=2) is x
    assert x.tolist() == [[3.0, 5.0], [7.0, 9.0]]
    assert mg.zeros(2).addmv_(a, mg.ones(2), beta=0).tolist() == [1.0, 1.0]
    assert mg.zeros(1, 2, 2).baddbmm_(a[None], b[None]).tolist() == [b.tolist()]
    assert mg.zeros(2, 2).addr_(mg.ones(2), mg.ones(2)).tolist() == [[1.0, 1.0]] * 2


def test_the_first_dimension_of_size_three_is_that_of_cross():
    a, b = mg.tensor(np.eye(3)[:2].T), mg.tensor(np.eye(3)[1:].T)
    close(mg.cross(a, b), np.cross(a.array, b.array, axis=0))
    close(mg.linalg.cross(a.mT, b.mT), np.cross(a.array.T, b.array.T))
    assert ops.cross(a.array, b.array, dim=0).shape == (3, 2)
