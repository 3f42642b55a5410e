"""Dictionaries of dictd: an index and a text, plain or packed."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import DataError, Pair, read_dictd

DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
ENTRIES = {
    "00databaseshort": "\nA Dictionary ver. 1\n",
    "aixlachapelle": "Aix-la-Chapelle /ˈɛks/ <n>\nAachen, Aix-la-Chapelle\n",
    "emmener": "emmener /ɑ̃mne/\ntake (with one, or more), take away\n",
    "moyen": "moyen\nmedium (sized); mean\n",
    "veine": 'veine /vɛn/ <n, fem>\n1. luck\n2. (wood) grain, luck\n   "avoir de la veine"\n',
}
PAIRS = [
    Pair("Aix-la-Chapelle", "Aachen"),
    Pair("Aix-la-Chapelle", "Aix-la-Chapelle"),
    Pair("emmener", "take (with one, or more)"),
    Pair("emmener", "take away"),
    Pair("moyen", "medium (sized)"),
    Pair("moyen", "mean"),
    Pair("veine", "luck"),
    Pair("veine", "(wood) grain"),
]


def in_base_64(number):
    digits = DIGITS[number % 64]
    while number := number // 64:
        digits = DIGITS[number % 64] + digits
    return digits


@pytest.fixture
def write(tmp_path):
    """Write a dictionary, and an index of it unless another is given."""

    def write_both(entries=ENTRIES, index=None, *, packed=True, before=b""):
        text, lines = before, []
        for head, entry in entries.items():
            lines.append(f"{head}\t{in_base_64(len(text))}\t{in_base_64(len(entry.encode()))}\n")
            text += entry.encode()
        if packed:
            (tmp_path / "fra-eng.dict.dz").write_bytes(gzip.compress(text, mtime=0))
        else:
            (tmp_path / "fra-eng.dict").write_bytes(text)
        path = tmp_path / "fra-eng.index"
        path.write_text("".join(lines) if index is None else index, encoding="utf-8")
        return path

    return write_both


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("before", [0, 63, 64, 5000, 300_000])
def test_every_translation_of_every_headword_is_a_pair(write, packed, before):
    assert read_dictd(write(packed=packed, before=b"\n" * before)) == PAIRS


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ("", r"fra-eng\.index has no entry, expected an index of dictd"),
        ("00databaseinfo\tA\tB\n", r"fra-eng\.index has no entry"),
        ("one\n", r"fra-eng\.index, line 1: got 'one', expected an index of dictd: headword<TAB>place<TAB>"),
        ("a\tA\tB\n\nb\tA\n", r"line 3: got 'b\\tA'"),
        ("a\t-\tB\n", r"line 1: got 'a\\t-\\tB'"),
        ("a\tA\t\n", r"line 1: got"),
        ("a\tA\t////\n", r"line 1: the entry would end at byte 16,777,215, but the dictionary has \d+; do"),
        ("a\tn\tC\n", r"line 1, the entry holds byte 0x.., which is not UTF-8"),
    ],
)
def test_an_index_that_is_none_is_refused_with_its_line(write, index, message):
    with pytest.raises(DataError, match=message):
        read_dictd(write(index=index))


def test_the_other_file_is_asked_for(write):
    path = write()
    with pytest.raises(DataError, match=r"fra-eng\.dict\.dz does not end in \.index"):
        read_dictd(path.with_suffix(".dict.dz"))
    path.with_suffix(".dict.dz").write_bytes(b"no gzip")
    with pytest.raises(DataError, match=r"fra-eng\.dict\.dz is not packed by gzip .*is it whole"):
        read_dictd(path)
    path.with_suffix(".dict.dz").unlink()
    with pytest.raises(DataError, match=r"fra-eng\.dict\.dz cannot be read"):
        read_dictd(path)


def test_a_dictionary_that_was_cut_short_is_refused(write):
    path = write()
    packed = path.with_suffix(".dict.dz")
    whole = packed.read_bytes()
    for length in range(0, len(whole), 11):
        packed.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"is it whole|has 0"):
            read_dictd(path)


@given(st.text(max_size=40), st.binary(max_size=40))
def test_any_files_are_read_or_refused_as_data(tmp_path_factory, index, text):
    path = tmp_path_factory.getbasetemp() / "any.index"
    path.write_text(index, encoding="utf-8")
    path.with_suffix(".dict").write_bytes(text)
    try:
        pairs = read_dictd(path)
    except DataError as error:
        assert "any.index" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(source and target for source, target in pairs)
