"""Plain text and two files side by side: what is read, what is refused and in which words."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import (
    DataError,
    Pair,
    read_catalogue,
    read_cmudict,
    read_digits,
    read_image,
    read_lines,
    read_mo,
    read_pairs,
    read_parallel,
    read_po,
    read_text,
)

READERS = [read_catalogue, read_cmudict, read_lines, read_pairs, read_po, read_text]
EVERY = [*READERS, read_digits, read_image, read_mo]


@pytest.fixture
def write(tmp_path):
    def write_bytes(content, name="text"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_bytes


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("a\nb\n", "a\nb\n"),
        ("a\r\nb\rc", "a\nb\nc"),
        (codecs.BOM_UTF8 + b"a", "a"),
        ("e\u0301\u202fb\n\n", "é b\n\n"),
    ],
)
def test_a_text_is_read_whole_normalised_and_with_plain_newlines(write, content, text):
    assert read_text(write(content)) == text


def test_lines_are_read_without_blank_ones_and_the_space_at_their_ends(write):
    assert read_lines(write(" a b \r\n\r\n\tc")) == ["a b", "c"]


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a\tb\nc\xff\td\n", "byte 0xff, which is not UTF-8 at byte 5, line 2"),
        (b"a\tb\nc\0\td\n", "holds a NUL byte at byte 5, line 2"),
        ("a\tb\n".encode("utf-16"), "is encoded in UTF-16"),
        (b"\n" + b"x" * 2**20, "line 2: got 1,048,576 characters, expected 100,000"),
        (b"", "text is empty"),
    ],
    ids=["encoding", "nul", "utf-16", "long-line", "empty"],
)
def test_every_reader_of_text_names_the_file_and_the_line(reader, write, content, message):
    with pytest.raises(DataError, match=message) as refused:
        reader(write(content))
    assert str(write(content)) in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("reader", EVERY)
def test_a_missing_file_and_a_folder_are_refused_in_a_sentence(reader, tmp_path):
    with pytest.raises(DataError, match=r"nowhere cannot be read \(No such file or directory\)"):
        reader(tmp_path / "nowhere")
    if reader is not read_digits:  # reads a folder as well
        with pytest.raises(DataError, match=r"cannot be read \(Is a directory\)"):
            reader(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        reader("a\0b")


@pytest.mark.parametrize("reader", EVERY)
@given(content=st.binary(max_size=60))
def test_any_bytes_are_read_or_refused_as_data(reader, tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(content)
    try:
        assert len(reader(path))
    except DataError as error:
        assert "any" in str(error)  # noqa: PT017 - either outcome is right


def test_two_files_are_read_line_by_line(write):
    source, target = write("a\n\n b \r\n", "source"), write("c\n\nd", "target")
    assert read_parallel(source, target) == [Pair("a", "c"), Pair("b", "d")]


def test_a_blank_line_at_the_end_has_a_partner_or_none(write):
    assert read_parallel(write("a\n\n", "source"), write("b\n\n", "target")) == [Pair("a", "b")]
    with pytest.raises(DataError, match=r"source has 1 lines and .*target 3, .* line 2 of .*target: ''"):
        read_parallel(write("a\n", "source"), write("b\n\n\n", "target"))


@pytest.mark.parametrize(("short", "long"), [("source", "target"), ("target", "source")])
def test_a_shorter_side_is_refused_with_both_counts_and_the_first_line_without_partner(write, short, long):
    one, three = write("a\n", short), write("x\nyes\nz\n", long)
    counts = "source has 1 lines and .*target 3" if short == "source" else "source has 3 lines and .*target 1"
    with pytest.raises(DataError, match=f"{counts}.* partner is line 2 of .*{long}: 'yes'"):
        read_parallel(*((one, three) if short == "source" else (three, one)))


@pytest.mark.parametrize(
    ("source", "target", "message"),
    [
        ("a\n\nb\n", "x\ny\nz\n", r"source, line 2 is empty, expected the partner of 'y'"),
        ("a\nb\n", "x\n \nz".replace("\nz", ""), r"source has 2 lines and .*target 1"),
        ("a\nb\nc", "x\n \nz", r"target, line 2 is empty, expected the partner of 'b'"),
        ("", "", "source and .*target are empty"),
        ("\n\n", "\n\n", "source and .*target are empty"),
    ],
)
def test_an_empty_side_is_refused_with_its_line(write, source, target, message):
    with pytest.raises(DataError, match=message):
        read_parallel(write(source, "source"), write(target, "target"))
