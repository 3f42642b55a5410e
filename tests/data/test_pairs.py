"""A user's own file of pairs: what is read, what is refused and in which words, and how it is split."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import DataError, Pair, read_pairs, split_pairs


@pytest.fixture
def write(tmp_path):
    def write_bytes(content):
        path = tmp_path / "pairs.tsv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_bytes


@pytest.mark.parametrize(
    ("content", "pairs"),
    [
        ("a\tb\nc\td\n", [("a", "b"), ("c", "d")]),
        ("a\tb", [("a", "b")]),
        ("a\tb\r\nc\td\r\n", [("a", "b"), ("c", "d")]),
        ("a\tb\rc\td\r", [("a", "b"), ("c", "d")]),
        (codecs.BOM_UTF8 + b"a\tb\n", [("a", "b")]),
        ("\na\tb\n  \n\nc\td\n\n", [("a", "b"), ("c", "d")]),
        (" a b \t c \n", [("a b", "c")]),
        ("a\tb\na\tb\na\tc\n", [("a", "b"), ("a", "b"), ("a", "c")]),
        ("21\u202fноября\t한국어\n", [("21 ноября", "한국어")]),
        ("e\u0301\tu\u0308\n", [("é", "ü")]),
        ("a\u2028b\x0bc\td\n", [("a\u2028b\x0bc", "d")]),
    ],
)
def test_a_well_formed_file_is_read(write, content, pairs):
    assert read_pairs(write(content)) == [Pair(*pair) for pair in pairs]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"pairs\.tsv is empty, expected UTF-8 text with source<TAB>target on each line"),
        ("\n \n", r"pairs\.tsv is empty"),
        (codecs.BOM_UTF8, r"pairs\.tsv is empty"),
        ("one\ntwo\n", r"no TAB on any line, so it has one column"),
        (
            "a\tb\nc d\n",
            r"pairs\.tsv, line 2: got 1 column \(no TAB\) in 'c d', expected two: source<TAB>target",
        ),
        ("a\tb\n\nc\td\te\n", r"line 3: got 3 columns in 'c\\td\\te'"),
        ("a\tb\n\tc\n", r"line 2: the source of '\\tc' is empty"),
        ("a\tb\nc\t \n", r"line 2: the target of 'c\\t ' is empty"),
        ("a\tb\n" + "x" * 99, rf"line 2: got 1 column \(no TAB\) in '{'x' * 40}'\.\.\."),
        ("a\tb\n\x1b[31m\n", r"in '\\x1b\[31m', expected"),
        (b"a\tb\nc\0\td\n", r"holds a NUL byte at byte 5, line 2"),
        (b"\x89PNG\r\n\x1a\n", r"holds byte 0x89, which is not UTF-8 at byte 0, line 1"),
        (b"a\tb\nc\xff\td\n", r"byte 0xff, which is not UTF-8 at byte 5, line 2"),
        (codecs.BOM_UTF8 + b"a\tb\n\xe9\n", r"byte 0xe9, which is not UTF-8 at byte 7, line 2"),
        ("a\tb\n".encode("utf-16"), r"is encoded in UTF-16, expected UTF-8 text .*; save it again as UTF-8"),
    ],
)
def test_a_malformed_file_is_refused_with_its_place(write, content, message):
    with pytest.raises(DataError, match=message):
        read_pairs(write(content))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.tsv cannot be read \(No such file or directory\)"):
        read_pairs(tmp_path / "nowhere.tsv")


def test_a_directory_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"cannot be read \(Is a directory\), expected a file"):
        read_pairs(str(tmp_path))


@given(content=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_as_data(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.tsv"
    path.write_bytes(content)
    try:
        pairs = read_pairs(path)
    except DataError as error:
        assert "any.tsv" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert pairs
        assert all(source and target for source, target in pairs)


some_pairs = st.lists(st.builds(Pair, st.text("abcd", max_size=3), st.text("xy", max_size=1)), max_size=60)


@given(some_pairs, st.sampled_from([0.1, 0.25, 0.5, 0.9]), st.integers(0, 2**32))
def test_no_source_is_on_both_sides_and_no_pair_is_lost(pairs, fraction, seed):
    number = len({pair.source for pair in pairs})
    if number < max(2, 1 / fraction):
        with pytest.raises(DataError, match=f"got {number} distinct sources"):
            split_pairs(pairs, heldout_fraction=fraction, seed=seed)
        return
    train, heldout = split_pairs(pairs, heldout_fraction=fraction, seed=seed)
    sources = {pair.source for pair in heldout}
    assert sources.isdisjoint({pair.source for pair in train})
    assert sorted(train + heldout) == sorted(set(pairs))
    assert train
    assert abs(len(sources) - number * fraction) <= 1


def test_the_seed_alone_decides_the_split():
    pairs = [Pair(f"source {number}", "target") for number in range(100)]
    assert split_pairs(pairs, seed=1) == split_pairs(pairs, seed=1)
    assert split_pairs(pairs, seed=1) != split_pairs(pairs, seed=2)


def test_both_sides_stay_in_the_order_of_the_file():
    pairs = [Pair(f"{number:03}", "target") for number in range(100)]
    train, heldout = split_pairs(pairs, heldout_fraction=0.3)
    assert train == sorted(train)
    assert heldout == sorted(heldout)


def test_a_file_too_small_to_split_is_refused_with_the_number_needed():
    pairs = [Pair(str(number % 9), "target") for number in range(50)]
    with pytest.raises(DataError, match=r"got 9 distinct sources, expected 10 or more to hold out 10%"):
        split_pairs(pairs)


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 1.5])
def test_a_fraction_outside_zero_and_one_is_refused(fraction):
    with pytest.raises(ValueError, match="expected between 0 and 1"):
        split_pairs([], heldout_fraction=fraction)
