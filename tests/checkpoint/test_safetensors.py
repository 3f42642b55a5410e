"""minigrad.save and load: what goes in comes out, here and in other libraries, and a bad file is refused."""

import json
import math
import os
import types

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from minigrad import safetensors as layout
from minigrad.checkpoint import load, load_with_metadata, save
from minigrad.errors import CheckpointError
from minigrad.tensor import Tensor

DTYPES = [
    *("float64", "float32", "float16", "int64", "int32", "int16", "int8"),
    *("uint64", "uint32", "uint16", "uint8", "bool"),
]
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@st.composite
def arrays(draw):
    """An array of any type, layout and byte order, 0-d and empty ones included."""
    dtype = np.dtype(draw(st.sampled_from(DTYPES)))
    shape = draw(hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
    size = math.prod(shape)
    bits = np.frombuffer(draw(st.binary(min_size=8 * size, max_size=8 * size)), np.uint8)
    array = (bits[:size] % 2 == 1 if dtype.kind == "b" else bits.view(dtype)[:size]).reshape(shape)
    layouts = [
        lambda a: a,
        lambda a: a.T,
        lambda a: a[..., ::-1] if a.ndim else a,
        lambda a: np.broadcast_to(a, (2, *a.shape)),
        lambda a: a.astype(a.dtype.newbyteorder(">")),
        np.asfortranarray,
    ]
    return draw(st.sampled_from(layouts))(array)


def same(got, expected):
    """Are type, shape and every bit equal, byte order apart?"""
    native = expected.astype(expected.dtype.newbyteorder("="))
    return (got.dtype, got.shape, got.tobytes()) == (native.dtype, native.shape, native.tobytes())


def file_of(folder, header, data=b""):
    """A file with this header (a dict, or raw bytes) and this data."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path = folder / "made.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def entry(dtype="F32", shape=(2,), offsets=(0, 8)):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}


# ---------------------------------------------------------------- round trips


@given(st.dictionaries(texts, arrays(), max_size=5), st.dictionaries(texts, texts, max_size=3))
def test_what_is_saved_is_loaded_bit_for_bit_in_the_same_order(tmp_path_factory, tensors, metadata):
    path = tmp_path_factory.mktemp("round") / "file"
    save(tensors, path, metadata)
    loaded, texts_loaded = load_with_metadata(path)
    assert list(loaded) == list(tensors)
    assert all(same(loaded[name].array, tensors[name]) for name in tensors)
    assert texts_loaded == metadata


@given(st.dictionaries(texts, arrays(), max_size=5), st.dictionaries(texts, texts, min_size=1, max_size=3))
def test_the_safetensors_package_reads_our_files(tmp_path_factory, tensors, metadata):
    path = tmp_path_factory.mktemp("theirs") / "file"
    save(tensors, path, metadata)
    theirs = safetensors.numpy.load_file(path)
    assert theirs.keys() == tensors.keys()
    assert all(same(theirs[name], tensors[name]) for name in tensors)
    with safetensors.safe_open(path, "numpy") as file:
        assert file.metadata() == metadata


@given(st.dictionaries(texts, arrays(), max_size=5), st.dictionaries(texts, texts, min_size=1, max_size=3))
def test_we_read_the_files_of_the_safetensors_package(tmp_path_factory, tensors, metadata):
    path = tmp_path_factory.mktemp("ours") / "file"
    contiguous = {
        name: np.array(array, array.dtype.newbyteorder("="), order="C") for name, array in tensors.items()
    }
    safetensors.numpy.save_file(contiguous, path, metadata)
    loaded, texts_loaded = load_with_metadata(path)
    assert loaded.keys() == tensors.keys()
    assert all(same(loaded[name].array, tensors[name]) for name in tensors)
    assert texts_loaded == metadata


def test_bfloat16_is_written_as_it_is_and_read_as_the_float32_that_equals_it(tmp_path):
    values = np.array([1.0, -2.5, np.inf, 3e38, 1e-40, 0.0], ml_dtypes.bfloat16)
    save({"w": values, "odd": np.ones((3, 2), ml_dtypes.bfloat16).T[:, ::2]}, tmp_path / "file")
    assert b'"BF16"' in (tmp_path / "file").read_bytes()
    assert safetensors.numpy.load_file(tmp_path / "file")["w"].tobytes() == values.tobytes()
    loaded = load(tmp_path / "file")
    assert loaded["w"].dtype == np.float32
    np.testing.assert_array_equal(loaded["w"].array, values.astype(np.float32))
    assert loaded["odd"].shape == (2, 2)


def test_a_tensor_that_requires_grad_is_saved_by_its_values(tmp_path):
    save({"w": Tensor(np.ones(3), requires_grad=True)}, tmp_path / "file")
    loaded = load(tmp_path / "file")["w"]
    assert loaded.tolist() == [1.0, 1.0, 1.0]
    assert not loaded.requires_grad


def test_loaded_arrays_can_be_written_to(tmp_path):
    save({"w": np.zeros(3)}, tmp_path / "file")
    loaded = load(tmp_path / "file")["w"].array
    loaded += 1
    assert loaded.flags.owndata


def test_data_is_aligned_whatever_the_order_of_types(tmp_path):
    save({"a": np.ones(3, np.int8), "b": np.ones(2), "c": np.ones(1, np.float16)}, tmp_path / "file")
    raw = (tmp_path / "file").read_bytes()
    length = int.from_bytes(raw[:8], "little")
    assert length % 8 == 0
    for name, found in json.loads(raw[8 : 8 + length]).items():
        assert found["data_offsets"][0] % layout.STORED[found["dtype"]].itemsize == 0, name


def test_a_header_may_hold_space_escapes_and_fields_in_any_order(tmp_path):
    header = (
        b'{ "\\u00e9\\n" : {"data_offsets" :[0 , 2],\t"shape":[ ], "dtype":"I16"},\n"__metadata__":{} }   '
    )
    assert load(file_of(tmp_path, header, b"\x05\x00"))["é\n"].item() == 5


# ---------------------------------------------------------------- what save refuses


@pytest.mark.parametrize(
    ("tensors", "metadata", "error", "words"),
    [
        ({"w": np.ones(2, complex)}, None, TypeError, "complex128, expected one of float64"),
        ({"w": np.array(["text"])}, None, TypeError, "dtype <U4, expected one of"),
        ({"w": np.array([object()])}, None, TypeError, "dtype object"),
        ({"w": [1.0]}, None, TypeError, "is a list, expected a Tensor or an array"),
        ({1: np.ones(2)}, None, TypeError, "names must be str, got 1"),
        ({"__metadata__": np.ones(2)}, None, ValueError, "reserved"),
        ({"w" * 5000: np.ones(2)}, None, ValueError, "at most 4,096 characters"),
        ({"\ud800": np.ones(2)}, None, ValueError, "not UTF-8"),
        ({"w": np.ones(2)}, {"step": 3}, TypeError, "metadata must map str to str, got 'step': 3"),
    ],
)
def test_what_the_layout_cannot_hold_is_refused_and_nothing_is_written(
    tmp_path, tensors, metadata, error, words
):
    with pytest.raises(error, match=words):
        save(tensors, tmp_path / "file", metadata)
    assert list(tmp_path.iterdir()) == []


def test_more_tensors_than_a_reader_accepts_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(layout, "MAX_MEMBERS", 2)
    with pytest.raises(ValueError, match=r"3 tensors .* at most 2 of each"):
        save(dict.fromkeys("abc", np.ones(1)), tmp_path / "file")


def test_a_missing_folder_is_an_oserror_unchanged(tmp_path):
    with pytest.raises(FileNotFoundError):
        save({"w": np.ones(2)}, tmp_path / "nowhere" / "file")


# ---------------------------------------------------------------- what load refuses

BAD_HEADERS = {
    "a hole": ({"w": entry(offsets=(4, 12))}, 12, r"'w'.data_offsets: begins at 4, expected 0: a hole"),
    "an overlap": ({"v": entry(), "w": entry(offsets=(4, 12))}, 12, r"begins at 4, expected 8: an overlap"),
    "data left over": ({"w": entry()}, 9, r"data: file is \d+ bytes, header claims \d+"),
    "data cut off": ({"w": entry()}, 7, r"data: file is \d+ bytes, header claims \d+"),
    "offsets reversed": ({"w": entry(offsets=(8, 0))}, 8, r"got -8 bytes, expected 8 for F32 \(2,\)"),
    "offsets of another size": ({"w": entry(offsets=(0, 4))}, 4, r"got 4 bytes, expected 8"),
    "a negative offset": ({"w": entry(offsets=(-8, 0))}, 8, "expected an integer from 0"),
    "a fractional size": ({"w": entry(shape=(2.0,))}, 8, "expected an integer from 0"),
    "an exponent": (b'{"w":{"dtype":"F32","shape":[2e0],"data_offsets":[0,8]}}', 8, "expected an integer"),
    "a size with zeros in front": (
        b'{"w":{"dtype":"F32","shape":[02],"data_offsets":[0,8]}}',
        8,
        "an integer",
    ),
    "a size beyond 64 bits": ({"w": entry(shape=(2**64,))}, 8, "expected an integer"),
    "a product beyond 64 bits": ({"w": entry(shape=(2**62, 2**62))}, 8, "more than memory can address"),
    "a product hidden by a zero": ({"w": entry(shape=(0, 2**62), offsets=(0, 0))}, 0, "more than memory"),
    "too many dimensions": ({"w": entry(shape=(1,) * 65, offsets=(0, 4))}, 4, "more than 64 numbers"),
    "three offsets": ({"w": entry(offsets=(0, 4, 8))}, 8, "more than 2 numbers"),
    "one offset": ({"w": entry(offsets=(0,))}, 8, "expected dtype, shape and two data_offsets"),
    "an unknown type": ({"w": entry("F31")}, 8, "'w'.dtype: got 'F31', expected one of F64, F32"),
    "a missing field": ({"w": {"dtype": "F32", "shape": [2]}}, 8, "expected dtype, shape and two"),
    "an unknown field": ({"w": entry() | {"strides": [1]}}, 8, "got field 'strides'"),
    "a type that is a number": ({"w": entry(7)}, 8, "got b' 7.*', expected a string"),
    "a shape that is a number": (b'{"w":{"shape":2}}', 0, r"got b'2\}\}', expected '\['"),
    "a name twice": (b'{"w":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},"w":{}}', 0, "'w' appears twice"),
    "a field twice": (b'{"w":{"dtype":"U8","dtype":"U8"}}', 0, "'dtype' appears twice"),
    "metadata twice": (b'{"__metadata__":{},"__metadata__":{}}', 0, "appears twice"),
    "metadata that is a number": (
        {"__metadata__": {"step": 1}},
        0,
        "__metadata__: got b' 1.*', expected a string",
    ),
    "metadata that nests": ({"__metadata__": {"a": {"b": "c"}}}, 0, "expected a string"),
    "deep nesting": (b'{"w":' + b"[" * 100_000, 0, "byte 13: 'w': got"),
    "a long name": ({"w" * 10_000_000: entry()}, 8, "got 10,000,000 characters, expected at most 4,096"),
    "a lone surrogate": (b'{"\\ud800":{}}', 0, "not UTF-8 text"),
    "bytes that are not UTF-8": (b'{"\xff":{}}', 0, "not UTF-8 text"),
    "a bad escape": (b'{"\\q":{}}', 0, "not UTF-8 text"),
    "a string without end": (b'{"w', 0, "expected a string"),
    "a NUL in a string": (b'{"a\x00b":{}}', 0, "expected a string"),
    "a comma too many": (b'{"__metadata__":{},}', 0, "got b'}', expected a string"),
    "a comma too few": (b'{"__metadata__":{} "w":{}}', 0, "expected ','"),
    "no end": (b'{"__metadata__":{}', 0, "expected ','"),
    "text after the end": (b'{"__metadata__":{}} x', 0, "got more after its end"),
    "an array": (b"[]", 0, "byte 8: header: got b'\\['"),
    "nothing": (b"  ", 0, "byte 8: header: got b' ', expected b'{'"),
    "a bool that is neither": ({"w": entry("BOOL", (2,), (0, 2))}, b"\x01\x02", "'w': got a byte above 1"),
}


@pytest.mark.parametrize("name", BAD_HEADERS)
def test_a_bad_header_is_refused_with_its_path_its_byte_and_its_field(tmp_path, name):
    header, data, words = BAD_HEADERS[name]
    path = file_of(tmp_path, header, bytes(data))
    with pytest.raises(CheckpointError, match=words) as refusal:
        load(path)
    assert str(refusal.value).startswith(f"{path}: byte ")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "file is 0 bytes, expected 8"),
        (b"\x10\x00\x00", "file is 3 bytes, expected 8"),
        (b"\x10" + bytes(7) + b"{}", "file is 10 bytes, header claims 16"),
        ((2**31).to_bytes(8, "little") + b"{}", "file is 10 bytes, header claims 2,147,483,648"),
        (b"\xff" * 8 + b"{}", "header claims 18,446,744,073,709,551,615"),
        (b"\x00" * 8 + b"{}", "header claims 0 bytes, expected 2 to 100,000,000"),
        (b"\x01" + bytes(7) + b"{", "header claims 1 bytes"),
        (
            b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x94.",
            "a Python pickle; loading one runs the code in it",
        ),
        (b"\x80\x02}q\x00.", "Python pickle"),
        (b"PK\x03\x04" + bytes(40), "a zip archive, such as torch.save writes"),
        (b"\x93NUMPY\x01\x00v\x00{", "an .npy file"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_its_first_bytes(tmp_path, content, words):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=words):
        load(path)


def test_a_header_beyond_the_limit_is_refused_before_it_is_read(tmp_path):
    path = tmp_path / "file"
    with path.open("wb") as file:
        file.write((layout.MAX_HEADER + 8).to_bytes(8, "little") + b"{")
        file.truncate(2 * layout.MAX_HEADER)  # sparse: no disk is used
    with pytest.raises(CheckpointError, match="claims 100,000,008 bytes, expected 2 to 100,000,000"):
        load(path)


def test_a_header_whose_length_looks_like_a_pickle_is_still_read(tmp_path):
    header = json.dumps({"w": entry()}).encode().ljust(0x0280)  # as bytes: 80 02 00 00 ...
    assert load(file_of(tmp_path, header, bytes(8)))["w"].tolist() == [0.0, 0.0]


def test_a_file_that_shrinks_while_it_is_read_is_refused(tmp_path, monkeypatch):
    path = file_of(tmp_path, {"w": entry(shape=(4,), offsets=(0, 16))}, bytes(12))
    size = path.stat().st_size + 4
    monkeypatch.setattr(os, "fstat", lambda descriptor: types.SimpleNamespace(st_size=size))
    with pytest.raises(CheckpointError, match=r"'w': file ends after 12 of its 16 bytes"):
        layout.read(path)


def test_a_folder_is_an_oserror(tmp_path):
    with pytest.raises(IsADirectoryError):
        load(tmp_path)
