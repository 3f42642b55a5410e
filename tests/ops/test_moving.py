"""Functions that move elements: arguments by name, views and writes through them, special cases."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.errors import ShapeError


def numbers(*shape):
    """0, 1, 2, ... in a shape, as a leaf that requires grad."""
    return mg.tensor(np.arange(np.prod(shape), dtype="float64").reshape(shape), requires_grad=True)


BY_NAME = {
    "reshape": (lambda x: x.reshape(shape=(6,)), lambda x: x.reshape(6)),
    "reshape, to infer": (lambda x: mg.reshape(x, shape=[3, -1]), lambda x: x.reshape(3, 2)),
    "view": (lambda x: x.view(size=(3, 2)), lambda x: x.reshape(3, 2)),
    "permute": (lambda x: mg.permute(x, dims=(1, 0)), lambda x: x.T),
    "permute of a method": (lambda x: x.permute(dims=(-1, 0)), lambda x: x.T),
    "flip": (lambda x: mg.flip(x, dims=(0, 1)), lambda x: x[::-1, ::-1]),
    "flip of one dimension": (lambda x: x.flip(dims=1), lambda x: x[:, ::-1]),
    "expand": (lambda x: x.expand(size=(2, 2, 3)), lambda x: np.broadcast_to(x, (2, 2, 3))),
    "broadcast_to": (lambda x: mg.broadcast_to(x, size=(1, -1, 3)), lambda x: x[None]),
    "repeat": (lambda x: x.repeat(repeats=(1, 2)), lambda x: np.tile(x, (1, 2))),
    "tile": (lambda x: x.tile(dims=(2,)), lambda x: np.tile(x, (1, 2))),
    "transpose": (lambda x: x.transpose(dim0=0, dim1=1), lambda x: x.T),
    "unflatten": (lambda x: x.unflatten(dim=1, sizes=(3, 1)), lambda x: x[..., None]),
    "unfold": (lambda x: x.unfold(dimension=1, size=3, step=1), lambda x: x[:, None]),
    "cat": (lambda x: mg.cat(tensors=(x, x), dim=1), lambda x: np.hstack((x, x))),
    "roll": (lambda x: mg.roll(x, shifts=1, dims=0), lambda x: x[::-1]),
    "rot90": (lambda x: mg.rot90(x, k=1, dims=(0, 1)), np.rot90),
    "tensor_split by places": (lambda x: mg.tensor_split(x, indices=(1,), dim=1)[1], lambda x: x[:, 1:]),
    "tensor_split by number": (lambda x: mg.tensor_split(x, sections=2, dim=1)[0], lambda x: x[:, :2]),
    "sum_to_size": (lambda x: x.sum_to_size(size=(1, 3)), lambda x: x.sum(0, keepdims=True)),
}


@pytest.mark.parametrize(("ours", "numpys"), BY_NAME.values(), ids=BY_NAME)
def test_arguments_are_taken_by_name(ours, numpys):
    x = numbers(2, 3).detach()
    np.testing.assert_array_equal(ours(x).array, numpys(x.array))


def test_no_dimension_is_not_every_dimension():
    x = numbers(1, 2)
    assert x.squeeze(()).shape == (1, 2)
    assert x.flip(()).tolist() == x.flip(dims=()).tolist() == [[0.0, 1.0]]
    with pytest.raises(ShapeError, match=r"permute\(\): got dims \(\), expected each of the 2"):
        x.permute(())


def test_an_empty_vector_joins_everything():
    matrix = numbers(2, 3)
    for joined in (mg.cat([mg.zeros(0), matrix]), mg.cat([matrix, mg.zeros(0, dtype=mg.int64)], dim=1)):
        assert (joined.tolist(), joined.dtype) == (matrix.tolist(), mg.float64)
    assert mg.cat([mg.zeros(0), mg.zeros(0)]).shape == (0,)
    with pytest.raises(ShapeError, match=r"tensor 1 has shape \(2, 3\), expected \(0, 2\)"):
        mg.cat([mg.zeros(0, 2), matrix])


def test_a_block_without_columns_keeps_its_row():
    x, y = numbers(0), numbers(1, 2)  # PyTorch takes the gradient from the wrong row here
    joined = mg.block_diag(x, y)
    assert joined.tolist() == [[0.0, 0.0], [0.0, 1.0]]
    (joined * mg.tensor([[1.0, 2.0], [3.0, 4.0]])).sum().backward()
    assert (x.grad.shape, y.grad.tolist()) == ((0,), [[3.0, 4.0]])


def test_places_to_cut_may_be_a_tensor():
    x = numbers(5)
    assert [len(piece) for piece in mg.tensor_split(x, mg.tensor([1, -1]))] == [1, 3, 1]
    assert [len(piece) for piece in mg.tensor_split(x, mg.tensor(2))] == [3, 2]


def test_numbers_alone_say_which_entry_stands_where():
    assert mg.repeat_interleave(mg.tensor([1, 0, 2])).tolist() == [0, 2, 2]
    assert mg.repeat_interleave(mg.zeros(0, dtype=mg.int64)).shape == (0,)


def test_one_number_in_a_tensor_repeats_every_entry():
    x = numbers(3)
    for count in (mg.tensor(2), mg.tensor([2])):
        assert mg.repeat_interleave(x, count, output_size=6).tolist() == [0, 0, 1, 1, 2, 2]


def test_a_product_of_one_vector_is_the_vector():
    x = numbers(3)
    assert mg.cartesian_prod(x) is x


def test_nothing_can_be_chosen_in_one_way_that_has_no_elements():
    assert mg.combinations(numbers(3), 0).shape == (0,)


def test_a_split_of_nothing_has_one_piece():
    assert [piece.shape for piece in mg.split(mg.zeros(0, 2), 0)] == [(0, 2)]
    assert [piece.shape for piece in mg.chunk(mg.zeros(0, 2), 3)] == [(0, 2)] * 3


# ------------------------------------------------------------------------------------------------ views

VIEWS = {
    "reshape": lambda x: x.reshape(6, 2),
    "view_as": lambda x: x.view_as(mg.zeros(2, 6)),
    "ravel": lambda x: x.ravel(),
    "unflatten": lambda x: x.unflatten(1, (2, 2)),
    "movedim": lambda x: x.movedim(0, 1),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "atleast_3d": mg.atleast_3d,
    "narrow": lambda x: x.narrow(1, 1, 2),
    "select": lambda x: x.select(1, -1),
    "chunk": lambda x: x.chunk(2)[1],
    "tensor_split": lambda x: x.tensor_split((1, 3), 1)[1],
    "unbind": lambda x: x.unbind()[0],
    "diagonal": lambda x: x.diagonal(1),
    "diagonal of dimensions exchanged": lambda x: x.diagonal(-1, 1, 0),
    "unfold": lambda x: x.unfold(1, 2, 2),
    "a view of a view": lambda x: x.unfold(1, 2, 2).select(0, 1).diagonal().unsqueeze(0),
}


@pytest.mark.parametrize("take", VIEWS.values(), ids=VIEWS)
def test_a_write_through_a_view_reaches_its_base_and_the_gradient_of_both(take):
    x = numbers(3, 4)
    base = x * 1.0
    shown = take(base)
    places = take(numbers(3, 4).detach()).array.astype(int).ravel()  # which elements of the base it shows
    values = mg.tensor(np.full(shown.shape, 5.0), requires_grad=True)
    shown.mul_(values)
    assert shown._base is base
    factors = np.ones(12)
    factors[places] = 5.0
    np.testing.assert_array_equal(base.detach().array.ravel(), np.arange(12) * factors)
    weight = np.arange(1.0, 13.0)
    (base.reshape(12) * mg.tensor(weight)).sum().backward()
    np.testing.assert_array_equal(x.grad.array.ravel(), weight * factors)
    np.testing.assert_array_equal(values.grad.array.ravel(), (weight * np.arange(12))[places])


def test_windows_that_overlap_cannot_be_written_to():
    with pytest.raises(RuntimeError, match="read-only"):
        numbers(4).detach().unfold(0, 2, 1).zero_()


def test_a_base_written_to_shows_in_its_windows():
    x = numbers(4).detach()
    shown = x.unfold(0, 2, 1)
    x[1] = 7.0
    assert shown.tolist() == [[0, 7], [7, 2], [2, 3]]
    assert shown.version is x.version


# ------------------------------------------------------------------------------------------------ PyTorch

SHARING = {
    "reshape": lambda xp, x: xp.reshape(x, (4, 3)),
    "reshape of a transposed": lambda xp, x: xp.reshape(x.mT, (4, 3)),
    "reshape of a matrix turned": lambda xp, x: xp.reshape(x.mT, (12,)),
    "ravel": lambda xp, x: xp.ravel(x),
    "flatten": lambda xp, x: xp.flatten(x),
    "squeeze": lambda xp, x: xp.squeeze(x),
    "unsqueeze": lambda xp, x: xp.unsqueeze(x, 0),
    "movedim": lambda xp, x: xp.movedim(x, 0, 1),
    "expand": lambda xp, x: x.expand(2, 3, 4),
    "broadcast_tensors": lambda xp, x: xp.broadcast_tensors(x, xp.ones(2, 1, 1))[0],
    "atleast_1d": lambda xp, x: xp.atleast_1d(x),
    "atleast_3d": lambda xp, x: xp.atleast_3d(x),
    "cat of one": lambda xp, x: xp.cat([x]),
    "hstack of one": lambda xp, x: xp.hstack([x]),
    "meshgrid": lambda xp, x: xp.meshgrid(x[0], x[0], indexing="ij")[1],
    "cartesian_prod of one": lambda xp, x: xp.cartesian_prod(x[0]),
    "split": lambda xp, x: xp.split(x, 2)[1],
    "hsplit": lambda xp, x: xp.hsplit(x, 2)[1],
    "unbind": lambda xp, x: xp.unbind(x, 1)[2],
    "narrow": lambda xp, x: xp.narrow(x, 0, 1, 2),
    "select": lambda xp, x: xp.select(x, 0, 1),
    "unfold": lambda xp, x: x.unfold(1, 2, 1),
    "diagonal": lambda xp, x: xp.diagonal(x, 1),
    "diag of a matrix": lambda xp, x: xp.diag(x),
    "flip": lambda xp, x: xp.flip(x, (0,)),
    "flip of nothing": lambda xp, x: xp.flip(x, ()),
    "roll": lambda xp, x: xp.roll(x, 0, 0),
    "rot90 by nothing": lambda xp, x: xp.rot90(x, 4),
    "repeat once": lambda xp, x: x.repeat(1, 1),
    "tile once": lambda xp, x: xp.tile(x, (1,)),
    "repeat_interleave once": lambda xp, x: xp.repeat_interleave(x, 1, 0),
    "tril": lambda xp, x: xp.tril(x, 4),
    "pad by nothing": lambda xp, x: xp.nn.functional.pad(x, (0, 0)),
    "pad circular by nothing": lambda xp, x: xp.nn.functional.pad(x, (0, 0), "circular"),
    "pad taking away": lambda xp, x: xp.nn.functional.pad(x, (-1, 0)),
}


@pytest.mark.oracle
@pytest.mark.parametrize("take", SHARING.values(), ids=SHARING)
def test_memory_is_shared_where_pytorch_shares_it(take):
    import torch

    ours, theirs = (xp.tensor(np.arange(12.0).reshape(3, 4)) for xp in (mg, torch))
    found, expected = take(mg, ours), take(torch, theirs)
    np.testing.assert_array_equal(found.array, expected.numpy())
    shared = expected.untyped_storage().data_ptr() == theirs.untyped_storage().data_ptr()
    assert np.shares_memory(found.array, ours.array) == shared
