"""`minigrad generate`: a language model goes on with a text."""

import pytest

from minigrad.tools.cli import main
from minigrad.tools.learners import trained as learned
from minigrad.tools.run_folder import RunFolder
from runs import begun, settings_of

SONG = "one two three four\n" * 60


@pytest.fixture(scope="module")
def song(tmp_path_factory):
    """A run that knows a song of one line by heart."""
    home = tmp_path_factory.mktemp("song")
    (home / "song.txt").write_text(SONG, encoding="utf-8")
    settings = settings_of(
        "text",
        model__name="gru",
        data__files=home / "song.txt",
        data__length=20,
        training__epochs=8,
        training__batch_size=8,
        training__learning_rate=0.02,
        model__hidden_size=32,
        model__embedding_size=16,
    )
    trainer = begun(home / "run", settings)
    assert trainer.run()
    assert trainer.scores().value < 0.2
    return home / "run"


def said(capsys, *words):
    capsys.readouterr()  # what training has printed
    assert main(["generate", *map(str, words)]) == 0
    return capsys.readouterr().out


def test_the_likeliest_continuation_is_the_song(song, capsys):
    assert said(capsys, song, "one t", "--length", "14", "--temperature", "0") == "one two three four\n\n"


def test_without_a_prompt_it_begins_as_a_line_does(song, capsys):
    assert said(capsys, song, "--length", "18", "--temperature", "0") == "one two three four\n"


def test_a_seed_gives_the_same_text_and_another_seed_another(song, capsys):
    words = (song, "one", "--length", "40", "--temperature", "8")
    assert said(capsys, *words, "--seed", "1") == said(capsys, *words, "--seed", "1")
    assert said(capsys, *words, "--seed", "1") != said(capsys, *words, "--seed", "2")


@pytest.mark.parametrize("options", [("--top-k", "1"), ("--top-p", "0.01")])
def test_drawing_from_one_token_only_is_the_likeliest_text(options, song, capsys):
    words = (song, "one t", "--length", "14")
    assert said(capsys, *words, "--temperature", "5", *options) == said(capsys, *words, "--temperature", "0")


def test_as_many_tokens_are_written_as_were_asked_for(song):
    learner = learned(RunFolder(song))
    for length in (1, 7, 50):
        assert len(learner.continued("one", length)) == 3 + length


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A run that has counted what follows what in the song."""
    home = tmp_path_factory.mktemp("chain")
    (home / "song.txt").write_text(SONG, encoding="utf-8")
    assert begun(home / "run", settings_of("text", model__name="markov", data__files=home / "song.txt")).run()
    return home / "run"


def test_a_chain_begins_a_line_as_it_has_seen_lines_begin(chain, capsys):
    assert said(capsys, chain, "--length", "3", "--temperature", "0") == "one\n"
    assert set(said(capsys, chain, "--length", "99", "--seed", "2")) <= set(SONG)


@pytest.mark.parametrize("temperature", ["1", "1000", "1e-310"])
@pytest.mark.parametrize("run", ["song", "chain"])
def test_no_end_and_no_unknown_token_is_written(run, temperature, request, capsys):
    text = said(capsys, request.getfixturevalue(run), "--length", "300", "--temperature", temperature)
    assert "<" not in text
    assert len(text) == 300 + 1


def test_what_was_never_seen_is_named(song, capsys):
    assert main(["generate", str(song), "Ω", "--length", "3"]) == 0
    assert "not seen in training, and read as unknown: 'Ω'" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--temperature", "-1", "got '-1', expected a number from 0 to 1000"),
        ("--temperature", "nan", "got 'nan'"),
        ("--top-p", "0", "got '0', expected a number above 0, and 1 at most"),
        ("--top-p", "x", "got 'x'"),
        ("--top-k", "0", "got '0', expected a whole number from 1"),
        ("--length", "0", "got '0'"),
    ],
)
def test_a_value_out_of_its_range_is_refused(option, value, message, capsys):
    with pytest.raises(SystemExit) as end:
        main(["generate", "runs/text", option, value])
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_each_command_says_which_runs_it_is_for(song, trained, capsys):
    assert main(["generate", str(trained.folder)]) == 2
    assert "is no language model, for its task is dates" in capsys.readouterr().err
    assert main(["translate", str(song), "x"]) == 2
    assert "does not translate, for its task is text" in capsys.readouterr().err


def test_learned_positions_end_where_the_table_does(tmp_path, capsys):
    (tmp_path / "song.txt").write_text(SONG, encoding="utf-8")
    sizes = {"model__model_size": 8, "model__heads": 2, "model__layers": 1, "model__max_length": 8}
    settings = settings_of(
        "text",
        model__name="transformer",
        model__positions="learned",
        data__files=tmp_path / "song.txt",
        data__length=20,
        training__epochs=1,
        **sizes,
    )
    assert begun(tmp_path / "run", settings).run()
    assert RunFolder(tmp_path / "run").config()["model"]["max_length"] == 20
    assert main(["generate", str(tmp_path / "run"), "one", "--length", "30"]) == 2
    assert "20" in capsys.readouterr().err
