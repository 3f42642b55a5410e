"""Every public name of torch.nn and torch.optim is here, with its arguments, or is left out for a reason."""

import inspect

import pytest

from coverage_table import LEFT_OUT, PLACES, found, names_of, reason_for
from minigrad import nn

pytestmark = pytest.mark.oracle

SPACES = [space for space in PLACES if space.startswith(("torch.nn", "torch.optim"))]
each_space = pytest.mark.parametrize("space", SPACES)


@each_space
def test_a_name_is_here_or_left_out_for_a_reason(space):
    ours = found(PLACES[space])
    assert [
        name for name in names_of(found(space)) if not (hasattr(ours, name) or reason_for(name, space))
    ] == []


def test_no_name_is_left_out_that_is_here_or_that_nobody_has():
    listed = {name for names in LEFT_OUT.values() for name in names.split()}
    absent = {
        name for space in SPACES for name in names_of(found(space)) if not hasattr(found(PLACES[space]), name)
    }
    assert listed - absent == set()


# ------------------------------------------------------------------------------------------- arguments

GIVEN_UP = {"size_average", "reduce", "min_value", "max_value", "_weight", "_freeze", "_stacklevel", "out"}
PLACE = {"device", "dtype"}  # always by name here
WAYS = {"foreach", "fused", "capturable", "differentiable", "options"}  # how to compute, not what
DIFFERENT = {
    "gumbel_softmax": "PyTorch ignores its eps",
    "Buffer": "it is made of something",
    "Parameter": "it is made of something",
    "PackedSequence": "it has batch sizes",
    "ParametrizationList": "made by register_parametrization",
    "log_softmax": "the dimension is said",
    "softmax": "the dimension is said",
    "softmin": "the dimension is said",
    "LogSoftmax": "the dimension is said",
    "Softmax": "the dimension is said",
    "Softmin": "the dimension is said",
}


def arguments(thing):
    """(name, default, is it by name only) of each argument that counts; None if it does not say."""
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return None
    left_out = GIVEN_UP | PLACE | WAYS
    return [
        (p.name, p.default, p.kind is p.KEYWORD_ONLY)
        for p in parameters
        if p.name not in left_out and p.kind is not p.VAR_KEYWORD
    ]


def plain(default):
    """A default that can be compared: a function is as good as its name."""
    return default.__name__ if inspect.isfunction(default) else default


@each_space
def test_a_name_has_the_arguments_of_pytorch_in_their_order_and_with_their_defaults(space):
    ours, checked = found(PLACES[space]), 0
    for name in names_of(found(space)):
        if not hasattr(ours, name) or name in DIFFERENT:
            continue
        theirs, mine = arguments(getattr(found(space), name)), arguments(getattr(ours, name))
        if theirs is None or mine is None:
            continue
        known = {argument for argument, _, _ in theirs}
        added = [argument for argument, _, by_name in mine if argument not in known and not by_name]
        assert not added, f"{name}: {added} would be taken for something else"
        found_here = [(argument, plain(default)) for argument, default, _ in mine if argument in known]
        assert found_here == [(argument, plain(default)) for argument, default, _ in theirs], name
        checked += 1
    assert checked


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("RNN", (3, 4, 2, "relu", False, True, 0.1, True)),
        ("LSTM", (3, 4, 2, False, True, 0.1, True, 2)),
        ("GRU", (3, 4, 2, False, True, 0.1, True)),
    ],
)
def test_recurrent_layers_take_their_arguments_in_the_order_of_pytorch(name, given):
    import torch

    ours, theirs = getattr(nn, name)(*given), getattr(torch.nn, name)(*given)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
