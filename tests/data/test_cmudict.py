"""The pronouncing dictionary in each of its forms."""

import pytest

from minigrad.data import DataError, Pair, read_cmudict

PAIRS = [Pair("a", "AH0"), Pair("a", "EY1"), Pair("aalborg", "AO1 L B AO0 R G"), Pair('"quote', "K W OW1 T")]

IN_JAVASCRIPT = """/** @type {{ [word: string]: string }} */
export const dictionary = {
  "a": "AH0",
  "a(2)": "EY1",
  "aalborg": "AO1 L B AO0 R G # place, danish",
  ""quote": "K W OW1 T"
}
"""


@pytest.fixture
def write(tmp_path):
    def write_text(text):
        path = tmp_path / "cmudict"
        path.write_text(text, encoding="utf-8")
        return path

    return write_text


@pytest.mark.parametrize(
    "text",
    [
        ';;; a comment\nA  AH0\nA(1)  EY1\nAALBORG  AO1 L B AO0 R G\n"QUOTE  K W OW1 T\n',
        'a AH0\na(2) EY1\naalborg AO1 L B AO0 R G # place, danish\n"quote K W OW1 T',
        IN_JAVASCRIPT,
    ],
    ids=["first", "present", "npm"],
)
def test_each_form_of_the_dictionary_gives_the_same_pairs(write, text):
    assert read_cmudict(write(text)) == PAIRS


def test_without_stress_pairs_that_are_then_alike_are_kept_once(write):
    path = write("about AH0 B AW1 T\nabout(2) AH1 B AW1 T\n")
    assert read_cmudict(path, stress=False) == [Pair("about", "AH B AW T")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a AH0\nword\n", r"cmudict, line 2: got 'word', expected a word and its phonemes, such as"),
        ("a AH0\nb hello there\n", "line 2: got 'b hello there'"),
        ("a AH0\nb # only a comment\n", "line 2"),
        (";;; nothing\n", "cmudict is empty"),
    ],
)
def test_a_line_of_another_form_is_refused(write, text, message):
    with pytest.raises(DataError, match=message):
        read_cmudict(write(text))
