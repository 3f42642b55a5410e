"""`minigrad translate`: one line out for each line in, whatever the lines are."""

import io
import os

import pytest

from commands import done, minigrad, refusal
from minigrad.tools.cli import main
from minigrad.tools.learners import trained as learned
from minigrad.tools.run_folder import RunFolder

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def translator(trained):
    return learned(RunFolder(trained.folder)).translator


@pytest.fixture
def lines(trained, tmp_path):
    """The lines of output for bytes on standard input."""

    def translate(content):
        out = done(minigrad("translate", trained.folder, cwd=tmp_path, text=content))
        assert out == "" or out.endswith("\n")
        return out.split("\n")[:-1]

    return translate


# ------------------------------------------------------------------------------------------------ lines


def test_texts_are_translated_in_their_order(trained, translator, tmp_path):
    texts = ["21 novembre 2026", "May 3, 1999", "2026년 11월 21일", "21 novembre 2026"]
    out = done(minigrad("translate", trained.folder, *texts, cwd=tmp_path))
    assert out.splitlines() == [made.text for made in translator.translate(texts)]


def test_every_line_of_standard_input_gets_a_line(lines, translator):
    sources = [f"May {day}, {year}" for year in range(1990, 2030) for day in range(1, 26)]
    assert lines("\n".join(sources)) == [made.text for made in translator.translate(sources)]


@pytest.mark.parametrize(
    ("content", "count"),
    [
        ("", 0),
        ("\n", 1),
        ("3 mai 2020", 1),
        ("3 mai 2020\n", 1),
        ("3 mai 2020\n\n4 mai 2020\n", 3),
        ("\n\n\n", 3),
        ("3 mai 2020\r\n4 mai 2020\r\n", 2),
        ("3 mai\x0b2020\n4 mai\x0c2020\n5 mai\u20282020\n6 mai\x852020\n", 4),
        ("\ufeff3 mai 2020\n", 1),
        ("2" * 20_000 + "\n", 1),
    ],
)
def test_one_line_out_for_each_line_in(content, count, trained, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content.encode())))
    assert main(["translate", str(trained.folder)]) == 0
    assert capsys.readouterr().out.count("\n") == count


def test_an_empty_text_gives_an_empty_line(lines):
    made = lines("3 mai 2020\n\n \t\n\u3000\n3 mai 2020\n")
    assert made[1:4] == ["", "", ""]
    assert made[0] == made[4] != ""


def test_white_space_at_the_ends_and_a_byte_order_mark_change_nothing(lines):
    assert len(set(lines("\ufeff3 mai 2020\n  3 mai 2020\n3 mai 2020\t \r\n"))) == 1


def test_lines_that_are_not_utf_8_are_refused_with_their_number(trained, tmp_path):
    run = minigrad("translate", trained.folder, cwd=tmp_path, text=b"3 mai 2020\n\xff\xfe\n")
    assert "standard input, line 2: byte 0xff is not UTF-8" in refusal(run)
    assert run.stdout == ""


def test_characters_never_seen_are_named_and_translated_all_the_same(trained, tmp_path):
    run = minigrad("translate", trained.folder, "Ω mai 2020 ß Ω", cwd=tmp_path)
    assert (run.returncode, len(run.stdout.splitlines())) == (0, 1)
    assert run.stderr == "minigrad: not seen in training, and read as unknown: 'Ω' 'ß'\n"


def test_an_argument_that_is_not_utf_8_is_no_traceback(trained, tmp_path):
    run = minigrad("translate", trained.folder, os.fsdecode(b"3 mai \xff"), cwd=tmp_path)
    assert run.returncode == 0
    assert "Traceback" not in run.stderr


def test_a_text_of_two_lines_is_refused(trained, capsys):
    assert main(["translate", str(trained.folder), "3 mai\n2020"]) == 2
    assert "got a text with a line break, '3 mai\\n2020', expected one line" in capsys.readouterr().err


def test_a_text_may_begin_with_a_dash(trained, capsys):
    assert main(["translate", str(trained.folder), "--", "-1", "--help"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize("folder", ["nowhere", ".", "config.json"])
def test_what_is_no_run_is_refused(folder, trained, monkeypatch, capsys):
    monkeypatch.chdir(trained.folder.parent if folder == "." else trained.folder)
    assert main(["translate", folder, "x"]) == 2
    assert f"{folder} is not a run: it has no config.json" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------ pictures


def test_attention_is_drawn_with_hangul_and_kana_and_no_warning(trained, tmp_path):
    texts = ["2026년 11월 21일", "2026年11月21日土曜日", "21 ноября 2026 г."]
    run = minigrad("translate", trained.folder, *texts, "--attention", "out.png", cwd=tmp_path)
    assert len(done(run).splitlines()) == 3
    assert (tmp_path / "out.png").read_bytes().startswith(PNG)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("out.jpg", "--attention: got 'out.jpg', expected a name that ends in .png"),
        ("out", "--attention: got 'out', expected a name that ends in .png"),
        ("nowhere/out.png", "--attention: the folder nowhere does not exist"),
    ],
)
def test_a_picture_that_could_not_be_written_is_refused_at_once(name, message, trained, capsys):
    with pytest.raises(SystemExit) as end:
        main(["translate", str(trained.folder), "3 mai 2020", "--attention", name])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_a_picture_of_nothing_is_refused(trained, tmp_path, capsys):
    assert main(["translate", str(trained.folder), "", "--attention", str(tmp_path / "a.png")]) == 2
    out, err = capsys.readouterr()
    assert out == "\n"
    assert "--attention: nothing was written, so there is nothing to draw" in err


def test_a_picture_of_too_many_texts_is_refused(trained, tmp_path, capsys):
    texts = [f"{day} mai 2020" for day in range(65)]
    assert main(["translate", str(trained.folder), *texts, "--attention", str(tmp_path / "a.png")]) == 2
    assert "--attention: got 65 texts, expected 64 at most" in capsys.readouterr().err


def test_without_matplotlib_the_text_is_translated_and_the_remedy_said(trained, tmp_path):
    words = ("translate", trained.folder, "3 mai 2020", "--attention", "a.png")
    run = minigrad(*words, cwd=tmp_path, without=("matplotlib",))
    assert 'drawing needs matplotlib: pip install "minigrad[viz]"' in refusal(run)
    assert len(run.stdout.splitlines()) == 1


# ------------------------------------------------------------------------------------------------ inside


def test_a_translation_has_weights_for_every_token(translator):
    for made in translator.translate(["3 mai 2020", "2026년 11월 21일"]):
        assert made.weights.shape == (len(made.target_tokens), len(made.source_tokens))
        assert made.weights.sum(axis=1) == pytest.approx(1, abs=1e-5)


def test_translations_do_not_depend_on_their_neighbours(translator, monkeypatch):
    texts = ["3 mai 2020", "", "Saturday, November 21, 2026", "2026년 11월 21일"] * 3
    expected = [made.text for made in translator.translate(texts)]
    assert [next(translator.translate([text])).text for text in texts] == expected
    monkeypatch.setattr("minigrad.tools.translator.TOKENS", 30)
    assert [made.text for made in translator.translate(texts)] == expected


def test_translating_leaves_the_mode_of_the_model_as_it_was(translator):
    for training in (True, False):
        translator.model.train(training)
        next(translator.translate(["3 mai 2020", "4 mai 2020"]))
        assert translator.model.training is training
