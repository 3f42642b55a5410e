"""minigrad.checkpoint.save_checkpoint: a tree of a run's state comes back with its types and its bits."""

import json
import math
import struct
import zlib

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st

from minigrad.checkpoint import CHECKSUM, MAX_STATE, STATE, load, load_checkpoint, save, save_checkpoint
from minigrad.errors import CheckpointError
from minigrad.generator import Generator
from minigrad.tensor import Tensor

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=10)
keys = texts | st.integers() | st.sampled_from(["$tensor", "$dict", "a.b"])
arrays = st.builds(
    lambda values, shape: np.array(values, np.float32).reshape(shape),
    st.lists(st.floats(width=32), min_size=6, max_size=6),
    st.sampled_from([(6,), (2, 3), (1, 6, 1)]),
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts | arrays | st.builds(Tensor, arrays)
trees = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
    ),
    max_leaves=12,
)


def bits(tree):
    """The tree with everything that `==` blurs made plain: types, signs of zero, NaN, arrays."""
    match tree:
        case Tensor():
            return ("Tensor", bits(tree.array))
        case np.ndarray():
            return (tree.dtype, tree.shape, tree.tobytes())
        case float():
            return "nan" if math.isnan(tree) else struct.pack("d", tree)
        case dict():
            return [(type(key), key, bits(value)) for key, value in tree.items()]
        case list() | tuple():
            return (type(tree), [bits(item) for item in tree])
    return (type(tree), tree)


@given(st.dictionaries(keys, trees, max_size=4))
def test_a_tree_comes_back_with_its_types_and_its_bits(tmp_path_factory, tree):
    path = tmp_path_factory.mktemp("tree") / "file"
    save_checkpoint(tree, path)
    assert bits(load_checkpoint(path)) == bits(tree)


def test_tensors_are_named_by_their_place_for_other_readers(tmp_path):
    w = np.ones((2, 3), np.float32)
    save_checkpoint(
        {"model": {"w": Tensor(w)}, "optimizer": {"state": {0: {"exp_avg": w}}}}, tmp_path / "file"
    )
    theirs = safetensors.numpy.load_file(tmp_path / "file")
    assert sorted(theirs) == ["model.w", "optimizer.state.0.exp_avg"]
    assert sorted(load(tmp_path / "file")) == sorted(theirs)


def test_two_places_that_would_share_a_name_are_both_kept(tmp_path):
    tree = {"a": {"b": np.zeros(1)}, "a.b": np.ones(1), "a.b+": np.full(1, 2.0)}
    save_checkpoint(tree, tmp_path / "file")
    assert bits(load_checkpoint(tmp_path / "file")) == bits(tree)


def test_a_generator_continues_with_the_same_bits(tmp_path):
    generator = Generator(2**64 - 1)
    generator.uniform(5)
    save_checkpoint({"generator": generator.get_state()}, tmp_path / "file")
    again = Generator().set_state(load_checkpoint(tmp_path / "file")["generator"])
    assert again.uniform(100).tobytes() == generator.uniform(100).tobytes()


def test_a_numpy_random_state_can_be_saved(tmp_path):
    random = np.random.default_rng(0)
    save_checkpoint({"numpy": random.bit_generator.state}, tmp_path / "file")
    again = np.random.default_rng(1)
    again.bit_generator.state = load_checkpoint(tmp_path / "file")["numpy"]
    assert again.random() == random.random()


@pytest.mark.parametrize(
    ("tree", "error", "words"),
    [
        ({"f": print}, TypeError, r"state\.f is a builtins\.builtin_function_or_method, expected a dict"),
        ({"s": np.float32(1)}, TypeError, r"numpy\.float32.*call \.item\(\) on a NumPy scalar"),
        ({"b": b"bytes"}, TypeError, r"state\.b is a builtins\.bytes"),
        ({"d": {(1, 2): 3}}, TypeError, r"the keys of state\.d must be str or int"),
        ({"d": {True: 3}}, TypeError, r"must be str or int"),
        ({"t": np.array(["text"])}, TypeError, r"state\.t.*<U4"),
        ({"long": list(range(MAX_STATE // 4))}, ValueError, r"put long lists of numbers in an array"),
    ],
)
def test_what_a_state_cannot_hold_is_refused_by_its_place(tmp_path, tree, error, words):
    with pytest.raises(error, match=words):
        save_checkpoint(tree, tmp_path / "file")
    assert list(tmp_path.iterdir()) == []


def test_a_tree_that_contains_itself_is_refused(tmp_path):
    tree = {}
    tree["me"] = tree
    with pytest.raises(ValueError, match="nested too deeply; does it contain itself"):
        save_checkpoint(tree, tmp_path / "file")


def test_bfloat16_in_a_state_is_refused_since_it_would_come_back_as_float32(tmp_path):
    with pytest.raises(TypeError, match="reads back as float32"):
        save_checkpoint({"w": np.ones(1, ml_dtypes.bfloat16)}, tmp_path / "file")


def test_a_file_of_tensors_alone_is_refused_with_the_function_to_use(tmp_path):
    save({"w": np.ones(1)}, tmp_path / "file")
    with pytest.raises(CheckpointError, match=r"expected minigrad.state .* use load\(\)"):
        load_checkpoint(tmp_path / "file")


def test_every_flipped_bit_is_detected(tmp_path):
    path = tmp_path / "file"
    tree = {"w": np.arange(3.0), "step": 7}
    save_checkpoint(tree, path)
    content = path.read_bytes()
    for bit in range(8 * len(content)):
        flipped = bytearray(content)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            load_checkpoint(path)


def forged(text, tensors, path):
    """A file whose checksum is right for a tree that save_checkpoint would not write."""
    crc = zlib.crc32(text.encode())
    for name in sorted(tensors):
        crc = zlib.crc32(f"{name} F64 {tensors[name].shape}".encode(), crc)
        crc = zlib.crc32(tensors[name].tobytes(), crc)
    save(tensors, path, {STATE: text, CHECKSUM: f"{crc:08x}"})


@pytest.mark.parametrize(
    ("tree", "words"),
    [
        ([], "expected a dict"),
        ({}, r"left over: \['w'\]"),
        ({"a": {"$tensor": "v"}}, "does not write"),
        ({"a": {"$tensor": "w"}, "b": {"$tensor": "w"}}, "does not write"),
        ({"a": {"$tensor": ["w"]}}, "does not write"),
        ({"a": {"$tensor": "w", "b": 1}}, "does not write"),
        ({"a": {"$code": "print()"}}, r"got \{'\$code': 'print\(\)'\}, which save_checkpoint does not write"),
        ({"a": {"$float": "1e5"}}, "does not write"),
        ({"a": {"$tuple": 1}}, "does not write"),
        ({"a": {"$dict": [[[], 1]]}}, "does not write"),
        ({"a": {"$dict": [[1, 2, 3]]}}, "does not write"),
        ("[" * 100_000, "minigrad.state"),
        ("{", "minigrad.state"),
        (" " * (MAX_STATE + 1), "got 2,097,153 characters"),
    ],
)
def test_a_forged_tree_is_refused(tmp_path, tree, words):
    text = tree if isinstance(tree, str) else json.dumps(tree)
    forged(text, {"w": np.ones(1)}, tmp_path / "file")
    with pytest.raises(CheckpointError, match=words):
        load_checkpoint(tmp_path / "file")


def test_a_forged_tree_that_is_right_is_read(tmp_path):
    forged('{"a": {"$array": "w"}}', {"w": np.ones(1)}, tmp_path / "file")
    assert load_checkpoint(tmp_path / "file")["a"].tolist() == [1.0]
