"""vmap as a user has it: dimensions, nesting, trees, chunks, gradients around it, and what it refuses."""

import numpy as np
import pytest

import minigrad as mg
from leaves import normal
from minigrad.errors import GraphError, ShapeError
from minigrad.nn import functional as F


def plain(*shape, seed=0):
    return normal(*shape, seed=seed).detach()


def test_a_function_of_one_example_becomes_one_of_many():
    a, b = plain(3, 4), plain(3, 4, seed=1)
    np.testing.assert_allclose(mg.vmap(mg.dot)(a, b).numpy(), (a * b).sum(1).numpy())


@pytest.mark.parametrize("in_dim", [0, 1, -1])
@pytest.mark.parametrize("out_dim", [0, 1, -1])
def test_the_dimension_that_counts_examples_may_stand_anywhere(in_dim, out_dim):
    x = plain(2, 3, 4)
    found = mg.vmap(lambda a: a.cumsum(0) if hasattr(a, "cumsum") else a * 2.0, in_dim, out_dim)(x)
    assert found.shape[out_dim] == x.shape[in_dim]
    one = x.select(in_dim, 1) if hasattr(x, "select") else mg.tensor(np.take(x.numpy(), 1, in_dim))
    expected = one.cumsum(0) if hasattr(one, "cumsum") else one * 2.0
    np.testing.assert_allclose(np.take(found.numpy(), 1, out_dim), expected.numpy())


def test_what_is_the_same_for_all_examples_is_said_so():
    table, x = plain(5, 4), plain(3, 4)
    found = mg.vmap(lambda t, row: t @ row, in_dims=(None, 0))(table, x)
    np.testing.assert_allclose(found.numpy(), x.numpy() @ table.numpy().T)


def test_tuples_lists_and_dicts_are_mapped_leaf_by_leaf():
    batch = {"x": plain(3, 4), "pair": [plain(3, seed=1), plain(2, 3, seed=2)]}
    in_dims = ({"x": 0, "pair": [0, 1]},)

    def function(example):
        first, second = example["pair"]
        return {"sum": example["x"].sum() + first, "both": (second, example["x"])}

    found = mg.vmap(function, in_dims)(batch)
    np.testing.assert_allclose(found["sum"].numpy(), batch["x"].numpy().sum(1) + batch["pair"][0].numpy())
    assert (found["both"][0].shape, found["both"][1].shape) == ((3, 2), (3, 4))


def test_each_output_may_have_its_own_out_dim():
    first, second = mg.vmap(lambda a: (a, a * 2.0), out_dims=(0, 1))(plain(3, 4))
    assert (first.shape, second.shape) == ((3, 4), (4, 3))


def test_an_output_that_is_the_same_for_all_is_repeated():
    assert mg.vmap(lambda _: mg.ones(2))(plain(3, 4)).tolist() == [[1.0, 1.0]] * 3
    assert mg.vmap(lambda _: mg.ones(2), out_dims=None)(plain(3, 4)).tolist() == [1.0, 1.0]


def test_vmap_in_vmap_is_an_outer_product():
    a, b = plain(3), plain(4, seed=1)
    found = mg.vmap(lambda x: mg.vmap(lambda y: x * y)(b))(a)
    np.testing.assert_allclose(found.numpy(), np.outer(a.numpy(), b.numpy()))


def test_gradients_flow_through_vmap():
    x = normal(3, 4)
    mg.vmap(lambda a: (a**3).sum())(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 3 * x.detach().numpy() ** 2)


@pytest.mark.parametrize("chunk_size", [1, 2, 3, 7])
def test_chunks_are_one_behind_the_other(chunk_size):
    x, y = plain(3, 4), plain(4, 3, seed=1)
    function = lambda a, b: (a * b, b)  # noqa: E731
    whole = mg.vmap(function, (0, 1), (0, 1))(x, y)
    parts = mg.vmap(function, (0, 1), (0, 1), chunk_size=chunk_size)(x, y)
    for found, expected in zip(parts, whole, strict=True):
        np.testing.assert_array_equal(found.numpy(), expected.numpy())


def test_an_attention_layer_is_written_for_one_sentence():
    sentences, table = mg.tensor([[1, 2, 0], [2, 2, 1]]), plain(3, 4)

    def encode(words):
        x = F.embedding(words, table)
        return F.layer_norm(F.scaled_dot_product_attention(x, x, x), (4,))

    expected = [encode(sentence).numpy() for sentence in sentences]
    np.testing.assert_allclose(mg.vmap(encode)(sentences).numpy(), np.stack(expected), rtol=1e-12)


def test_the_type_of_a_number_of_one_example_does_not_widen_the_others():
    numbers, vector = mg.tensor([1.0, 2.0], dtype=mg.float64), mg.ones(3)
    assert mg.vmap(lambda n: vector * n)(numbers).dtype == (vector * numbers[0]).dtype == mg.float32


@pytest.mark.parametrize(
    "function",
    [
        lambda a: a if a.sum() > 0 else -a,
        lambda a: mg.tensor(a.sum().item()),
        lambda a: a * float(a[0]),
        lambda a: a.numpy(),
        lambda a: mg.tensor(a.tolist()),
    ],
)
def test_a_function_that_asks_for_a_value_is_refused_with_a_remedy(function):
    with pytest.raises(GraphError, match=r"differs from example to example; use minigrad\.where"):
        mg.vmap(function)(plain(3, 4))


def test_numpy_does_not_compute_behind_the_back_of_the_tape():
    with pytest.raises(TypeError, match="vmap: the values of a batched tensor"):
        mg.vmap(lambda a: mg.tensor(np.asarray(a.array)))(plain(3, 4))
    with pytest.raises(TypeError, match=r"vmap: \.mean of the array"):
        mg.vmap(lambda a: a.array.mean())(plain(3, 4))


def test_a_batched_tensor_is_not_written_to():
    with pytest.raises(NotImplementedError, match="add_: vmap: a batched tensor is not changed in place"):
        mg.vmap(lambda a: a.add_(1.0))(plain(3, 4))


def test_random_numbers_are_refused_unless_all_examples_share_them():
    noisy = lambda a: a + mg.randn(4)  # noqa: E731
    with pytest.raises(RuntimeError, match='randomness="same"'):
        mg.vmap(noisy)(mg.zeros(3, 4))
    rows = mg.vmap(noisy, randomness="same")(mg.zeros(3, 4)).tolist()
    assert rows[0] == rows[1] == rows[2]
    with pytest.raises(ValueError, match="pass the numbers in"):
        mg.vmap(noisy, randomness="different")


def test_the_mode_ends_with_an_exception():
    with pytest.raises(ZeroDivisionError):
        mg.vmap(lambda _: 1 / 0)(plain(3))
    assert mg.vmap(lambda a: a + 1.0)(mg.zeros(2)).tolist() == [1.0, 1.0]


def test_bad_arguments_are_named():
    with pytest.raises(ShapeError, match=r"different numbers of examples, \[3, 2\]"):
        mg.vmap(mg.dot)(plain(3, 4), plain(2, 4))
    with pytest.raises(ShapeError, match="argument 0 is 0-d"):
        mg.vmap(lambda a: a)(mg.tensor(1.0))
    with pytest.raises(TypeError, match="argument 1 is float, expected a Tensor; say None in in_dims"):
        mg.vmap(lambda a, b: a * b)(plain(3), 2.0)
    with pytest.raises(ValueError, match="no argument is mapped over"):
        mg.vmap(lambda a: a, in_dims=None)(plain(3))
    with pytest.raises(ValueError, match=r"in_dims .* does not mirror"):
        mg.vmap(mg.dot, in_dims=(0,))(plain(3, 4), plain(3, 4))
    with pytest.raises(IndexError, match="dim 2 out of range for 2-d"):
        mg.vmap(lambda a: a, in_dims=2)(plain(3, 4))
    with pytest.raises(TypeError, match="must return tensors, got str"):
        mg.vmap(lambda _: "a")(plain(3))
    with pytest.raises(ValueError, match="out_dims is None for an output that differs"):
        mg.vmap(lambda a: a, out_dims=None)(plain(3))
    with pytest.raises(ValueError, match="chunk_size must be positive"):
        mg.vmap(lambda a: a, chunk_size=0)
