"""Names of emoji, in the three forms in which packages carry them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import DataError, Pair, read_emoji_names, read_emoji_pairs

ENGLISH = {"🌶": "hot pepper", "🐈": "cat", "🥇": "1st place medal"}
FRENCH = {"🐈": "chat", "🌶": "piment rouge"}

FORMS = {
    "cldr": lambda names: {
        "annotations": {
            "identity": {"language": "en"},
            "annotations": {
                **{emoji: {"default": ["x"], "tts": [name]} for emoji, name in names.items()},
                "¢": {"default": ["cent"]},
            },
        }
    },
    "emojibase": lambda names: [
        {"emoji": emoji + "\ufe0f", "label": name, "group": 1} for emoji, name in names.items()
    ],
    "emoji": lambda names: {
        f"{emoji}{selector}": f":{name.replace(' ', '_')}:"
        for emoji, name in names.items()
        for selector in ("\ufe0f", "")
    },
    "emoji in English": lambda names: {
        emoji: {"en": f":{name.replace(' ', '_')}:", "status": 2} for emoji, name in names.items()
    },
}


@pytest.fixture
def write(tmp_path):
    def write_json(content, name="names.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return path

    return write_json


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_names(write, form):
    assert read_emoji_names(write(FORMS[form](ENGLISH))) == ENGLISH


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("other", FORMS)
def test_names_of_two_languages_meet_at_their_emoji(write, form, other):
    first, second = write(FORMS[form](ENGLISH)), write(FORMS[other](FRENCH), "french.json")
    assert read_emoji_pairs(first, second) == [Pair("hot pepper", "piment rouge"), Pair("cat", "chat")]


def test_names_are_normalised_and_pairs_come_once(write):
    names = write({"🐈": ":e\u0301te\u0301__2:", "🐕": ":été_2:", "🐁": "::"})
    assert read_emoji_names(names) == {"🐈": "été 2", "🐕": "été 2"}
    assert read_emoji_pairs(names, names) == [Pair("été 2", "été 2")]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"names\.json is no JSON \(Expecting value: line 1"),
        ('{"a": ":b:",\n', r"is no JSON \(.*line 2.*, expected the names of emoji in JSON, as cldr-"),
        ("{}", r"has no names in it"),
        ("[]", r"has no names in it"),
        ("7", r"has an entry without a name"),
        ('["a"]', r"has an entry without a name"),
        ('[{"emoji": "x"}]', r"has an entry without a name \(KeyError\('label'\)\)"),
        ('[{"emoji": 1, "label": "x"}]', r"has an entry without a name"),
        ('{"x": {"fr": ":y:"}}', r"has an entry without a name \(KeyError\('en'\)\)"),
        ('{"x": 5}', r"has an entry without a name"),
        ('{"annotations": {"annotations": {"x": {"tts": []}}}}', r"has an entry without a name"),
        ('{"annotations": []}', r"has an entry without a name"),
        ("[" * 100_000, r"is no JSON"),
    ],
)
def test_a_file_of_another_form_is_refused(write, content, message):
    with pytest.raises(DataError, match=message):
        read_emoji_names(write(content))


def test_files_that_share_no_emoji_are_refused(write):
    first, second = write({"x": ":a:"}), write({"y": ":b:"}, "other.json")
    with pytest.raises(DataError, match=r"names\.json and .*other\.json share no emoji"):
        read_emoji_pairs(first, second)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.json cannot be read"):
        read_emoji_names(tmp_path / "nowhere.json")


values = st.recursive(
    st.none() | st.integers() | st.text(max_size=3) | st.just("annotations"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["annotations", "tts", "emoji", "label", "en", "🐈"]), inner)
    ),
    max_leaves=8,
)


@given(values)
def test_any_json_is_read_or_refused_as_data(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    try:
        names = read_emoji_names(path)
    except DataError as error:
        assert "any.json" in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert names
        assert all(names.values())
