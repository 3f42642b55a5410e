"""Message catalogues: .po and .mo say the same, and what is broken is refused with its place."""

import gettext
import io
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from minigrad.data import DataError, Message, Pair, message_pairs, read_catalogue, read_mo, read_po

HEADER = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset={}\\n"\n\n'

CATALOGUE = r"""# A comment of the translator
#: source.c:1
msgid ""
msgstr "Content-Type: text/plain; charset=UTF-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

#. extracted
#, c-format, no-wrap
msgid "%d file\n"
msgid_plural "%d files\n"
msgstr[0] "%d Datei\n"
msgstr[1] ""
"%d Date"
"ien\n"

#, fuzzy
#| msgid "Opem"
msgid "Open"
msgstr "Offen"

msgctxt "menu"
msgid "Open"
msgstr "Öffnen"

msgid "nobody"
msgstr ""
msgid "say \"\\\x41\101\t\""
msgstr "sag"
msgid "OK"
msgstr "OK"

#~ msgid "gone"
#~ msgstr "weg"
"""


@pytest.fixture
def write(tmp_path):
    def write_bytes(content, name="de.po"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_bytes


def compiled(strings, order="<", version=0):
    """A .mo file of pairs of strings, as msgfmt writes it."""
    keys, values = zip(*[(key.encode(), value.encode()) for key, value in strings], strict=True)
    start = 28 + 16 * len(keys)
    table, body = b"", b""
    for text in keys + values:
        table += struct.pack(f"{order}2I", len(text), start + len(body))
        body += text + b"\0"
    numbers = (0x950412DE, version, len(keys), 28, 28 + 8 * len(keys), 0, start)
    return struct.pack(f"{order}7I", *numbers) + table + body


def test_every_message_of_a_catalogue_is_read(write):
    header, *messages = read_po(write(CATALOGUE))
    assert header.singular == ""
    assert messages == [
        Message("%d file\n", ("%d Datei\n", "%d Dateien\n"), "%d files\n"),
        Message("Open", ("Offen",), fuzzy=True),
        Message("Open", ("Öffnen",), context="menu"),
        Message("nobody", ("",)),
        Message('say "\\AA\t"', ("sag",)),
        Message("OK", ("OK",)),
    ]


def test_fuzzy_empty_equal_and_obsolete_messages_are_left_out_of_the_pairs(write):
    assert read_catalogue(write(CATALOGUE)) == [
        Pair("%d file", "%d Datei"),
        Pair("%d files", "%d Dateien"),
        Pair("Open", "Öffnen"),
        Pair('say "\\AA\t"', "sag"),
    ]


def test_a_language_with_one_plural_form_has_it_for_both_numbers():
    messages = [Message("%d file", ("파일 %d개",), "%d files")]
    assert list(message_pairs(messages)) == [Pair("%d file", "파일 %d개"), Pair("%d files", "파일 %d개")]


def test_the_encoding_is_the_one_that_the_header_names(write):
    korean = HEADER.format("EUC-KR") + 'msgid "yes"\nmsgstr "예"\n'
    assert read_catalogue(write(korean.encode("euc-kr"))) == [Pair("yes", "예")]
    template = HEADER.format("CHARSET") + 'msgid "yes"\nmsgstr "예"\n'
    assert read_catalogue(write(template)) == [Pair("yes", "예")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_end_of_lines_and_a_byte_order_mark_do_not_matter(write, end):
    content = "\ufeff" + CATALOGUE.replace("\n", end)
    assert read_catalogue(write(content)) == read_catalogue(write(CATALOGUE))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("hello\n", r"de\.po, line 1: got 'hello', expected a comment, or msgid, msgstr and a string"),
        ('"loose"\n', "line 1: got '\"loose\"', expected a keyword such as msgid before it"),
        ('msgid "a\nmsgstr "b"', "line 1: got 'msgid \"a'"),
        ('msgid "a"b"\nmsgstr "b"', "line 1: .* with a bare quotation mark"),
        (r'msgid "a\q"' + '\nmsgstr "b"', r"line 1: got the escape '\\\\q', expected one of C's"),
        ('msgid "a\\"\nmsgstr "b"', "line 1: got"),
        ('msgid "a"\nmsgid "b"\n', "line 2: got 'msgid \"b\"' after msgid in line 1"),
        ('\nmsgid "a"\n\n# end', r"line 2: got a message without msgstr"),
        ('\nmsgstr "a"\n', "line 2: got a message without msgid"),
        ('msgid "a"\nmsgstr[1] "b"\n', r"line 2: .* which it cannot follow"),
        ('msgid "a"\nmsgid[0] "b"\n', r"line 2: .* which it cannot follow"),
        ('msgid "a"\nmsgstr[0] "b"\nmsgstr[0] "b"\n', r"line 3: .* which it cannot follow"),
        (HEADER.format("klingon"), "names the encoding 'klingon' in its header"),
        (HEADER.format("utf-16"), "names the encoding 'utf-16' in its header"),
        (HEADER.format("unicode_escape"), "names the encoding 'unicode_escape' in its header"),
        (HEADER.format("hex"), "names the encoding 'hex' in its header"),
        (
            HEADER.format("ascii") + 'msgid "a"\nmsgstr "é"',
            "byte 0xc3, which is not ASCII at byte 82, line 6",
        ),
        (HEADER.format("utf-8"), r"de\.po holds no translated message"),
    ],
)
def test_a_malformed_catalogue_is_refused_with_its_place(write, content, message):
    with pytest.raises(DataError, match=message):
        read_catalogue(write(content))


texts = st.text(st.characters(codec="utf-8", exclude_characters="\0\x04\r"), min_size=1, max_size=12)


def quoted(text):
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\x85": "\x85"}
    return '"' + "".join(escapes.get(character, character) for character in text) + '"'


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=5))
def test_what_is_written_in_a_catalogue_is_read_from_it(tmp_path_factory, both):
    path = tmp_path_factory.getbasetemp() / "any.po"
    entries = [f"msgid {quoted(key)}\nmsgstr {quoted(value)}\n" for key, value in both]
    path.write_text(HEADER.format("UTF-8") + "\n".join(entries), encoding="utf-8", newline="")
    assert [(found.singular, found.translations[0]) for found in read_po(path)[1:]] == both


STRINGS = [
    ("", "Content-Type: text/plain; charset=UTF-8\n"),
    ("%d file\0%d files", "%d Datei\0%d Dateien"),
    ("menu\x04Open", "Öffnen"),
    ("nobody", ""),
]


@pytest.mark.parametrize("order", "<>")
def test_a_compiled_catalogue_is_read_in_either_byte_order(write, order):
    path = write(compiled(STRINGS, order), "de.mo")
    assert read_mo(path)[1:] == [
        Message("%d file", ("%d Datei", "%d Dateien"), "%d files"),
        Message("Open", ("Öffnen",), context="menu"),
        Message("nobody", ("",)),
    ]
    assert read_catalogue(path)[2] == Pair("Open", "Öffnen")


def test_pythons_own_reader_finds_the_same(write):
    data = compiled(STRINGS)
    theirs = gettext.GNUTranslations(io.BytesIO(data))
    assert theirs.pgettext("menu", "Open") == "Öffnen"
    assert theirs.ngettext("%d file", "%d files", 2) == "%d Dateien"
    assert read_catalogue(write(data, "without-an-ending"))[0] == Pair("%d file", "%d Datei")


def test_a_compiled_catalogue_cut_anywhere_is_refused_or_still_whole(write):
    data = compiled(STRINGS)
    for length in range(len(data) - 1):  # the last byte is the NUL behind the last string
        with pytest.raises(DataError, match=r"de\.mo"):
            read_mo(write(data[:length], "de.mo"))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"msgid", r"de\.mo is no compiled message catalogue"),
        (compiled(STRINGS, version=2 << 16), "is of version 2, expected 0 or 1"),
        (
            compiled(STRINGS)[:8] + b"\xff\xff\xff\xff" + compiled(STRINGS)[12:],
            "4,294,967,295 strings would end",
        ),
        (compiled([("", "charset=ascii"), ("a", "é")]), r"message 1 is not in ascii, as its header says"),
        (compiled([("", "charset=klingon")]), "names the encoding 'klingon'"),
    ],
)
def test_a_broken_compiled_catalogue_is_refused(write, data, message):
    with pytest.raises(DataError, match=message):
        read_mo(write(data, "de.mo"))


@given(st.data())
def test_a_compiled_catalogue_with_changed_bytes_is_read_or_refused(tmp_path_factory, data):
    content = bytearray(compiled(STRINGS))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.getbasetemp() / "any.mo"
    path.write_bytes(content)
    try:
        read_mo(path)
    except DataError as error:
        assert "any.mo" in str(error)  # noqa: PT017 - either outcome is right
